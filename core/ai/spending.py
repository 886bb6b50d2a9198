"""What one creator's requests to models came to: calls, tokens, money, what became of the answers, what was saved."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.ai import queries
from core.ai.prices import dollars
from core.ai.savings import HIGH, LOW, Saving
from core.ai.shadow import Pairs, Ratio, ratio
from core.billing.revenue import Window
from core.use_case import use_case

_ALL, _DAY, _TASK, _MODEL, _PERSON, _DAY_MODEL = 15, 7, 11, 13, 14, 5
"""GROUPING over (day, task, model, person): a bit is set where the part is not grouped by."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls for answers. Tokens are in buckets that do not overlap; `cost` is exact US dollars of those that are known.

    `unknown` calls have a cost that nobody can know, and are no part of it. `estimated`: their tokens were not counted
    by the vendor.
    """

    requests: int = 0
    calls: int = 0
    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    cost: Decimal = Decimal(0)
    unknown: int = 0
    estimated: int = 0


@dataclass(frozen=True, slots=True)
class Quality:
    """What became of `requests` answers. Shares are None of nothing; those of outcomes are of the `decided`."""

    requests: int = 0
    unedited: int = 0
    edited: int = 0
    dismissed: int = 0
    repaired: int = 0
    escalated: int = 0
    failing: int = 0
    characters: int = 0
    edited_characters: int = 0

    @property
    def decided(self) -> int:
        return self.unedited + self.edited + self.dismissed

    def of_decided(self, many: int) -> Fraction | None:
        return Fraction(many, self.decided) if self.decided else None

    def of_requests(self, many: int) -> Fraction | None:
        return Fraction(many, self.requests) if self.requests else None

    @property
    def edited_per_hundred(self) -> Fraction | None:
        """Characters changed of each hundred that were kept, of the answers that were kept at all."""
        return Fraction(self.edited_characters * 100, self.characters) if self.characters else None


@dataclass(frozen=True, slots=True)
class Saved:
    """A saving, and the tasks in it whose baseline was measured and not assumed."""

    saving: Saving
    measured: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What the shadow sample says of one task: how many times our answer's cost and tokens the baseline needed."""

    model: str
    task: str
    cost: Ratio
    tokens: Ratio | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Everything about one creator in one window of days of UTC.

    A task or person of None is that of calls that broke off before it was kept for what they were, or of somebody who
    is gone. `compared` of `total.requests` have a cost and a baseline that are known. `unpriced`: provider, model and
    calls of unknown cost. `shadow` is what the sample cost beside all this.
    """

    total: Spent
    by_day: tuple[tuple[date, Spent], ...]
    by_task: tuple[tuple[str | None, Spent], ...]
    by_model: tuple[tuple[tuple[str, str], Spent], ...]
    by_person: tuple[tuple[str | None, Spent], ...]
    daily: tuple[tuple[date, str, Decimal], ...]
    quality: Quality
    quality_by_day: tuple[tuple[date, Quality], ...]
    quality_by_task: tuple[tuple[str, Quality], ...]
    quality_by_person: tuple[tuple[str | None, Quality], ...]
    quality_by_tier: tuple[tuple[tuple[str, str], Quality], ...]
    unpriced: tuple[tuple[str, str, int], ...]
    saved: tuple[Saved, ...]
    shadow: Spent
    measured: tuple[Measured, ...]


@use_case(Permission.SEE_AI_COSTS)
def usage(session: Session, scope: Scope, window: Window) -> Usage:
    """The figures of the one workspace in view."""
    workspace_id = scope.workspace_id
    calls = queries.calls(session, workspace_id, window)
    became = queries.outcomes(session, workspace_id, window)
    measured = _measured(queries.pairs(session, workspace_id))
    people = queries.names(session, frozenset(row.user_id for row in (*calls, *became) if row.user_id))
    return Usage(
        total=next((_spent(row) for row in calls if row.which == _ALL), Spent()),
        by_day=tuple(sorted((row.day, _spent(row)) for row in calls if row.which == _DAY)),
        by_task=tuple((row.task, _spent(row)) for row in _dearest(calls, _TASK)),
        by_model=tuple(((row.provider, row.model), _spent(row)) for row in _dearest(calls, _MODEL)),
        by_person=tuple((_name(people, row), _spent(row)) for row in _dearest(calls, _PERSON)),
        daily=tuple(sorted((row.day, row.model, dollars(row.nano)) for row in calls if row.which == _DAY_MODEL)),
        quality=next((_quality(row) for row in became if row.which == _ALL), Quality()),
        quality_by_day=tuple((row.day, _quality(row)) for row in became if row.which == _DAY),
        quality_by_task=tuple((row.task, _quality(row)) for row in became if row.which == _TASK),
        quality_by_person=tuple((_name(people, row), _quality(row)) for row in became if row.which == _PERSON),
        quality_by_tier=tuple(((row.task, row.tier), _quality(row)) for row in became if row.which == 9),
        unpriced=queries.unpriced(session, workspace_id, window),
        saved=_saved(queries.compared(session, workspace_id, window), measured),
        shadow=_spent(queries.shadowed(session, workspace_id, window)),
        measured=measured,
    )


def _dearest(rows: Iterable[Any], which: int) -> list[Any]:
    return sorted((row for row in rows if row.which == which), key=lambda row: (-row.nano, -row.calls))


def _name(people: dict[UUID, str], row: Any) -> str | None:
    return people.get(row.user_id)


def _spent(row: Any) -> Spent:
    return Spent(
        row.requests,
        row.calls,
        row.input,
        row.cache_read,
        row.cache_write,
        row.output,
        row.reasoning,
        dollars(row.nano),
        row.unknown,
        row.estimated,
    )


def _quality(row: Any) -> Quality:
    return Quality(
        row.requests,
        row.unedited,
        row.edited,
        row.dismissed,
        row.repaired,
        row.escalated,
        row.failing,
        int(row.characters),
        int(row.edited_characters),
    )


def _measured(rows: Sequence[Any]) -> tuple[Measured, ...]:
    found = []
    for row in rows:
        cost = ratio(_pairs(row, "cost"))
        if cost is not None:
            found.append(Measured(row.model, row.task, cost, ratio(_pairs(row, "tokens"))))
    return tuple(found)


def _pairs(row: Any, of: str) -> Pairs:
    return Pairs(row.many, *(int(getattr(row, f"{of}_{name}")) for name in ("x", "y", "xx", "xy", "yy")))


def _saved(rows: Sequence[Any], measured: Sequence[Measured]) -> tuple[Saved, ...]:
    """By baseline. A task with enough pairs of the shadow sample is reckoned with what they say."""
    known = {(one.model, one.task): one.cost for one in measured if one.cost.is_enough}
    sums: dict[str, Saved] = {}
    for row in rows:
        model, found = row.baseline_model, known.get((row.baseline_model, row.task))
        low, high = (row.low, row.high) if found is None else _rescaled(row.low, row.high, found)
        before = sums.get(model, Saved(Saving(model, 0, 0, 0, 0), ()))
        sums[model] = Saved(
            replace(
                before.saving,
                count=before.saving.count + row.many,
                spent=before.saving.spent + row.spent,
                low=before.saving.low + low,
                high=before.saving.high + high,
            ),
            before.measured if found is None else (*before.measured, row.task),
        )
    return tuple(sums.values())


def _rescaled(low: int, high: int, found: Ratio) -> tuple[int, int]:
    """The ends of a baseline that cost as many times that of the same tokens as was measured, to the nearest."""
    same = low + (high - low) * (1 - LOW) / (HIGH - LOW)
    return round(same * found.low), round(same * found.high)
