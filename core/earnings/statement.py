"""Reading a statement: bytes in, payments and problems out. Pure.

Nothing is skipped in silence: lines + rejected rows + blank rows = rows of the file. Nothing is guessed: a cell with
two readings is a problem that names the choice to make.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.earnings import columns, kinds
from core.earnings.columns import ColumnMapping
from core.earnings.rows import Line, Problem, Rows
from core.earnings.table import Table, sniff


@dataclass(frozen=True, slots=True)
class Statement:
    """What a file says. With `missing` fields nothing was read yet: a person has to name their columns first.

    `asks` names the choices of the mapping (`day_first`, `decimal_mark`) that would settle ambiguous cells.
    `unknown_types` counts the texts for which no kind is known.
    """

    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]
    rows: int
    rejected_rows: int
    blank_rows: int
    header: tuple[str, ...]
    mapping: ColumnMapping
    missing: tuple[str, ...]
    asks: tuple[str, ...]
    unknown_types: Mapping[str, int]
    platform: str
    encoding: str
    delimiter: str

    @property
    def signature(self) -> str:
        return columns.signature(self.header)


def read_statement(
    content: bytes, *, mapping: ColumnMapping | None = None, currency: str = "USD", platform: str = "onlyfans"
) -> Statement:
    """Read an upload. `currency` is that of rows which name none; without a `mapping` the header's names decide.

    Raises BadInput for what is no statement of payments at all; a bad row never stops the others.
    """
    return statement_of(sniff(content), mapping=mapping, currency=currency, platform=platform)


def statement_of(
    table: Table, *, mapping: ColumnMapping | None = None, currency: str = "USD", platform: str = "onlyfans"
) -> Statement:
    """Read a table that was sniffed already, as `read_statement` does."""
    columns.refuse_other_layouts(table.header)
    chosen = columns.confirmed(mapping, table.header) if mapping else columns.detected(table.header)
    rows = Rows(table, chosen, currency)
    found = [] if chosen.missing else [line for record in table.records if (line := rows.read(record))]
    return Statement(
        lines=_fingerprinted(found, platform),
        problems=tuple(rows.problems),
        rows=len(table.records),
        rejected_rows=rows.rejected,
        blank_rows=rows.blank,
        header=table.header,
        mapping=chosen,
        missing=chosen.missing,
        asks=tuple(sorted(rows.asks)),
        unknown_types=dict(rows.unknown.most_common()),
        platform=platform,
        encoding=table.encoding,
        delimiter=table.delimiter,
    )


def _fingerprinted(lines: Sequence[Line], platform: str) -> tuple[Line, ...]:
    """Give each line the name by which it is known again in another file.

    The provider's id where there is one, apart for the payment and for its reversal. Else what the platform says of it
    and never changes (not the status, not the fan's name or address, since fans rename and delete themselves), with a
    count among lines that say the same: two equal tips in one minute are two payments.
    """
    alike: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        alike[_canonical(line, platform)].append(line)
    names: dict[int, str] = {}
    for canonical, group in alike.items():
        for count, line in enumerate(sorted(group, key=_stable) if len(group) > 1 else group):
            names[line.row] = hashlib.sha256(f"{canonical}\x1f{count}".encode()).hexdigest()
    return tuple(line._replace(fingerprint=names[line.row]) for line in lines)


def _canonical(line: Line, platform: str) -> str:
    if line.provider_id:
        return f"{platform}\x1f{'reversal' if line.is_reversal else 'id'}\x1f{line.provider_id}"
    net = line.net if line.stated_net is None else line.stated_net
    when = line.day or line.occurred_at
    text = kinds.without_fan(line.description)
    said = (when.isoformat(), line.gross, line.fee, net, line.currency, line.type_text, text, line.post_id)
    return "\x1f".join((platform, *map(str, said)))


def _stable(line: Line) -> tuple[str, str]:
    """An order among lines that say the same which does not depend on the file's."""
    return (line.fan.identity if line.fan else "", line.status)
