"""Revenue over time, against tables worked out by hand and against the sums that must always come out."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.billing.metrics import (
    Bill,
    Book,
    Cohort,
    Conversion,
    Failed,
    Kind,
    Month,
    Movement,
    Returned,
    Trial,
    by_day,
    by_month,
    conversion,
    failed,
    movement,
    quick_ratio,
)

A, B, C, D, E = (UUID(int=each) for each in range(1, 6))
TICK = timedelta(microseconds=1)


def at(month: int, day: int = 1, year: int = 2026) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def moved(*steps: tuple[UUID, datetime, int], currency: str = "USD") -> list[Movement]:
    """A ledger out of what each account became worth, and when."""
    worth: dict[UUID, int] = {}
    ledger = []
    for account_id, when, after in steps:
        kind = movement(worth.get(account_id, 0), after, account_id in worth)
        assert kind is not None
        ledger.append(Movement(account_id, when, kind, currency, after - worth.get(account_id, 0), after))
        worth[account_id] = after
    return ledger


LEDGER = moved(
    (A, at(1, 5), 29_00),
    (B, at(1, 20), 99_00),
    (C, at(2, 1), 24_17),
    (B, at(2, 10), 111_00),
    (D, at(2, 28), 29_00),
    (A, at(3, 5), 0),
    (B, at(3, 6), 103_00),
    (C, at(3, 7), 0),
    (C, at(3, 30), 29_00),
    (E, at(3, 31), 99_00),
    (A, at(4, 2), 29_00),
)


def book(start: datetime, end: datetime, ledger: list[Movement] = LEDGER) -> Book:
    return Book.of(ledger, "USD", start, end)


def test_each_month_as_worked_out_by_hand():
    assert by_month(book(at(1), at(5))) == (
        Month(date(2026, 1, 1), 0, new=128_00),
        Month(date(2026, 2, 1), 128_00, new=53_17, expansion=12_00),
        Month(date(2026, 3, 1), 193_17, new=99_00, contraction=-8_00, churned=-53_17, reactivated=29_00),
        Month(date(2026, 4, 1), 260_00, reactivated=29_00),
    )
    assert [row.end for row in by_month(book(at(1), at(5)))] == [128_00, 193_17, 260_00, 289_00]


def test_months_without_movements_are_there_and_cut_months_are_cut():
    quiet = by_month(book(at(11, year=2025), at(1, 6)))
    assert quiet == (
        Month(date(2025, 11, 1), 0),
        Month(date(2025, 12, 1), 0),
        Month(date(2026, 1, 1), 0, new=29_00),
    )
    assert by_month(book(at(3, 7), at(3, 31))) == (Month(date(2026, 3, 1), 156_17, churned=-24_17, reactivated=29_00),)


def test_a_window_ends_before_its_end():
    on_time = book(at(1), at(2))
    assert [each.account_id for each in on_time.movements] == [A, B]
    assert [each.account_id for each in book(at(1), at(2) + TICK).movements] == [A, B, C]
    assert len(by_month(on_time)) == 1
    assert len(by_month(book(at(1), at(2) + TICK))) == 2
    assert book(at(1, 5), at(2)).mrr_before == 0
    assert book(at(1, 5) + TICK, at(2)).mrr_before == 29_00


def test_days_and_months_are_those_of_utc():
    paris = timezone(timedelta(hours=1))
    late = moved((A, datetime(2026, 2, 1, 0, 30, tzinfo=paris), 29_00))
    window = Book.of(late, "USD", datetime(2026, 1, 1, 1, tzinfo=paris), datetime(2026, 2, 1, 1, tzinfo=paris))
    assert by_month(window) == (Month(date(2026, 1, 1), 0, new=29_00),)
    assert by_day(window) == ((date(2026, 1, 1), 0), (date(2026, 1, 31), 29_00))
    west = timezone(timedelta(hours=-5))
    begun = Book.of([], "USD", datetime(2026, 1, 31, 20, tzinfo=west), datetime(2026, 1, 31, 21, tzinfo=west))
    assert by_month(begun) == (Month(date(2026, 2, 1), 0),)
    assert by_day(begun) == ((date(2026, 2, 1), 0),)


def test_what_it_is_now():
    march = book(at(3), at(4))
    assert (march.mrr_before, march.mrr, march.arr, march.subscribers) == (193_17, 260_00, 3120_00, 4)
    assert march.opening == {A: 29_00, B: 111_00, C: 24_17, D: 29_00}
    assert march.closing == {B: 103_00, C: 29_00, D: 29_00, E: 99_00}
    empty = book(at(1), at(1, 5))
    assert (empty.mrr_before, empty.mrr, empty.arr, empty.subscribers) == (0, 0, 0, 0)


def test_each_day_that_it_changed():
    assert by_day(book(at(2), at(3, 6))) == (
        (date(2026, 2, 1), 152_17),
        (date(2026, 2, 10), 164_17),
        (date(2026, 2, 28), 193_17),
        (date(2026, 3, 5), 164_17),
    )
    assert by_day(book(at(2, 2), at(2, 5))) == ((date(2026, 2, 2), 152_17),)
    twice = moved((A, at(1, 5), 29_00), (B, at(1, 5), 1_00))
    assert by_day(book(at(1, 4), at(1, 6), twice)) == ((date(2026, 1, 4), 0), (date(2026, 1, 5), 30_00))


def test_the_order_in_which_movements_are_told_does_not_matter():
    assert book(at(1), at(5), LEDGER[::-1]).movements == tuple(LEDGER)


def test_what_became_of_those_who_paid_at_the_start():
    """Of 193.17 in March: A left with 29.00, B gave up 8.00, C left and is back with 4.83 more, D stayed."""
    march = Cohort.of(book(at(3), at(4)))
    assert march == Cohort(193_17, expansion=4_83, contraction=8_00, churned=29_00, accounts=4, accounts_churned=1)
    assert march.net_retention == Fraction(161_00, 193_17)
    assert march.gross_churn == Fraction(37_00, 193_17)
    assert march.subscriber_churn == Fraction(1, 4)


def test_who_came_since_is_not_in_the_cohort():
    february = Cohort.of(book(at(2), at(3)))
    assert february == Cohort(128_00, expansion=12_00, contraction=0, churned=0, accounts=2, accounts_churned=0)
    assert (february.net_retention, february.gross_churn, february.subscriber_churn) == (Fraction(140, 128), 0, 0)


def test_without_a_start_shares_are_not_defined():
    nobody = Cohort.of(book(at(1), at(2)))
    assert nobody == Cohort(0, 0, 0, 0, 0, 0)
    assert (nobody.net_retention, nobody.gross_churn, nobody.subscriber_churn) == (None, None, None)


def test_the_quick_ratio():
    assert quick_ratio(book(at(3), at(4))) == Fraction(99_00, 61_17)
    assert quick_ratio(book(at(2), at(4))) == Fraction(53_17 + 12_00 + 99_00, 61_17)
    assert quick_ratio(book(at(1), at(2))) is None
    assert quick_ratio(book(at(3, 5), at(3, 6))) == 0


def test_currencies_never_meet():
    euros = moved((A, at(3, 3), 500_00), currency="EUR")
    both = [*LEDGER, *euros]
    assert Book.of(both, "USD", at(3), at(4)) == book(at(3), at(4))
    assert Book.of(both, "EUR", at(3), at(4)).closing == {A: 500_00}


STEPS = st.lists(st.tuples(st.sampled_from([A, B, C, D, E]), st.integers(0, 700), st.integers(0, 50)), max_size=40)


@given(STEPS, st.integers(0, 700), st.integers(1, 400))
def test_start_and_movements_are_the_end(steps: list[tuple[UUID, int, int]], first: int, days: int):
    worth: dict[UUID, int] = {}
    clean = []
    for account_id, day, after in sorted(steps, key=lambda each: each[1]):
        if worth.get(account_id, 0) != after:
            clean.append((account_id, at(1) + timedelta(days=day), after))
            worth[account_id] = after
    ledger = moved(*clean)
    start = at(1) + timedelta(days=first)
    window = book(start, start + timedelta(days=days), ledger)
    months = by_month(window)
    assert months[0].start == window.mrr_before == sum(each.amount for each in ledger if each.at < start)
    assert months[-1].end == window.mrr == sum(each.amount for each in ledger if each.at < window.end)
    assert all(one.end == other.start for one, other in pairwise(months))
    assert by_day(window)[-1][1] == window.mrr
    assert window.mrr == sum({each.account_id: each.mrr for each in ledger if each.at < window.end}.values())
    cohort = Cohort.of(window)
    assert 0 <= cohort.churned + cohort.contraction <= cohort.start
    kept = sum(window.closing.get(each, 0) for each in window.opening)
    assert cohort.start + cohort.expansion - cohort.contraction - cohort.churned == kept
    if cohort.net_retention is not None and cohort.gross_churn is not None:
        assert cohort.net_retention == 1 - cohort.gross_churn + Fraction(cohort.expansion, cohort.start)


def test_a_trial_is_over_when_it_or_its_subscription_ends():
    assert Trial(at(2), None, has_paid=True).over == at(2)
    assert Trial(at(2), at(1, 9), has_paid=True).over == at(1, 9)
    assert Trial(at(2), at(3), has_paid=True).over == at(2)


def test_trials_that_paid_of_those_that_ended():
    trials = [
        Trial(at(2) - TICK, None, has_paid=True),
        Trial(at(2), None, has_paid=True),
        Trial(at(2, 10), at(2, 20), has_paid=True),
        Trial(at(3, 9), at(2, 3), has_paid=False),
        Trial(at(3) - TICK, None, has_paid=False),
        Trial(at(3), None, has_paid=True),
    ]
    assert conversion(trials, at(2), at(3)) == Conversion(4, 2)
    assert Conversion(4, 2).rate == Fraction(1, 2)
    assert conversion([], at(2), at(3)).rate is None


def bill(failed_at: datetime | None, paid_at: datetime | None = None, **facts: object) -> Bill:
    plain = Bill("USD", "open", 29_00, 0, 29_00, failed_at, paid_at)
    paid = replace(plain, status="paid", amount_paid=29_00, amount_remaining=0) if paid_at else plain
    return replace(paid, **facts)  # type: ignore[arg-type]


def test_failed_payments_and_what_came_of_them():
    bills = [
        bill(None),
        bill(None, at(2, 3)),
        bill(at(2) - TICK),
        bill(at(2)),
        bill(at(2, 5), at(2, 6)),
        bill(at(2, 6), at(9), amount_due=99_00, amount_paid=90_00),
        bill(at(2, 7), status="void", amount_due=7_00, amount_remaining=7_00),
        bill(at(2, 8), status="uncollectible"),
        bill(at(3) - TICK, amount_due=10_00, amount_paid=4_00, amount_remaining=6_00),
        bill(at(3)),
        bill(at(2, 9), currency="EUR"),
    ]
    found = failed(bills, "USD", at(2), at(3))
    assert found == Failed(6, 203_00, 2, 119_00, 2, 35_00)
    assert found.rate == Fraction(119, 203)
    assert failed(bills, "EUR", at(2), at(3)) == Failed(1, 29_00, 0, 0, 1, 29_00)
    assert failed(bills, "GBP", at(2), at(3)) == Failed(0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("figures", "refund_rate", "dispute_rate"),
    [
        (Returned(), None, None),
        (Returned(100_00, 25_00, 2, 10_00, 1), Fraction(1, 4), Fraction(1, 10)),
        (Returned(100_00), 0, 0),
    ],
)
def test_shares_of_what_was_received(figures: Returned, refund_rate: Fraction | None, dispute_rate: Fraction | None):
    assert (figures.refund_rate, figures.dispute_rate) == (refund_rate, dispute_rate)


def test_nothing_comes_back_unless_it_is_said():
    assert Returned() == Returned(received=0, refunded=0, refunds=0, disputed=0, disputes=0)


def test_without_failures_there_is_no_rate_of_recovery():
    assert failed([], "USD", at(1), at(2)).rate is None


def test_the_kinds_are_those_of_the_table():
    assert [kind.value for kind in Kind] == ["new", "expansion", "contraction", "churned", "reactivated"]
