"""What each operation of Stripe's API does to a `World`."""

from collections.abc import Callable

from tests.peers import stripe_catalogue_world, stripe_customers_world, stripe_payments_world
from tests.peers.stripe_lists import found, listed
from tests.peers.stripe_store import Json
from tests.peers.stripe_world import World


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
    return listed(chosen, params, "/v1/subscriptions")


def _create_subscription(world: World, params: Json) -> Json:
    item = params["items"]["0"]
    days = int(params.get("trial_period_days", 0))
    quantity = int(item.get("quantity", 1))
    return world.subscribe(params["customer"], item["price"], quantity, days, params.get("metadata", {}))


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
    return listed(chosen, params, "/v1/events")


ROUTES: dict[tuple[str, str], Callable[..., Json]] = {
    **stripe_customers_world.ROUTES,
    **stripe_catalogue_world.ROUTES,
    **stripe_payments_world.ROUTES,
    ("post", "/v1/checkout/sessions"): _create_checkout,
    ("get", "/v1/checkout/sessions/{session}"): found("checkout.session"),
    ("post", "/v1/checkout/sessions/{session}/expire"): lambda world, params, stripe_id: world.expire(stripe_id),
    ("post", "/v1/billing_portal/sessions"): lambda world, params: world.open_portal(
        params["customer"], params.get("return_url")
    ),
    ("post", "/v1/subscriptions"): _create_subscription,
    ("get", "/v1/subscriptions"): _list_subscriptions,
    ("get", "/v1/subscriptions/{subscription_exposed_id}"): found("subscription"),
    ("post", "/v1/subscriptions/{subscription_exposed_id}"): _update_subscription,
    ("delete", "/v1/subscriptions/{subscription_exposed_id}"): lambda world, params, stripe_id: world.cancel(stripe_id),
    ("get", "/v1/invoices/{invoice}"): found("invoice"),
    ("get", "/v1/events"): _list_events,
    ("get", "/v1/events/{id}"): found("event"),
}
