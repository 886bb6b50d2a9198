"""Our Stripe prorates by the second and to the cent, and a preview is what the update then invoices."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe as sdk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.billing.stripe_desk import DAY, Desk, desk_of
from tests.peers.stripe_server import StripeServer


@pytest.fixture
def desk() -> Iterator[Desk]:
    with StripeServer() as server:
        yield desk_of(server)


def halfway(subscription: sdk.Subscription) -> int:
    item = subscription.items.data[0]
    return (item.current_period_start + item.current_period_end) // 2


def frozen(desk: Desk, subscription: sdk.Subscription, share: tuple[int, int]) -> int:
    """The instant at that share of the period, which the clock is moved to."""
    item = subscription.items.data[0]
    length = item.current_period_end - item.current_period_start
    at = item.current_period_start + length * share[0] // share[1]
    desk.go_to(at)
    return at


def amounts(invoice: sdk.Invoice) -> list[int]:
    return [line.amount for line in invoice.lines.data]


@pytest.mark.parametrize(
    ("share", "credit", "debit"),
    [
        ((0, 1), -2900, 9900),
        ((1, 2), -1450, 4950),
        ((1, 4), -2175, 7425),
        ((3, 4), -725, 2475),
    ],
)
def test_an_upgrade_by_hand(desk: Desk, share: tuple[int, int], credit: int, debit: int):
    """29.00 and 99.00 a month: the part of the month that is left of each."""
    made = desk.buy(pro_monthly=1)
    at = frozen(desk, made, share)
    desk.v1.subscriptions.update(
        made.id,
        {
            "items": [{"id": made.items.data[0].id, "price": desk.price("enterprise_monthly")}],
            "proration_behavior": "always_invoice",
            "proration_date": at,
        },
    )
    newest = desk.invoices(made)[0]
    assert amounts(newest) == [credit, debit]
    assert (newest.billing_reason, newest.status, newest.amount_paid) == ("subscription_update", "paid", credit + debit)
    assert newest.parent.subscription_details.subscription_proration_date == at
    details = [line.parent.subscription_item_details for line in newest.lines.data]
    assert all(each.proration and each.subscription == made.id for each in details)
    assert [line.pricing.price_details.price for line in newest.lines.data] == [
        desk.price("pro_monthly"),
        desk.price("enterprise_monthly"),
    ]


def test_one_second_of_a_month_by_hand(desk: Desk):
    """November has 2,592,000 s: at 1,000 s before its end 29.00 leaves 1.1188 cents, 99.00 leaves 3.8194."""
    made = desk.buy(pro_monthly=1)
    item = made.items.data[0]
    length = item.current_period_end - item.current_period_start
    desk.go_to(item.current_period_end - 1_000)
    asked = {"items": [{"id": item.id, "price": desk.price("enterprise_monthly")}]}
    shown = desk.v1.invoices.create_preview(
        {
            "subscription": made.id,
            "subscription_details": asked
            | {"proration_behavior": "always_invoice", "proration_date": item.current_period_end - 1_000},
        }
    )
    expected = [-round(2900 * 1_000 / length), round(9900 * 1_000 / length)]
    assert amounts(shown) == expected == [-1, 4]


def test_fewer_seats_are_credited_and_the_credit_is_used(desk: Desk):
    made = desk.buy(enterprise_monthly=1, enterprise_seat_monthly=10)
    seats = next(item for item in made.items.data if item.quantity == 10)
    at = frozen(desk, made, (1, 2))
    asked = {"items": [{"id": seats.id, "quantity": 4}], "proration_behavior": "always_invoice", "proration_date": at}
    desk.v1.subscriptions.update(made.id, asked)
    newest = desk.invoices(made)[0]
    assert amounts(newest) == [-2000, 800]
    assert (newest.total, newest.amount_due, newest.status, newest.ending_balance) == (-1200, 0, "paid", -1200)
    assert desk.v1.customers.retrieve(desk.customer).balance == -1200
    desk.go_to(made.items.data[0].current_period_end)
    renewal = desk.invoices(made)[0]
    assert (renewal.total, renewal.starting_balance, renewal.amount_due) == (9900 + 4 * 400, -1200, 9900 + 1600 - 1200)
    assert desk.v1.customers.retrieve(desk.customer).balance == 0


def test_prorations_that_are_not_invoiced_at_once_wait_for_the_renewal(desk: Desk):
    made = desk.buy(pro_monthly=1)
    at = frozen(desk, made, (1, 2))
    change = {"items": [{"id": made.items.data[0].id, "price": desk.price("enterprise_monthly")}], "proration_date": at}
    shown = desk.v1.invoices.create_preview({"subscription": made.id, "subscription_details": change})
    assert (amounts(shown), shown.billing_reason) == ([-1450, 4950, 9900], "upcoming")
    desk.v1.subscriptions.update(made.id, change)
    assert len(desk.invoices(made)) == 1
    desk.go_to(made.items.data[0].current_period_end)
    assert amounts(desk.invoices(made)[0]) == amounts(shown)


def test_without_proration_the_next_period_alone_is_dearer(desk: Desk):
    made = desk.buy(pro_monthly=1)
    frozen(desk, made, (1, 3))
    change = {"items": [{"id": made.items.data[0].id, "price": desk.price("enterprise_monthly")}]}
    desk.v1.subscriptions.update(made.id, change | {"proration_behavior": "none"})
    assert len(desk.invoices(made)) == 1
    desk.go_to(made.items.data[0].current_period_end)
    assert amounts(desk.invoices(made)[0]) == [9900]


def test_another_interval_begins_a_new_period(desk: Desk):
    made = desk.buy(pro_monthly=1)
    at = frozen(desk, made, (1, 2))
    change = {"items": [{"id": made.items.data[0].id, "price": desk.price("pro_yearly")}], "proration_date": at}
    desk.v1.subscriptions.update(made.id, change)
    after = desk.now(made)
    assert after.items.data[0].current_period_start == pytest.approx(at, abs=5)
    assert 365 * DAY <= after.items.data[0].current_period_end - after.items.data[0].current_period_start <= 366 * DAY
    assert amounts(desk.invoices(made)[0]) == [-1450, 29000]
    back = {"items": [{"id": made.items.data[0].id, "price": desk.price("pro_monthly")}]}
    with pytest.raises(sdk.InvalidRequestError, match="anchor"):
        desk.v1.subscriptions.update(made.id, back | {"billing_cycle_anchor": {"type": "unchanged"}})


def test_the_anchor_can_be_moved_to_now(desk: Desk):
    made = desk.buy(pro_monthly=1)
    at = frozen(desk, made, (1, 2))
    desk.v1.subscriptions.update(made.id, {"billing_cycle_anchor": {"type": "now"}, "proration_date": at})
    assert amounts(desk.invoices(made)[0]) == [-1450, 2900]
    assert desk.now(made).billing_cycle_anchor == pytest.approx(at, abs=5)


def test_what_was_paid_with_a_discount_is_credited_as_paid(desk: Desk):
    coupon = desk.v1.coupons.create({"percent_off": 50, "duration": "once"}).id
    made = desk.buy(pro_monthly=1, asked={"discounts": [{"coupon": coupon}]})
    assert desk.invoices(made)[0].amount_paid == 1450
    at = frozen(desk, made, (1, 2))
    desk.v1.subscriptions.update(
        made.id,
        {
            "items": [{"id": made.items.data[0].id, "price": desk.price("enterprise_monthly")}],
            "proration_behavior": "always_invoice",
            "proration_date": at,
        },
    )
    assert amounts(desk.invoices(made)[0]) == [-725, 4950]


@pytest.mark.parametrize("off", [-40 * DAY, 40 * DAY])
def test_an_instant_outside_the_period_is_refused(desk: Desk, off: int):
    made = desk.buy(pro_monthly=1)
    change = {"items": [{"id": made.items.data[0].id, "quantity": 2}], "proration_date": desk.world.now() + off}
    with pytest.raises(sdk.InvalidRequestError, match="proration_date"):
        desk.v1.subscriptions.update(made.id, change)
    with pytest.raises(sdk.InvalidRequestError, match="proration_date"):
        desk.v1.invoices.create_preview({"subscription": made.id, "subscription_details": change})


@pytest.mark.parametrize(
    "items",
    [
        [{"id": "si_unknown", "quantity": 2}],
        [{"price": "price_unknown"}],
        [{"quantity": 2}],
        [{"deleted": True}],
    ],
)
def test_items_that_make_no_sense_are_refused(desk: Desk, items: list[dict[str, Any]]):
    made = desk.buy(pro_monthly=1)
    with pytest.raises(sdk.InvalidRequestError):
        desk.v1.subscriptions.update(made.id, {"items": items})
    with pytest.raises(sdk.InvalidRequestError, match="at least one"):
        desk.v1.subscriptions.update(made.id, {"items": [{"id": made.items.data[0].id, "deleted": True}]})
    assert desk.now(made).to_dict() == made.to_dict()


KEYS = ("pro_monthly", "pro_yearly", "enterprise_monthly", "enterprise_yearly")
STEP = st.tuples(
    st.sampled_from(KEYS),
    st.integers(0, 40),
    st.integers(1, 999_999),
    st.sampled_from(["always_invoice", "create_prorations", "none"]),
    st.booleans(),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    steps=st.lists(STEP, min_size=1, max_size=4),
    percent=st.sampled_from([None, 10, 33.3]),
    taxed=st.booleans(),
    trial=st.sampled_from([0, 14]),
)
def test_the_preview_is_what_the_update_then_invoices(
    desk: Desk, steps: list[tuple[str, int, int, str, bool]], percent: float | None, taxed: bool, trial: int
):
    """Whatever the plan, seats, instant, discount, tax and way: same lines, same total, same due."""
    desk = desk_of(desk.server)
    asked: dict[str, Any] = {"automatic_tax": {"enabled": taxed}} | ({"trial_period_days": trial} if trial else {})
    if percent:
        coupon = desk.v1.coupons.create({"percent_off": percent, "duration": "forever"})
        asked["discounts"] = [{"coupon": coupon.id}]
    made = desk.buy(pro_monthly=1, asked=asked)
    for key, seats, instant, behavior, restarts in steps:
        held = desk.now(made)
        desk.world.advance(instant)
        at = desk.world.now()
        change: dict[str, Any] = {"items": wanted(desk, desk.now(made), key, seats), "proration_behavior": behavior}
        change["proration_date"] = max(at - 30, *(each.current_period_start for each in desk.now(made).items.data))
        if restarts:
            change["billing_cycle_anchor"] = {"type": "now"}
        shown = desk.v1.invoices.create_preview({"subscription": held.id, "subscription_details": change})
        before = len(desk.invoices(made))
        desk.v1.subscriptions.update(made.id, change)
        invoices = desk.invoices(made)
        if shown.billing_reason == "subscription_update":
            assert len(invoices) == before + 1
            assert facts(invoices[0]) == facts(shown)
            assert invoices[0].amount_paid == shown.amount_due
        else:
            assert len(invoices) == before
            after = desk.v1.invoices.create_preview({"subscription": held.id})
            assert facts(after) == facts(shown)


def wanted(desk: Desk, subscription: sdk.Subscription, key: str, seats: int) -> list[dict[str, Any]]:
    """The items of that plan and seats, as changes of those there are."""
    ours = {item.price.lookup_key: item for item in subscription.items.data}
    plan = next(item for name, item in ours.items() if "seat" not in str(name))
    items: list[dict[str, Any]] = [{"id": plan.id, "price": desk.price(key), "quantity": 1}]
    seat = next((item for name, item in ours.items() if "seat" in str(name)), None)
    if not key.startswith("enterprise") or not seats:
        return [*items, {"id": seat.id, "deleted": True}] if seat else items
    bought = {"price": desk.price("enterprise_seat_" + key.rpartition("_")[2]), "quantity": seats}
    return [*items, ({"id": seat.id} if seat else {}) | bought]


def facts(invoice: sdk.Invoice) -> tuple[Any, ...]:
    lines = [(line.amount, line.description, line.quantity) for line in invoice.lines.data]
    taxes = [each.amount for each in invoice.total_taxes or []]
    off = [each.amount for each in invoice.total_discount_amounts or []]
    return lines, off, taxes, invoice.total, invoice.amount_due, invoice.starting_balance
