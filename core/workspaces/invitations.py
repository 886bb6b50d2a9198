"""A role offered by mail: whoever opens the link with the address that it was sent to comes in, once."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import AccountRole, Permission, Role, Scope
from core.audit import record
from core.errors import Conflict, NotAllowed, NotFound
from core.identity.letters import Reader
from core.identity.models import User
from core.settings import settings
from core.use_case import use_case
from core.workspaces import letters
from core.workspaces.models import Account, AccountMember, Invitation, Membership, Workspace
from core.workspaces.pointers import Lead, drop, hashed, lead_of, point

PATH = "/account/invitation"
LASTS = timedelta(days=7)
_KIND = "invitation"
_KEPT_FOR = timedelta(days=30)
"""How long what nobody answered is kept: it holds the address of somebody who never came."""


@dataclass(frozen=True, slots=True)
class Open:
    """An invitation that waits for its answer, as the account's owner sees it."""

    id: UUID
    email: str
    role: Role
    workspace_ids: frozenset[UUID]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """An invitation as the invited sees it: from whom, into which account, as what, for which creators by name."""

    email: str
    inviter: str
    account: str
    role: Role
    creators: tuple[str, ...]


def send(session: Session, whole: Scope, email: str, role: Role, workspace_ids: Collection[UUID]) -> UUID:
    """Room: invite somebody into an account; `whole` is the view that `team.whole_account` gives. Returns the id.

    An earlier invitation of the same address ends. Raises Conflict for somebody who is on the account already, and
    while the asker's own account is about to be erased.
    """
    account_id = whole.account_id
    if session.scalar(select(User.erase_after).where(User.id == whole.user_id)) is not None:
        raise Conflict("privacy.going")
    living = func.lower(User.email) == email, User.deleted_at.is_(None)
    there = select(AccountMember.user_id).join(User, User.id == AccountMember.user_id)
    if session.scalar(there.where(AccountMember.account_id == account_id, *living)) is not None:
        raise Conflict("team.already_in")
    withdraw(session, Invitation.account_id == account_id, Invitation.email == email)
    old = Invitation.expires_at < func.now() - _KEPT_FOR
    session.execute(delete(Invitation).where(Invitation.account_id == account_id, old))
    token = secrets.token_urlsafe(32)
    invitation_id = session.execute(
        insert(Invitation)
        .values(
            account_id=account_id,
            email=email,
            role=role,
            workspace_ids=sorted(workspace_ids),
            token_hash=hashed(token),
            invited_by=whole.user_id,
            expires_at=func.now() + LASTS,
        )
        .returning(Invitation.id)
    ).scalar_one()
    point(session, _KIND, token, Lead(account_id, invitation_id))
    _write_letter(session, whole, email, role, token)
    after = {"role": str(role), "creators": [str(one) for one in sorted(workspace_ids)]}
    record(session, whole, "member_invited", letters.masked(email), after=after)
    return invitation_id


def _write_letter(session: Session, whole: Scope, email: str, role: Role, token: str) -> None:
    inviter = session.execute(select(User.display_name, User.language).where(User.id == whole.user_id)).one()
    letters.write_to(
        session,
        Reader(email, inviter.language),
        "team",
        f"invited_{role}",
        inviter=inviter.display_name,
        account=session.get_one(Account, whole.account_id).name,
        link=f"{settings().public_url.rstrip('/')}{PATH}?{urlencode({'token': token})}",
        days=LASTS.days,
    )


@use_case(Permission.MANAGE_TEAM)
def invitations(session: Session, scope: Scope) -> tuple[Open, ...]:
    """The invitations of the one account in view that can still be accepted, the latest first."""
    found = session.scalars(
        select(Invitation)
        .where(Invitation.account_id == scope.account_id, *waiting())
        .order_by(Invitation.created_at.desc(), Invitation.id)
    )
    return tuple(Open(one.id, one.email, Role(one.role), frozenset(one.workspace_ids), one.expires_at) for one in found)


def waiting() -> tuple[ColumnElement[bool], ...]:
    """Of an invitation: neither accepted nor taken back, and not too old."""
    return Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > func.now()


@use_case(Permission.MANAGE_TEAM)
def revoke_invitation(session: Session, scope: Scope, invitation_id: UUID) -> None:
    """Take an invitation back; its link opens nothing any more. Raises NotFound."""
    gone = withdraw(session, Invitation.account_id == scope.account_id, Invitation.id == invitation_id)
    if not gone:
        raise NotFound("access.not_found")
    record(session, scope, "invitation_revoked", letters.masked(gone[0]))


def withdraw(session: Session, *which: ColumnElement[bool]) -> Sequence[str]:
    """Room: end every invitation of those that waits. Returns their addresses; the rows keep them no longer."""
    ended = session.scalars(select(Invitation).where(*which, *waiting()).with_for_update()).all()
    emails = [one.email for one in ended]
    for one in ended:
        one.revoked_at, one.email = datetime.now(UTC), letters.masked(one.email)
    session.flush()
    drop(session, _KIND, [one.id for one in ended])
    return emails


def offer(token: str) -> Offer:
    """What a link offers. Raises NotFound, the same for unknown, used, taken back and too old."""
    lead = _lead(token)
    return _offer(_into(lead), lead.object_id)


def accept(scope: Scope, token: str) -> UUID:
    """Come in by a link. Returns the account's id.

    Raises NotFound as `offer` does, also for the slower of two who try at once; NotAllowed when the link was sent to
    another address than that of the person signed in.
    """
    lead = _lead(token)
    scope.require(Permission.OWN_PROFILE)
    _accept(_into(lead).on_behalf_of(scope), lead.object_id)
    return lead.account_id


def _lead(token: str) -> Lead:
    found = lead_of(_KIND, token)
    if found is None:
        raise NotFound("team.bad_invitation")
    return found


def _into(lead: Lead) -> Scope:
    """The account with the workspaces that are offered, for the product to look into."""
    account = Scope.for_account(lead.account_id)
    return Scope.for_account(lead.account_id, _offered(account, lead.object_id))


@use_case(Permission.MANAGE_TEAM)
def _offered(session: Session, scope: Scope, invitation_id: UUID) -> Sequence[UUID]:
    return _waiting(session, scope, invitation_id).workspace_ids


@use_case(Permission.MANAGE_TEAM)
def _offer(session: Session, scope: Scope, invitation_id: UUID) -> Offer:
    found = _waiting(session, scope, invitation_id)
    inviter = session.scalar(select(User.display_name).where(User.id == found.invited_by)) or ""
    names = tuple(one.name for one in _still_there(session, scope))
    return Offer(found.email, inviter, session.get_one(Account, scope.account_id).name, Role(found.role), names)


@use_case(Permission.MANAGE_TEAM)
def _accept(session: Session, scope: Scope, invitation_id: UUID) -> None:
    found = _waiting(session, scope, invitation_id)
    person = session.get_one(User, scope.user_id)
    if person.email.lower() != found.email:
        raise NotAllowed("team.other_address", email=found.email)
    member = insert(AccountMember).values(account_id=scope.account_id, user_id=person.id, role=AccountRole.MEMBER)
    session.execute(member.on_conflict_do_nothing())
    let_in = [
        {"workspace_id": one.id, "user_id": person.id, "role": found.role} for one in _still_there(session, scope)
    ]
    session.execute(insert(Membership).values(let_in).on_conflict_do_nothing())
    session.execute(
        update(Invitation)
        .where(Invitation.account_id == scope.account_id, Invitation.id == found.id)
        .values(accepted_at=func.now(), email=letters.masked(found.email))
    )
    # the link was read in the mailbox that it was sent to
    unverified = User.id == person.id, User.email_verified_at.is_(None)
    session.execute(update(User).where(*unverified).values(email_verified_at=func.now()))
    drop(session, _KIND, [found.id])
    after = {"role": found.role, "creators": [str(one["workspace_id"]) for one in let_in]}
    record(session, scope, "invitation_accepted", person.display_name, after=after)


def _waiting(session: Session, scope: Scope, invitation_id: UUID) -> Invitation:
    found = session.scalars(
        select(Invitation)
        .where(Invitation.account_id == scope.account_id, Invitation.id == invitation_id, *waiting())
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound("team.bad_invitation")
    return found


def _still_there(session: Session, scope: Scope) -> Sequence[Workspace]:
    """Of the workspaces offered, those that are still the account's: a creator may have left with theirs since."""
    found = session.scalars(
        select(Workspace)
        .where(Workspace.id.in_(scope.workspace_ids), Workspace.account_id == scope.account_id)
        .order_by(Workspace.name, Workspace.id)
        .with_for_update(read=True)
    ).all()
    if not found:
        raise NotFound("team.bad_invitation")
    return found
