"""What a change does, when and for how much: reckoned by hand, and over all that can be asked."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.billing.plans import CATALOGUE, METERED, OFFERS, Discount, Item, Status, Subscription
from core.billing.proration import (
    Direction,
    ItemChange,
    Line,
    Reckoning,
    changes,
    direction,
    items_after,
    over_by,
    paid_to,
    per_period,
    reckon,
    resets_anchor,
    sold_together,
)

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
ENDS = datetime(2026, 12, 1, tzinfo=UTC)
SOLD = {
    key: Item("", f"price_{key}", key, 0, offer.list_amount, "USD", offer.months, key in METERED)
    for key, offer in CATALOGUE.items()
}


def item(stripe_id: str, bought: str, quantity: int = 1, **more: object) -> Item:
    facts = {"stripe_id": stripe_id, "quantity": 0 if bought in METERED else quantity} | more
    sold = SOLD[bought]
    return Item(
        **{name: facts.get(name, getattr(sold, name)) for name in Item.__slots__}  # type: ignore[arg-type]
    )


def subscribed(bought: str | None, *beside: Item, status: str = Status.ACTIVE, **more: object) -> Subscription:
    plan = (item("si_plan", bought),) if bought else ()
    facts: dict[str, object] = {
        "stripe_id": "sub_1",
        "customer_id": "cus_1",
        "status": status,
        "lookup_key": bought,
        "quantity": 1,
        "created": BEGAN,
        "current_period_start": BEGAN,
        "current_period_end": ENDS,
        "price_id": plan[0].price_id if plan else "price_unheard_of",
        "items": (*plan, *beside),
    }
    return Subscription(**(facts | more))  # type: ignore[arg-type]


def seats(quantity: int, months: str = "monthly") -> Item:
    return item("si_seats", f"enterprise_seat_{months}", quantity)


def meter(months: str = "monthly") -> Item:
    return item("si_meter", f"enterprise_generation_{months}")


def line(amount: int, ends_at: datetime = ENDS) -> Line:
    return Line(amount, "", True, BEGAN, ends_at)


@pytest.mark.parametrize(
    ("held", "held_seats", "wanted", "wanted_seats", "when"),
    [
        ("pro_monthly", 0, "pro_monthly", 0, "none"),
        ("pro_monthly", 0, "enterprise_monthly", 0, "now"),
        ("pro_monthly", 0, "pro_yearly", 0, "now"),
        ("pro_yearly", 0, "pro_monthly", 0, "period_end"),
        ("enterprise_monthly", 0, "pro_monthly", 0, "period_end"),
        ("enterprise_monthly", 2, "enterprise_monthly", 3, "now"),
        ("enterprise_monthly", 3, "enterprise_monthly", 2, "period_end"),
        ("enterprise_monthly", 3, "enterprise_monthly", 3, "none"),
        # the plan goes before the interval, and the interval before the seats
        ("pro_yearly", 0, "enterprise_monthly", 0, "now"),
        ("enterprise_monthly", 0, "pro_yearly", 0, "period_end"),
        ("enterprise_monthly", 9, "enterprise_yearly", 2, "now"),
        ("enterprise_yearly", 2, "enterprise_monthly", 9, "period_end"),
        ("enterprise_monthly", 9, "pro_monthly", 0, "period_end"),
        ("pro_monthly", 0, "enterprise_monthly", 9, "now"),
    ],
)
def test_more_is_now_and_less_at_the_periods_end(held: str, held_seats: int, wanted: str, wanted_seats: int, when: str):
    beside = (seats(held_seats),) if held_seats else ()
    assert direction(subscribed(held, *beside), wanted, wanted_seats) is Direction(when)


@pytest.mark.parametrize(("wanted", "many"), [("pro_monthly", 0), ("enterprise_yearly", 9), ("pro_yearly", 0)])
def test_in_a_trial_everything_is_now(wanted: str, many: int):
    trial = subscribed("enterprise_yearly", seats(2), status=Status.TRIALING)
    assert direction(trial, wanted, many) is Direction.NOW
    assert direction(trial, "enterprise_yearly", 2) is Direction.NONE


@pytest.mark.parametrize("wanted", OFFERS)
def test_from_a_price_that_we_do_not_know_every_plan_is_more(wanted: str):
    for unknown in (None, "of_long_ago"):
        held = subscribed(None, lookup_key=unknown)
        assert direction(held, wanted, 0) is Direction.NOW
        assert resets_anchor(held, wanted)


@given(some.sampled_from(sorted(OFFERS)), some.integers(0, 9), some.sampled_from(sorted(OFFERS)), some.integers(0, 9))
def test_there_and_back_one_way_is_now_and_the_other_at_the_end(held: str, before: int, wanted: str, after: int):
    there = direction(subscribed(held, *([seats(before)] if before else [])), wanted, after)
    back = direction(subscribed(wanted, *([seats(after)] if after else [])), held, before)
    expected = {Direction.NOW, Direction.PERIOD_END} if (held, before) != (wanted, after) else {Direction.NONE}
    assert {there, back} == expected


@pytest.mark.parametrize(
    ("held", "wanted", "resets"),
    [
        ("pro_monthly", "enterprise_monthly", False),
        ("pro_yearly", "enterprise_yearly", False),
        ("pro_monthly", "pro_yearly", True),
        ("pro_yearly", "enterprise_monthly", True),
    ],
)
def test_a_new_period_begins_with_another_length_of_it_save_in_a_trial(held: str, wanted: str, resets: bool):
    assert resets_anchor(subscribed(held), wanted) is resets
    assert not resets_anchor(subscribed(held, status=Status.TRIALING), wanted)


def test_a_plan_is_sold_with_its_seats_and_its_meter():
    assert sold_together(OFFERS["pro_yearly"], 0) == (("pro_yearly", 1),)
    assert sold_together(OFFERS["pro_yearly"], 3) == (("pro_yearly", 1),), "it has no seats"
    assert sold_together(OFFERS["enterprise_monthly"], 0) == (
        ("enterprise_monthly", 1),
        ("enterprise_generation_monthly", None),
    )
    assert sold_together(OFFERS["enterprise_yearly"], 1) == (
        ("enterprise_yearly", 1),
        ("enterprise_seat_yearly", 1),
        ("enterprise_generation_yearly", None),
    )


def after(held: Subscription, lookup_key: str, many: int = 0, sold: dict[str, Item] = SOLD) -> tuple[Item, ...]:
    return items_after(held, OFFERS[lookup_key], many, sold)


def test_from_pro_to_enterprise_the_item_changes_and_two_come_beside_it():
    held = subscribed("pro_monthly")
    got = after(held, "enterprise_monthly", 3)
    assert got == (
        item("si_plan", "enterprise_monthly"),
        item("", "enterprise_seat_monthly", 3),
        item("", "enterprise_generation_monthly"),
    )
    assert changes(held.items, got) == (
        ItemChange("si_plan", "price_enterprise_monthly", 1),
        ItemChange(None, "price_enterprise_seat_monthly", 3),
        ItemChange(None, "price_enterprise_generation_monthly", None),
    )


def test_from_enterprise_to_pro_seats_and_meter_go():
    held = subscribed("enterprise_monthly", seats(3), meter())
    got = after(held, "pro_monthly")
    assert got == (item("si_plan", "pro_monthly"),)
    assert changes(held.items, got) == (
        ItemChange("si_plan", "price_pro_monthly", 1),
        ItemChange("si_seats", None, None),
        ItemChange("si_meter", None, None),
    )


def test_from_months_to_years_all_three_change():
    held = subscribed("enterprise_monthly", seats(3), meter())
    assert changes(held.items, after(held, "enterprise_yearly", 3)) == (
        ItemChange("si_plan", "price_enterprise_yearly", 1),
        ItemChange("si_seats", "price_enterprise_seat_yearly", 3),
        ItemChange("si_meter", "price_enterprise_generation_yearly", None),
    )


def test_other_seats_change_the_seats_alone():
    held = subscribed("enterprise_monthly", seats(3), meter())
    assert changes(held.items, after(held, "enterprise_monthly", 5)) == (
        ItemChange("si_seats", "price_enterprise_seat_monthly", 5),
    )
    assert changes(held.items, after(held, "enterprise_monthly", 0)) == (ItemChange("si_seats", None, None),)
    assert changes(held.items, after(held, "enterprise_monthly", 3)) == ()
    assert after(held, "enterprise_monthly", 3) == held.items


def test_whoever_keeps_a_plan_keeps_the_price_it_was_bought_at():
    """The keys have moved to new prices; the item of the plan has lost its own, and the subscription knows it."""
    plan = item("si_plan", "enterprise_monthly", price_id="price_old", lookup_key=None, unit_amount=79_00)
    old_seats = item("si_seats", "enterprise_seat_monthly", 2, price_id="price_old_seat", unit_amount=3_00)
    held = subscribed(None, plan, old_seats, meter(), lookup_key="enterprise_monthly", price_id="price_old")
    got = after(held, "enterprise_monthly", 4)
    assert [(each.price_id, each.unit_amount, each.quantity) for each in got] == [
        ("price_old", 79_00, 1),
        ("price_old_seat", 3_00, 4),
        ("price_enterprise_generation_monthly", 1, 0),
    ]
    assert changes(held.items, got) == (ItemChange("si_seats", "price_old_seat", 4),)
    moved = after(held, "enterprise_yearly", 4)
    assert [each.price_id for each in moved][:2] == ["price_enterprise_yearly", "price_enterprise_seat_yearly"]


def test_what_is_none_of_ours_stays_and_a_second_plan_too():
    other = Item("si_other", "price_other", None, 7, 500, "USD", 1)
    second = item("si_second", "pro_monthly")
    held = subscribed("pro_monthly", other, second)
    got = after(held, "enterprise_monthly")
    assert got[-2:] == (other, second)
    assert {each.stripe_id for each in changes(held.items, got)} == {"si_plan", None}


def test_drafts_that_cannot_be_metered_are_left_out():
    sold = {key: each for key, each in SOLD.items() if key not in METERED}
    got = after(subscribed("pro_monthly"), "enterprise_monthly", 0, sold)
    assert [each.lookup_key for each in got] == ["enterprise_monthly"]
    kept = after(subscribed("enterprise_monthly", meter()), "enterprise_monthly", 2, sold)
    assert [each.lookup_key for each in kept] == [
        "enterprise_monthly",
        "enterprise_seat_monthly",
        "enterprise_generation_monthly",
    ], "one that is there stays"


held_by = some.builds(
    lambda key, many, metered: subscribed(
        key,
        *([seats(many, key.partition("_")[2])] if many and "enterprise" in key else []),
        *([meter(key.partition("_")[2])] if metered and "enterprise" in key else []),
    ),
    some.sampled_from(sorted(OFFERS)),
    some.integers(0, 9),
    some.booleans(),
)


@given(held_by, some.sampled_from(sorted(OFFERS)), some.integers(0, 9))
def test_what_is_asked_for_leads_to_what_is_wanted(held: Subscription, wanted: str, many: int):
    """Doing the changes one by one, as Stripe does them, gives the items of the wish."""
    got = after(held, wanted, many)
    now = {each.stripe_id: (each.price_id, each.quantity) for each in held.items}
    for number, change in enumerate(changes(held.items, got)):
        if change.price_id is None:
            del now[str(change.stripe_id)]
        else:
            now[change.stripe_id or f"new_{number}"] = (change.price_id, change.quantity or 0)
    assert sorted(now.values()) == sorted(
        (SOLD[key].price_id, quantity or 0) for key, quantity in sold_together(OFFERS[wanted], many)
    )
    assert changes(held.items, held.items) == ()


def test_a_reckoning_adds_the_credit_and_the_charge_apart():
    """Half of November: 29.00 for pro given back by half, 99.00 for enterprise taken by half, 20 % on the rest."""
    got = reckon([line(-14_50), line(49_50)], tax=7_00, due_now=42_00)
    assert got == Reckoning(credit=14_50, charge=49_50, tax=7_00, due_now=42_00)
    assert got.charge - got.credit + got.tax == got.due_now
    assert reckon([], 0, 0) == Reckoning(0, 0, 0, 0)
    assert reckon([line(1), line(-1), line(0)], 0, 0) == Reckoning(1, 1, 0, 0)
    assert reckon([line(100), line(23), line(-50), line(-7)], 5, 9) == Reckoning(57, 123, 5, 9)


@given(some.lists(some.integers(-(10**9), 10**9)), some.integers(0, 10**6))
def test_credit_and_charge_sum_to_the_lines_and_are_never_negative(amounts: list[int], tax: int):
    got = reckon([line(each) for each in amounts], tax, 0)
    assert got.charge - got.credit == sum(amounts)
    assert got.credit >= 0 <= got.charge


def test_the_next_payment_is_when_what_is_charged_for_ends():
    year = datetime(2027, 11, 16, tzinfo=UTC)
    assert paid_to([line(-14_50, ENDS), line(290_00, year)], ENDS) == year
    assert paid_to([line(-14_50, year), line(290_00, ENDS)], BEGAN) == ENDS, "what is given back says nothing"
    assert paid_to([line(0, year)], ENDS) == year
    assert paid_to([line(1, ENDS), line(1, year), line(1, ENDS)], BEGAN) == year
    assert paid_to([line(-1, year)], ENDS) == ENDS
    assert paid_to([], ENDS) == ENDS


def off(percent: str | None = None, amount: int | None = None, ends_at: datetime | None = None) -> Discount:
    return Discount(Decimal(percent) if percent else None, amount, "USD" if amount else None, ends_at)


ENTERPRISE = (item("si_plan", "enterprise_monthly"), seats(3), meter())


@pytest.mark.parametrize(
    ("discounts", "amount"),
    [
        ((), 111_00),
        ((off("50"),), 55_50),
        ((off("33.33"),), 74_00),  # of 99.00 33.00 (32.9967), of 12.00 4.00 (3.9996)
        ((off("12.5"),), 97_12),  # of 99.00 12.38 (12.375), of 12.00 1.50
        ((off("0.05"),), 110_94),  # of 99.00 0.05 (0.0495), of 12.00 0.01 (0.006)
        ((off(amount=11_00),), 100_00),
        ((off("10"), off(amount=10_00)), 89_90),
        ((off(amount=10_00), off("10")), 90_90),
        ((off("100"),), 0),
        ((off(amount=200_00),), 0),
        ((off("50", ends_at=ENDS + timedelta(seconds=1)),), 55_50),
        ((off("50", ends_at=ENDS),), 111_00),
        ((off("50", ends_at=BEGAN), off("10")), 99_90),
    ],
)
def test_a_period_costs_its_licensed_items_less_the_discounts_then(discounts: tuple[Discount, ...], amount: int):
    assert per_period(ENTERPRISE, discounts, ENDS) == amount


def test_metered_items_and_prices_without_an_amount_are_not_counted():
    used = item("si_meter", "enterprise_generation_monthly", quantity=1_000)
    tiered = item("si_tiers", "pro_monthly", unit_amount=None)
    assert per_period((used, tiered), (), ENDS) == 0
    assert per_period((), (off("10"),), ENDS) == 0


def test_an_amount_off_is_spread_over_the_items_before_a_percentage_of_the_rest():
    """Of 0.03, 0.02 is off: 0.02 of the first item's 0.02 would be 0.0133, so 0.01 is, and 0.01 of the second's."""
    first, second = item("si_1", "pro_monthly", unit_amount=2), item("si_2", "pro_yearly", unit_amount=1)
    assert per_period((first, second), (off(amount=2),), ENDS) == 1
    assert per_period((first, second), (off(amount=2), off("50")), ENDS) == 0, "half a cent off one cent is the cent"
    assert per_period((first, second), (off(amount=3), off("50")), ENDS) == 0
    three = item("si_3", "pro_yearly", unit_amount=3)
    assert per_period((second, three), (off(amount=2), off("50")), ENDS) == 1, "a cent off each: 0 and 2 are left"
    free = item("si_0", "pro_monthly", unit_amount=0)
    assert per_period((free,), (off(amount=2),), ENDS) == 0


some_items = some.lists(
    some.builds(
        lambda amount, many: item("si", "pro_monthly", many, unit_amount=amount),
        some.integers(0, 10**6),
        some.integers(0, 100),
    ),
    max_size=4,
)


@given(some_items, some.decimals(0, 100, places=2))
def test_a_percentage_is_exact_to_half_a_cent_an_item(items: list[Item], percent: Decimal):
    got = per_period(items, (off(str(percent)),), ENDS)
    exact = sum((each.unit_amount or 0) * each.quantity for each in items) * (100 - Fraction(percent)) / 100
    assert Fraction(-len(items), 2) <= got - exact <= Fraction(len(items), 2)
    assert got >= 0


@given(some_items, some.integers(1, 10**9))
def test_an_amount_is_taken_off_whole_and_no_more_than_there_is(items: list[Item], amount: int):
    whole = sum((each.unit_amount or 0) * each.quantity for each in items)
    assert per_period(items, (off(amount=amount),), ENDS) == max(0, whole - amount)
    assert per_period(items, (off(amount=amount), off("100")), ENDS) == 0


def test_creators_above_the_room_are_counted():
    assert over_by(OFFERS["pro_monthly"], 0, 5) == 0
    assert over_by(OFFERS["pro_monthly"], 0, 7) == 2
    assert over_by(OFFERS["enterprise_yearly"], 3, 28) == 0
    assert over_by(OFFERS["enterprise_yearly"], 3, 30) == 2
    assert over_by(OFFERS["enterprise_yearly"], 0, 1) == 0
