"""What people decide about models: the month's budget, the shadow sample, and each task's tier."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import audit
from core.access import Permission, Scope
from core.ai.allowance import month_of
from core.ai.budget import SHADOW, UNPRICED, Standing, budget_in, standing_in
from core.ai.lifespan import Outlook, outlook
from core.ai.models import AiBudget, AiRoute, AiSpending
from core.ai.prices import dollars
from core.ai.providers import models_in_use
from core.ai.routing import Tier, table
from core.ai.shadow import MOST_PER_MILLE
from core.errors import BadInput
from core.use_case import use_case

MOST_DOLLARS = 100_000
"""A month's budget above it is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class TaskTier:
    """Where a task goes. `chosen` is the workspace's own tier in place of the table's, None while that counts."""

    task: str
    usual: Tier
    chosen: Tier | None
    is_critical: bool

    @property
    def tier(self) -> Tier:
        return self.chosen or self.usual


@dataclass(frozen=True, slots=True)
class Money:
    """How this month (UTC) stands for the account: all work, and what the shadow sample has spent of its own budget."""

    work: Standing
    shadow_spent: Decimal


@use_case(Permission.SEE_AI_COSTS)
def money(session: Session, scope: Scope) -> Money:
    month = month_of(datetime.now(UTC))
    spent = session.get(AiSpending, (scope.account_id, month, SHADOW))
    return Money(standing_in(session, scope.account_id, month), dollars(spent.spent_nano if spent else 0))


@use_case(Permission.SEE_AI_COSTS)
def models_ahead(_session: Session, _scope: Scope) -> Outlook:
    """What is to be said of the models in use. Raises NotConfigured where the settings are incomplete."""
    return ahead(datetime.now(UTC).date())


def ahead(on: date) -> Outlook:
    """Room: the same, on a day."""
    return outlook(models_in_use(), on, free=UNPRICED)


@use_case(Permission.SEE_AI_COSTS)
def tiers(session: Session, scope: Scope) -> tuple[TaskTier, ...]:
    """Every task that there is, in the table's order."""
    rows = session.scalars(select(AiRoute).where(AiRoute.workspace_id == scope.workspace_id))
    chosen = {row.task: Tier(row.tier) for row in rows}
    known = table()
    return tuple(TaskTier(task, tier, chosen.get(task), task in known.critical) for task, tier in known.tiers.items())


@use_case(Permission.EDIT_WORKSPACE)
def set_tier(session: Session, scope: Scope, task: str, tier: str) -> None:
    """Send a task of this workspace to a tier from now on; the table's own tier is kept as no choice at all.

    Raises BadInput for a task or a tier that there is not.
    """
    usual = table().tiers.get(task)
    if usual is None or tier not in set(Tier):
        raise BadInput("ai.no_such_tier")
    if tier == usual:
        _reset(session, scope, task)
        return
    values = {"tier": tier, "updated_by": scope.user_id, "updated_at": func.now()}
    session.execute(
        insert(AiRoute)
        .values(workspace_id=scope.workspace_id, task=task, **values)
        .on_conflict_do_update(index_elements=["workspace_id", "task"], set_=values)
    )
    audit.record(session, scope, "ai_tier_set", task, workspace_id=scope.workspace_id, after={"tier": tier})


@use_case(Permission.EDIT_WORKSPACE)
def reset_tiers(session: Session, scope: Scope) -> None:
    """Back to the table for every task of this workspace."""
    _reset(session, scope)


def _reset(session: Session, scope: Scope, task: str | None = None) -> None:
    which = AiRoute.workspace_id == scope.workspace_id
    gone = session.scalars(
        delete(AiRoute).where(which, *(() if task is None else (AiRoute.task == task,))).returning(AiRoute.task)
    ).all()
    for one in gone:
        audit.record(session, scope, "ai_tier_reset", one, workspace_id=scope.workspace_id)


@use_case(Permission.MANAGE_BILLING)
def set_budget(session: Session, scope: Scope, monthly: Decimal | None) -> None:
    """What the account may spend on models a month, in US dollars; None is no limit. Raises BadInput."""
    _change(session, scope, {"monthly_nano": None if monthly is None else _nano(monthly)})


@use_case(Permission.MANAGE_BILLING)
def set_shadow(session: Session, scope: Scope, per_mille: int, monthly: Decimal) -> None:
    """Put so many of a thousand drafts to the large model as well, for at most so many US dollars a month.

    Raises BadInput.
    """
    if not 0 <= per_mille <= MOST_PER_MILLE:
        raise BadInput("ai.bad_share", most=MOST_PER_MILLE)
    _change(session, scope, {"shadow_per_mille": per_mille, "shadow_monthly_nano": _nano(monthly)})


def _nano(amount: Decimal) -> int:
    if not amount.is_finite() or not 0 <= amount <= MOST_DOLLARS or amount != round(amount, 2):
        raise BadInput("ai.bad_budget", most=MOST_DOLLARS)
    return int(amount.scaleb(9))


def _change(session: Session, scope: Scope, values: Mapping[str, int | None]) -> None:
    before = budget_in(session, scope.account_id)
    session.execute(
        insert(AiBudget)
        .values(account_id=scope.account_id, updated_at=func.now(), **values)
        .on_conflict_do_update(index_elements=["account_id"], set_={**values, "updated_at": func.now()})
    )
    session.expire_all()
    after = budget_in(session, scope.account_id)
    was, now = (
        {"monthly": one.monthly, "shadow_per_mille": one.shadow_per_mille, "shadow_monthly": one.shadow_monthly}
        for one in (before, after)
    )
    audit.record(session, scope, "ai_budget_set", before=was, after=now)
