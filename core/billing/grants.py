"""Plans given by staff for a time, beside what is paid for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.audit import record
from core.billing.models import PlanGrant
from core.billing.plans import PlanName
from core.errors import BadInput, Conflict, NotFound
from core.use_case import use_case
from core.workspaces.models import Account
from core.workspaces.staff import a_reason

LONGEST = 366
"""Days for which a plan is given at most; it can be given again."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A plan that an account was given, until `ends_at` or until it was taken back."""

    id: UUID
    account_id: UUID
    plan: PlanName
    reason: str
    starts_at: datetime
    ends_at: datetime


@use_case(Permission.GRANT_PLAN)
def grant_plan(session: Session, scope: Scope, account_id: UUID, plan: PlanName, *, days: int, reason: str) -> Grant:
    """Give an account a plan from now on, in place of any other that was given and still runs.

    Raises BadInput without a reason, for a plan that needs no giving or a bad number of days; NotFound for an unknown
    account.
    """
    reason = a_reason(reason)
    if plan not in (PlanName.PRO, PlanName.ENTERPRISE):
        raise BadInput("staff.bad_plan")
    if not 1 <= days <= LONGEST:
        raise BadInput("staff.bad_days", most=LONGEST)
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound("access.not_found")
    former = running(session, account_id)
    for one in former:
        one.revoked_at = func.now()
    given = PlanGrant(
        account_id=account_id,
        plan=plan,
        reason=reason,
        granted_by=scope.user_id,
        ends_at=func.now() + timedelta(days=days),
    )
    session.add(given)
    session.flush()
    before = [_told(one) for one in former]
    record(
        session,
        scope,
        "plan_granted",
        account.name,
        account_id=account_id,
        before=before[-1] if before else None,
        after=_told(given),
        reason=reason,
    )
    return view(given)


@use_case(Permission.GRANT_PLAN)
def revoke_grant(session: Session, scope: Scope, account_id: UUID, grant_id: UUID, reason: str) -> None:
    """Take a given plan back. Raises BadInput without a reason, NotFound for an unknown one, Conflict for one over."""
    reason = a_reason(reason)
    given = session.get(PlanGrant, (account_id, grant_id), with_for_update=True)
    if given is None:
        raise NotFound("access.not_found")
    if given.id not in {one.id for one in running(session, account_id)}:
        raise Conflict("staff.grant_over")
    given.revoked_at = func.now()
    name = session.get_one(Account, account_id).name
    record(session, scope, "grant_revoked", name, account_id=account_id, before=_told(given), reason=reason)


def running(session: Session, account_id: UUID) -> tuple[PlanGrant, ...]:
    """Room: what the account was given and has now, the oldest first."""
    found = select(PlanGrant).where(
        PlanGrant.account_id == account_id, PlanGrant.revoked_at.is_(None), PlanGrant.ends_at > func.now()
    )
    return tuple(session.scalars(found.order_by(PlanGrant.id)))


def view(given: PlanGrant) -> Grant:
    return Grant(given.id, given.account_id, PlanName(given.plan), given.reason, given.starts_at, given.ends_at)


def _told(given: PlanGrant) -> dict[str, object]:
    return {"plan": given.plan, "until": given.ends_at.isoformat()}
