"""What a bench says: one row a comparison, against a floor that was measured in the same run."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`ours` and `floor` in `unit`; `ratio` is ours ÷ floor, and `ok` whether it is within `goal`, where there is one.

    `how` says what was counted, so that the number can be taken again.
    """

    what: str
    ours: float
    floor: float
    unit: str
    goal: float | None
    how: str

    @property
    def ratio(self) -> float:
        return self.ours / self.floor

    @property
    def ok(self) -> bool:
        return self.goal is None or self.ratio <= self.goal

    def as_dict(self) -> dict[str, object]:
        rounded = {"ours": round(self.ours, 3), "floor": round(self.floor, 3), "ratio": round(self.ratio, 2)}
        return {**asdict(self), **rounded, "ok": self.ok}


def as_json(rows: list[Row]) -> str:
    return json.dumps([row.as_dict() for row in rows], indent=1)


def as_table(rows: list[Row]) -> str:
    """The same for people: aligned columns, and how it was counted below."""
    head = ("what", "ours", "floor", "unit", "ratio", "goal", "")
    body = [
        (
            row.what,
            f"{row.ours:.1f}",
            f"{row.floor:.1f}",
            row.unit,
            f"{row.ratio:.1f}",
            "-" if row.goal is None else f"{row.goal:.1f}",
            "" if row.ok else "over",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in (head, *body)) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in (head, *body)]
    return "\n".join([*(line.rstrip() for line in lines), "", *sorted({row.how for row in rows})])
