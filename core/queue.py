"""Work that outlives a click: a plain table, claimed with SKIP LOCKED, held by a lease, fenced by its token.

A job names whom it is for and what to look at, and carries no tenant's data: its handler opens the scope anew.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.access import Scope
from core.db import Base, new_id, stamped
from core.use_case import unscoped


class Job(Base):
    """A row without `finished_at` and without `failed_at` is waiting, or leased until `lease_until`."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts"),
        Index("jobs_dedupe_key", "dedupe", unique=True, postgresql_where=text("dedupe IS NOT NULL")),
        Index("jobs_open_idx", "run_at", postgresql_where=text("finished_at IS NULL AND failed_at IS NULL")),
    )

    id: Mapped[UUID] = new_id()
    kind: Mapped[str]
    user_id: Mapped[UUID | None]
    workspace_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    payload: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'"))
    dedupe: Mapped[str | None]
    run_at: Mapped[datetime] = stamped()
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    lease: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = stamped()
    finished_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job in hand. `attempt` counts from 1; only the holder of `lease` may finish it."""

    id: UUID
    kind: str
    user_id: UUID | None
    workspace_id: UUID | None
    account_id: UUID | None
    payload: dict[str, str]
    attempt: int
    lease: UUID


def enqueue(
    session: Session, scope: Scope, kind: str, payload: dict[str, str] | None = None, dedupe: str | None = None
) -> None:
    """Room: put a job for the scope's one workspace and its account, in the caller's transaction.

    A second job with the same `dedupe` changes nothing.
    """
    session.execute(
        insert(Job)
        .values(
            kind=kind,
            user_id=scope.user_id,
            workspace_id=scope.workspace_id,
            account_id=scope.account_id,
            payload=payload or {},
            dedupe=dedupe,
        )
        .on_conflict_do_nothing(index_elements=["dedupe"], index_where=text("dedupe IS NOT NULL"))
    )


def enqueue_for_person(
    session: Session,
    user_id: UUID,
    kind: str,
    payload: dict[str, str],
    *,
    dedupe: str | None = None,
    run_at: datetime | None = None,
) -> None:
    """Room: put a job for a person and no workspace, not to be done before `run_at`, in the caller's transaction.

    A second job with the same `dedupe` changes nothing.
    """
    values = {"kind": kind, "user_id": user_id, "payload": payload, "dedupe": dedupe}
    if run_at is not None:
        values["run_at"] = run_at
    session.execute(
        insert(Job)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["dedupe"], index_where=text("dedupe IS NOT NULL"))
    )


def count_open(session: Session, account_id: UUID, kind: str) -> int:
    """Room: jobs of an account that wait or are in hand, whichever of its workspaces they are for."""
    is_open = (Job.finished_at.is_(None), Job.failed_at.is_(None))
    found = session.scalar(
        select(func.count()).select_from(Job).where(Job.account_id == account_id, Job.kind == kind, *is_open)
    )
    return found or 0


def withdraw(session: Session, dedupe: str) -> None:
    """Room: nobody wants the job any more. One that a worker has in hand stays with it."""
    session.execute(
        update(Job)
        .where(Job.dedupe == dedupe, Job.finished_at.is_(None), Job.failed_at.is_(None), Job.lease.is_(None))
        .values(finished_at=func.now())
    )


def take_out(session: Session, dedupe: str, name: str) -> str | None:
    """Room: remove an entry of a job's payload. Returns it to whoever comes first, None to everybody after."""
    job = session.scalar(select(Job).where(Job.dedupe == dedupe).with_for_update())
    if job is None or name not in job.payload:
        return None
    taken = job.payload[name]
    job.payload = {key: value for key, value in job.payload.items() if key != name}
    session.flush()
    return taken


@unscoped("a queue is claimed across tenants; a job holds ids only")
def claim(session: Session, kinds: tuple[str, ...], lease_for: timedelta) -> Claimed | None:
    """Take the oldest job that is due and not held, or None."""
    due = (
        select(Job.id)
        .where(
            Job.kind.in_(kinds),
            Job.finished_at.is_(None),
            Job.failed_at.is_(None),
            Job.run_at <= func.now(),
            (Job.lease_until.is_(None)) | (Job.lease_until < func.now()),
        )
        .order_by(Job.run_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    lease = uuid4()
    job = session.scalars(
        update(Job)
        .where(Job.id == due)
        .values(lease=lease, lease_until=func.now() + lease_for, attempts=Job.attempts + 1)
        .returning(Job)
    ).one_or_none()
    if job is None:
        return None
    return Claimed(job.id, job.kind, job.user_id, job.workspace_id, job.account_id, job.payload, job.attempts, lease)


@unscoped("only the holder of the lease changes its job")
def extend(session: Session, job: Claimed, lease_for: timedelta) -> bool:
    """Hold on for longer. False when the lease was lost: stop, someone else has the job."""
    return _held(session, job, lease_until=func.now() + lease_for)


@unscoped("only the holder of the lease changes its job")
def finish(session: Session, job: Claimed) -> bool:
    return _held(session, job, finished_at=func.now(), lease=None, lease_until=None)


@unscoped("only the holder of the lease changes its job")
def put_back(session: Session, job: Claimed, reason: str, wait: timedelta) -> bool:
    """Another try later."""
    return _held(session, job, last_error=reason[:500], run_at=func.now() + wait, lease=None, lease_until=None)


@unscoped("only the holder of the lease changes its job")
def give_up(session: Session, job: Claimed, reason: str) -> bool:
    return _held(session, job, last_error=reason[:500], failed_at=func.now(), lease=None, lease_until=None)


def _held(session: Session, job: Claimed, **values: object) -> bool:
    changed = session.execute(
        update(Job).where(Job.id == job.id, Job.lease == job.lease).values(**values).returning(Job.id)
    )
    return changed.one_or_none() is not None
