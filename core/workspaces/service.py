"""Accounts, workspaces, and who may look at what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.access import AccountRole, Permission, Role, Scope
from core.db import look_as, new_account_id, new_workspace_id
from core.errors import BadInput, NotFound, NotSignedIn
from core.identity.models import User
from core.identity.service import a_display_name, a_time_zone
from core.use_case import unscoped, use_case
from core.workspaces.models import Account, AccountKind, AccountMember, Membership, StaffVisit, Workspace

CURRENCIES = ("USD", "EUR", "GBP", "CAD", "AUD", "CHF", "JPY", "BRL", "MXN", "SEK", "NOK", "DKK", "PLN", "CZK", "RON")
"""What a workspace may be kept in: the currencies that the supported platforms pay out in, and neighbours'."""


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """A workspace as its people see it. `currency` is ISO 4217, `time_zone` an IANA name."""

    id: UUID
    account_id: UUID
    name: str
    time_zone: str
    currency: str
    platforms: tuple[str, ...]
    skipped_steps: tuple[str, ...]
    is_demo: bool
    role: Role


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as its people see it; `role` is the asker's."""

    id: UUID
    name: str
    kind: AccountKind
    goal: str | None
    role: AccountRole


@unscoped("who a person is must be known before any scope exists; it reads that person's memberships only")
def open_scope(session: Session, user_id: UUID, session_id: UUID | None = None) -> Scope:
    """Turn a verified sign-in into a scope. The only place where a person's scope is made.

    Staff see the workspaces that they are visiting, and no other.

    Raises NotSignedIn for a user who is disabled, deleted or unknown.
    """
    user = session.get(User, user_id)
    if user is None or user.disabled_at is not None or user.deleted_at is not None:
        raise NotSignedIn("identity.sign_in_again")
    look_as(session, Scope(user_id, {}, {}, {}, user.is_staff))
    held = session.execute(select(Membership.workspace_id, Membership.role).where(Membership.user_id == user_id))
    roles = {workspace_id: Role(role) for workspace_id, role in held}
    held = session.execute(select(AccountMember.account_id, AccountMember.role).where(AccountMember.user_id == user_id))
    account_roles = {account_id: AccountRole(role) for account_id, role in held}
    if user.is_staff:
        visits = select(StaffVisit).where(
            StaffVisit.user_id == user_id, StaffVisit.left_at.is_(None), StaffVisit.expires_at > func.now()
        )
        roles |= {visit.workspace_id: _as_visitor(visit) for visit in session.scalars(visits)}
    look_as(session, Scope(user_id, roles, {}, {}))
    account_of = dict(session.execute(select(Workspace.id, Workspace.account_id)).all())
    for account_id in account_of.values():
        account_roles.setdefault(account_id, AccountRole.MEMBER)
    return Scope(user_id, roles, account_of, account_roles, user.is_staff, session_id)


def _as_visitor(visit: StaffVisit) -> Role:
    return Role.ADMIN_ACTING if visit.may_write else Role.ADMIN


def found_account(session: Session, user_id: UUID, name: str, kind: AccountKind = AccountKind.CREATOR) -> UUID:
    """Room: a new account with its owner. Returns its id."""
    account_id = new_account_id(session)
    session.add(Account(id=account_id, name=a_display_name(name), kind=kind))
    session.flush()
    session.add(AccountMember(account_id=account_id, user_id=user_id, role=AccountRole.OWNER))
    session.flush()
    return account_id


def create_workspace(
    session: Session,
    account_id: UUID,
    user_id: UUID,
    name: str,
    role: Role,
    *,
    time_zone: str = "UTC",
    currency: str = "USD",
    is_demo: bool = False,
) -> UUID:
    """Room: a new creator in the account, with one person in it. Returns the workspace's id.

    The plan's limit is the caller's question: `core.billing.seats.add_creator` asks it.
    """
    workspace_id = new_workspace_id(session)
    session.add(
        Workspace(
            id=workspace_id,
            account_id=account_id,
            name=a_display_name(name),
            time_zone=a_time_zone(time_zone),
            currency=a_currency(currency),
            is_demo=is_demo,
        )
    )
    session.flush()
    session.add(Membership(workspace_id=workspace_id, user_id=user_id, role=role))
    session.flush()
    return workspace_id


@use_case(Permission.OWN_PROFILE)
def my_workspaces(session: Session, scope: Scope) -> tuple[WorkspaceView, ...]:
    """The workspaces in view, by name; Demo last."""
    return _in_view(session, scope)


@use_case(Permission.VIEW_WORKSPACE)
def workspaces(session: Session, scope: Scope) -> tuple[WorkspaceView, ...]:
    """The same for whoever may see all that is in view, API keys too."""
    return _in_view(session, scope)


def _in_view(session: Session, scope: Scope) -> tuple[WorkspaceView, ...]:
    found = session.scalars(select(Workspace).order_by(Workspace.is_demo, Workspace.name, Workspace.id))
    return tuple(_view(workspace, scope) for workspace in found)


@use_case(Permission.OWN_PROFILE)
def my_accounts(session: Session, scope: Scope) -> tuple[AccountView, ...]:
    """The accounts in view, the oldest first."""
    found = session.scalars(select(Account).order_by(Account.id))
    return tuple(
        AccountView(account.id, account.name, AccountKind(account.kind), account.goal, scope.account_roles[account.id])
        for account in found
    )


@use_case(Permission.EDIT_WORKSPACE)
def edit_workspace(
    session: Session,
    scope: Scope,
    *,
    name: str | None = None,
    time_zone: str | None = None,
    currency: str | None = None,
    platforms: Sequence[str] | None = None,
) -> WorkspaceView:
    """Change what is given, leave the rest. Raises BadInput for an empty name or an unknown zone or currency."""
    workspace = session.get_one(Workspace, scope.workspace_id)
    if name is not None:
        workspace.name = a_display_name(name)
    if time_zone is not None:
        workspace.time_zone = a_time_zone(time_zone)
    if currency is not None:
        workspace.currency = a_currency(currency)
    if platforms is not None:
        workspace.platforms = sorted(set(platforms))
    session.flush()
    return _view(workspace, scope)


@use_case(Permission.MANAGE_CREATORS)
def edit_account(
    session: Session, scope: Scope, *, name: str | None = None, kind: AccountKind | None = None, goal: str | None = None
) -> None:
    """Change what is given of the one account in view."""
    account = session.get_one(Account, scope.account_id)
    if name is not None:
        account.name = a_display_name(name)
    if kind is not None:
        account.kind = kind
    if goal is not None:
        account.goal = goal


@use_case(Permission.MANAGE_CREATORS)
def remove_demo(session: Session, scope: Scope) -> None:
    """Remove the Demo workspace in view with all its rows. Raises NotFound for one that is not a Demo."""
    gone = session.execute(
        delete(Workspace).where(Workspace.id == scope.workspace_id, Workspace.is_demo).returning(Workspace.id)
    )
    if gone.one_or_none() is None:
        raise NotFound("access.not_found")


@use_case(Permission.EDIT_WORKSPACE)
def skip_step(session: Session, scope: Scope, step: str) -> None:
    """Remember that an onboarding step was passed over. Saying it twice changes nothing."""
    _skipped(session, scope, lambda steps: {*steps, step})


@use_case(Permission.EDIT_WORKSPACE)
def unskip_step(session: Session, scope: Scope, step: str) -> None:
    _skipped(session, scope, lambda steps: {*steps} - {step})


def _skipped(session: Session, scope: Scope, change: Callable[[Sequence[str]], set[str]]) -> None:
    workspace = session.get_one(Workspace, scope.workspace_id, with_for_update=True)
    workspace.skipped_steps = sorted(change(workspace.skipped_steps))


def _view(workspace: Workspace, scope: Scope) -> WorkspaceView:
    return WorkspaceView(
        workspace.id,
        workspace.account_id,
        workspace.name,
        workspace.time_zone,
        workspace.currency,
        tuple(workspace.platforms),
        tuple(workspace.skipped_steps),
        workspace.is_demo,
        scope.roles[workspace.id],
    )


def a_currency(code: str) -> str:
    """An ISO 4217 code. Raises BadInput for any other text."""
    if code not in CURRENCIES:
        raise BadInput("workspaces.bad_currency")
    return code
