"""What about an account's payments its owners are written about, and what names each cause. Pure.

A cause is read off what was held before and what Stripe says now, never off an event, so it does not matter how often
or in which order Stripe rings. Its key is what makes it one: a letter is written once a key.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from core.billing.plans import LIVING, OFFERS, Status, Subscription, entitlement

if TYPE_CHECKING:
    from core.billing.invoices import Invoice, PaymentMethod

YOUNG = timedelta(days=3)
"""What is seen for the first time is only told of when it is younger: a customer may come with years of history."""
TRIAL_SOON = timedelta(days=3)
CARD_SOON = timedelta(days=30)
RENEWING = frozenset({Status.TRIALING, Status.ACTIVE, Status.PAST_DUE})
_AT_CHECKOUT = "subscription_create"
"""Stripe's reason for a first invoice: who pays that is at the page and sees how it goes."""


class Letter(StrEnum):
    """Its words are `paying.<value>_subject` and `paying.<value>_body` in the catalogues."""

    TRIAL_ENDING = "trial_ending"
    TRIAL_ENDING_UNPAID = "trial_ending_unpaid"
    """Nothing is there to pay with."""
    PAYMENT_FAILED = "payment_failed"
    """Access lasts until a known instant."""
    PAYMENT_OPEN = "payment_open"
    """A payment failed, and access does not hang on it, or is over."""
    PAYMENT_RECOVERED = "payment_recovered"
    CARD_EXPIRING = "card_expiring"
    PLAN_CHANGED = "plan_changed"
    CHANGE_SCHEDULED = "change_scheduled"
    SEATS_SCHEDULED = "seats_scheduled"
    CANCELLATION_SCHEDULED = "cancellation_scheduled"
    ENDED = "ended"
    ENDED_UNPAID = "ended_unpaid"
    PAUSED = "paused"
    RESUMED = "resumed"


@dataclass(frozen=True, slots=True)
class Amount:
    """Minor units of a currency."""

    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Sold:
    """What we sell under a lookup key, to be named in the reader's language."""

    lookup_key: str


Fact = Amount | Sold | datetime | int | str


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a letter is written. `only_after` is the key of another that must have been told of, or this need not be."""

    letter: Letter
    key: str
    facts: Mapping[str, Fact]
    only_after: str | None = None


def causes(
    before: Iterable[Subscription],
    after: Iterable[Subscription],
    invoices: "Iterable[Invoice]",
    method: "PaymentMethod | None",
    now: datetime,
) -> tuple[Cause, ...]:
    """Everything to tell of at `now`, known or not: who asks writes each key once."""
    held, current = {each.stripe_id: each for each in before}, tuple(after)
    found: list[Cause] = []
    for each in current:
        was = held.get(each.stripe_id)
        found += _of_trial(each, method, now)
        for rule in _OF_CHANGES:
            found += rule(was, each, now)
    for invoice in invoices:
        found += _of_invoice(invoice, held, current, now)
    return (*found, *_of_card(current, method, now))


def _of_trial(told: Subscription, method: "PaymentMethod | None", now: datetime) -> Iterator[Cause]:
    """Once a trial and its end. Not where it was canceled: that was written of."""
    ends = told.trial_end
    if told.status != Status.TRIALING or ends is None or told.ends_at or not now < ends <= now + TRIAL_SOON:
        return
    letter = Letter.TRIAL_ENDING if method else Letter.TRIAL_ENDING_UNPAID
    yield Cause(letter, f"trial_ending:{told.stripe_id}:{_second(ends)}", _plan(told) | {"when": ends})


def _of_plan(was: Subscription | None, told: Subscription, now: datetime) -> Iterator[Cause]:
    if was is None or was.status not in RENEWING or told.status not in RENEWING:
        return
    if (was.lookup_key, was.seats) == (told.lookup_key, told.seats) or not _are_sold(was.lookup_key, told.lookup_key):
        return
    key = f"plan:{told.stripe_id}:{was.lookup_key}+{was.seats}:{told.lookup_key}+{told.seats}:{_day(now)}"
    old = Sold(was.lookup_key or "")
    yield Cause(Letter.PLAN_CHANGED, key, _plan(told) | {"old": old, "when": now, "seats": told.seats})


def _of_schedule(was: Subscription | None, told: Subscription, now: datetime) -> Iterator[Cause]:
    after, when = told.next_lookup_key, told.next_at
    if when is None or told.status not in LIVING or not _are_sold(after):
        return
    if not _is_new(was, told, now) or (was is not None and (was.next_lookup_key, was.next_at) == (after, when)):
        return
    letter = Letter.SEATS_SCHEDULED if after == told.lookup_key else Letter.CHANGE_SCHEDULED
    key = f"schedule:{told.schedule_id or told.stripe_id}:{after}:{_second(when)}"
    yield Cause(letter, key, _plan(told) | {"next": Sold(after or ""), "when": when})


def _of_cancellation(was: Subscription | None, told: Subscription, now: datetime) -> Iterator[Cause]:
    ends = told.ends_at
    if ends is None or told.status not in LIVING or not _is_new(was, told, now):
        return
    if was is None or was.ends_at is None:
        key = f"cancellation:{told.stripe_id}:{_second(ends)}:{_day(now)}"
        yield Cause(Letter.CANCELLATION_SCHEDULED, key, _plan(told) | {"when": ends})


def _of_end(was: Subscription | None, told: Subscription, now: datetime) -> Iterator[Cause]:
    ended = told.ended_at or now
    if told.status != Status.CANCELED or (was.status not in LIVING if was else now - ended >= YOUNG):
        return
    letter = Letter.ENDED_UNPAID if told.cancel_reason == "payment_failed" else Letter.ENDED
    yield Cause(letter, f"ended:{told.stripe_id}", _plan(told) | {"when": ended})


def _of_pause(was: Subscription | None, told: Subscription, now: datetime) -> Iterator[Cause]:
    was_paused, is_paused = was is not None and was.status == Status.PAUSED, told.status == Status.PAUSED
    if is_paused and not was_paused and _is_new(was, told, now):
        yield Cause(Letter.PAUSED, f"paused:{told.stripe_id}:{_day(now)}", _plan(told))
    if was_paused and told.status in RENEWING:
        yield Cause(Letter.RESUMED, f"resumed:{told.stripe_id}:{_day(now)}", _plan(told))


_OF_CHANGES: tuple[Callable[[Subscription | None, Subscription, datetime], Iterator[Cause]], ...] = (
    _of_plan,
    _of_schedule,
    _of_cancellation,
    _of_end,
    _of_pause,
)


def _of_invoice(
    invoice: "Invoice", held: Mapping[str, Subscription], current: Iterable[Subscription], now: datetime
) -> Iterator[Cause]:
    failed_key = f"payment_failed:{invoice.stripe_id}"
    amount = Amount(invoice.amount_due, invoice.currency)
    number = invoice.number or invoice.stripe_id
    if invoice.failed_at is None or invoice.reason == _AT_CHECKOUT:
        return
    if invoice.paid_at is not None:
        key = f"payment_recovered:{invoice.stripe_id}"
        yield Cause(Letter.PAYMENT_RECOVERED, key, {"amount": amount, "number": number}, only_after=failed_key)
        return
    told = next((each for each in current if each.stripe_id == invoice.subscription_id), None)
    was = held.get(invoice.subscription_id or "")
    is_past_due = told is not None and told.status == Status.PAST_DUE
    is_turn = is_past_due and was is not None and was.status in RENEWING - {Status.PAST_DUE}
    if invoice.status != "open" or not invoice.amount_remaining or not (is_turn or now - invoice.failed_at < YOUNG):
        return
    due: dict[str, Fact] = {"amount": Amount(invoice.amount_remaining, invoice.currency), "number": number}
    until = entitlement([told], now).grace_until if told is not None and is_past_due else None
    if invoice.hosted_url:
        due["invoice"] = invoice.hosted_url
    if until is None or until <= now:
        yield Cause(Letter.PAYMENT_OPEN, failed_key, due)
    else:
        yield Cause(Letter.PAYMENT_FAILED, failed_key, due | {"when": until})


def _of_card(current: Iterable[Subscription], method: "PaymentMethod | None", now: datetime) -> Iterator[Cause]:
    """Once a card and its expiry, and not before it is soon: a year's renewal may be long after it.

    It is good through its last month; only what will renew needs it.
    """
    if method is None or method.expires_month is None or method.expires_year is None:
        return
    is_needed = any(each.status in RENEWING and each.ends_at is None for each in current)
    over = datetime(method.expires_year + method.expires_month // 12, method.expires_month % 12 + 1, 1, tzinfo=UTC)
    if is_needed and over <= now + CARD_SOON:
        expires = f"{method.expires_month:02d}/{method.expires_year}"
        key = f"card:{method.stripe_id}:{expires}"
        card = f"{(method.brand or method.kind).title()} •••• {method.last4 or '????'}"
        yield Cause(Letter.CARD_EXPIRING, key, {"card": card, "expires": expires})


def _is_new(was: Subscription | None, told: Subscription, now: datetime) -> bool:
    """Of a subscription that was not held it is not known when it came to be so, unless it is young itself."""
    return was is not None or now - told.created < YOUNG


def _are_sold(*lookup_keys: str | None) -> bool:
    return all(each in OFFERS for each in lookup_keys)


def _plan(told: Subscription) -> dict[str, Fact]:
    return {"plan": Sold(told.lookup_key or "")}


def _second(at: datetime) -> int:
    return int(at.timestamp())


def _day(now: datetime) -> str:
    """The same turn twice on one day is told of once; on another day it is another deed."""
    return now.astimezone(UTC).date().isoformat()
