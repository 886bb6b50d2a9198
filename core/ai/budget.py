"""What an account may spend on models in a month (UTC), held back before each call and settled after it.

Money is nano-dollars. A hold is taken at the price of the very model that is about to bill, for the most that the call
can cost; so many calls at once never pass the budget together. A call whose cost nobody can know is settled at what was
held for it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.ai.allowance import month_of
from core.ai.chain import Attempt, Deployment, Gate, Settle
from core.ai.models import AiBudget, AiReservation, AiSpending
from core.ai.prices import cost_nano, model_of
from core.ai.protocol import Request, estimated_tokens
from core.use_case import use_case

WORK, SHADOW = "work", "shadow"
HELD_FOR = timedelta(minutes=5)
"""Longer than any call: a hold that is older belongs to a worker that died."""
UNPRICED = frozenset({"compatible"})
"""Servers of one's own: what they cost is nobody's price list."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What the owner set, in nano-dollars a month. `monthly` None is no limit; `shadow_per_mille` of requests."""

    monthly: int | None = None
    shadow_per_mille: int = 0
    shadow_monthly: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """A month so far. `reserved` is held back for calls that run."""

    budget: Budget
    month: date
    spent: int
    reserved: int

    @property
    def per_cent(self) -> int:
        """Of the budget that is spent or held, rounded down; 0 without a budget, 100 when it is none at all."""
        if self.budget.monthly is None:
            return 0
        if self.budget.monthly == 0:
            return 100
        return (self.spent + self.reserved) * 100 // self.budget.monthly


def budget_in(session: Session, account_id: UUID) -> Budget:
    """Room: the account's budget; without limit until the owner set one."""
    kept = session.get(AiBudget, account_id)
    return Budget() if kept is None else Budget(kept.monthly_nano, kept.shadow_per_mille, kept.shadow_monthly_nano)


def standing_in(session: Session, account_id: UUID, month: date) -> Standing:
    """Room: how the month stands."""
    row = session.get(AiSpending, (account_id, month, WORK))
    found = budget_in(session, account_id)
    return Standing(found, month, row.spent_nano if row else 0, row.reserved_nano if row else 0)


def worst_case(deployment: Deployment, request: Request) -> int | None:
    """The most that the call can cost, in nano-dollars; None where no price is known."""
    if deployment.provider.name in UNPRICED:
        return 0
    asked = estimated_tokens(request.system) + estimated_tokens(request.user)
    known = model_of(deployment.provider.name, deployment.model)
    if known is None:
        return None
    dearest = max(known.usd_per_million.input, known.usd_per_million.cache_write or 0)
    # an estimate of tokens by length is off by up to a third for texts that are no English prose
    return (asked * 3 // 2) * dearest + request.max_output * known.usd_per_million.output


def gate_for(scope: Scope, purpose: str = WORK) -> Gate:
    """What a chain asks before each call: a hold at the price of the model that will bill, or no call.

    `scope` has one account in view. With a budget a model without a known price is not called: nothing could be held.
    """

    def gate(deployment: Deployment, request: Request) -> Settle | None:
        worst = worst_case(deployment, request)
        held = hold(scope, worst, purpose)
        if held is None:
            return None
        return lambda attempt: settle(scope, held, _cost(attempt, worst or 0))

    return gate


def _cost(attempt: Attempt, worst: int) -> int:
    if attempt.provider in UNPRICED:
        return 0
    if attempt.usage is None:
        return worst
    if not attempt.usage.total:
        return 0
    known = cost_nano(attempt.usage, model_of(attempt.provider, attempt.served_model, attempt.model))
    return worst if known is None else known


@use_case(Permission.WRITE_CONTENT)
def hold(session: Session, scope: Scope, nano: int | None, purpose: str = WORK) -> UUID | None:
    """Hold back `nano` of this month's budget; None when it has no room for it, or when the price is not known.

    One statement decides, so forty calls at once on money for ten get ten.
    """
    account_id, month = scope.account_id, month_of(datetime.now(UTC))
    _release_expired(session, account_id)
    budget = budget_in(session, account_id)
    most = budget.shadow_monthly if purpose == SHADOW else budget.monthly
    if nano is None and most is not None:
        return None
    wanted = nano or 0
    session.execute(
        insert(AiSpending).values(account_id=account_id, month=month, purpose=purpose).on_conflict_do_nothing()
    )
    fits = AiSpending.spent_nano + AiSpending.reserved_nano + wanted <= most if most is not None else true()
    taken = session.execute(
        update(AiSpending)
        .where(AiSpending.account_id == account_id, AiSpending.month == month, AiSpending.purpose == purpose, fits)
        .values(reserved_nano=AiSpending.reserved_nano + wanted)
        .returning(AiSpending.month)
    )
    if taken.one_or_none() is None:
        return None
    held = AiReservation(account_id=account_id, month=month, purpose=purpose, nano=wanted, until=func.now() + HELD_FOR)
    session.add(held)
    session.flush()
    return held.id


@use_case(Permission.WRITE_CONTENT)
def settle(session: Session, scope: Scope, held_id: UUID, nano: int) -> None:
    """Give a hold back and count what the call cost. Settled twice, or after its release, it counts once."""
    held = session.execute(
        delete(AiReservation)
        .where(AiReservation.account_id == scope.account_id, AiReservation.id == held_id)
        .returning(AiReservation.month, AiReservation.purpose, AiReservation.nano)
    ).one_or_none()
    if held is not None:
        _give_back(session, scope.account_id, held.month, held.purpose, held.nano, spent=nano)


def _release_expired(session: Session, account_id: UUID) -> None:
    """What was held for calls of workers that died. What those cost nobody knows: the ledger calls them lost."""
    gone = session.execute(
        delete(AiReservation)
        .where(AiReservation.account_id == account_id, AiReservation.until < func.now())
        .returning(AiReservation.month, AiReservation.purpose, AiReservation.nano)
    )
    for month, purpose, nano in gone.all():
        _give_back(session, account_id, month, purpose, nano, spent=0)


def _give_back(session: Session, account_id: UUID, month: date, purpose: str, nano: int, *, spent: int) -> None:
    session.execute(
        update(AiSpending)
        .where(AiSpending.account_id == account_id, AiSpending.month == month, AiSpending.purpose == purpose)
        .values(reserved_nano=AiSpending.reserved_nano - nano, spent_nano=AiSpending.spent_nano + spent)
    )


@use_case(Permission.SEE_AI_COSTS)
def standing(session: Session, scope: Scope) -> Standing:
    """How this month stands for the one account in view."""
    return standing_in(session, scope.account_id, month_of(datetime.now(UTC)))
