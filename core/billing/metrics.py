"""What subscriptions are worth, and how that changes. Pure: whole minor units and fractions.

Amounts of different currencies never meet: every function is told which currency it is about, or returns one figure
a currency.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from core.billing.plans import Discount, Item, Status, Subscription

COUNTING = frozenset({Status.ACTIVE, Status.PAST_DUE})
"""Who pays or still owes. Trials pay nothing yet; paused, unpaid, incomplete, canceled and gone pay nothing more."""


class Kind(StrEnum):
    """How an account's monthly recurring revenue changed."""

    NEW = "new"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURNED = "churned"
    REACTIVATED = "reactivated"


def currency_of(subscription: Subscription) -> str | None:
    """The one currency of all that the subscription pays for; None when it holds nothing with an amount."""
    return next((each.currency for each in subscription.items if _monthly(each) is not None), None)


def monthly_value(subscription: Subscription, at: datetime) -> int:
    """Minor units a month of what the subscription pays, after discounts; 0 unless it is active or past due.

    Definition "MRR": yearly ÷ 12, without trials, taxes and metered usage. Discounts count while they run, in the
    order in which Stripe holds them: a share off what is left, an amount off spread over the invoice's period, which
    is the shortest among the items. A coupon for one invoice (`once`) is no recurring price and does not count; what
    reads Stripe's answer leaves it out. Rounded half to even once, for the whole subscription.
    """
    if subscription.status not in COUNTING:
        return 0
    paying = [each for each in subscription.items if _monthly(each) is not None]
    value = sum((_monthly(each) or Fraction() for each in paying), Fraction())
    for discount in subscription.discounts:
        if discount.ends_at is None or at < discount.ends_at:
            value = max(value - _off(discount, value, paying), Fraction())
    return round(value)


def _monthly(item: Item) -> Fraction | None:
    """None for what is metered, or has not one amount, or no interval of whole months."""
    if item.is_metered or item.unit_amount is None or not item.months:
        return None
    return Fraction(item.unit_amount * item.quantity, item.months)


def _off(discount: Discount, value: Fraction, paying: Iterable[Item]) -> Fraction:
    if discount.percent_off is not None:
        return value * Fraction(discount.percent_off) / 100
    same = [each.months for each in paying if each.months and each.currency == discount.currency]
    return Fraction(discount.amount_off or 0, min(same)) if same else Fraction()


def movement(before: int, after: int, had_before: bool) -> Kind | None:
    """What an account's change from one monthly value to another is called; None when nothing changed.

    `had_before` says whether the account was worth something at any time before: then it comes back, else it is new.
    Giving up one of two subscriptions is a contraction.
    """
    if before == after:
        return None
    if before == 0:
        return Kind.REACTIVATED if had_before else Kind.NEW
    if after == 0:
        return Kind.CHURNED
    return Kind.EXPANSION if after > before else Kind.CONTRACTION
