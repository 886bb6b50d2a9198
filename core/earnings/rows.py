"""From the rows of a table to payments and problems. Pure.

Of gross, fee and net the third follows from two; one alone stays alone, and is never made up into three. Where all
three are given and gross − fee is not the net, the row is kept with a warning: figures use gross − fee, and the net as
stated is kept beside it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple, TypeVar

from core.earnings import kinds
from core.earnings.amounts import DOLLARS, Amount, Unreadable, amount, currencies, decimal_mark_of, is_nothing
from core.earnings.columns import MONEY_FIELDS, ColumnMapping, DecimalMark, currency_named
from core.earnings.dates import Moment, day_first_of, moment
from core.earnings.kinds import MAX_DESCRIPTION, Fan, Said
from core.earnings.table import Record, Table
from core.errors import sentences
from core.money import NotMoney, minor_units

MAX_PROBLEMS = 20_000
"""Problems kept in detail. Rejected rows past that are still counted."""

RAW_SHOWN = 80
MAX_REFERENCE = 200


class Line(NamedTuple):
    """One payment or reversal. Amounts are minor units of `currency`; None where the file does not say.

    `net` is gross − fee where both are known; `stated_net` is set only where the file states another one.
    `day` is set when the file gives no time.
    """

    row: int
    occurred_at: datetime
    day: date | None
    kind: str
    status: str
    gross: int | None
    fee: int | None
    net: int | None
    stated_net: int | None
    currency: str
    type_text: str
    description: str
    fan: Fan | None
    provider_id: str | None
    post_id: str | None
    fingerprint: str = ""

    @property
    def is_reversal(self) -> bool:
        """Whether it takes back a payment. Some platforms give it that payment's id."""
        amount = self.net if self.gross is None else self.gross
        return self.kind in kinds.REVERSALS or (amount or 0) < 0


class Problem(NamedTuple):
    """Why a row was rejected, or with `kept` what to know about one that was not.

    `code` and `facts` make the sentence; `raw` is the cell, cut to 80 characters.
    """

    row: int
    column: str
    code: str
    facts: Mapping[str, object]
    raw: str
    kept: bool = False

    def sentence(self, language: str) -> str:
        return sentences().text(language, f"earnings.{self.code}", **self.facts)


class Money(NamedTuple):
    gross: int | None
    fee: int | None
    net: int | None
    stated_net: int | None = None

    @classmethod
    def of(cls, gross: int | None, fee: int | None, net: int | None) -> "Money":
        """Complete two of three. A fee is a cut: files write it with either sign, here it has that of the payment."""
        leading = gross if gross is not None else net
        if fee is not None and leading is not None:
            fee = abs(fee) if leading >= 0 else -abs(fee)
        if gross is None and fee is not None and net is not None:
            gross = net + fee
        if fee is None and gross is not None and net is not None:
            fee = gross - net
        if gross is None or fee is None:
            return cls(gross, None, net)
        return cls(gross, fee, gross - fee, net if net not in (None, gross - fee) else None)

    def reversed(self) -> "Money":
        """Against earnings, whatever sign the file gives a refund."""
        gross, fee, net, stated = (value if value is None else -abs(value) for value in self)
        if gross is None or fee is None:
            return Money(gross, fee, net)
        return Money(gross, fee, gross - fee, stated)


class BadCell(Exception):
    """A problem that ends its row, unless it is only noted."""

    def __init__(self, field: str, code: str, **facts: object) -> None:
        super().__init__(code)
        self.field, self.code, self.facts = field, code, facts


T = TypeVar("T")


def _told(choice: T | None, tell: Callable[[Iterable[str]], T | None], cells: Iterable[str]) -> T | None:
    return choice if choice is not None else tell(cells)


class Rows:
    """Reads the rows of one table; what it counts on the way becomes part of the statement."""

    def __init__(self, table: Table, mapping: ColumnMapping, currency: str) -> None:
        self.width = len(table.header)
        self.names = mapping.columns
        self.at = {name: table.header.index(column) for name, column in mapping.columns.items()}
        self.day_first = _told(mapping.day_first, day_first_of, self._cells_of(table, ("date",)))
        self.decimal_mark: DecimalMark | None = _told(
            mapping.decimal_mark, decimal_mark_of, self._cells_of(table, MONEY_FIELDS)
        )
        self.currency = self._header_currency() or currency
        self.problems: list[Problem] = []
        self.unknown: Counter[str] = Counter()
        self.asks: set[str] = set()
        self.rejected = self.blank = 0
        self._row_of_id: dict[tuple[str, bool], int] = {}
        self._moments: dict[str, Moment] = {}
        self._amounts: dict[str, Amount] = {}

    def _cells_of(self, table: Table, fields: Iterable[str]) -> set[str]:
        places = [self.at[name] for name in fields if name in self.at]
        return {record.cells[at] for record in table.records for at in places if at < len(record.cells)}

    def _header_currency(self) -> str | None:
        named = {currency_named(self.names[name]) for name in MONEY_FIELDS if name in self.names}
        known = {code for code in named if code in currencies()}
        return known.pop() if len(known) == 1 else None

    def read(self, record: Record) -> Line | None:
        """The payment that a row holds; None for a blank row, and for a rejected one once its problem is noted."""
        if record.is_blank:
            self.blank += 1
            return None
        try:
            self._check_shape(record)
            return self._line(record)
        except BadCell as bad:
            self.rejected += 1
            self._note(record, bad)
            return None

    def _note(self, record: Record, bad: BadCell, kept: bool = False) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            cells = [self._cell(record, bad.field)] if bad.field in self.at else record.cells[:20]
            raw = " | ".join(cell.strip()[:RAW_SHOWN] for cell in cells)[:RAW_SHOWN]
            self.problems.append(Problem(record.number, self.names.get(bad.field, ""), bad.code, bad.facts, raw, kept))

    def _check_shape(self, record: Record) -> None:
        if record.flaw:
            raise BadCell("", f"problem_{record.flaw}")
        if len(record.cells) < self.width or any(cell.strip() for cell in record.cells[self.width :]):
            raise BadCell("", "problem_ragged", cells=len(record.cells), expected=self.width)

    def _cell(self, record: Record, field: str) -> str:
        return record.cells[self.at[field]].strip() if field in self.at else ""

    def _line(self, record: Record) -> Line:
        when = self._moment(record)
        currency, money = self._money(record)
        status = kinds.status_of(self._cell(record, "status"))
        if status is None:
            raise BadCell("status", "problem_status")
        spoken, type_text = self._said(record), self._reference(record, "type")
        kind = kinds.kind_of(type_text, spoken.text)
        line = Line(
            row=record.number,
            occurred_at=when.at,
            day=when.day,
            kind=kind,
            status=status,
            **(money.reversed() if kind in kinds.REVERSALS else money)._asdict(),
            currency=currency,
            type_text=type_text,
            description=spoken.text,
            fan=kinds.fan_of(spoken, self._reference(record, "fan_id"), self._reference(record, "fan_name")),
            provider_id=self._reference(record, "transaction_id") or None,
            post_id=self._reference(record, "post_id") or None,
        )
        self._refuse_repeated_id(line)
        self._remark(record, line)
        return line

    def _remark(self, record: Record, line: Line) -> None:
        """What to know about a row that is kept."""
        if line.kind == "unknown":
            self.unknown[line.type_text or kinds.opening(line.description)] += 1
        if line.stated_net is not None:
            self._note(record, BadCell("net", "problem_fee_check"), kept=True)
        if len(line.description) == MAX_DESCRIPTION:
            self._note(record, BadCell("description", "problem_description_cut", limit=MAX_DESCRIPTION), kept=True)

    def _said(self, record: Record) -> Said:
        spoken = kinds.said(self._cell(record, "description")[: 3 * MAX_DESCRIPTION])
        return spoken._replace(text=spoken.text[:MAX_DESCRIPTION])

    def _reference(self, record: Record, field: str) -> str:
        return " ".join(self._cell(record, field).split())[:MAX_REFERENCE]

    def _refuse_repeated_id(self, line: Line) -> None:
        if line.provider_id is None:
            return
        first = self._row_of_id.setdefault((line.provider_id, line.is_reversal), line.row)
        if first != line.row:
            raise BadCell("transaction_id", "problem_repeated_id", first=first)

    def _moment(self, record: Record) -> Moment:
        text = self._cell(record, "date")
        if text not in self._moments:
            try:
                self._moments[text] = moment(text, self.day_first)
            except Unreadable as unreadable:
                if unreadable.code == "problem_date_ambiguous":
                    self.asks.add("day_first")
                raise BadCell("date", unreadable.code) from None
        return self._moments[text]

    def _money(self, record: Record) -> tuple[str, Money]:
        """Raises BadCell when no amount is there, one is unreadable, or the currencies of the row contradict."""
        amounts = {field: found for field in MONEY_FIELDS if (found := self._amount(record, field))}
        if not ("gross" in amounts or "net" in amounts):
            raise BadCell("gross" if "gross" in self.at else "net", "problem_no_amount")
        currency = self._currency(record, {found.currency for found in amounts.values()} - {None})
        minor: dict[str, int | None] = dict.fromkeys(MONEY_FIELDS)
        for field, found in amounts.items():
            try:
                minor[field] = minor_units(found.value, currency)
            except NotMoney:
                raise BadCell(field, "problem_too_precise", currency=currency) from None
        return currency, Money.of(**minor)

    def _amount(self, record: Record, field: str) -> Amount | None:
        text = self._cell(record, field)
        if text in self._amounts:
            return self._amounts[text]
        if is_nothing(text):
            return None
        try:
            found = self._amounts[text] = amount(text, self.decimal_mark)
        except Unreadable as unreadable:
            if unreadable.code == "problem_amount_ambiguous":
                self.asks.add("decimal_mark")
            raise BadCell(field, unreadable.code) from None
        return found

    def _currency(self, record: Record, shown: set[str | None]) -> str:
        """The currency column, else what the amounts show, else the one of the statement. `$` fits any dollar."""
        stated = self._cell(record, "currency").upper()
        if stated and stated not in currencies():
            raise BadCell("currency", "problem_currency")
        named = {code for code in shown if code and code != "$"} | ({stated} if stated else set())
        dollars = "$" in shown
        if len(named) > 1 or (dollars and not named <= DOLLARS):
            raise BadCell("currency", "problem_currency_conflict")
        if named:
            return named.pop()
        return "USD" if dollars and self.currency not in DOLLARS else self.currency
