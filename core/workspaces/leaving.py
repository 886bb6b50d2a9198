"""A creator goes and takes their workspace along: another account pays, and nobody else looks on."""

from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core.access import AccountRole, Scope
from core.audit import record
from core.errors import Conflict
from core.identity.models import User
from core.workspaces import letters
from core.workspaces.invitations import withdraw
from core.workspaces.models import Account, AccountMember, ApiKey, Invitation, Membership, Workspace


def movable(session: Session, scope: Scope) -> Workspace:
    """Room: the workspace in view, held to the end of the transaction.

    Raises Conflict for a Demo, and for whoever owns the account: there is nothing to leave.
    """
    workspace = session.get_one(Workspace, scope.workspace_id, populate_existing=True, with_for_update=True)
    if workspace.is_demo:
        raise Conflict("leaving.demo")
    if scope.account_roles[workspace.account_id] is AccountRole.OWNER:
        raise Conflict("leaving.own_account")
    return workspace


def move_out(session: Session, scope: Scope, workspace: Workspace, to_account_id: UUID, *, is_last: bool) -> None:
    """Room: from here on `to_account_id`, which must be in view too, pays for the workspace.

    Memberships of others end, and so do invitations to it. `is_last` says that the person has no other workspace in
    the account left behind: then their part in that account ends, and with it their API keys of it.
    """
    from_account_id = workspace.account_id
    workspace.account_id = to_account_id
    session.flush()
    others = Membership.workspace_id == workspace.id, Membership.user_id != scope.user_id
    ended = session.scalars(delete(Membership).where(*others).returning(Membership.user_id)).all()
    _withdraw_from_invitations(session, from_account_id, workspace.id)
    if is_last:
        _end_own_part(session, from_account_id, scope.user_id)
    facts = {"from": str(from_account_id), "to": str(to_account_id), "memberships_ended": len(ended)}
    for deed, account_id in (("creator_left", from_account_id), ("creator_came", to_account_id)):
        record(session, scope, deed, workspace.name, account_id=account_id, workspace_id=workspace.id, after=facts)
    _tell(session, scope, workspace.name, from_account_id, to_account_id)


def _withdraw_from_invitations(session: Session, account_id: UUID, workspace_id: UUID) -> None:
    left = func.array_remove(Invitation.workspace_ids, workspace_id)
    which = Invitation.account_id == account_id, Invitation.accepted_at.is_(None)
    session.execute(
        update(Invitation).where(*which, Invitation.workspace_ids.any_() == workspace_id).values(workspace_ids=left)
    )
    withdraw(session, Invitation.account_id == account_id, func.cardinality(Invitation.workspace_ids) == 0)


def _end_own_part(session: Session, account_id: UUID, user_id: UUID) -> None:
    session.execute(
        delete(AccountMember).where(AccountMember.account_id == account_id, AccountMember.user_id == user_id)
    )
    keys = ApiKey.account_id == account_id, ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None)
    session.execute(update(ApiKey).where(*keys).values(revoked_at=func.now()))


def _tell(session: Session, scope: Scope, creator: str, from_account_id: UUID, to_account_id: UUID) -> None:
    names = dict(
        session.execute(select(Account.id, Account.name).where(Account.id.in_([from_account_id, to_account_id]))).all()
    )
    who = session.scalar(select(User.display_name).where(User.id == scope.user_id)) or ""
    facts = {"creator": creator, "left": names[from_account_id], "account": names[to_account_id], "who": who}
    letters.write(session, scope.user_id, "leaving", "receipt", **facts)
    owners = select(AccountMember.user_id).where(
        AccountMember.account_id == from_account_id, AccountMember.role == AccountRole.OWNER
    )
    for owner_id in session.scalars(owners).all():
        letters.write(session, owner_id, "leaving", "told", **facts)
