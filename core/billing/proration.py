"""What a change of plan or seats does, when, and what it costs. Pure; amounts are integer minor units."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from math import floor
from operator import sub

from core.billing.plans import METERED, OFFERS, PLANS, SEATS, Discount, Item, Offer, Status, Subscription, beside


class Direction(StrEnum):
    NOW = "now"
    """More than is paid for: it is had at once, and the rest of the period is charged."""
    PERIOD_END = "period_end"
    """Less: what is paid for is had to its end."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the invoice that a change would make: negative for time paid for and not used. Discounts are off."""

    amount: int
    description: str
    is_proration: bool
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What becomes of one item: a new one has no `stripe_id`, one to be taken away no `price_id`.

    `quantity` is None where drafts are metered, and for one to be taken away.
    """

    stripe_id: str | None
    price_id: str | None
    quantity: int | None


@dataclass(frozen=True, slots=True)
class Reckoning:
    """`charge` - `credit` + `tax` is the invoice's total, `due_now` what of it is taken at once."""

    credit: int
    charge: int
    tax: int
    due_now: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What choosing `lookup_key` with `seats` would do, as Stripe reckoned it at `made_at`.

    `next_amount` is what each period costs from then on: after the discounts that still run at `next_at`, before tax
    and metered drafts. `over_by` says how many creators are more than the plan would have room for: they stay, and none
    can be added. `prorated_at` is sent with the change, so that it costs what was shown; None where nothing is
    prorated. `basis` tells whether the subscription is still the one that was looked at, `changes` and `items` are what
    is asked of Stripe. `is_only_seats` where the plan stays as it is.
    """

    lookup_key: str
    seats: int
    is_now: bool
    takes_effect_at: datetime
    currency: str
    due_now: int
    credit: int
    charge: int
    tax: int
    next_amount: int
    next_at: datetime
    prorated_at: datetime | None
    lines: tuple[Line, ...]
    over_by: int
    subscription_id: str
    is_only_seats: bool
    resets_anchor: bool
    changes: tuple[ItemChange, ...]
    items: tuple[Item, ...]
    basis: str
    made_at: datetime


def direction(subscription: Subscription, lookup_key: str, seats: int) -> Direction:
    """When a change takes effect: by the plan first, then by how long is paid ahead, then by the seats.

    While trialing everything is at once: nothing is paid for yet. A price that we do not know is less than any.
    """
    wanted, held = OFFERS[lookup_key], OFFERS.get(subscription.lookup_key or "")
    if held is None:
        return Direction.NOW
    before = (held.plan.rank, held.months, subscription.seats)
    after = (wanted.plan.rank, wanted.months, seats)
    if after == before:
        return Direction.NONE
    return Direction.NOW if after > before or subscription.status == Status.TRIALING else Direction.PERIOD_END


def resets_anchor(subscription: Subscription, lookup_key: str) -> bool:
    """Whether a new period begins with the change: it does when another length of time is paid, save in a trial."""
    held = OFFERS.get(subscription.lookup_key or "")
    is_same = held is not None and held.months == OFFERS[lookup_key].months
    return subscription.status != Status.TRIALING and not is_same


def sold_together(offer: Offer, seats: int) -> tuple[tuple[str, int | None], ...]:
    """The lookup keys that a subscription to an offer holds, with their quantities; drafts that are metered have none.

    Seats are left out where there are none, or the plan sells none.
    """
    seat, metered = beside(offer, SEATS), beside(offer, METERED)
    together: list[tuple[str, int | None]] = [(offer.lookup_key, 1)]
    if seat is not None and seats > 0:
        together.append((seat.lookup_key, seats))
    if metered is not None:
        together.append((metered.lookup_key, None))
    return tuple(together)


def items_after(subscription: Subscription, offer: Offer, seats: int, sold: Mapping[str, Item]) -> tuple[Item, ...]:
    """What the subscription holds after the change: what it holds now where that stays, else items out of `sold`.

    `sold` has an item for each lookup key that Stripe has a price for; one that it lacks is left out. Who keeps a plan
    keeps the price that it was bought at. Items that are none of ours stay as they are. New ones have no `stripe_id`.
    """
    kept: list[Item] = []
    ours: dict[int | None, Item] = {}
    for item in subscription.items:
        role = _role(_sold_as(subscription, item))
        if role is None or role in ours:
            kept.append(item)
        else:
            ours[role] = item
    after = []
    for lookup_key, quantity in sold_together(offer, seats):
        held = ours.get(_role(lookup_key))
        if held is not None and _sold_as(subscription, held) == lookup_key:
            after.append(replace(held, quantity=held.quantity if quantity is None else quantity))
        elif lookup_key in sold:
            stripe_id = "" if held is None else held.stripe_id
            after.append(replace(sold[lookup_key], stripe_id=stripe_id, quantity=quantity or 0))
    return (*after, *kept)


def _sold_as(subscription: Subscription, item: Item) -> str | None:
    """As the subscription itself is known where its price is the item's: a lookup key can have moved on."""
    return subscription.lookup_key if item.price_id == subscription.price_id else item.lookup_key


def _role(lookup_key: str | None) -> int | None:
    """One item is the plan, one the seats, one the meter."""
    return next((role for role, among in enumerate((OFFERS, SEATS, METERED)) if lookup_key in among), None)


def changes(before: Iterable[Item], after: Iterable[Item]) -> tuple[ItemChange, ...]:
    """What to ask for so that the items become those: only what differs, the new and the changed ones first."""
    held, wanted = {each.stripe_id: each for each in before}, tuple(after)
    differing = [each for each in wanted if held.get(each.stripe_id) != each]
    stay = {each.stripe_id for each in wanted}
    return (
        *(
            ItemChange(each.stripe_id or None, each.price_id, None if each.is_metered else each.quantity)
            for each in differing
        ),
        *(ItemChange(stripe_id, None, None) for stripe_id in held if stripe_id not in stay),
    )


def reckon(lines: Iterable[Line], tax: int, due_now: int) -> Reckoning:
    """What the lines of a preview come to. `tax` is what is added to them, `due_now` what Stripe would take."""
    amounts = [each.amount for each in lines]
    charge = sum(each for each in amounts if each > 0)
    return Reckoning(charge - sum(amounts), charge, tax, due_now)


def paid_to(lines: Iterable[Line], otherwise: datetime) -> datetime:
    """When what the lines charge for ends."""
    return max((each.ends_at for each in lines if each.amount >= 0), default=otherwise)


def per_period(items: Iterable[Item], discounts: Iterable[Discount], at: datetime) -> int:
    """What a period that begins `at` costs, in the minor units of the items: licensed items, less the discounts then.

    As an invoice reckons it: each discount is taken off what the ones before it left of each item, a percentage to the
    nearest unit with halves taken off, an amount spread over the items; nothing falls below 0.
    """
    amounts = [(each.unit_amount or 0) * each.quantity for each in items if not each.is_metered]
    for each in discounts:
        if each.ends_at is not None and each.ends_at <= at:
            continue
        if each.percent_off is not None:
            share = Fraction(each.percent_off) / 100
            amounts = [amount - floor(amount * share + Fraction(1, 2)) for amount in amounts]
        if each.amount_off is not None:
            amounts = list(map(sub, amounts, _spread(min(each.amount_off, sum(amounts)), amounts)))
    return sum(amounts)


def _spread(whole: int, over: list[int]) -> list[int]:
    """A whole in parts proportional to `over`, that sum to it: each is rounded from what is left."""
    parts, left, rest = [], whole, sum(over)
    for each in over:
        part = floor(Fraction(left * each, rest) + Fraction(1, 2)) if rest else 0
        parts.append(part)
        left, rest = left - part, rest - each
    return parts


def over_by(offer: Offer, seats: int, creators: int) -> int:
    """How many of the creators are more than the plan with these seats has room for."""
    return max(0, creators - (PLANS[offer.plan].creators_included or creators) - seats)
