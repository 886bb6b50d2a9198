"""How many creators an account may have."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.access import Permission, Role, Scope
from core.billing.queries import creators_in
from core.billing.service import entitlement_of
from core.errors import PlanLimit
from core.use_case import use_case
from core.workspaces.models import Account, AccountKind
from core.workspaces.service import create_workspace


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
    limits = entitlement_of(session, account_id).limits
    if limits.creators is not None and creators_in(session, account_id) >= limits.creators:
        raise PlanLimit("billing.creators_full", count=limits.creators)
