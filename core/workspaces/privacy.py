"""A person has their account deleted: thirty days to change their mind, then it is erased."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core import queue
from core.access import AccountRole, Permission, Scope
from core.audit import record, record_of_person
from core.errors import Conflict
from core.identity import links
from core.identity.models import (
    EmailToken,
    ExternalIdentity,
    KnownDevice,
    RecoveryCode,
    RefreshToken,
    SecondFactor,
    User,
    WebSession,
)
from core.identity.proof import require_proof
from core.language import day
from core.mail.outbox import Mail
from core.queue import Claimed
from core.settings import settings
from core.use_case import unscoped, use_case
from core.workspaces import letters
from core.workspaces.invitations import withdraw
from core.workspaces.models import (
    Account,
    AccountMember,
    ApiKey,
    Invitation,
    Membership,
    Pack,
    TenantPointer,
    Workspace,
)
from core.workspaces.team import whole_account

ERASE = "person.erase"
TIME_TO_RETHINK = timedelta(days=30)
RESTORE = "/account/restore"
NOBODY = "—"
"""Stands where a name was."""
_OF_PERSON = (
    Membership,
    AccountMember,
    Pack,
    EmailToken,
    ExternalIdentity,
    KnownDevice,
    RecoveryCode,
    RefreshToken,
    SecondFactor,
    WebSession,
)


def note_deletion(session: Session, scope: Scope) -> datetime:
    """Room: from now the account waits to be erased. Returns when it will be.

    `scope` is everything of the person's. Every browser is signed out, and API keys and open invitations end. Asked
    twice, the first time counts. Raises what `require_proof` raises, and Conflict for the owner of an account with
    other people on it: it must be handed over first.
    """
    require_proof(session, scope)
    user = session.get_one(User, scope.user_id, populate_existing=True, with_for_update=True)
    if user.erase_after is not None:
        return user.erase_after
    _require_nobody_left_behind(session, scope)
    until = user.erase_after = datetime.now(UTC) + TIME_TO_RETHINK
    session.flush()
    _end_ways_in(session, scope)
    token = links.issue(session, user.id, links.Purpose.RESTORE, user.email)
    letters.write(
        session,
        user.id,
        "privacy",
        "deletion",
        until=day(until.date(), user.language),
        link=f"{settings().public_url.rstrip('/')}{RESTORE}?token={token}",
    )
    queue.enqueue_for_person(session, user.id, ERASE, {}, dedupe=f"erase:{user.id}:{until.isoformat()}", run_at=until)
    record_of_person(session, user.id, "deletion_asked", session_id=scope.session_id)
    return until


def _require_nobody_left_behind(session: Session, scope: Scope) -> None:
    owned = [account_id for account_id, role in scope.account_roles.items() if role is AccountRole.OWNER]
    name = session.scalar(
        select(Account.name)
        .join(AccountMember, AccountMember.account_id == Account.id)
        .where(Account.id.in_(owned), AccountMember.user_id != scope.user_id)
        .limit(1)
    )
    if name is not None:
        raise Conflict("privacy.hand_over_first", account=name)


def _end_ways_in(session: Session, scope: Scope) -> None:
    for model in (WebSession, RefreshToken, ApiKey):
        ended = update(model).where(model.user_id == scope.user_id, model.revoked_at.is_(None))
        session.execute(ended.values(revoked_at=func.now()))
    withdraw(session, Invitation.invited_by == scope.user_id)


@use_case(Permission.OWN_PROFILE)
def erased_on(session: Session, scope: Scope) -> datetime | None:
    """When the asker's account will be erased; None where nobody asked for it."""
    return session.scalar(select(User.erase_after).where(User.id == scope.user_id))


@use_case(Permission.OWN_PROFILE)
def call_off_deletion(session: Session, scope: Scope) -> None:
    """Keep the account after all. Said twice it changes nothing."""
    _call_off(session, scope.user_id)


@unscoped("the token of the letter is what says whose account it is")
def restore(session: Session, token: str) -> None:
    """Keep the account after all, by the letter's link. Raises BadInput for a link that is no good."""
    _call_off(session, links.redeem(session, token, links.Purpose.RESTORE).user_id)


def _call_off(session: Session, user_id: UUID) -> None:
    kept = session.execute(
        update(User)
        .where(User.id == user_id, User.erase_after.is_not(None), User.deleted_at.is_(None))
        .values(erase_after=None)
        .returning(User.id)
    )
    if kept.one_or_none() is not None:
        links.void(session, user_id, links.Purpose.RESTORE)
        record_of_person(session, user_id, "deletion_called_off")


def erase(job: Claimed) -> None:
    """The handler of `person.erase`: erases whoever asked for it and has not changed their mind.

    Each account that was theirs goes in a transaction of its own, the person last; begun again, it goes on.
    """
    if job.user_id is None or not _is_due(job.user_id):
        return
    person = Scope.for_person(job.user_id)
    for account_id in _alone_in(person):
        _erase_account(whole_account(Scope.for_account(account_id)))
    _erase_person(person)


@unscoped("asks about one person only, by the id that their own job holds")
def _is_due(session: Session, user_id: UUID) -> bool:
    due = User.id == user_id, User.erase_after <= func.now(), User.deleted_at.is_(None)
    return session.scalar(select(User.id).where(*due)) is not None


@use_case(Permission.OWN_PROFILE)
def _alone_in(session: Session, scope: Scope) -> tuple[UUID, ...]:
    own = AccountMember.user_id == scope.user_id, AccountMember.role == AccountRole.OWNER
    return tuple(session.scalars(select(AccountMember.account_id).where(*own)))


@use_case(Permission.MANAGE_TEAM)
def _erase_account(session: Session, whole: Scope) -> None:
    """Its creators with all their data, its keys and invitations. What it paid for stays on record.

    Nobody else was on it when this was asked for; should somebody be by now, the first of them has it from here on.
    """
    account_id = whole.account_id
    others = AccountMember.account_id == account_id, AccountMember.role == AccountRole.MEMBER
    heir = session.scalars(select(AccountMember).where(*others).order_by(AccountMember.created_at).limit(1)).first()
    if heir is not None:
        heir.role = AccountRole.OWNER
        record(session, whole, "ownership_handed_over", str(heir.user_id))
        return
    gone = session.scalars(delete(Workspace).where(Workspace.account_id == account_id).returning(Workspace.id)).all()
    session.execute(delete(TenantPointer).where(TenantPointer.account_id == account_id))
    for model in (Invitation, ApiKey):
        session.execute(delete(model).where(model.account_id == account_id))
    session.execute(update(Account).where(Account.id == account_id).values(name=NOBODY, goal=None))
    record(session, whole, "creators_erased", after={"creators": len(gone)})


@use_case(Permission.OWN_PROFILE)
def _erase_person(session: Session, scope: Scope) -> None:
    """What says who somebody was goes; the row stays, so that what refers to it still holds. Their e-mail is free."""
    user = session.get_one(User, scope.user_id, populate_existing=True, with_for_update=True)
    if user.deleted_at is not None or user.erase_after is None:
        return
    for model in _OF_PERSON:
        session.execute(delete(model).where(model.user_id == user.id))
    session.execute(delete(Mail).where(Mail.to_address == user.email))
    user.email, user.display_name = f"{user.id}@erased.invalid", NOBODY
    user.password_hash = user.avatar_url = user.email_verified_at = None
    user.language, user.time_zone, user.is_staff = "en", "UTC", False
    user.deleted_at = datetime.now(UTC)
    record_of_person(session, user.id, "person_erased")
