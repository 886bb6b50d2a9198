"""What is sold at Stripe: products, prices, meters; and how its account is set up."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from tests.peers.stripe_lists import found, listed, listing
from tests.peers.stripe_store import Json, Refused, Store

DAY = 86_400
NOT_ASKED: Json = {
    "customer_update": {"enabled": False, "allowed_updates": []},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
        "cancellation_reason": {"enabled": False, "feedback_options": None, "options": []},
    },
    "subscription_pause": {"enabled": False},
    "subscription_update": {"enabled": False, "default_allowed_updates": [], "proration_behavior": "none"},
}
"""The portal's features as they are without being asked for."""


class Catalogue(Store):
    def __init__(self) -> None:
        super().__init__()
        self.meter_events: list[Json] = []

    def add_product(self, name: str, **facts: Any) -> Json:
        if facts.get("id") in self._kept["product"]:
            raise Refused(400, "Product already exists.", "resource_already_exists")
        return self.keep("product", "prod", **({"name": name, "active": True, "metadata": {}} | facts))

    def add_price(
        self,
        product: str,
        unit_amount: int,
        currency: str,
        interval: str,
        lookup_key: str | None,
        *,
        meter: str | None = None,
        **facts: Any,
    ) -> Json:
        recurring = {"interval": interval, "interval_count": 1, "meter": meter}
        return self.keep(
            "price",
            "price",
            product=product,
            active=True,
            billing_scheme="per_unit",
            currency=currency.lower(),
            lookup_key=lookup_key,
            recurring=recurring | {"usage_type": "metered" if meter else "licensed", "trial_period_days": None},
            type="recurring",
            unit_amount=unit_amount,
            unit_amount_decimal=str(unit_amount),
            **({"metadata": {}} | facts),
        )

    def price_of(self, lookup_key: str) -> Json:
        return next(each for each in self.every("price") if each["lookup_key"] == lookup_key)

    def move_lookup_key(self, lookup_key: str, unit_amount: int) -> Json:
        """A new price takes the key over (`transfer_lookup_key`); who subscribed to the old one stays there."""
        with self.lock:
            old = self.price_of(lookup_key)
            self.take_lookup_key(lookup_key)
            every = old["recurring"]
            return self.add_price(
                old["product"],
                unit_amount,
                old["currency"],
                every["interval"],
                lookup_key,
                meter=every["meter"],
                metadata=old["metadata"],
            )

    def take_lookup_key(self, lookup_key: str) -> None:
        """No price has the key any more, nor the copies of it in subscriptions."""
        for old in self.every("price"):
            if old["lookup_key"] == lookup_key:
                old["lookup_key"] = None
                for subscription in self.every("subscription"):
                    for item in subscription["items"]["data"]:
                        if item["price"]["id"] == old["id"]:
                            item["price"]["lookup_key"] = None

    def used(self, customer: str, start: int = 0, end: int = 1 << 40) -> int:
        """What the meters sum to for a customer, of events dated from `start` to before `end`."""
        return sum(
            int(each["payload"]["value"])
            for each in self.meter_events
            if each["payload"]["stripe_customer_id"] == customer and start <= each["timestamp"] < end
        )


def plain(value: Any) -> Any:
    """Parameters as JSON: lists, yes and no, nothing for an empty text."""
    if isinstance(value, dict) and value and all(key.isdigit() for key in value):
        return [plain(each) for each in value.values()]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if not isinstance(value, str):
        return value
    return {"true": True, "false": False, "": None}.get(value, value)


def _create_product(world: Catalogue, params: Json) -> Json:
    return world.add_product(**plain(params))


def _list_prices(world: Catalogue, params: Json) -> Json:
    keys = set(params.get("lookup_keys", {}).values())
    if len(keys) > 10:
        raise Refused(400, "You may only specify up to 10 lookup_keys.")
    chosen = [each for each in world.every("price") if not keys or each["lookup_key"] in keys]
    return listed(chosen, params, "/v1/prices", ("active", "product", "currency", "type"))


def _create_price(world: Catalogue, params: Json) -> Json:
    asked = plain(params)
    every, key = asked["recurring"], asked.get("lookup_key")
    _claim(world, key, asked)
    meter = every.get("meter")
    if (every.get("usage_type") == "metered") != bool(meter):
        raise Refused(400, "A metered price needs a meter, and only a metered price has one.")
    if meter and world.find("billing.meter", meter)["status"] != "active":
        raise Refused(400, "The meter is not active.")
    world.find("product", asked["product"])
    return world.add_price(
        asked["product"],
        int(asked["unit_amount"]),
        asked["currency"],
        every["interval"],
        key,
        meter=meter,
        metadata=asked.get("metadata", {}),
        nickname=asked.get("nickname"),
    )


def _claim(world: Catalogue, key: str | None, asked: Json) -> None:
    holder = next((each for each in world.every("price") if key and each["lookup_key"] == key), None)
    if holder is None:
        return
    if not asked.get("transfer_lookup_key"):
        raise Refused(400, f"A price (`{holder['id']}`) already uses that lookup key.")
    assert key is not None
    world.take_lookup_key(key)


def _update_price(world: Catalogue, params: Json, stripe_id: str) -> Json:
    asked = plain(params)
    price = world.find("price", stripe_id)
    if "lookup_key" in asked and asked["lookup_key"] != price["lookup_key"]:
        _claim(world, asked["lookup_key"], asked)
    return _updated(price, {name: each for name, each in asked.items() if name != "transfer_lookup_key"})


def _updated(about: Json, asked: Json) -> Json:
    """Metadata is merged, and so is what lies inside of features; the rest is replaced."""
    for name, value in asked.items():
        if isinstance(value, dict) and isinstance(about.get(name), dict):
            _updated(about[name], value)
        else:
            about[name] = value
    return about


def _create_meter(world: Catalogue, params: Json) -> Json:
    asked = plain(params)
    taken = [each for each in world.every("billing.meter") if each["event_name"] == asked["event_name"]]
    if any(each["status"] == "active" for each in taken):
        raise Refused(400, "There is already an active meter with that event name.")
    mapping = {"type": "by_id", "event_payload_key": "stripe_customer_id"}
    fields = {"customer_mapping": mapping, "value_settings": {"event_payload_key": "value"}} | asked
    moments = {"status_transitions": {"deactivated_at": None}, "event_time_window": None, "updated": world.now()}
    return world.keep("billing.meter", "mtr_test", status="active", **moments, **fields)


def _reactivate(world: Catalogue, params: Json, stripe_id: str) -> Json:
    return _updated(world.find("billing.meter", stripe_id), {"status": "active"})


def _count(world: Catalogue, params: Json) -> Json:
    meters = [each for each in world.every("billing.meter") if each["event_name"] == params["event_name"]]
    if not any(each["status"] == "active" for each in meters):
        raise Refused(400, f"No active meter found for the event name {params['event_name']}.")
    now, at = world.now(), int(params.get("timestamp", world.now()))
    if not now - 35 * DAY <= at <= now + 300:
        raise Refused(400, "The timestamp must be within the past 35 calendar days or up to 5 minutes in the future.")
    world.find("customer", params["payload"]["stripe_customer_id"])
    if not params["payload"]["value"].isdigit():
        raise Refused(400, "The value must be a whole number.")
    identifier = params.get("identifier", f"made_{next(world.numbers)}")
    if any(each["identifier"] == identifier and now - each["created"] < DAY for each in world.meter_events):
        raise Refused(400, f"An event already exists with identifier {identifier}.")
    made = {"object": "billing.meter_event", "created": now, "livemode": False, "timestamp": at}
    world.meter_events.append(made | {"identifier": identifier} | {k: params[k] for k in ("event_name", "payload")})
    return world.meter_events[-1]


def _summaries(world: Catalogue, params: Json, stripe_id: str) -> Json:
    world.find("billing.meter", stripe_id)
    start, end = int(params["start_time"]), int(params["end_time"])
    step = {"day": DAY, "hour": 3_600}.get(params.get("value_grouping_window", ""), end - start)
    if start % 60 or end % 60 or end <= start:
        raise Refused(400, "Start and end must be aligned with minute boundaries.")
    page = listed(
        [
            {
                "id": f"mtrusg_{stripe_id}_{at}",
                "object": "billing.meter_event_summary",
                "aggregated_value": world.used(params["customer"], at, min(at + step, end)),
                "start_time": at,
                "end_time": min(at + step, end),
                "livemode": False,
                "meter": stripe_id,
                "created": at,
            }
            for at in range(start, end, step)
        ],
        params,
        f"/v1/billing/meters/{stripe_id}/event_summaries",
    )
    return page | {"data": [{k: v for k, v in each.items() if k != "created"} for each in page["data"]]}


def _create_portal(world: Catalogue, params: Json) -> Json:
    asked = plain(params)
    features = _updated(deepcopy(NOT_ASKED), asked.pop("features"))
    about = {"active": True, "is_default": False, "metadata": {}, "default_return_url": None, "updated": world.now()}
    return world.keep("billing_portal.configuration", "bpc", features=features, **(about | asked))


def _update_portal(world: Catalogue, params: Json, stripe_id: str) -> Json:
    return _updated(world.find("billing_portal.configuration", stripe_id), plain(params))


def _create_endpoint(world: Catalogue, params: Json) -> Json:
    asked = plain(params)
    _reachable(asked["url"])
    about = {"status": "enabled", "metadata": {}, "api_version": None, "description": None}
    made = world.keep("webhook_endpoint", "we", **(about | asked))
    return made | {"secret": f"whsec_of_{made['id']}"}


def _update_endpoint(world: Catalogue, params: Json, stripe_id: str) -> Json:
    asked = plain(params)
    if "url" in asked:
        _reachable(asked["url"])
    if "disabled" in asked:
        asked["status"] = "disabled" if asked.pop("disabled") else "enabled"
    return _updated(world.find("webhook_endpoint", stripe_id), asked)


def _reachable(url: str) -> None:
    if "localhost" in url or "127.0.0.1" in url:
        raise Refused(400, "Invalid URL: URL must be publicly accessible.", "url_invalid")


METER, PORTAL = "/v1/billing/meters", "/v1/billing_portal/configurations"
ROUTES: dict[tuple[str, str], Callable[..., Json]] = {
    ("post", "/v1/products"): _create_product,
    ("get", "/v1/products"): listing("product", "/v1/products", "active"),
    ("get", "/v1/products/{id}"): found("product"),
    ("post", "/v1/products/{id}"): lambda world, params, stripe_id: _updated(
        world.find("product", stripe_id), plain(params)
    ),
    ("post", "/v1/prices"): _create_price,
    ("get", "/v1/prices"): _list_prices,
    ("get", "/v1/prices/{price}"): found("price"),
    ("post", "/v1/prices/{price}"): _update_price,
    ("post", METER): _create_meter,
    ("get", METER): listing("billing.meter", METER, "status"),
    ("get", METER + "/{id}"): found("billing.meter"),
    ("post", METER + "/{id}/reactivate"): _reactivate,
    ("get", METER + "/{id}/event_summaries"): _summaries,
    ("post", "/v1/billing/meter_events"): _count,
    ("post", PORTAL): _create_portal,
    ("get", PORTAL): listing("billing_portal.configuration", PORTAL, "active", "is_default"),
    ("get", PORTAL + "/{configuration}"): found("billing_portal.configuration"),
    ("post", PORTAL + "/{configuration}"): _update_portal,
    ("post", "/v1/webhook_endpoints"): _create_endpoint,
    ("get", "/v1/webhook_endpoints"): listing("webhook_endpoint", "/v1/webhook_endpoints"),
    ("get", "/v1/webhook_endpoints/{webhook_endpoint}"): found("webhook_endpoint"),
    ("post", "/v1/webhook_endpoints/{webhook_endpoint}"): _update_endpoint,
}
