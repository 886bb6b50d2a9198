"""Whether an account's plan includes API keys."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing.service import entitlement_of
from core.errors import PlanLimit
from core.identity.proof import require_proof
from core.use_case import use_case
from core.workspaces.api_keys import ShownOnce, make_key


@use_case(Permission.MANAGE_API_KEYS)
def create_api_key(
    session: Session,
    scope: Scope,
    name: str,
    permissions: Collection[Permission],
    expires_in: timedelta | None = None,
) -> ShownOnce:
    """A new key of the one account in view. `expires_in` None is a key without an end.

    Raises PlanLimit when the plan includes no keys, ProofNeeded, and what `make_key` raises. Keys that are there
    outlast a change of plan: a plan limits what can be added.
    """
    if not entitlement_of(session, scope.account_id).limits.api_keys:
        raise PlanLimit("api_keys.not_in_plan")
    require_proof(session, scope)
    return make_key(session, scope, name, permissions, expires_in)


@use_case(Permission.MANAGE_API_KEYS)
def may_add_keys(session: Session, scope: Scope) -> bool:
    """Whether the plan of the one account in view includes API keys."""
    return entitlement_of(session, scope.account_id).limits.api_keys
