"""What staff may do: enter one creator for a reason and for a time, and keep somebody out. Each deed is on record."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.audit import NO_ACCOUNT, record, record_of_person
from core.errors import BadInput, Conflict, NotFound
from core.identity.models import RefreshToken, User, WebSession
from core.text import unsafe_reason
from core.use_case import unscoped, use_case
from core.workspaces.models import AccountMember, Membership, StaffVisit, Workspace

VISIT = timedelta(minutes=60)
"""How long a visit lasts at most."""
REASON_LENGTH = (10, 500)
"""Characters, fewest and most: what the owner of the account reads later."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Staff in a creator's workspace until `expires_at`; without `may_write` they only look."""

    workspace_id: UUID
    account_id: UUID
    name: str
    reason: str
    may_write: bool
    expires_at: datetime


@use_case(Permission.VISIT_WORKSPACE)
def visit(session: Session, scope: Scope, workspace_id: UUID, reason: str, *, may_write: bool = False) -> Visit:
    """Enter one workspace for `VISIT`. The scopes opened from now on hold it; a visit elsewhere ends with this one.

    Raises BadInput without a reason, NotFound for an unknown workspace, Conflict for one that is the person's anyway.
    """
    reason = a_reason(reason)
    _lock(session, scope.user_id)
    workspace = session.get(Workspace, workspace_id)
    if workspace is None:
        raise NotFound("access.not_found")
    if session.get(Membership, (workspace_id, scope.user_id)) is not None:
        raise Conflict("staff.already_yours")
    _end_visits(session, scope)
    entered = StaffVisit(
        workspace_id=workspace_id,
        account_id=workspace.account_id,
        user_id=scope.user_id,
        reason=reason,
        may_write=may_write,
        expires_at=func.now() + VISIT,
    )
    session.add(entered)
    session.flush()
    _record_visit(session, scope, "staff_visit_began", entered, workspace.name)
    return _view(entered, workspace.name)


@use_case(Permission.VISIT_WORKSPACE)
def leave_visit(session: Session, scope: Scope) -> None:
    """End the person's visit now, in every tab of theirs. Without one nothing happens."""
    _lock(session, scope.user_id)
    _end_visits(session, scope)


@use_case(Permission.VISIT_WORKSPACE)
def current_visit(session: Session, scope: Scope) -> Visit | None:
    """Where the person is visiting now, if anywhere."""
    found = session.execute(
        select(StaffVisit, Workspace.name)
        .join(Workspace, Workspace.id == StaffVisit.workspace_id)
        .where(StaffVisit.user_id == scope.user_id, *_IS_OPEN)
    ).one_or_none()
    return _view(*found) if found else None


_IS_OPEN = (StaffVisit.left_at.is_(None), StaffVisit.expires_at > func.now())


def _end_visits(session: Session, scope: Scope) -> None:
    held = select(StaffVisit).where(StaffVisit.user_id == scope.user_id, *_IS_OPEN)
    for one in session.scalars(held).all():
        one.left_at = func.now()
        workspace = session.get_one(Workspace, one.workspace_id)
        _record_visit(session, scope, "staff_visit_ended", one, workspace.name)


def _record_visit(session: Session, scope: Scope, deed: str, one: StaffVisit, name: str) -> None:
    after = {"may_write": one.may_write}
    record(
        session,
        scope,
        deed,
        name,
        account_id=one.account_id,
        workspace_id=one.workspace_id,
        after=after,
        reason=one.reason,
    )


def _view(one: StaffVisit, name: str) -> Visit:
    return Visit(one.workspace_id, one.account_id, name, one.reason, one.may_write, one.expires_at)


@use_case(Permission.DISABLE_USER)
def disable_user(session: Session, scope: Scope, user_id: UUID, reason: str) -> None:
    """Keep somebody out: their sessions and tokens end at once, and nothing of theirs is removed.

    Raises BadInput without a reason, NotFound for an unknown user, Conflict for oneself and for the last of staff.
    """
    reason = a_reason(reason)
    staff = set(session.scalars(_STAFF))
    if user_id == scope.user_id:
        raise Conflict("staff.not_yourself")
    if not staff - {user_id}:
        raise Conflict("staff.last_one")
    user = _user(session, user_id)
    if user.disabled_at is None:
        user.disabled_at = func.now()
        _end_sign_ins(session, user_id)
        _record_on_user(session, scope, "user_disabled", user, is_disabled=True, reason=reason)


@use_case(Permission.DISABLE_USER)
def enable_user(session: Session, scope: Scope, user_id: UUID, reason: str) -> None:
    """Let somebody sign in again. Raises BadInput without a reason, NotFound for an unknown user."""
    reason = a_reason(reason)
    user = _user(session, user_id)
    if user.disabled_at is not None:
        user.disabled_at = None
        _record_on_user(session, scope, "user_enabled", user, is_disabled=False, reason=reason)


@unscoped("asked for at the machine's own command line, by whoever runs it")
def make_staff(session: Session, email: str) -> bool:
    """Make a person staff; False when they were. They must sign in again. Raises NotFound for an unknown e-mail."""
    return _set_staff(session, email, "staff_made", is_staff=True)


@unscoped("asked for at the machine's own command line, by whoever runs it")
def unmake_staff(session: Session, email: str) -> bool:
    """Take a person out of staff; False when they were not in it. Raises NotFound for an unknown e-mail."""
    return _set_staff(session, email, "staff_unmade", is_staff=False)


def a_reason(text: str) -> str:
    """A reason fit to keep. Raises BadInput when it is too short, too long or holds what cannot be kept."""
    reason = " ".join(text.split())
    fewest, most = REASON_LENGTH
    if not fewest <= len(reason) <= most or unsafe_reason(reason):
        raise BadInput("staff.bad_reason", least=fewest, most=most)
    return reason


# Held while staff is counted, so that the last two cannot put each other out.
_STAFF = (
    select(User.id)
    .where(User.is_staff, User.disabled_at.is_(None), User.deleted_at.is_(None))
    .order_by(User.id)
    .with_for_update()
)


def _lock(session: Session, user_id: UUID) -> None:
    """One visit at a time, also for somebody with two tabs."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update())


def _user(session: Session, user_id: UUID) -> User:
    user = session.get(User, user_id, with_for_update=True)
    if user is None or user.deleted_at is not None:
        raise NotFound("access.not_found")
    return user


def _set_staff(session: Session, email: str, deed: str, *, is_staff: bool) -> bool:
    name = email.strip().lower()
    known = select(User).where(func.lower(User.email) == name, User.deleted_at.is_(None)).with_for_update()
    user = None if unsafe_reason(name) else session.scalars(known).one_or_none()
    if user is None:
        raise NotFound("staff.unknown_email", email=name)
    if user.is_staff is is_staff:
        return False
    user.is_staff = is_staff
    _end_sign_ins(session, user.id)
    record_of_person(session, user.id, deed)
    return True


def _end_sign_ins(session: Session, user_id: UUID) -> None:
    for table in (WebSession, RefreshToken):
        session.execute(
            update(table).where(table.user_id == user_id, table.revoked_at.is_(None)).values(revoked_at=func.now())
        )


def _record_on_user(session: Session, scope: Scope, deed: str, user: User, *, is_disabled: bool, reason: str) -> None:
    """In every account that the person works in, so that each owner sees it."""
    accounts = session.scalars(select(AccountMember.account_id).where(AccountMember.user_id == user.id)).all()
    for account_id in accounts or [NO_ACCOUNT]:
        record(
            session,
            scope,
            deed,
            user.display_name,
            account_id=account_id,
            before={"disabled": not is_disabled},
            after={"disabled": is_disabled, "user": str(user.id)},
            reason=reason,
        )
