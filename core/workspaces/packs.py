"""Packs of data to take along: ordered by a person, made by the worker, shown to that person only, for a week."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, undefer

from core import queue
from core.access import Permission, Scope
from core.audit import record, record_of_person
from core.errors import NotFound
from core.queue import Claimed
from core.use_case import use_case
from core.workspaces.models import Pack, Workspace

MAKE, EXPIRE = "workspace.pack", "pack.expire"
WORKSPACE, PERSON = "workspace", "person"
KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PackView:
    """A pack as its person sees it: being made, ready until `expires_at`, or failed."""

    id: UUID
    name: str
    created_at: datetime
    is_ready: bool
    has_failed: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """A pack to be made. `before` is what was written down when it was ordered, if anything."""

    id: UUID
    kind: str
    subject_id: UUID
    before: bytes | None


@dataclass(frozen=True, slots=True)
class Ready:
    """A pack to hand out."""

    name: str
    content: bytes


@use_case(Permission.LEAVE_ACCOUNT)
def request_pack(session: Session, scope: Scope) -> UUID:
    """Order all data of the one creator in view, for that creator. While one is being made, it is that one."""
    workspace = session.get_one(Workspace, scope.workspace_id)
    account_id = scope.account_of[workspace.id]
    record(session, scope, "pack_asked", workspace.name, account_id=account_id, workspace_id=workspace.id)
    return order(session, scope.user_id, WORKSPACE, workspace.id, workspace.name)


@use_case(Permission.OWN_PROFILE)
def request_export(session: Session, scope: Scope) -> UUID:
    """Order everything that is kept about the asker: themselves, what they did, and the workspaces that are theirs."""
    record_of_person(session, scope.user_id, "pack_asked", session_id=scope.session_id)
    return order(session, scope.user_id, PERSON, scope.user_id, "huntaze")


def order(
    session: Session, user_id: UUID, kind: str, subject_id: UUID, name: str, *, before: bytes | None = None
) -> UUID:
    """Room: have a pack made once the caller's transaction commits. Returns its id."""
    waiting = select(Pack.id).where(
        Pack.user_id == user_id,
        Pack.subject_id == subject_id,
        Pack.ready_at.is_(None),
        Pack.failed_at.is_(None),
        Pack.expires_at > func.now(),
    )
    if before is None and (found := session.scalars(waiting.limit(1)).one_or_none()) is not None:
        return found
    until = datetime.now(UTC) + KEPT_FOR
    made = Pack(user_id=user_id, kind=kind, subject_id=subject_id, name=name, content=before, expires_at=until)
    session.add(made)
    session.flush()
    ticket = {"pack_id": str(made.id)}
    queue.enqueue_for_person(session, user_id, MAKE, ticket, dedupe=f"pack:{made.id}")
    queue.enqueue_for_person(session, user_id, EXPIRE, ticket, dedupe=f"expire:{made.id}", run_at=until)
    return made.id


@use_case(Permission.OWN_PROFILE)
def packs(session: Session, scope: Scope) -> tuple[PackView, ...]:
    """The asker's packs that are not too old, the latest first."""
    found = session.scalars(
        select(Pack)
        .where(Pack.user_id == scope.user_id, Pack.expires_at > func.now())
        .order_by(Pack.created_at.desc(), Pack.id)
    )
    return tuple(
        PackView(one.id, one.name, one.created_at, one.ready_at is not None, one.failed_at is not None, one.expires_at)
        for one in found
    )


@use_case(Permission.OWN_PROFILE)
def take(session: Session, scope: Scope, pack_id: UUID) -> Ready:
    """A pack's bytes. Raises NotFound, the same for unknown, somebody else's, not ready and too old."""
    found = session.scalars(
        select(Pack)
        .where(
            Pack.user_id == scope.user_id, Pack.id == pack_id, Pack.ready_at.is_not(None), Pack.expires_at > func.now()
        )
        .options(undefer(Pack.content))
    ).one_or_none()
    if found is None or found.content is None:
        raise NotFound("access.not_found")
    record_of_person(session, scope.user_id, "pack_taken", found.name, session_id=scope.session_id)
    return Ready(found.name, found.content)


@use_case(Permission.OWN_PROFILE)
def ordered(session: Session, scope: Scope, pack_id: UUID) -> Order | None:
    """What is to be made, or None when there is nothing left to do."""
    found = session.scalars(
        select(Pack)
        .where(Pack.user_id == scope.user_id, Pack.id == pack_id, Pack.ready_at.is_(None), Pack.failed_at.is_(None))
        .options(undefer(Pack.content))
    ).one_or_none()
    return None if found is None else Order(found.id, found.kind, found.subject_id, found.content)


@use_case(Permission.OWN_PROFILE)
def keep(session: Session, scope: Scope, pack_id: UUID, content: bytes) -> None:
    """What was made is ready."""
    which = Pack.user_id == scope.user_id, Pack.id == pack_id
    session.execute(update(Pack).where(*which).values(content=content, ready_at=func.now()))


def give_up(job: Claimed) -> None:
    """The handler's last word: the pack will not come."""
    if job.user_id is not None:
        _fail(Scope.for_person(job.user_id), UUID(job.payload["pack_id"]))


@use_case(Permission.OWN_PROFILE)
def _fail(session: Session, scope: Scope, pack_id: UUID) -> None:
    which = Pack.user_id == scope.user_id, Pack.id == pack_id, Pack.ready_at.is_(None)
    session.execute(update(Pack).where(*which).values(failed_at=func.now(), content=None))


def expire(job: Claimed) -> None:
    """The handler that removes a pack when its week is over."""
    if job.user_id is not None:
        _remove(Scope.for_person(job.user_id), UUID(job.payload["pack_id"]))


@use_case(Permission.OWN_PROFILE)
def _remove(session: Session, scope: Scope, pack_id: UUID) -> None:
    session.execute(delete(Pack).where(Pack.user_id == scope.user_id, Pack.id == pack_id))
