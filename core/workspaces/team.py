"""Who works in an account, on which creators, and as what. For its owner, except leaving, which is everybody's own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import AccountRole, Permission, Role, Scope
from core.audit import record
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.identity.models import User, WebSession
from core.identity.proof import require_proof
from core.use_case import use_case
from core.workspaces import letters
from core.workspaces.invitations import withdraw
from core.workspaces.models import Account, AccountMember, ApiKey, Invitation, Membership, Workspace

ROLES = (Role.CREATOR, Role.MANAGER, Role.ANALYST)
"""What somebody can be in a workspace."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the account. `access` holds their role in each of its workspaces that they were given."""

    user_id: UUID
    name: str
    email: str
    account_role: AccountRole
    access: Mapping[UUID, Role]
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Creator:
    """A workspace of the account, by name."""

    id: UUID
    name: str


def whole_account(scope: Scope) -> Scope:
    """The one account in view with every workspace of it, for its owner.

    An owner decides about all of them, also about those that they look at no longer, or never did.
    """
    scope.require(Permission.MANAGE_TEAM)
    return Scope.for_account(scope.account_id, _every_workspace(scope)).on_behalf_of(scope)


@use_case(Permission.MANAGE_TEAM)
def _every_workspace(session: Session, scope: Scope) -> tuple[UUID, ...]:
    session.execute(select(func.set_config("app.counting", "on", True)))
    found = session.scalars(select(Workspace.id).where(Workspace.account_id == scope.account_id)).all()
    session.execute(select(func.set_config("app.counting", "off", True)))
    return tuple(found)


def creators(scope: Scope) -> tuple[Creator, ...]:
    """Every creator of the one account in view, by name; Demos aside."""
    return _creators(whole_account(scope))


@use_case(Permission.MANAGE_TEAM)
def _creators(session: Session, scope: Scope) -> tuple[Creator, ...]:
    found = session.execute(
        select(Workspace.id, Workspace.name)
        .where(Workspace.id.in_(scope.workspace_ids), Workspace.is_demo.is_(False))
        .order_by(Workspace.name, Workspace.id)
    )
    return tuple(Creator(one.id, one.name) for one in found)


def members(scope: Scope) -> tuple[Member, ...]:
    """Everybody of the one account in view: owners first, then by name."""
    return _members(whole_account(scope))


@use_case(Permission.MANAGE_TEAM)
def _members(session: Session, scope: Scope) -> tuple[Member, ...]:
    access: dict[UUID, dict[UUID, Role]] = {}
    held = select(Membership).where(Membership.workspace_id.in_(scope.workspace_ids))
    for one in session.scalars(held):
        access.setdefault(one.user_id, {})[one.workspace_id] = Role(one.role)
    seen = select(func.max(WebSession.last_seen_at)).where(WebSession.user_id == User.id).scalar_subquery()
    found = session.execute(
        select(User.id, User.display_name, User.email, AccountMember.role, seen.label("seen"))
        .join(AccountMember, AccountMember.user_id == User.id)
        .where(AccountMember.account_id == scope.account_id)
        .order_by(AccountMember.role == AccountRole.MEMBER, User.display_name, User.id)
    )
    return tuple(
        Member(one.id, one.display_name, one.email, AccountRole(one.role), access.get(one.id, {}), one.seen)
        for one in found
    )


def change_access(scope: Scope, user_id: UUID, role: Role, workspace_ids: Collection[UUID]) -> None:
    """Give a member one role in these workspaces of the account in view, and none in its others.

    Raises NotFound for somebody else's person or workspace, Conflict for the owner, BadInput without a workspace.
    """
    whole = whole_account(scope)
    _change_access(whole, user_id, role, chosen(whole, role, workspace_ids))


def chosen(whole: Scope, role: Role, workspace_ids: Collection[UUID]) -> frozenset[UUID]:
    """The workspaces of the account that are meant. Raises BadInput for none of them, NotFound for one of others."""
    wanted = frozenset(workspace_ids)
    if not wanted or role not in ROLES:
        raise BadInput("team.choose_creators")
    if not wanted <= whole.workspace_ids:
        raise NotFound("access.unknown_creator")
    return wanted


@use_case(Permission.MANAGE_TEAM)
def _change_access(session: Session, scope: Scope, user_id: UUID, role: Role, wanted: frozenset[UUID]) -> None:
    _member(session, scope.account_id, user_id)
    before = _end_memberships(session, scope, user_id)
    session.execute(
        insert(Membership).values([{"workspace_id": one, "user_id": user_id, "role": role} for one in sorted(wanted)])
    )
    after = {str(one): str(role) for one in sorted(wanted)}
    record(session, scope, "access_changed", _name(session, user_id), before=before, after=after)


def remove_member(scope: Scope, user_id: UUID) -> None:
    """Take somebody off the account in view. Their next click shows them nothing of it any more.

    Raises NotFound for somebody who is not on it, Conflict for its owner.
    """
    _remove(whole_account(scope), user_id)


@use_case(Permission.MANAGE_TEAM)
def _remove(session: Session, scope: Scope, user_id: UUID) -> None:
    name = _name(session, user_id)
    before = end_part(session, scope, user_id)
    record(session, scope, "member_removed", name, before=before)
    letters.write(session, user_id, "team", "removed", account=_account(session, scope.account_id).name)


@use_case(Permission.OWN_PROFILE)
def leave_team(session: Session, scope: Scope) -> None:
    """Give up one's own part in the one account in view, all of whose workspaces one was given are in view too.

    A creator's workspace stays; taking it along is `leave_account`. Raises Conflict for the account's owner.
    """
    before = end_part(session, scope, scope.user_id)
    record(session, scope, "member_left", _name(session, scope.user_id), before=before)


def end_part(session: Session, scope: Scope, user_id: UUID) -> dict[str, str]:
    """Room: end somebody's part in the account in view: memberships, keys and open invitations.

    Returns the roles that they held, by workspace. Raises NotFound for nobody of it, Conflict for its owner.
    """
    account_id = scope.account_id
    session.delete(_member(session, account_id, user_id))
    session.execute(
        update(ApiKey)
        .where(ApiKey.account_id == account_id, ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    address = select(func.lower(User.email)).where(User.id == user_id).scalar_subquery()
    withdraw(session, Invitation.account_id == account_id, Invitation.email == address)
    return _end_memberships(session, scope, user_id)


def hand_over_ownership(scope: Scope, to_user_id: UUID) -> None:
    """Make another member the owner of the account in view; the asker stays as a member with the access they have.

    Raises what `require_proof` raises, NotFound for somebody who is not of the account, Conflict for its owner.
    """
    _hand_over(whole_account(scope), to_user_id)


@use_case(Permission.MANAGE_TEAM)
def _hand_over(session: Session, scope: Scope, to_user_id: UUID) -> None:
    require_proof(session, scope)
    account = _account(session, scope.account_id)
    giver = session.get(AccountMember, (account.id, scope.user_id), populate_existing=True, with_for_update=True)
    if giver is None or giver.role != AccountRole.OWNER:
        raise NotAllowed("access.not_allowed")
    taker = _member(session, account.id, to_user_id)
    giver.role, taker.role = AccountRole.MEMBER, AccountRole.OWNER
    session.flush()
    given = [{"workspace_id": one, "user_id": to_user_id, "role": Role.MANAGER} for one in scope.workspace_ids]
    if given:
        held = insert(Membership).values(given)
        session.execute(
            held.on_conflict_do_update(
                index_elements=["workspace_id", "user_id"],
                set_={"role": Role.MANAGER},
                where=Membership.role == Role.ANALYST,
            )
        )
    name = _name(session, to_user_id)
    record(session, scope, "ownership_handed_over", name, before={"owner": str(scope.user_id)})
    for each in (scope.user_id, to_user_id):
        letters.write(session, each, "team", "owner", account=account.name, owner=name)


def _account(session: Session, account_id: UUID) -> Account:
    return session.get_one(Account, account_id, with_for_update=True)


def _member(session: Session, account_id: UUID, user_id: UUID) -> AccountMember:
    """Somebody of the account, held to the end of the transaction. Raises NotFound, and Conflict for the owner."""
    found = session.get(AccountMember, (account_id, user_id), populate_existing=True, with_for_update=True)
    if found is None:
        raise NotFound("team.no_member")
    if found.role == AccountRole.OWNER:
        raise Conflict("team.owner_stays")
    return found


def _end_memberships(session: Session, scope: Scope, user_id: UUID) -> dict[str, str]:
    ended = session.execute(
        delete(Membership)
        .where(Membership.user_id == user_id, Membership.workspace_id.in_(scope.workspace_ids))
        .returning(Membership.workspace_id, Membership.role)
    )
    return {str(row.workspace_id): row.role for row in ended.all()}


def _name(session: Session, user_id: UUID) -> str:
    return session.scalar(select(User.display_name).where(User.id == user_id)) or ""
