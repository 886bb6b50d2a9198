"""What models cost as files to take along: CSV in UTF-8 with a byte order mark, amounts in exact US dollars."""

from collections.abc import Iterable, Sequence

from core.access import Scope
from core.ai.spending import Quality, Spent, Usage, usage
from core.billing.revenue import Window
from core.errors import NotFound
from core.insights.packing import line

DAYS, TASKS, MODELS, PEOPLE = "days", "tasks", "models", "people"
TABLES = (DAYS, TASKS, MODELS, PEOPLE)
_HEADING = {DAYS: ("day",), TASKS: ("task",), MODELS: ("provider", "model"), PEOPLE: ("person",)}
_SPENT = (
    "requests",
    "calls",
    "input",
    "cache_read",
    "cache_write",
    "output",
    "reasoning",
    "cost",
    "unknown",
    "estimated",
)
_QUALITY = (
    "unedited",
    "edited",
    "dismissed",
    "repaired",
    "escalated",
    "failing",
    "characters",
    "edited_characters",
)
_Rows = Iterable[tuple[Sequence[object], Spent, Quality | None]]


def ai_costs(scope: Scope, table: str, window: Window) -> bytes:
    """One table of the window, in whole numbers and dollars. Raises NotFound for one that there is not."""
    if table not in TABLES:
        raise NotFound("access.not_found")
    found = usage(scope, window)
    rows: _Rows = ((both, spent, None) for both, spent in found.by_model)
    if table != MODELS:
        rows = _with_quality(found, table)
    more = () if table == MODELS else _QUALITY
    return "".join([line((*_HEADING[table], *_SPENT, *more)), *(_line(*row) for row in rows)]).encode("utf-8-sig")


def _with_quality(found: Usage, table: str) -> _Rows:
    """A part that has answers and no calls in the window, or calls and no answers, is a line too."""
    spent: dict[object, Spent]
    became: dict[object, Quality]
    if table == DAYS:
        spent, became = dict(found.by_day), dict(found.quality_by_day)
    elif table == TASKS:
        spent, became = dict(found.by_task), dict(found.quality_by_task)
    else:
        spent, became = dict(found.by_person), dict(found.quality_by_person)
    return (([key], spent.get(key, Spent()), became.get(key, Quality())) for key in dict.fromkeys([*spent, *became]))


def _line(key: Sequence[object], spent: Spent, became: Quality | None) -> str:
    quality = () if became is None else (getattr(became, name) for name in _QUALITY)
    figures = (f"{spent.cost:f}" if name == "cost" else getattr(spent, name) for name in _SPENT)
    return line([*key, *figures, *quality])
