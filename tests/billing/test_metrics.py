"""What a subscription is worth a month, and what its changes are called."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.billing.metrics import COUNTING, Kind, currency_of, monthly_value, movement
from core.billing.plans import Discount, Item, Status, Subscription

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
TICK = timedelta(seconds=1)


def item(amount: int | None = 29_00, months: int | None = 1, quantity: int = 1, **facts: object) -> Item:
    return replace(Item("si_1", "price_1", "pro_monthly", quantity, amount, "USD", months), **facts)  # type: ignore[arg-type]


def subscription(*items: Item, status: str = "active", discounts: tuple[Discount, ...] = ()) -> Subscription:
    plain = Subscription("sub_1", "cus_1", status, "pro_monthly", 1, START, START, END)
    return replace(plain, items=items or (item(),), discounts=discounts)


def share(percent: str, ends_at: datetime | None = None) -> Discount:
    return Discount(Decimal(percent), None, None, ends_at)


def off(amount: int, currency: str = "USD", ends_at: datetime | None = None) -> Discount:
    return Discount(None, amount, currency, ends_at)


@pytest.mark.parametrize("status", [*Status, "something_new"])
def test_only_who_pays_or_still_owes_counts(status: str):
    value = monthly_value(subscription(status=status), START)
    assert value == (29_00 if status in ("active", "past_due") else 0)


def test_the_statuses_that_count_are_these():
    assert {"active", "past_due"} == COUNTING


@pytest.mark.parametrize(
    ("items", "value"),
    [
        ((item(29_00),), 29_00),
        ((item(290_00, months=12),), 24_17),  # 2416.66…
        ((item(990_00, months=12),), 82_50),
        ((item(30, months=12),), 2),  # 2.5, to the even one
        ((item(42, months=12),), 4),  # 3.5, to the even one
        ((item(100, months=3),), 33),
        ((item(99_00), item(4_00, quantity=3)), 111_00),
        ((item(290_00, months=12), item(40_00, months=12, quantity=2)), 30_83),  # 370.00 / 12 = 30.8333
        ((item(10, months=12), item(8, months=12)), 2),  # 0.83 + 0.67 = 1.5: rounded once, not 1 + 1
        ((item(9, months=12), item(9, months=12)), 2),  # 0.75 + 0.75 = 1.5
        ((item(5, months=12), item(5, months=12)), 1),  # 0.42 + 0.42: rounded once, not 0 + 0
        ((item(99_00), item(1, quantity=700, is_metered=True)), 99_00),
        ((item(99_00), item(None)), 99_00),
        ((item(99_00), item(700, months=None)), 99_00),
        ((item(99_00), item(700, months=0)), 99_00),
        ((item(99_00, quantity=0),), 0),
        ((item(0),), 0),
    ],
)
def test_items_are_worth_their_amounts_a_month(items: tuple[Item, ...], value: int):
    assert monthly_value(subscription(*items), START) == value


@pytest.mark.parametrize(
    ("items", "discounts", "value"),
    [
        ((item(29_00),), (share("10"),), 26_10),
        ((item(29_00),), (share("33.33"),), 19_33),  # 1933.43
        ((item(29_00),), (share("100"),), 0),
        ((item(29_00),), (off(5_00),), 24_00),
        ((item(29_00),), (off(50_00),), 0),
        ((item(290_00, months=12),), (off(50_00),), 20_00),  # 240.00 a year
        ((item(29_00),), (off(5_00, "EUR"),), 29_00),
        ((item(100_00),), (share("10"), off(5_00)), 85_00),
        ((item(100_00),), (off(5_00), share("10")), 85_50),
        ((item(100_00),), (share("50"), share("50")), 25_00),
        ((item(100_00),), (off(200_00), share("50")), 0),
        ((item(100_00), item(1200_00, months=12)), (off(10_00),), 190_00),  # an invoice a month
        ((item(100_00), item(1, months=1, is_metered=True)), (share("50"),), 50_00),
        ((item(1200_00, months=12), item(1, months=1, is_metered=True)), (off(120_00),), 90_00),
        ((item(29_00),), (Discount(None, None, "USD", None),), 29_00),
        ((item(29_00, is_metered=True),), (off(5_00),), 0),
    ],
)
def test_discounts_are_taken_off(items: tuple[Item, ...], discounts: tuple[Discount, ...], value: int):
    assert monthly_value(subscription(*items, discounts=discounts), START) == value


def test_a_discount_counts_until_the_instant_it_ends():
    limited = subscription(discounts=(share("50", END), off(1_00, ends_at=END + TICK)))
    assert [monthly_value(limited, at) for at in (START, END - TICK, END, END + TICK)] == [13_50, 13_50, 28_00, 29_00]


def test_a_subscription_without_items_is_worth_nothing():
    bare = replace(subscription(), items=())
    assert (monthly_value(bare, START), currency_of(bare)) == (0, None)


def test_the_currency_is_that_of_what_has_an_amount():
    metered = item(currency="EUR", is_metered=True)
    assert currency_of(subscription(metered, item(currency="GBP"))) == "GBP"
    assert currency_of(subscription(metered)) is None


AMOUNTS = st.integers(min_value=0, max_value=10**9)
ITEMS = st.builds(item, AMOUNTS, st.sampled_from([1, 3, 6, 12]), st.integers(min_value=0, max_value=500))


@given(st.lists(ITEMS, min_size=1, max_size=4))
def test_a_year_of_it_is_what_a_year_of_invoices_says(items: list[Item]):
    a_year = sum(Fraction(each.quantity * (each.unit_amount or 0) * 12, each.months or 1) for each in items)
    assert abs(12 * monthly_value(subscription(*items), START) - a_year) <= 6


@given(st.lists(ITEMS, min_size=1, max_size=3), st.integers(min_value=0, max_value=100), AMOUNTS)
def test_a_discount_never_adds_and_never_goes_below_nothing(items: list[Item], percent: int, amount: int):
    plain = monthly_value(subscription(*items), START)
    less = monthly_value(subscription(*items, discounts=(share(str(percent)), off(amount))), START)
    assert 0 <= less <= plain


@pytest.mark.parametrize(
    ("before", "after", "had_before", "kind"),
    [
        (0, 0, False, None),
        (0, 0, True, None),
        (29, 29, True, None),
        (0, 29, False, Kind.NEW),
        (0, 29, True, Kind.REACTIVATED),
        (29, 0, True, Kind.CHURNED),
        (29, 30, True, Kind.EXPANSION),
        (30, 29, True, Kind.CONTRACTION),
        (29, 1, True, Kind.CONTRACTION),
        (1, 29, True, Kind.EXPANSION),
    ],
)
def test_a_change_has_one_name(before: int, after: int, had_before: bool, kind: Kind | None):
    assert movement(before, after, had_before) is kind
