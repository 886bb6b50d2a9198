"""People as other providers know them: linked by issuer and subject, never by e-mail, which may change hands."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.audit import record_of_person
from core.errors import Conflict, NotAllowed, NotFound
from core.identity import letters
from core.identity.models import ExternalIdentity, User
from core.identity.proof import require_proof
from core.use_case import unscoped, use_case


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a provider has said about somebody, its signature checked.

    `subject` is the provider's own name for them, unique with `issuer` and never given to anybody else.
    """

    issuer: str
    subject: str
    email: str | None
    is_email_verified: bool
    name: str


@dataclass(frozen=True, slots=True)
class Linked:
    """A way in through another provider, as its person sees it. `email` is what the provider said at the time."""

    id: UUID
    issuer: str
    email: str | None
    created_at: datetime


@unscoped("the provider has just said who it is; it reads that person's link only")
def user_known_as(session: Session, vouched: Vouched) -> UUID | None:
    """The user linked to this issuer and subject, None where there is none.

    Raises NotAllowed for one who is disabled, or deleted and not erased yet.
    """
    return find(session, vouched)


def find(session: Session, vouched: Vouched) -> UUID | None:
    """Room: what `user_known_as` answers."""
    user = session.scalars(
        select(User).join(ExternalIdentity, ExternalIdentity.user_id == User.id).where(*_same(vouched))
    ).one_or_none()
    if user is None:
        return None
    if user.deleted_at is not None:
        raise NotAllowed("external.deleted")
    if user.disabled_at is not None:
        raise NotAllowed("external.disabled")
    return user.id


def attach(session: Session, user_id: UUID, vouched: Vouched) -> bool:
    """Room: link them from now on; False where they were already. What a deleted user left behind is taken over.

    Raises Conflict when it is somebody else's.
    """
    made = session.scalar(
        insert(ExternalIdentity)
        .values(user_id=user_id, issuer=vouched.issuer, subject=vouched.subject, email=vouched.email)
        .on_conflict_do_nothing(index_elements=["issuer", "subject"])
        .returning(ExternalIdentity.id)
    )
    if made is None:
        holder = session.scalars(select(ExternalIdentity.user_id).where(*_same(vouched))).one()
        if holder == user_id:
            return False
        deleted = select(User.id).where(User.deleted_at.is_not(None))
        taken_over = session.execute(
            update(ExternalIdentity)
            .where(*_same(vouched), ExternalIdentity.user_id.in_(deleted))
            .values(user_id=user_id, email=vouched.email)
            .returning(ExternalIdentity.id)
        ).one_or_none()
        if taken_over is None:
            raise Conflict("external.linked_elsewhere")
    record_of_person(session, user_id, "external_linked", vouched.issuer)
    return True


@use_case(Permission.OWN_PROFILE)
def linked(session: Session, scope: Scope) -> tuple[Linked, ...]:
    """The person's ways in through other providers, the oldest first."""
    found = session.scalars(
        select(ExternalIdentity).where(ExternalIdentity.user_id == scope.user_id).order_by(ExternalIdentity.id)
    )
    return tuple(Linked(one.id, one.issuer, one.email, one.created_at) for one in found)


@use_case(Permission.OWN_PROFILE)
def begin_link(session: Session, scope: Scope) -> UUID:
    """The session that asks for a link, before its person is sent to the provider. Raises ProofNeeded."""
    return require_proof(session, scope)


@use_case(Permission.OWN_PROFILE)
def link(session: Session, scope: Scope, vouched: Vouched) -> None:
    """Let the person in by that provider from now on. Raises ProofNeeded, Conflict when it is somebody else's."""
    require_proof(session, scope)
    if attach(session, scope.user_id, vouched):
        to = letters.reader(session, scope.user_id)
        letters.write(session, to, "external_linked", issuer=vouched.issuer)


@use_case(Permission.OWN_PROFILE)
def unlink(session: Session, scope: Scope, identity_id: UUID) -> None:
    """Take one way in away. Raises ProofNeeded, NotFound for one that is not theirs, Conflict for the last one."""
    require_proof(session, scope)
    user = session.get_one(User, scope.user_id, with_for_update=True)
    held = session.scalars(select(ExternalIdentity).where(ExternalIdentity.user_id == user.id)).all()
    gone = next((one for one in held if one.id == identity_id), None)
    if gone is None:
        raise NotFound("access.not_found")
    if user.password_hash is None and len(held) == 1:
        raise Conflict("external.last_way_in")
    session.delete(gone)
    record_of_person(session, user.id, "external_unlinked", gone.issuer, session_id=scope.session_id)
    letters.write(session, letters.reader(session, user.id), "external_unlinked", issuer=gone.issuer)


def _same(vouched: Vouched) -> tuple[ColumnElement[bool], ...]:
    return (ExternalIdentity.issuer == vouched.issuer, ExternalIdentity.subject == vouched.subject)
