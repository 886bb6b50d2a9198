"""How many creators an account may have, and how many people who look after them."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.access import Permission, Role, Scope
from core.billing.queries import creators_in, team_in
from core.billing.service import entitlement_of
from core.errors import PlanLimit
from core.identity.credentials import an_email
from core.limits import Limit, count
from core.use_case import use_case
from core.workspaces import invitations
from core.workspaces.models import Account, AccountKind
from core.workspaces.service import create_workspace
from core.workspaces.team import chosen, whole_account

LETTERS = Limit("invite", 50, timedelta(days=1))
"""Invitations that one account may send: each is a letter to somebody who did not ask for it."""


@use_case(Permission.MANAGE_CREATORS)
def add_creator(session: Session, scope: Scope, name: str, *, time_zone: str = "UTC", currency: str = "USD") -> UUID:
    """A new creator in the one account in view, which the asker enters. Returns the workspace's id.

    Raises PlanLimit when the plan has no room for one more.
    """
    account_id = scope.account_id
    require_creator_slot(session, account_id)
    kind = session.scalars(select(Account.kind).where(Account.id == account_id)).one()
    role = Role.MANAGER if kind == AccountKind.AGENCY else Role.CREATOR
    return create_workspace(session, account_id, scope.user_id, name, role, time_zone=time_zone, currency=currency)


def require_creator_slot(session: Session, account_id: UUID) -> None:
    """Room: raise PlanLimit when the plan has no room for one more creator.

    Two who ask at once come one after the other: the account stays locked to the end of the transaction.
    """
    session.execute(select(Account.id).where(Account.id == account_id).with_for_update())
    entitled = entitlement_of(session, account_id)
    most = entitled.most_creators
    if most is not None and creators_in(session, account_id) >= most:
        raise PlanLimit(
            "billing.seats_full" if entitled.limits.creators is None else "billing.creators_full", count=most
        )


def invite(scope: Scope, email: str, role: Role, workspace_ids: Collection[UUID]) -> UUID:
    """Offer somebody a role in workspaces of the one account in view, by mail. Returns the invitation's id.

    Raises PlanLimit when the plan has no room for one more, BadInput for no address or no workspace, NotFound for a
    workspace of others, Conflict for somebody who is on the account already, TooManyTries.
    """
    address, whole = an_email(email), whole_account(scope)
    wanted = chosen(whole, role, workspace_ids)
    count(LETTERS, str(whole.account_id))
    return _invite(whole, address, role, wanted)


@use_case(Permission.MANAGE_TEAM)
def _invite(session: Session, whole: Scope, email: str, role: Role, wanted: frozenset[UUID]) -> UUID:
    if role is not Role.CREATOR:
        _require_team_slot(session, whole.account_id, email)
    return invitations.send(session, whole, email, role, wanted)


def _require_team_slot(session: Session, account_id: UUID, email: str) -> None:
    session.execute(select(Account.id).where(Account.id == account_id).with_for_update())
    limits = entitlement_of(session, account_id).limits
    if limits.team_members is not None and team_in(session, account_id, email) >= limits.team_members:
        raise PlanLimit("team.plan_full", count=limits.team_members)
