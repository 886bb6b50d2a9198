"""One row for every call to a model, and what a draft cost in all. Rooms."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.ai.chain import Attempt
from core.ai.models import AiAttempt
from core.ai.prices import cost_nano, model_of
from core.ai.protocol import Usage


@dataclass(frozen=True, slots=True)
class Bill:
    """All attempts of one draft together. `cost_nano` (billionths of a US dollar) is None when one is unknown."""

    usage: Usage
    cost_nano: int | None


def record(session: Session, workspace_id: UUID, generation_id: UUID, run: int, attempts: Sequence[Attempt]) -> None:
    """Room: keep the attempts of one run. Keeping them twice changes nothing."""
    for position, attempt in enumerate(attempts):
        usage = attempt.usage
        session.execute(
            insert(AiAttempt)
            .values(
                workspace_id=workspace_id,
                generation_id=generation_id,
                run=run,
                position=position,
                provider=attempt.provider,
                model=attempt.model,
                served_model=attempt.served_model,
                outcome=attempt.outcome,
                status=attempt.status,
                request_id=attempt.request_id,
                input_tokens=usage.input if usage else None,
                cache_read_tokens=usage.cache_read if usage else None,
                cache_write_tokens=usage.cache_write if usage else None,
                output_tokens=usage.output if usage else None,
                reasoning_tokens=usage.reasoning if usage else None,
                is_estimated=usage.estimated if usage else False,
                cost_nano_usd=_cost(attempt),
                milliseconds=round(attempt.seconds * 1000),
                purpose=attempt.purpose,
                tier=attempt.tier,
            )
            .on_conflict_do_nothing()
        )


def record_lost(
    session: Session, workspace_id: UUID, generation_id: UUID, run: int, *, provider: str, model: str
) -> None:
    """Room: a run whose worker died says nothing more; what it cost nobody knows."""
    known = exists().where(
        AiAttempt.workspace_id == workspace_id, AiAttempt.generation_id == generation_id, AiAttempt.run == run
    )
    if not session.scalar(select(known)):
        record(session, workspace_id, generation_id, run, [Attempt(provider, model, None, "lost", None, 0.0)])


def bill(session: Session, workspace_id: UUID, generation_id: UUID) -> Bill:
    """Room: what all attempts of a draft used and cost; those of the shadow sample are none of them."""
    which = AiAttempt.workspace_id == workspace_id, AiAttempt.generation_id == generation_id
    rows = session.scalars(select(AiAttempt).where(*which, AiAttempt.purpose != "shadow")).all()
    costs = [row.cost_nano_usd for row in rows]
    return Bill(
        sum((_usage(row) for row in rows), Usage()),
        None if None in costs else sum(cost for cost in costs if cost is not None),
    )


def _usage(row: AiAttempt) -> Usage:
    return Usage(
        row.input_tokens or 0,
        row.cache_read_tokens or 0,
        row.cache_write_tokens or 0,
        row.output_tokens or 0,
        row.reasoning_tokens or 0,
        row.is_estimated,
    )


def _cost(attempt: Attempt) -> int | None:
    if attempt.usage is None:
        return None
    if not attempt.usage.total:
        return 0
    return cost_nano(attempt.usage, model_of(attempt.provider, attempt.served_model, attempt.model))
