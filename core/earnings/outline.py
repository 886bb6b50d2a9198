"""A statement in brief: what a person looks at before bringing it in. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.earnings.columns import ColumnMapping
from core.earnings.rows import Line, Problem
from core.earnings.statement import Statement

FIRST_LINES = 5
PROBLEMS = 500


@dataclass(frozen=True, slots=True)
class KindTotal:
    """Sums of the file's own columns, in minor units; None where a row of the kind does not tell."""

    kind: str
    currency: str
    count: int
    gross: int | None
    fee: int | None
    net: int | None


@dataclass(frozen=True, slots=True)
class Outline:
    """As `Statement`, with the first few lines and problems only. `kept_problems` counts rows kept with a warning."""

    lines: int
    rows: int
    rejected_rows: int
    blank_rows: int
    kept_problems: int
    header: tuple[str, ...]
    mapping: ColumnMapping
    missing: tuple[str, ...]
    asks: tuple[str, ...]
    unknown_types: Mapping[str, int]
    kinds: tuple[KindTotal, ...]
    first: tuple[Line, ...]
    problems: tuple[Problem, ...]
    encoding: str
    delimiter: str


def outline(statement: Statement) -> Outline:
    return Outline(
        lines=len(statement.lines),
        rows=statement.rows,
        rejected_rows=statement.rejected_rows,
        blank_rows=statement.blank_rows,
        kept_problems=sum(problem.kept for problem in statement.problems),
        header=statement.header,
        mapping=statement.mapping,
        missing=statement.missing,
        asks=statement.asks,
        unknown_types=statement.unknown_types,
        kinds=kind_totals(statement.lines),
        first=statement.lines[:FIRST_LINES],
        problems=statement.problems[:PROBLEMS],
        encoding=statement.encoding,
        delimiter=statement.delimiter,
    )


def kind_totals(lines: Iterable[Line]) -> tuple[KindTotal, ...]:
    """One for each kind and currency, the most frequent first."""
    alike: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        alike[line.kind, line.currency].append(line)
    totals = [
        KindTotal(
            kind,
            currency,
            len(group),
            _sum(line.gross for line in group),
            _sum(line.fee for line in group),
            _sum(line.net for line in group),
        )
        for (kind, currency), group in alike.items()
    ]
    return tuple(sorted(totals, key=lambda total: (-total.count, total.kind, total.currency)))


def _sum(values: Iterable[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total
