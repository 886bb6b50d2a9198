"""What was asked of models, and what it cost, summed by the database. Rooms; no row is of a single request."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Date, Numeric, Select, cast, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.ai.models import AiAttempt, AiRequest
from core.billing.revenue import Window
from core.identity.models import User

Column = ColumnElement[Any] | InstrumentedAttribute[Any]
Rows = Sequence[Any]
"""With the columns' names as attributes."""
SHADOW = "shadow"
_AT: ColumnElement[datetime] = func.coalesce(AiRequest.created_at, AiAttempt.created_at)
_DAY = cast(func.timezone("UTC", _AT), Date)
_NOT_SENT = AiAttempt.outcome.in_(("skipped", "over_budget"))
_IS_SHADOW = AiAttempt.purpose == SHADOW
_WRITES = AiAttempt.purpose.in_(("draft", "repair", "escalation"))
"""Not a look at a finished text by a vendor's free moderation."""
_WITH_REQUEST = (AiRequest.workspace_id == AiAttempt.workspace_id) & (AiRequest.id == AiAttempt.generation_id)
_WRITTEN = AiAttempt.output_tokens + AiAttempt.reasoning_tokens
_MIDDLE = AiRequest.baseline_low_nano + (AiRequest.baseline_high_nano - AiRequest.baseline_low_nano) * literal(23) / 53
"""What the same tokens cost on the baseline: between the ends at (1 - LOW) / (HIGH - LOW) of `savings`."""


def _sum(column: Column) -> ColumnElement[int]:
    return func.coalesce(cast(func.sum(column), BigInteger), 0)


def _within(window: Window) -> tuple[ColumnElement[bool], ...]:
    at = _AT
    return at >= window.start, at < window.end


def calls(session: Session, workspace_id: UUID, window: Window) -> Rows:
    """Calls that were made for answers: in all, and by day, task, model, person, and day and model.

    `which` says by what: the bits of GROUPING over (day, task, model, person), so 15 is everything together.
    """
    parts = (_DAY, AiRequest.task, AiAttempt.model, AiRequest.user_id)
    sets = func.grouping_sets(
        tuple_(),
        tuple_(_DAY),
        tuple_(AiRequest.task),
        tuple_(AiAttempt.provider, AiAttempt.model),
        tuple_(AiRequest.user_id),
        tuple_(_DAY, AiAttempt.model),
    )
    question = _counted(
        func.grouping(*parts).label("which"),
        _DAY.label("day"),
        AiRequest.task,
        AiAttempt.provider,
        AiAttempt.model,
        AiRequest.user_id,
    )
    return session.execute(
        question.where(AiAttempt.workspace_id == workspace_id, ~_NOT_SENT, _WRITES, *_within(window)).group_by(sets)
    ).all()


def _counted(*parts: Column) -> Select[Any]:
    return (
        select(
            *parts,
            func.count(AiAttempt.generation_id.distinct()).label("requests"),
            func.count().label("calls"),
            _sum(AiAttempt.input_tokens).label("input"),
            _sum(AiAttempt.cache_read_tokens).label("cache_read"),
            _sum(AiAttempt.cache_write_tokens).label("cache_write"),
            _sum(AiAttempt.output_tokens).label("output"),
            _sum(AiAttempt.reasoning_tokens).label("reasoning"),
            _sum(AiAttempt.cost_nano_usd).label("nano"),
            func.count().filter(AiAttempt.cost_nano_usd.is_(None)).label("unknown"),
            func.count().filter(AiAttempt.is_estimated).label("estimated"),
        )
        .select_from(AiAttempt)
        .outerjoin(AiRequest, _WITH_REQUEST)
    )


def unpriced(session: Session, workspace_id: UUID, window: Window) -> tuple[tuple[str, str, int], ...]:
    """Provider, model and calls of those calls whose cost nobody can know."""
    found = session.execute(
        select(AiAttempt.provider, AiAttempt.model, func.count())
        .outerjoin(AiRequest, _WITH_REQUEST)
        .where(AiAttempt.workspace_id == workspace_id, AiAttempt.cost_nano_usd.is_(None), *_within(window))
        .group_by(AiAttempt.provider, AiAttempt.model)
        .order_by(AiAttempt.provider, AiAttempt.model)
    )
    return tuple((provider, model, count) for provider, model, count in found)


def shadowed(session: Session, workspace_id: UUID, window: Window) -> Any:
    """The calls of the shadow sample, all together."""
    return session.execute(
        _counted().where(AiAttempt.workspace_id == workspace_id, ~_NOT_SENT, _IS_SHADOW, *_within(window))
    ).one()


def outcomes(session: Session, workspace_id: UUID, window: Window) -> Rows:
    """What became of the answers: in all, and by day, task, person, and task and tier.

    `which` is GROUPING over (day, task, tier, person).
    """
    day = cast(func.timezone("UTC", AiRequest.created_at), Date)
    kept = AiRequest.outcome.in_(("unedited", "edited"))
    return session.execute(
        select(
            func.grouping(day, AiRequest.task, AiRequest.tier, AiRequest.user_id).label("which"),
            day.label("day"),
            AiRequest.task,
            AiRequest.tier,
            AiRequest.user_id,
            func.count().label("requests"),
            *(func.count().filter(AiRequest.outcome == one).label(one) for one in ("unedited", "edited", "dismissed")),
            func.count().filter(AiRequest.was_repaired).label("repaired"),
            func.count().filter(AiRequest.was_escalated).label("escalated"),
            func.count().filter(func.cardinality(AiRequest.failed_checks) > 0).label("failing"),
            func.coalesce(func.sum(AiRequest.characters).filter(kept), 0).label("characters"),
            func.coalesce(func.sum(AiRequest.edited_characters).filter(kept), 0).label("edited_characters"),
        )
        .where(
            AiRequest.workspace_id == workspace_id,
            AiRequest.created_at >= window.start,
            AiRequest.created_at < window.end,
        )
        .group_by(
            func.grouping_sets(
                tuple_(),
                tuple_(day),
                tuple_(AiRequest.task),
                tuple_(AiRequest.user_id),
                tuple_(AiRequest.task, AiRequest.tier),
            )
        )
    ).all()


def compared(session: Session, workspace_id: UUID, window: Window) -> Rows:
    """By baseline and task: requests whose cost and baseline are known, what they cost, and the baseline's ends."""
    spent = (
        select(
            AiAttempt.generation_id,
            func.sum(AiAttempt.cost_nano_usd).label("nano"),
            func.bool_or(AiAttempt.cost_nano_usd.is_(None)).label("is_unknown"),
        )
        .where(AiAttempt.workspace_id == workspace_id, ~_IS_SHADOW)
        .group_by(AiAttempt.generation_id)
        .subquery()
    )
    return session.execute(
        select(
            AiRequest.baseline_model,
            AiRequest.task,
            func.count().label("many"),
            _sum(spent.c.nano).label("spent"),
            _sum(AiRequest.baseline_low_nano).label("low"),
            _sum(AiRequest.baseline_high_nano).label("high"),
        )
        .join(spent, spent.c.generation_id == AiRequest.id)
        .where(
            AiRequest.workspace_id == workspace_id,
            AiRequest.created_at >= window.start,
            AiRequest.created_at < window.end,
            ~spent.c.is_unknown,
            AiRequest.baseline_model.is_not(None),
            AiRequest.baseline_low_nano.is_not(None),
            AiRequest.baseline_high_nano.is_not(None),
        )
        .group_by(AiRequest.baseline_model, AiRequest.task)
        .order_by(AiRequest.baseline_model, AiRequest.task)
    ).all()


def pairs(session: Session, workspace_id: UUID) -> Rows:
    """By baseline and task, of whatever day: sums over the pairs of our answer and the baseline's own.

    `x` is what the tokens of our answer would have cost on the baseline, or how many they are, `y` what the baseline
    cost, or wrote, for the same request.
    """
    kept = (
        select(_WRITTEN)
        .where(
            AiAttempt.workspace_id == AiRequest.workspace_id,
            AiAttempt.generation_id == AiRequest.id,
            AiAttempt.outcome == "ok",
            _WRITES,
        )
        .order_by(AiAttempt.run.desc(), AiAttempt.position.desc())
        .limit(1)
        .correlate(AiRequest)
        .scalar_subquery()
    )
    one = (
        select(
            AiRequest.baseline_model.label("model"),
            AiRequest.task.label("task"),
            _MIDDLE.label("x"),
            AiAttempt.cost_nano_usd.label("y"),
            kept.label("ours"),
            _WRITTEN.label("theirs"),
        )
        .select_from(AiAttempt)
        .join(AiRequest, _WITH_REQUEST)
        .where(
            AiAttempt.workspace_id == workspace_id,
            _IS_SHADOW,
            AiAttempt.outcome == "ok",
            AiAttempt.model == AiRequest.baseline_model,
            AiAttempt.cost_nano_usd.is_not(None),
            AiRequest.baseline_low_nano.is_not(None),
            AiRequest.baseline_high_nano.is_not(None),
        )
        .subquery()
    ).c
    return session.execute(
        select(
            one.model,
            one.task,
            func.count().label("many"),
            *_sums(one.x, one.y, "cost"),
            *_sums(one.ours, one.theirs, "tokens"),
        )
        .group_by(one.model, one.task)
        .order_by(one.model, one.task)
    ).all()


def _sums(x: ColumnElement[Any], y: ColumnElement[Any], of: str) -> list[ColumnElement[Any]]:
    many, other = cast(x, Numeric), cast(y, Numeric)
    terms = {"x": many, "y": other, "xx": many * many, "xy": many * other, "yy": other * other}
    return [func.coalesce(func.sum(term), 0).label(f"{of}_{name}") for name, term in terms.items()]


def names(session: Session, user_ids: frozenset[UUID]) -> dict[UUID, str]:
    """What people call themselves; nobody who is gone."""
    if not user_ids:
        return {}
    question = select(User.id, User.display_name).where(User.id.in_(user_ids), User.deleted_at.is_(None))
    return {row.id: row.display_name for row in session.execute(question)}
