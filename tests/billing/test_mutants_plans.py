"""What seats and metered drafts add to a plan, and which subscription an account changes, told apart to the last."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from core.billing.plans import (
    GRACE,
    METERED,
    OFFERS,
    SEATS,
    Entitlement,
    Item,
    Notice,
    Offer,
    PlanName,
    Subscription,
    beside,
    counting,
    plan_item,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FREE, PRO, ENTERPRISE = PlanName.FREE, PlanName.PRO, PlanName.ENTERPRISE


def subscription(stripe_id: str, lookup_key: str, status: str = "active", age: int = 5, left: int = 10) -> Subscription:
    began, ends = NOW - timedelta(days=age), NOW + timedelta(days=left)
    return Subscription(
        stripe_id=stripe_id,
        customer_id="cus_1",
        status=status,
        lookup_key=lookup_key,
        quantity=1,
        created=began,
        current_period_start=began,
        current_period_end=ends,
    )


def test_plans_are_stored_under_these_names():
    assert [name.value for name in PlanName] == ["free", "pro", "enterprise"]


def test_what_seats_and_drafts_beyond_the_allowance_cost():
    assert dict(SEATS) == {
        "enterprise_seat_monthly": Offer("enterprise_seat_monthly", ENTERPRISE, 1, 400),
        "enterprise_seat_yearly": Offer("enterprise_seat_yearly", ENTERPRISE, 12, 4000),
    }
    assert dict(METERED) == {
        "enterprise_generation_monthly": Offer("enterprise_generation_monthly", ENTERPRISE, 1, 1),
        "enterprise_generation_yearly": Offer("enterprise_generation_yearly", ENTERPRISE, 12, 1),
    }
    assert {each.currency for each in (*SEATS.values(), *METERED.values())} == {"USD"}


@pytest.mark.parametrize(
    ("entitlement", "creators", "generations"),
    [
        (Entitlement(FREE, "none"), 1, 0),
        (Entitlement(PRO, "active"), 5, 2_000),
        (Entitlement(PRO, "active", seats=3, is_metered=True), 5, 2_000),
        (Entitlement(ENTERPRISE, "active"), 25, 20_000),
        (Entitlement(ENTERPRISE, "active", seats=3), 28, 20_000),
        (Entitlement(ENTERPRISE, "active", is_metered=True), 25, None),
        (Entitlement(ENTERPRISE, "none", granted_until=NOW), None, 20_000),
    ],
)
def test_how_much_an_account_may_have(entitlement: Entitlement, creators: int | None, generations: int | None):
    assert entitlement.most_creators == creators
    if entitlement.plan is not FREE:
        assert entitlement.most_generations == generations


def test_the_subscription_that_is_changed_is_the_same_in_any_order():
    pro, enterprise = subscription("sub_1", "pro_monthly", age=1), subscription("sub_2", "enterprise_monthly")
    longer = subscription("sub_3", "enterprise_monthly", left=20)
    canceled = subscription("sub_4", "enterprise_yearly", "canceled", age=0, left=300)
    for order in permutations((pro, enterprise, longer, canceled)):
        assert counting(order, NOW) == longer
    for order in permutations((pro, enterprise, canceled)):
        assert counting(order, NOW) == enterprise


def test_where_none_entitles_the_newest_living_one_is_changed():
    older, newer = (
        subscription("sub_2", "pro_monthly", "unpaid", age=9),
        subscription("sub_1", "pro_monthly", "unpaid", age=3),
    )
    twin = subscription("sub_9", "pro_monthly", "unpaid", age=3)
    ended = subscription("sub_8", "pro_monthly", "canceled", age=1)
    for order in permutations((older, newer, ended)):
        assert counting(order, NOW) == newer
    for order in permutations((older, newer, twin)):
        assert counting(order, NOW) == twin, "of the same second, by id"
    assert counting((ended,), NOW) is None
    assert counting((), NOW) is None


def item(lookup_key: str, quantity: int = 1) -> Item:
    return Item(f"si_{lookup_key}", f"price_{lookup_key}", lookup_key, quantity, 400, "USD", 1)


def test_items_beside_the_plan_are_its_seats_and_its_meter():
    paid = replace(
        subscription("sub_1", "enterprise_monthly"),
        items=(
            item("enterprise_monthly"),
            item("enterprise_seat_monthly", 3),
            item("enterprise_generation_monthly", 0),
        ),
    )
    assert (paid.seats, paid.is_metered) == (3, True)
    alone = replace(paid, items=(item("enterprise_monthly", 2),))
    assert (alone.seats, alone.is_metered) == (0, False)
    assert not item("enterprise_monthly").is_metered


def test_reasons_are_told_to_pages_under_these_names():
    assert {each.value for each in Notice} >= {
        *("ending", "past_due", "grace_over", "stale", "paused", "unpaid"),
        *("incomplete", "unknown_status", "unknown_price"),
    }
    assert timedelta(days=7) == GRACE


def test_what_goes_beside_a_plan_is_billed_as_often_as_it_is():
    assert beside(OFFERS["enterprise_yearly"], SEATS) == SEATS["enterprise_seat_yearly"]
    assert beside(OFFERS["enterprise_monthly"], METERED) == METERED["enterprise_generation_monthly"]
    assert beside(OFFERS["pro_monthly"], SEATS) is None


def test_the_plan_is_found_among_the_items_wherever_it_is():
    plan, seats, metered = item("pro_monthly"), item("other"), replace(item("another"), is_metered=True)
    for order in permutations((plan, seats, metered)):
        assert plan_item(order) == plan
    assert plan_item((metered, seats)) == seats
    assert plan_item(()) is None
