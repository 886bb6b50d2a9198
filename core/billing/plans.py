"""The plans, and what an account's subscriptions entitle it to at an instant. Pure.

One table holds every limit. Amounts are Stripe's own, found by lookup key; `Offer.list_amount` is only what a price is
made with. A plan limits what can be added; it never takes away what is there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum


class PlanName(StrEnum):
    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"

    @property
    def rank(self) -> int:
        return tuple(PlanName).index(self)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one plan allows. None means without limit."""

    name: PlanName
    creators: int | None
    creators_included: int | None
    """Creators covered by the base price; beyond it each one is a paid seat."""
    generations: int
    """Model drafts a calendar month."""
    generations_metered: bool
    """Beyond the allowance drafts are charged instead of refused, where the subscription has the meter's item."""
    history_days: int | None
    alerts_by_mail: bool
    scheduled_reports: bool
    api_keys: bool
    team_members: int | None
    trial_days: int
    lookup_keys: tuple[str, ...]


PLANS: Mapping[PlanName, Plan] = {
    PlanName.FREE: Plan(
        name=PlanName.FREE,
        creators=1,
        creators_included=1,
        generations=50,
        generations_metered=False,
        history_days=90,
        alerts_by_mail=False,
        scheduled_reports=False,
        api_keys=False,
        team_members=1,
        trial_days=0,
        lookup_keys=(),
    ),
    PlanName.PRO: Plan(
        name=PlanName.PRO,
        creators=5,
        creators_included=5,
        generations=2_000,
        generations_metered=False,
        history_days=730,
        alerts_by_mail=True,
        scheduled_reports=True,
        api_keys=True,
        team_members=5,
        trial_days=14,
        lookup_keys=("pro_monthly", "pro_yearly"),
    ),
    PlanName.ENTERPRISE: Plan(
        name=PlanName.ENTERPRISE,
        creators=None,
        creators_included=25,
        generations=20_000,
        generations_metered=True,
        history_days=None,
        alerts_by_mail=True,
        scheduled_reports=True,
        api_keys=True,
        team_members=None,
        trial_days=14,
        lookup_keys=("enterprise_monthly", "enterprise_yearly"),
    ),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One price that we sell: its lookup key at Stripe, and the amount, in minor units, that it is made with."""

    lookup_key: str
    plan: PlanName
    months: int
    list_amount: int
    currency: str = "USD"


def _by_key(*offers: Offer) -> Mapping[str, Offer]:
    return {offer.lookup_key: offer for offer in offers}


OFFERS = _by_key(
    Offer("pro_monthly", PlanName.PRO, 1, 29_00),
    Offer("pro_yearly", PlanName.PRO, 12, 290_00),
    Offer("enterprise_monthly", PlanName.ENTERPRISE, 1, 99_00),
    Offer("enterprise_yearly", PlanName.ENTERPRISE, 12, 990_00),
)
"""The plans themselves. A subscription is of the plan whose price one of its items has."""

SEATS = _by_key(
    Offer("enterprise_seat_monthly", PlanName.ENTERPRISE, 1, 4_00),
    Offer("enterprise_seat_yearly", PlanName.ENTERPRISE, 12, 40_00),
)
"""One creator more than the plan includes: an item of its own beside the plan, its quantity the seats."""

METERED = _by_key(
    Offer("enterprise_generation_monthly", PlanName.ENTERPRISE, 1, 1),
    Offer("enterprise_generation_yearly", PlanName.ENTERPRISE, 12, 1),
)
"""One model draft more than the plan allows: an item that Stripe bills by its meter."""

CATALOGUE: Mapping[str, Offer] = {**OFFERS, **SEATS, **METERED}


def beside(offer: Offer, among: Mapping[str, Offer]) -> Offer | None:
    """The seat or the metered price that goes with a plan's: of the same plan, billed as often. None has none."""
    return next((one for one in among.values() if (one.plan, one.months) == (offer.plan, offer.months)), None)


GRACE = timedelta(days=7)
"""How long access outlives the last paid instant while a payment is being put right."""


class Status(StrEnum):
    """The states in which Stripe holds a subscription, as of API version 2026-10-28, and one of our own."""

    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    UNPAID = "unpaid"
    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    CANCELED = "canceled"
    GONE = "gone"
    """Ours: Stripe does not know it any more. It entitles to nothing, and comes back if Stripe finds it again."""


LIVING = frozenset({Status.TRIALING, Status.ACTIVE, Status.PAST_DUE, Status.PAUSED, Status.UNPAID})
"""A subscription in one of these can come back to life: it is changed, never bought beside."""


class Notice(StrEnum):
    """Why the account should be told something. Its sentence is `billing.notice_<value>` in the catalogues."""

    ENDING = "ending"
    """A cancellation is scheduled: access ends at `until`."""
    PAST_DUE = "past_due"
    """A payment failed: access lasts until `grace_until`."""
    GRACE_OVER = "grace_over"
    STALE = "stale"
    """The period ended more than GRACE ago and no renewal was ever confirmed."""
    PAUSED = "paused"
    UNPAID = "unpaid"
    INCOMPLETE = "incomplete"
    UNKNOWN_STATUS = "unknown_status"
    UNKNOWN_PRICE = "unknown_price"


ALARMS = frozenset({Notice.UNKNOWN_STATUS, Notice.UNKNOWN_PRICE})
"""Notices that mean our tables lag behind Stripe: somebody must look."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a subscription pays for: `quantity` times `unit_amount` minor units every `months`."""

    stripe_id: str
    price_id: str
    lookup_key: str | None
    """What its price was sold as, as with `Subscription.lookup_key`."""
    quantity: int
    unit_amount: int | None
    """None for a price that is not one amount a unit."""
    currency: str
    months: int | None
    """None for an interval that is not of whole months."""
    is_metered: bool = False


def plan_item(items: Iterable[Item]) -> Item | None:
    """Of what a subscription pays for, the plan itself; else the first thing there is."""
    return min(items, key=lambda each: (each.lookup_key not in OFFERS, each.is_metered), default=None)


@dataclass(frozen=True, slots=True)
class Discount:
    """What is taken off each invoice until `ends_at`; None is for ever. One of the two amounts is there."""

    percent_off: Decimal | None
    amount_off: int | None
    currency: str | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """What Stripe said about one subscription. Instants are aware UTC."""

    stripe_id: str
    customer_id: str
    status: str
    """As Stripe spells it: a status that we do not know is kept, and entitles to nothing."""
    lookup_key: str | None
    """What the price was sold as: the key under which it was last known, though Stripe has moved that to another."""
    quantity: int
    created: datetime
    current_period_start: datetime
    current_period_end: datetime
    """The latest end among the subscription's items: since API version 2025-03-31 the period is each item's own."""
    unpaid_since: datetime | None = None
    """When the oldest unpaid invoice known was made: the last paid instant of a subscription past due."""
    trial_end: datetime | None = None
    cancel_at: datetime | None = None
    cancel_at_period_end: bool = False
    price_id: str | None = None
    items: tuple[Item, ...] = ()
    discounts: tuple[Discount, ...] = ()
    """Those of the whole subscription."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cancel_reason: str | None = None
    """As Stripe spells it: `cancellation_requested`, `payment_failed`, `payment_disputed` or another."""
    schedule_id: str | None = None
    """The schedule that holds a change for the period's end: to `next_lookup_key` at `next_at`."""
    next_lookup_key: str | None = None
    next_at: datetime | None = None

    @property
    def seats(self) -> int:
        """Creators paid for beyond those that the plan includes."""
        return sum(each.quantity for each in self.items if each.lookup_key in SEATS)

    @property
    def is_metered(self) -> bool:
        """Whether drafts beyond the allowance can be charged to it."""
        return any(each.lookup_key in METERED for each in self.items)

    @property
    def plan(self) -> PlanName | None:
        offer = OFFERS.get(self.lookup_key or "")
        return offer.plan if offer else None

    @property
    def ends_at(self) -> datetime | None:
        """When a scheduled cancellation takes effect. The customer portal sets `cancel_at`, older ways the flag."""
        return self.cancel_at or (self.current_period_end if self.cancel_at_period_end else None)


@dataclass(frozen=True, slots=True)
class GrantedPlan:
    """A plan given by staff, from `starts_at` to before `ends_at`, unless it was taken back."""

    plan: PlanName
    starts_at: datetime
    ends_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What an account may use now. `status` is that of the subscription that decided, "none" without any."""

    plan: PlanName
    status: str
    until: datetime | None = None
    """When access ends or renews; None when nothing is paid."""
    grace_until: datetime | None = None
    notice: Notice | None = None
    granted_until: datetime | None = None
    """Until when staff gave the plan, when that is more than what is paid for; the rest is of the subscription."""
    seats: int = 0
    """Creators paid for beyond those that the plan includes."""
    is_metered: bool = False
    """Whether drafts beyond the allowance can be charged to the subscription that decided."""

    @property
    def limits(self) -> Plan:
        return PLANS[self.plan]

    @property
    def most_creators(self) -> int | None:
        """How many creators the account may have; None is no limit. Beyond those included each one is a paid seat."""
        included = self.limits.creators_included
        if self.limits.creators is not None or included is None:
            return self.limits.creators
        return None if self.granted_until else included + self.seats

    @property
    def most_generations(self) -> int | None:
        """How many model drafts the account may make a month; None where those beyond the allowance are charged."""
        return None if self.limits.generations_metered and self.is_metered else self.limits.generations


NOTHING_PAID = Entitlement(PlanName.FREE, "none")

_NOT_ENTITLING: Mapping[str, Notice | None] = {
    Status.PAUSED: Notice.PAUSED,
    Status.UNPAID: Notice.UNPAID,
    Status.INCOMPLETE: Notice.INCOMPLETE,
    Status.INCOMPLETE_EXPIRED: None,
    Status.CANCELED: None,
    Status.GONE: None,
}


def entitlement(
    subscriptions: Iterable[Subscription], now: datetime, grants: Iterable[GrantedPlan] = ()
) -> Entitlement:
    """The plan that counts at `now`: the highest that is paid for or given; paid for, when it is the same."""
    paid = _paid_for(subscriptions, now)
    running = [each for each in grants if each.revoked_at is None and each.starts_at <= now < each.ends_at]
    best = max(running, key=lambda each: (each.plan.rank, each.ends_at), default=None)
    if best is None or best.plan.rank <= paid.plan.rank:
        return paid
    return replace(paid, plan=best.plan, granted_until=best.ends_at, is_metered=False)


def _paid_for(subscriptions: Iterable[Subscription], now: datetime) -> Entitlement:
    """What the subscriptions alone entitle to.

    Of several subscriptions the highest plan that entitles wins, then the one that lasts longest. When none
    entitles, the plan is FREE and the newest subscription with something to say says why.
    """
    newest_last = sorted(subscriptions, key=lambda each: (each.created, each.stripe_id))
    verdicts = [_of_one(each, now) for each in newest_last]
    if not verdicts:
        return NOTHING_PAID
    entitling = [each for each in verdicts if each.plan is not PlanName.FREE]
    if entitling:
        return max(entitling, key=lambda each: _standing(each, now))
    return next((each for each in reversed(verdicts) if each.notice), verdicts[-1])


def counting(subscriptions: Iterable[Subscription], now: datetime) -> Subscription | None:
    """The living subscription that an account changes: the one whose plan counts, else the newest."""
    living = sorted(
        (each for each in subscriptions if each.status in LIVING), key=lambda one: (one.created, one.stripe_id)
    )
    entitling = [(each, verdict) for each in living if (verdict := _of_one(each, now)).plan is not PlanName.FREE]
    if entitling:
        return max(entitling, key=lambda pair: _standing(pair[1], now))[0]
    return living[-1] if living else None


def _standing(verdict: Entitlement, now: datetime) -> tuple[int, datetime]:
    """Of two that entitle, the higher plan counts, then the one that lasts longer."""
    return verdict.plan.rank, verdict.grace_until or verdict.until or now


def _of_one(subscription: Subscription, now: datetime) -> Entitlement:
    status, plan = subscription.status, subscription.plan
    if status in _NOT_ENTITLING:
        return Entitlement(PlanName.FREE, status, notice=_NOT_ENTITLING[status])
    if status not in (Status.ACTIVE, Status.TRIALING, Status.PAST_DUE):
        return Entitlement(PlanName.FREE, status, notice=Notice.UNKNOWN_STATUS)
    if plan is None:
        return Entitlement(PlanName.FREE, status, notice=Notice.UNKNOWN_PRICE)
    of_status = _while_past_due if status == Status.PAST_DUE else _while_paid
    found = of_status(subscription, plan, now)
    if found.plan is PlanName.FREE:
        return found
    return replace(found, seats=subscription.seats, is_metered=subscription.is_metered)


def _while_past_due(subscription: Subscription, plan: PlanName, now: datetime) -> Entitlement:
    """Grace counts from the paid period's end: Stripe has moved `current_period_end` a whole unpaid period on."""
    paid_until = subscription.unpaid_since or subscription.current_period_start
    grace_until = _no_later_than(subscription.ends_at, paid_until + GRACE)
    granted = Entitlement(plan, subscription.status, paid_until, grace_until, Notice.PAST_DUE)
    return granted if now < grace_until else replace(granted, plan=PlanName.FREE, notice=Notice.GRACE_OVER)


def _while_paid(subscription: Subscription, plan: PlanName, now: datetime) -> Entitlement:
    """Access to the period's end, then GRACE in case the news of a renewal is late; none past a cancellation."""
    until = _no_later_than(subscription.ends_at, subscription.current_period_end)
    ending = subscription.ends_at is not None and subscription.ends_at <= subscription.current_period_end
    granted = Entitlement(plan, subscription.status, until, notice=Notice.ENDING if ending else None)
    if now < (until if ending else until + GRACE):
        return granted
    return replace(granted, plan=PlanName.FREE, notice=None if ending else Notice.STALE)


def _no_later_than(limit: datetime | None, instant: datetime) -> datetime:
    return instant if limit is None else min(limit, instant)
