"""The arithmetic of invoices: whole minor units and whole seconds, halves away from zero."""

import calendar
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from tests.peers.stripe_store import Json

MONTHS = {"month": 1, "year": 12}
SECONDS = {"day": 86_400, "week": 7 * 86_400}


def rounded(exact: Fraction) -> int:
    """The nearest whole, halves away from zero."""
    size = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return size if exact >= 0 else -size


def share(amount: int, start: int, end: int, whole: tuple[int, int]) -> int:
    """The part of an amount for `whole` (first and last instant) that falls on `start` to `end`."""
    return rounded(Fraction(amount * (end - start), whole[1] - whole[0]))


def charged(price: Json, quantity: int) -> int:
    """What a quantity costs for one whole period."""
    return rounded(Fraction(Decimal(str(price["unit_amount_decimal"]))) * quantity)


def later(start: int, recurring: Json, times: int = 1) -> int:
    """The same day and time so many intervals later, or that month's last day."""
    count = recurring["interval_count"] * times
    if recurring["interval"] in SECONDS:
        return start + SECONDS[recurring["interval"]] * count
    at = datetime.fromtimestamp(start, UTC)
    year, month = divmod(at.year * 12 + at.month - 1 + MONTHS[recurring["interval"]] * count, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return int(at.replace(year=year, month=month + 1, day=day).timestamp())


def boundary(anchor: int, recurring: Json, after: int) -> int:
    """The first end of a period after an instant, counted from the anchor: the 31st comes back after February."""
    longest = SECONDS.get(recurring["interval"]) or 31 * 86_400 * MONTHS[recurring["interval"]]
    times = max(0, (after - anchor) // (longest * recurring["interval_count"]))
    while (at := later(anchor, recurring, times)) <= after:
        times += 1
    return at


def spread(amount: int, over: Sequence[int]) -> list[int]:
    """An amount in parts proportional to `over`, that sum to it: each is rounded from what is left."""
    parts, left, rest = [], amount, sum(over)
    for each in over:
        part = rounded(Fraction(left * each, rest)) if rest else 0
        parts.append(part)
        left, rest = left - part, rest - each
    return parts


def taken_off(coupon: Json, amounts: Sequence[int]) -> list[int]:
    """What a coupon takes off each of the amounts, none of which is below zero."""
    if coupon["percent_off"] is not None:
        percent = Fraction(Decimal(str(coupon["percent_off"])))
        return [rounded(each * percent / 100) for each in amounts]
    return spread(min(coupon["amount_off"], sum(amounts)), amounts)
