"""What waits, is done or was given up: Stripe's events and jobs. For staff; no creator's row is read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.access import Permission, Scope
from core.audit import NO_ACCOUNT, record
from core.billing.events import ring
from core.billing.models import StripeCustomer, StripeEvent, StripeSync, SweepReport
from core.errors import Conflict, NotFound
from core.queue import Job
from core.use_case import use_case
from core.workspaces.models import Account

LATEST = 100
"""Rows of a list; the counts say how many more there are."""


class State(StrEnum):
    """How far something has come. Its word is `admin.state_<value>`."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EventSeen:
    """One of Stripe's events. It has failed when what it rang for was given up. Its payload is not shown."""

    id: str
    type: str
    livemode: bool
    received_at: datetime
    processed_at: datetime | None
    key: str | None
    state: State


@dataclass(frozen=True, slots=True)
class KeySeen:
    """What Stripe must be asked about, and why that did not work so far."""

    key: str
    account: str | None
    waiting: int
    attempts: int
    next_at: datetime
    last_error: str | None
    state: State


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A job by what it is for; its payload is not shown."""

    id: UUID
    kind: str
    account: str | None
    created_at: datetime
    run_at: datetime
    ended_at: datetime | None
    attempts: int
    last_error: str | None
    state: State


@dataclass(frozen=True, slots=True)
class SweepSeen:
    """A sweep of Stripe's lists and what it found. `differing` is None when subscriptions were not compared."""

    began_at: datetime
    ended_at: datetime
    listed: int
    missed: int
    asked: int
    differing: int | None
    last_error: str | None


_EVENT_FAILED = (
    select(StripeSync.key)
    .where(StripeSync.key == StripeEvent.sync_key, StripeSync.dead_at.is_not(None), StripeEvent.processed_at.is_(None))
    .exists()
)


@use_case(Permission.SEE_OPERATIONS)
def events(session: Session, _scope: Scope, *, state: State | None = None) -> tuple[EventSeen, ...]:
    """Stripe's latest events, the newest first."""
    which = {
        None: true(),
        State.DONE: StripeEvent.processed_at.is_not(None),
        State.FAILED: _EVENT_FAILED,
        State.OPEN: StripeEvent.processed_at.is_(None) & ~_EVENT_FAILED,
    }[state]
    found = session.execute(
        select(StripeEvent, _EVENT_FAILED).where(which).order_by(StripeEvent.received_at.desc()).limit(LATEST)
    )
    return tuple(
        EventSeen(
            one.id,
            one.type,
            one.livemode,
            one.received_at,
            one.processed_at,
            one.sync_key,
            State.FAILED if has_failed else State.DONE if one.processed_at else State.OPEN,
        )
        for one, has_failed in found
    )


@use_case(Permission.SEE_OPERATIONS)
def keys(session: Session, _scope: Scope) -> tuple[KeySeen, ...]:
    """What Stripe must still be asked about, what was given up first."""
    found = session.execute(
        select(StripeSync, Account.name)
        .outerjoin(StripeCustomer, func.concat("customer:", StripeCustomer.stripe_id) == StripeSync.key)
        .outerjoin(Account, Account.id == StripeCustomer.account_id)
        .where((StripeSync.dirty > StripeSync.synced) | StripeSync.dead_at.is_not(None))
        .order_by(StripeSync.dead_at.is_(None), StripeSync.next_at)
        .limit(LATEST)
    )
    return tuple(
        KeySeen(
            one.key,
            account,
            one.dirty - one.synced,
            one.attempts,
            one.next_at,
            one.last_error,
            State.FAILED if one.dead_at else State.OPEN,
        )
        for one, account in found
    )


@use_case(Permission.SEE_OPERATIONS)
def sweeps(session: Session, _scope: Scope) -> tuple[SweepSeen, ...]:
    """The latest sweeps that found something, and one a day of those that found nothing, the newest first."""
    found = session.scalars(select(SweepReport).order_by(SweepReport.began_at.desc()).limit(LATEST))
    return tuple(
        SweepSeen(
            one.began_at,
            one.ended_at,
            one.events_listed,
            one.events_missed,
            one.customers_asked,
            one.subscriptions_differing,
            one.last_error,
        )
        for one in found
    )


@use_case(Permission.SEE_OPERATIONS)
def replay(session: Session, scope: Scope, key: str) -> None:
    """Have Stripe asked about a key again, soon. Raises NotFound for one that never rang."""
    if session.get(StripeSync, key) is None:
        raise NotFound("access.not_found")
    ring(session, key)
    account_id = session.scalar(
        select(StripeCustomer.account_id).where(StripeCustomer.stripe_id == key.partition(":")[2])
    )
    record(session, scope, "stripe_replayed", key, account_id=account_id or NO_ACCOUNT)


def job_is(state: State) -> ColumnElement[bool]:
    return stands(state, Job.finished_at, Job.failed_at)


def stands(
    state: State,
    done: InstrumentedAttribute[datetime | None],
    failed: InstrumentedAttribute[datetime | None],
) -> ColumnElement[bool]:
    return {
        State.OPEN: done.is_(None) & failed.is_(None),
        State.DONE: done.is_not(None),
        State.FAILED: failed.is_not(None),
    }[state]


def state_of(done: datetime | None, failed: datetime | None) -> State:
    return State.DONE if done else State.FAILED if failed else State.OPEN


@use_case(Permission.SEE_OPERATIONS)
def jobs(session: Session, _scope: Scope, *, state: State = State.OPEN) -> tuple[JobSeen, ...]:
    """The latest jobs of a state, the newest first."""
    found = session.execute(
        select(Job, Account.name)
        .outerjoin(Account, Account.id == Job.account_id)
        .where(job_is(state))
        .order_by(Job.id.desc())
        .limit(LATEST)
    )
    return tuple(
        JobSeen(
            one.id,
            one.kind,
            account,
            one.created_at,
            one.run_at,
            one.finished_at or one.failed_at,
            one.attempts,
            one.last_error,
            state_of(one.finished_at, one.failed_at),
        )
        for one, account in found
    )


@use_case(Permission.SEE_OPERATIONS)
def retry_job(session: Session, scope: Scope, job_id: UUID) -> None:
    """Put a failed job back into the queue. Raises NotFound for an unknown one, Conflict for one that did not fail."""
    job = session.get(Job, job_id, with_for_update=True)
    if job is None:
        raise NotFound("access.not_found")
    if job.failed_at is None:
        raise Conflict("staff.not_failed")
    before = {"attempts": job.attempts, "error": job.last_error}
    job.failed_at, job.attempts, job.run_at = None, 0, func.now()
    account_id, workspace_id = job.account_id or NO_ACCOUNT, job.workspace_id
    record(session, scope, "job_retried", job.kind, account_id=account_id, workspace_id=workspace_id, before=before)
