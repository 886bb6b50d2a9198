"""What the tests of syncing do again and again: make a subscription that only Stripe knows of, ring, and look."""

import itertools
from collections import Counter
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

from core.access import Scope
from core.billing import sync
from core.billing.plans import PlanName
from core.billing.service import entitlement_of
from core.db import transaction
from tests.billing.conftest import link
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_store import Json
from tests.peers.stripe_world import World
from tests.people import Made

SYNC = "SELECT key, dirty, synced, attempts, dead_at IS NOT NULL, last_error, lease FROM stripe_sync ORDER BY key"


def run_all() -> int:
    """Work until nothing is due; how many pieces there were."""
    return next(count for count in itertools.count() if not sync.run_once())


def subscribed(stripe: StripeServer, made: Made, lookup_key: str = "pro_monthly") -> tuple[str, str]:
    """The account's customer, known to both sides, and a subscription that only Stripe knows of."""
    customer = stripe.world.add_customer(metadata={"account_id": str(made.account_id)})["id"]
    link(made.account_id, customer)
    return customer, stripe.world.subscribe(customer, stripe.world.price_of(lookup_key)["id"])["id"]


def plan_of(made: Made) -> PlanName:
    with transaction(Scope.for_account(made.account_id)) as session:
        return entitlement_of(session, made.account_id).plan


def changes(made: Made) -> list[tuple[str, str]]:
    with transaction(Scope.for_account(made.account_id)) as session:
        found = session.connection().exec_driver_sql("SELECT stripe_id, status FROM subscription_changes ORDER BY id")
        return [tuple(row) for row in found]


def again(made: Made, customer: str) -> None:
    link(made.account_id, customer)
    run_all()


class Row(NamedTuple):
    at: datetime
    kind: str
    currency: str
    amount: int
    mrr: int
    lookup_key: str | None


def movements(made: Made) -> list[Row]:
    with transaction(Scope.for_account(made.account_id)) as session:
        found = session.connection().exec_driver_sql(
            'SELECT "at", kind, currency, amount, mrr, lookup_key FROM mrr_movements ORDER BY "at", id'
        )
        return [Row(*row) for row in found]


def worth_at(world: World, customer: str) -> dict[str, int]:
    """By Stripe's own state: whole cents a month of each subscription that pays, by currency."""
    sums: Counter[str] = Counter()
    for each in world.every("subscription"):
        if each["customer"] == customer and each["status"] in ("active", "past_due"):
            sums[each["currency"].upper()] += round(_monthly(world, each))
    return {currency: amount for currency, amount in sums.items() if amount}


def _monthly(world: World, subscription: Json) -> Fraction:
    value = Fraction()
    for item in subscription["items"]["data"]:
        every = item["price"]["recurring"]
        if every["usage_type"] == "licensed":
            months = {"month": 1, "year": 12}[every["interval"]] * every["interval_count"]
            value += Fraction(item["price"]["unit_amount"] * item["quantity"], months)
    for name in subscription["discounts"]:
        coupon = world.find("coupon", world.find("discount", name)["source"]["coupon"])
        value -= value * Fraction(str(coupon["percent_off"])) / 100
    return value


def sums_of(rows: list[Row]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for each in rows:
        sums[each.currency] += each.amount
    return {currency: amount for currency, amount in sums.items() if amount}
