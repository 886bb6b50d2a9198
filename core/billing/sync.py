"""Applies the bells: an event says only that something changed, and Stripe is asked what is so now.

Claim a dirty key with a lease, ask Stripe outside any transaction, write where the lease still holds. Duplicates,
reordering and a crash between any two steps change nothing: what is written is always Stripe's answer to a question
asked after the bells that it settles.
"""

import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing import stripe_client
from core.billing import stripe_reading as reading
from core.billing.applying import apply_state
from core.billing.events import UNLINKED, ring
from core.billing.failpoints import reach
from core.billing.models import StripeCustomer, StripeEvent, StripeSync
from core.billing.plans import Status, Subscription
from core.billing.queries import subscriptions_in
from core.billing.stripe_client import PATIENT, QUICK, Patience
from core.billing.stripe_reading import CustomerState
from core.errors import NotConfigured, Refusal, Unavailable
from core.settings import settings
from core.use_case import unscoped, use_case

log = logging.getLogger("huntaze.billing")

TRIES = 8
"""Failures of a key's own before it is left for a person to look at. An outage of Stripe's does not count."""
ASK_AFTER = timedelta(days=1)
"""How old Stripe's last answer about a customer may be before it is asked again, though nothing rang."""

_ENDED = frozenset({Status.CANCELED, Status.INCOMPLETE_EXPIRED})


@dataclass(frozen=True, slots=True)
class Claim:
    """A dirty key in hand: the bells up to `dirty` are settled by what Stripe answers after this."""

    key: str
    dirty: int
    attempts: int
    lease: UUID
    account_id: UUID | None
    event_ids: tuple[str, ...]

    @property
    def kind(self) -> str:
        return self.key.partition(":")[0]

    @property
    def stripe_id(self) -> str:
        return self.key.partition(":")[2]


WAITS = 4.0
"""Seconds that a person waits for a worker who asks about the same customer already."""


def settle_now(key: str) -> bool:
    """Have it known what Stripe says of a key: asked quickly, after whoever asks about it already.

    False when that did not come about: what is held may be older than the bells that rang before.
    """
    rung, until = _bells(key), monotonic() + WAITS
    while not _is_settled(key, rung) and not run_once(key, QUICK) and _is_being_asked(key) and monotonic() < until:
        sleep(0.05)
    return _is_settled(key, rung)


def run_once(key: str | None = None, patience: Patience = PATIENT, lease: timedelta | None = None) -> bool:
    """Settle one dirty key, the given one or the one that waits longest. False when there was none to take.

    `lease` is longer than Stripe may take to answer, STRIPE_LEASE_SECONDS if not given; after it another worker asks.
    """
    if not stripe_client.is_configured():
        return False
    claim = _claim(key, timedelta(seconds=settings().stripe_lease_seconds) if lease is None else lease)
    if claim is None:
        return False
    reach("w_claimed")
    try:
        _settle(claim, patience)
    except (Unavailable, NotConfigured) as refusal:
        _put_back(claim, refusal.code, counts=False)
    except Exception as crash:
        about = (claim.kind, claim.account_id, claim.attempts + 1)
        log.exception("what Stripe says of a %s of account %s could not be applied, try %d", *about)
        _put_back(claim, crash.code if isinstance(crash, Refusal) else type(crash).__name__, counts=True)
    return True


def _settle(claim: Claim, patience: Patience) -> None:
    if claim.kind != "customer":
        customer = reading.customer_of(claim.kind, claim.stripe_id)
        reach("w_fetched")
        _forward(claim, customer)
    elif claim.account_id is None:
        _park(claim)
    else:
        scope = Scope.for_account(claim.account_id)
        state = _asked(scope, claim.stripe_id, patience)
        reach("w_fetched")
        _apply(scope, claim, state)
    reach("w_committed")


def _asked(scope: Scope, customer_id: str, patience: Patience) -> CustomerState:
    """What Stripe says of the customer. A subscription that we hold and its list lacks is asked for by its id."""
    state = reading.customer_state(customer_id, patience)
    named = {each.stripe_id for each in state.subscriptions}
    unlisted = [each for each in _unended(scope, customer_id) if each.stripe_id not in named]
    found = tuple(_looked_up(each, state, patience) for each in unlisted)
    return replace(state, subscriptions=(*state.subscriptions, *found))


def _looked_up(held: Subscription, state: CustomerState, patience: Patience) -> Subscription:
    """Gone when Stripe does not know it, nor can anybody be charged for it any more."""
    told = reading.subscription(held.stripe_id, patience)
    if told is None or (state.is_deleted and told.status not in _ENDED):
        return replace(held, status=Status.GONE)
    return reading.owing_since(told, state.invoices)


@use_case(Permission.MANAGE_BILLING)
def _unended(session: Session, scope: Scope, customer_id: str) -> tuple[Subscription, ...]:
    held = subscriptions_in(session, scope.account_id)
    return tuple(each for each in held if each.customer_id == customer_id and each.status != Status.CANCELED)


@unscoped("keys are claimed across tenants; a claim holds ids only")
def _claim(session: Session, key: str | None, lease: timedelta) -> Claim | None:
    """`dirty` is read before Stripe is asked: a bell that rings meanwhile is settled by the next claim."""
    due = (
        select(StripeSync.key)
        .where(StripeSync.dirty > StripeSync.synced, _free())
        .where(StripeSync.key == key if key else (StripeSync.dead_at.is_(None)) & (StripeSync.next_at <= func.now()))
        .order_by(StripeSync.next_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = session.execute(
        update(StripeSync)
        .where(StripeSync.key == due)
        .values(lease=(token := uuid4()), lease_until=func.now() + lease)
        .returning(StripeSync.key, StripeSync.dirty, StripeSync.attempts)
    ).one_or_none()
    if taken is None:
        return None
    # Bells for this key wait for its row, so the events seen here are exactly those that `dirty` counts.
    events = session.scalars(
        select(StripeEvent.id).where(StripeEvent.sync_key == taken.key, StripeEvent.processed_at.is_(None))
    )
    account_id = _account_of(session, taken.key.partition(":")[2])
    return Claim(taken.key, taken.dirty, taken.attempts, token, account_id, tuple(events))


@unscoped("says of a key whether somebody holds it, and nothing of a tenant")
def _is_being_asked(session: Session, key: str) -> bool:
    waiting = StripeSync.key == key, StripeSync.dirty > StripeSync.synced
    return session.scalar(select(StripeSync.key).where(*waiting, ~_free())) is not None


@unscoped("how often a key rang, and nothing of a tenant")
def _bells(session: Session, key: str) -> int:
    return session.scalar(select(StripeSync.dirty).where(StripeSync.key == key)) or 0


@unscoped("how many of a key's bells are settled, and nothing of a tenant")
def _is_settled(session: Session, key: str, bells: int) -> bool:
    return (session.scalar(select(StripeSync.synced).where(StripeSync.key == key)) or 0) >= bells


def _free() -> ColumnElement[bool]:
    return StripeSync.lease_until.is_(None) | (StripeSync.lease_until < func.now())


def _account_of(session: Session, customer_id: str) -> UUID | None:
    return session.scalar(select(StripeCustomer.account_id).where(StripeCustomer.stripe_id == customer_id))


@use_case(Permission.MANAGE_BILLING)
def _apply(session: Session, scope: Scope, claim: Claim, state: CustomerState) -> None:
    if not _holds(session, claim):
        return
    now = datetime.now(UTC)
    held = apply_state(session, scope.account_id, claim.stripe_id, state, now)
    _ask_again(session, claim.stripe_id, held, now)
    _close(session, claim)
    reach("w_applied")


def _ask_again(session: Session, customer_id: str, held: Iterable[Subscription], now: datetime) -> None:
    """When to ask though nothing rings: when a period or a discount ends, and within ASK_AFTER in any case."""
    ends = [end for each in held for end in (each.current_period_end, *(one.ends_at for one in each.discounts))]
    ask_at = min([now + ASK_AFTER, *(end for end in ends if end is not None and end > now)])
    session.execute(update(StripeCustomer).where(StripeCustomer.stripe_id == customer_id).values(ask_at=ask_at))


@unscoped("leads from one key to another; nothing of a tenant is read or written")
def _forward(session: Session, claim: Claim, customer_id: str | None) -> None:
    if not _holds(session, claim):
        return
    if customer_id is not None:
        ring(session, f"customer:{customer_id}")
    _close(session, claim)
    reach("w_applied")


@unscoped("the customer is nobody's yet")
def _park(session: Session, claim: Claim) -> None:
    """Leave it for a person to link, unless the link was made meanwhile: whoever makes it rings again."""
    if _holds(session, claim):
        linked = _account_of(session, claim.stripe_id) is not None
        _let_go(session, claim, last_error=UNLINKED, dead_at=None if linked else func.now())


@unscoped("only the holder of the lease changes its key")
def _put_back(session: Session, claim: Claim, reason: str, *, counts: bool) -> None:
    """Another try later: 30 s, doubled with each failure of its own, spread so that keys do not come back together.

    A bell that rang meanwhile is never given up with the try that it did not see.
    """
    attempts = claim.attempts + counts
    wait = timedelta(seconds=30 * 2 ** min(attempts, TRIES) * random.uniform(0.5, 1.0))  # noqa: S311
    dead_at = case((StripeSync.dirty == claim.dirty, func.now())) if counts and attempts >= TRIES else None
    _let_go(session, claim, last_error=reason[:500], attempts=attempts, next_at=func.now() + wait, dead_at=dead_at)


def _holds(session: Session, claim: Claim) -> bool:
    """The fence: lock the key's row, and say whether the lease is still ours."""
    held = select(StripeSync.key).where(StripeSync.key == claim.key, StripeSync.lease == claim.lease).with_for_update()
    return session.scalar(held) is not None


def _close(session: Session, claim: Claim) -> None:
    session.execute(update(StripeEvent).where(StripeEvent.id.in_(claim.event_ids)).values(processed_at=func.now()))
    _let_go(session, claim, synced=func.greatest(StripeSync.synced, claim.dirty), attempts=0, last_error=None)


def _let_go(session: Session, claim: Claim, **values: object) -> None:
    session.execute(
        update(StripeSync)
        .where(StripeSync.key == claim.key, StripeSync.lease == claim.lease)
        .values(lease=None, lease_until=None, **values)
    )
