"""A subscription to change, at our Stripe, and what is to be seen of it there."""

from typing import Any
from uuid import uuid4

from core.access import Scope
from core.billing import service
from core.billing.changing import change_plan, preview_change
from core.billing.service import PlanView
from tests.peers.stripe_server import StripeServer
from tests.people import Made

DAY = 86_400
Json = dict[str, Any]


def subscribed(
    stripe: StripeServer, made: Made, items: dict[str, int | None], *, days_ago: int = 0, trial_days: int = 0
) -> Json:
    """The account's subscription, begun so many days ago; `items` are quantities by lookup key, None where metered."""
    world = stripe.world
    customer = service._customer(made.scope)
    asked = {
        str(place): {"price": world.price_of(key)["id"]} | ({} if many is None else {"quantity": str(many)})
        for place, (key, many) in enumerate(items.items())
    }
    world.ahead -= days_ago * DAY
    world.add_card(customer)
    more = {"trial_end": world.now() + trial_days * DAY} if trial_days else {}
    subscription: Json = world.start(customer, asked, **more)
    world.ahead += days_ago * DAY
    service.refresh(made.scope)
    return subscription


def held(subscription: Json) -> dict[str, int | None]:
    return {each["price"]["lookup_key"]: each.get("quantity") for each in subscription["items"]["data"]}


def change(scope: Scope, lookup_key: str, seats: int = 0) -> PlanView:
    return change_plan(scope, uuid4(), preview_change(scope, lookup_key, seats))


def invoices(stripe: StripeServer, subscription: Json) -> list[Json]:
    """The newest first."""
    found: list[Json] = stripe.world.invoices_of(subscription["id"])
    return found


def asked(stripe: StripeServer, subscription: Json, end: str = "") -> list[tuple[Json, str | None]]:
    """The writes about a subscription: their parameters and keys."""
    path = f"/v1/subscriptions/{subscription['id']}{end}"
    return [(params, key) for verb, where, params, key in stripe.requests if (verb, where) == ("post", path)]
