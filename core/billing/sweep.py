"""Finds what never rang: each customer is asked about in time, Stripe's list of events is searched for lost ones, and
once a night all of its subscriptions are compared with those that we hold.

However many webhooks were lost, one sweep and the work that it rings for make what we hold what Stripe holds.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing import stripe_client
from core.billing import stripe_reading as reading
from core.billing.events import keep_listed, ring
from core.billing.models import StripeCustomer, StripeSweep, StripeSync, SweepReport
from core.billing.plans import Subscription
from core.billing.signature import BadDelivery
from core.billing.subscriptions import differing
from core.billing.sync import ASK_AFTER
from core.errors import NotConfigured, Refusal
from core.use_case import unscoped, use_case

log = logging.getLogger("huntaze.billing")

EVERY = timedelta(minutes=5)
NIGHT = time(3, 0, tzinfo=UTC)
"""When all subscriptions are compared, while little else is asked."""
OVERLAP = timedelta(hours=1)
"""How far before the last sweep the next one looks: Stripe's clock is another, and its list may lag behind."""
STRIPE_KEEPS = timedelta(days=30)
REPORTS = timedelta(days=1)
"""How often a report is kept though nothing was found: that shows that sweeps run."""
MOST = 1_000
"""Customers that one sweep rings for; the others wait for the next."""

_EVENTS, _SUBSCRIPTIONS = "events", "subscriptions"


@dataclass(frozen=True, slots=True)
class Found:
    """What a sweep found. `events_missed` of those listed had never rung; `customers_asked` were due without a bell.

    `subscriptions_differing` is None when they were not compared.
    """

    began_at: datetime
    events_listed: int = 0
    events_missed: int = 0
    customers_asked: int = 0
    subscriptions_differing: int | None = None
    error: str | None = None

    @property
    def is_something(self) -> bool:
        return bool(self.events_missed or self.subscriptions_differing or self.error)


def sweep_once() -> bool:
    """Sweep, unless any process did within EVERY. False when it was not time."""
    if not stripe_client.is_configured():
        return False
    turn = _take_turn(is_forced=False)
    if turn is None:
        return False
    since, began = turn
    _report(_sweep(since, began, is_whole=_is_night()), is_kept=False)
    return True


def sweep_now() -> Found:
    """Sweep at once, all subscriptions too, whoever did so when. Raises NotConfigured without a key."""
    if not stripe_client.is_configured():
        raise NotConfigured("billing.no_secret_key")
    turn = _take_turn(is_forced=True)
    if turn is None:
        raise RuntimeError("a turn that is forced was not given")
    since, began = turn
    found = _sweep(since, began, is_whole=True)
    _report(found, is_kept=True)
    return found


def _sweep(since: datetime, began: datetime, *, is_whole: bool) -> Found:
    found = _search_events(since, Found(began, customers_asked=_ring_customers()))
    return _compare(found) if is_whole else found


def _search_events(since: datetime, found: Found) -> Found:
    listed = missed = 0
    error = None
    try:
        for raw in reading.events_since(since):
            listed += 1
            missed += _keep(raw)
    except Refusal as refusal:
        log.warning("Stripe's events since %s could not be listed: %s", since, refusal.code)
        error = refusal.code
    else:
        _swept(_EVENTS, found.began_at)
    return replace(found, events_listed=listed, events_missed=missed, error=error)


def _keep(raw: bytes) -> bool:
    try:
        return keep_listed(raw)
    except BadDelivery:
        log.warning("Stripe lists an event that cannot be read: %s", json.loads(raw).get("id"))
        return False


def _compare(found: Found) -> Found:
    """Ring for each customer of whom Stripe lists something else than we hold."""
    listed: dict[str, list[Subscription]] = defaultdict(list)
    try:
        for each in reading.every_subscription():
            listed[each.customer_id].append(each)
    except Refusal as refusal:
        log.warning("Stripe's subscriptions could not be listed: %s", refusal.code)
        _once_more()
        return replace(found, error=refusal.code)
    differ = 0
    for customer_id, theirs in listed.items():
        account_id = _account_of(customer_id)
        if account_id is None:
            differ += _ring_unknown(customer_id, theirs)
        else:
            differ += _ring_differing(Scope.for_account(account_id), customer_id, theirs)
    _swept(_SUBSCRIPTIONS, found.began_at)
    return replace(found, subscriptions_differing=differ)


@unscoped("whose customer it is; the account's own rows are read in its scope")
def _account_of(session: Session, customer_id: str) -> UUID | None:
    return session.scalar(select(StripeCustomer.account_id).where(StripeCustomer.stripe_id == customer_id))


@unscoped("the customer is nobody's yet; it waits for staff to link it")
def _ring_unknown(session: Session, customer_id: str, listed: Iterable[Subscription]) -> int:
    """How many subscriptions a customer has whom we never heard of."""
    key = f"customer:{customer_id}"
    if session.get(StripeSync, key) is not None:
        return 0
    ring(session, key)
    return len(tuple(listed))


@use_case(Permission.MANAGE_BILLING)
def _ring_differing(session: Session, scope: Scope, customer_id: str, listed: Iterable[Subscription]) -> int:
    differ = differing(session, scope.account_id, customer_id, listed)
    if differ:
        ring(session, f"customer:{customer_id}")
    return len(differ)


@unscoped("whose turn it is, is nobody's data")
def _take_turn(session: Session, *, is_forced: bool) -> tuple[datetime, datetime] | None:
    """From when events are to be listed, and the present instant. None when it is not time."""
    session.execute(insert(StripeSweep).values(key=_EVENTS, next_at=func.now()).on_conflict_do_nothing())
    is_due = StripeSweep.key == _EVENTS, *(() if is_forced else (StripeSweep.next_at <= func.now(),))
    taken = session.execute(
        update(StripeSweep)
        .where(*is_due)
        .values(next_at=func.now() + EVERY)
        .returning(StripeSweep.swept_until, func.now())
    ).one_or_none()
    if taken is None:
        return None
    swept_until, now = taken
    return (now - STRIPE_KEEPS if swept_until is None else swept_until - OVERLAP), now


@unscoped("whose turn it is, is nobody's data")
def _is_night(session: Session) -> bool:
    """Whether this sweep compares subscriptions: the first one after each NIGHT."""
    now = datetime.now(UTC)
    tonight = datetime.combine(now.date(), NIGHT)
    coming = tonight if now < tonight else tonight + timedelta(days=1)
    session.execute(insert(StripeSweep).values(key=_SUBSCRIPTIONS, next_at=coming).on_conflict_do_nothing())
    is_due = StripeSweep.key == _SUBSCRIPTIONS, StripeSweep.next_at <= func.now()
    taken = session.execute(update(StripeSweep).where(*is_due).values(next_at=coming).returning(StripeSweep.key))
    return taken.one_or_none() is not None


@unscoped("whose turn it is, is nobody's data")
def _once_more(session: Session) -> None:
    """Let the next sweep compare subscriptions: this one could not."""
    session.execute(update(StripeSweep).where(StripeSweep.key == _SUBSCRIPTIONS).values(next_at=func.now()))


@unscoped("customers are ids here; whose they are, is asked when Stripe's answer is applied")
def _ring_customers(session: Session) -> int:
    """Ring for those that it is time to ask about, the longest waiting first. How many there were."""
    due = session.scalars(
        select(StripeCustomer.stripe_id)
        .where(StripeCustomer.ask_at <= func.now())
        .order_by(StripeCustomer.ask_at)
        .limit(MOST)
    ).all()
    for customer_id in sorted(due):  # the bell before the customer, as where an answer is applied: no deadlock
        ring(session, f"customer:{customer_id}")
    session.execute(
        update(StripeCustomer).where(StripeCustomer.stripe_id.in_(due)).values(ask_at=func.now() + ASK_AFTER)
    )
    return len(due)


@unscoped("up to when Stripe's lists were gone through")
def _swept(session: Session, key: str, until: datetime) -> None:
    session.execute(update(StripeSweep).where(StripeSweep.key == key).values(swept_until=until))


@unscoped("figures of a sweep; nobody's rows")
def _report(session: Session, found: Found, *, is_kept: bool) -> None:
    """Keep what a sweep found; one that found nothing only once in REPORTS, unless `is_kept`."""
    latest = session.scalar(select(func.max(SweepReport.began_at)))
    if not (is_kept or found.is_something or latest is None or latest <= found.began_at - REPORTS):
        return
    session.add(
        SweepReport(
            began_at=found.began_at,
            ended_at=func.clock_timestamp(),
            events_listed=found.events_listed,
            events_missed=found.events_missed,
            customers_asked=found.customers_asked,
            subscriptions_differing=found.subscriptions_differing,
            last_error=found.error,
        )
    )
