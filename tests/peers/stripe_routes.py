"""What each operation of Stripe's API does to a `World`."""

from collections.abc import Callable

from tests.peers.stripe_store import Json, Refused
from tests.peers.stripe_world import World


def _listed(objects: list[Json], params: Json, url: str) -> Json:
    """One page, after `starting_after`, of at most `limit`."""
    limit = int(params.get("limit", 10))
    if not 1 <= limit <= 100:
        raise Refused(400, "Invalid limit: must be between 1 and 100")
    after = params.get("starting_after")
    start = 1 + [each["id"] for each in objects].index(after) if after else 0
    page = objects[start : start + limit]
    return {"object": "list", "data": page, "has_more": start + limit < len(objects), "url": url}


def _expanded(world: World, subscription: Json, wanted: list[str]) -> Json:
    if "latest_invoice" not in wanted or subscription["latest_invoice"] is None:
        return subscription
    return subscription | {"latest_invoice": world.find("invoice", subscription["latest_invoice"])}


def _list_subscriptions(world: World, params: Json) -> Json:
    if "customer" in params:
        world.find("customer", params["customer"])
    status = params.get("status", "")
    chosen = [
        each
        for each in world.every("subscription")
        if each["id"] not in world.unlisted
        and each["customer"] == params.get("customer", each["customer"])
        and (status == "all" or each["status"] == status or (not status and each["status"] != "canceled"))
    ]
    wanted = [each.removeprefix("data.") for each in params.get("expand", {}).values()]
    page = _listed(chosen, params, "/v1/subscriptions")
    return page | {"data": [_expanded(world, each, wanted) for each in page["data"]]}


def _create_subscription(world: World, params: Json) -> Json:
    item = params["items"]["0"]
    days = int(params.get("trial_period_days", 0))
    quantity = int(item.get("quantity", 1))
    return world.subscribe(params["customer"], item["price"], quantity, days, params.get("metadata", {}))


def _one_subscription(world: World, params: Json, stripe_id: str) -> Json:
    return _expanded(world, world.find("subscription", stripe_id), list(params.get("expand", {}).values()))


def _update_subscription(world: World, params: Json, stripe_id: str) -> Json:
    fields: Json = {}
    if "cancel_at_period_end" in params:
        fields["cancel_at_period_end"] = params["cancel_at_period_end"] == "true"
    if "cancel_at" in params:
        fields["cancel_at"] = int(params["cancel_at"]) if params["cancel_at"] else None
    for item in params.get("items", {}).values():
        ours = world.find("subscription", stripe_id)["items"]["data"][0]
        if "price" in item:
            ours["price"] = dict(world.find("price", item["price"]))
        ours["quantity"] = int(item.get("quantity", ours["quantity"]))
    return world.change(stripe_id, **fields)


def _list_prices(world: World, params: Json) -> Json:
    keys = set(params.get("lookup_keys", {}).values())
    chosen = [each for each in world.every("price") if not keys or each["lookup_key"] in keys]
    return _listed([each for each in chosen if each["active"] or "active" not in params], params, "/v1/prices")


def _create_price(world: World, params: Json) -> Json:
    interval = params["recurring"]["interval"]
    key = params.get("lookup_key")
    return world.add_price(params["product"], int(params["unit_amount"]), params["currency"], interval, key)


def _create_checkout(world: World, params: Json) -> Json:
    line = params["line_items"]["0"]
    asked = params.get("subscription_data", {})
    return world.open_checkout(
        params["customer"],
        line["price"],
        quantity=int(line.get("quantity", 1)),
        trial_days=int(asked.get("trial_period_days", 0)),
        client_reference_id=params.get("client_reference_id"),
        success_url=params["success_url"],
        cancel_url=params.get("cancel_url"),
        metadata=asked.get("metadata", {}),
    )


def _list_events(world: World, params: Json) -> Json:
    since = int(params.get("created", {}).get("gte", 0)) if isinstance(params.get("created"), dict) else 0
    kinds = set(params.get("types", {}).values()) | ({params["type"]} if "type" in params else set())
    chosen = [
        each for each in world.every("event") if each["created"] >= since and (not kinds or each["type"] in kinds)
    ]
    return _listed(chosen, params, "/v1/events")


def _found(kind: str) -> Callable[..., Json]:
    return lambda world, params, stripe_id: world.find(kind, stripe_id)


ROUTES: dict[tuple[str, str], Callable[..., Json]] = {
    ("post", "/v1/customers"): lambda world, params: world.add_customer(**params),
    ("get", "/v1/customers/{customer}"): _found("customer"),
    ("post", "/v1/customers/{customer}"): lambda world, params, stripe_id: world.find("customer", stripe_id) | params,
    ("post", "/v1/products"): lambda world, params: world.add_product(**params),
    ("post", "/v1/prices"): _create_price,
    ("get", "/v1/prices"): _list_prices,
    ("post", "/v1/checkout/sessions"): _create_checkout,
    ("get", "/v1/checkout/sessions/{session}"): _found("checkout.session"),
    ("post", "/v1/checkout/sessions/{session}/expire"): lambda world, params, stripe_id: world.expire(stripe_id),
    ("post", "/v1/billing_portal/sessions"): lambda world, params: world.open_portal(
        params["customer"], params.get("return_url")
    ),
    ("post", "/v1/subscriptions"): _create_subscription,
    ("get", "/v1/subscriptions"): _list_subscriptions,
    ("get", "/v1/subscriptions/{subscription_exposed_id}"): _one_subscription,
    ("post", "/v1/subscriptions/{subscription_exposed_id}"): _update_subscription,
    ("delete", "/v1/subscriptions/{subscription_exposed_id}"): lambda world, params, stripe_id: world.cancel(stripe_id),
    ("get", "/v1/invoices/{invoice}"): _found("invoice"),
    ("get", "/v1/charges/{charge}"): _found("charge"),
    ("get", "/v1/events"): _list_events,
    ("get", "/v1/events/{id}"): _found("event"),
}
