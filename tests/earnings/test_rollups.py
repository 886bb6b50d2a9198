"""The kept sums are what the ledger gives, and the ledger is what its live imports say, after anything."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text, update

from core.access import Role, Scope
from core.db import transaction
from core.earnings.figures import rebuild_rollups, revenue_by_day, revenue_by_kind, rollups_match, totals
from core.earnings.models import DailyRevenue, FanTotal
from core.earnings.sample import statement_csv
from core.earnings.service import import_statement, imports, undo_import
from core.earnings.windows import Window
from core.workspaces.service import edit_workspace
from tests.people import make_person

ALL = Window(date(2025, 1, 1), date(2027, 12, 31))
ZONES = ("UTC", "America/Los_Angeles", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Paris")
WHENS = ("2026-03-08 23:30", "2026-03-29 01:30", "2025-12-31 23:59", "2026-01-01 00:00", "2024-02-29", "2026-10-25")
TYPES = ("Tip", "Message", "Refund", "Chargeback", "Payout", "Mystery")
KINDS = ("tip", "message", "refund", "chargeback", "payout", "tip")
"""What each type is read as; the description tells what a mystery is."""
STATUSES = ("done", "loading", "undo", "pending_return")


class Row(NamedTuple):
    """One row of a file: what names it, and what may change from file to file."""

    number: int
    status: str
    gross: Decimal
    fee: Decimal | None

    def csv(self, named: bool) -> str:
        at, kind = WHENS[self.number % len(WHENS)], TYPES[self.number % len(TYPES)]
        gross = self.gross if named else Decimal(self.number - 2)
        fee = self.fee if named else None if self.number % 4 == 0 else Decimal(self.number % 3)
        shown = "" if fee is None else str(fee)
        return f"t{self.number},{at},{kind},{gross},{shown},{self.status},Tip from Fan {self.number % 3}"


rows = st.builds(
    Row,
    st.integers(0, 13),
    st.sampled_from(STATUSES),
    st.decimals(-50, 50, places=2),
    st.none() | st.decimals(0, 9, places=2),
)
files = st.lists(rows, min_size=1, max_size=10, unique_by=lambda row: row.number)
steps = st.lists(
    st.one_of(st.tuples(st.just("import"), files), st.tuples(st.just("undo"), st.integers(0, 9)))
    | st.tuples(st.just("move"), st.sampled_from(ZONES)),
    min_size=1,
    max_size=8,
)


@dataclass
class Told:
    """The same story in plain Python: live imports in order, each a file; the last file that holds a row decides."""

    named: bool
    live: list[tuple[UUID, list[Row]]] = field(default_factory=list)
    zone: str = "UTC"

    def sums(self) -> Counter[tuple[str, str, str]]:
        """(day, kind, measure) → minor units."""
        latest = {(row.number, self._takes_back(row)): row for _, file in self.live for row in file}
        found: Counter[tuple[str, str, str]] = Counter()
        for row in latest.values():
            for measure, value in self._measures(row).items():
                found[self._day(row), KINDS[row.number % len(KINDS)], measure] += value
        return Counter({key: value for key, value in found.items() if value})

    def _takes_back(self, row: Row) -> bool:
        """A payment and its reversal may bear one id; without ids, what a row says is what names it."""
        return self.named and row.gross < 0 and TYPES[row.number % len(TYPES)] not in ("Refund", "Chargeback")

    def _day(self, row: Row) -> str:
        when = WHENS[row.number % len(WHENS)]
        if len(when) == 10:
            return when
        return str(datetime.fromisoformat(when).replace(tzinfo=UTC).astimezone(ZoneInfo(self.zone)).date())

    def _measures(self, row: Row) -> dict[str, int]:
        _, _, kind, gross_text, fee_text, status, _ = row.csv(self.named).split(",")
        gross = int(Decimal(gross_text) * 100)
        fee = None if not fee_text else int(Decimal(fee_text) * 100) * (1 if gross >= 0 else -1)
        if kind in ("Refund", "Chargeback"):
            gross, fee = -abs(gross), None if fee is None else -abs(fee)
        if kind == "Payout":
            return {}
        back = gross < 0 or kind in ("Refund", "Chargeback")
        known = {"transactions": 1, "gross_minor": 0 if back else gross}
        if fee is None:
            return {**known, "net_unknown": 1}
        net = gross - fee
        lost = -net if back else net
        charged = kind == "Chargeback" or status == "undo"
        returned = not charged and (back or status == "pending_return")
        return {
            **known,
            "fee_minor": 0 if back else fee,
            "chargebacks_minor": lost if charged else 0,
            "refunds_minor": lost if returned else 0,
            "net_minor": net if back or status in ("done", "loading") else 0,
            "pending_minor": net if status == "loading" else 0,
        }


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(steps, st.booleans())
def test_any_story_of_imports_undos_and_moves_adds_up(
    database: Connection, story: list[tuple[str, object]], named: bool
) -> None:
    scope = make_person(uuid4().hex, Role.CREATOR).scope
    told = Told(named)
    for verb, what in story:
        _live(scope, told, verb, what)
        assert rollups_match(scope) == ()
        assert _stored(scope) == told.sums()


def _live(scope: Scope, told: Told, verb: str, what: object) -> None:
    if verb == "import" and isinstance(what, list):
        header = "Transaction ID,Date,Type,Gross,Fee,Status,Description"
        content = "\n".join((header, *(row.csv(told.named) for row in what)))
        if not told.named:
            content = "\n".join(line.partition(",")[2] for line in content.split("\n"))
        told.live.append((import_statement(scope, content.encode(), "story.csv").import_id, what))
    elif verb == "undo" and told.live:
        import_id, _ = told.live.pop(int(str(what)) % len(told.live))
        undo_import(scope, import_id)
    elif verb == "move":
        told.zone = str(what)
        edit_workspace(scope, time_zone=told.zone)


def _stored(scope: Scope) -> Counter[tuple[str, str, str]]:
    names = ("gross", "fee", "refunds", "chargebacks", "net", "pending")
    measures = [*(f"{name}_minor" for name in names), "net_unknown", "transactions"]
    with transaction(scope) as session:
        kept = session.execute(
            text(f"SELECT day::text, kind, {', '.join(measures)} FROM daily_revenue").columns()
        ).mappings()
        found = {(row["day"], row["kind"], name): int(row[name]) for row in kept for name in measures if row[name]}
    return Counter(found)


TWO = b"Date,Gross,Fee,Net,Description\n2026-01-05,10,2,8,Tip from Ann\n2026-01-06,20,4,16,Tip from Bob\n"
ONE = b"Date,Gross,Fee,Net,Description\n2026-01-05,10,2,8,Tip from Ann\n"


def test_undoing_an_import_leaves_what_another_one_holds_too(scope: Scope) -> None:
    first, second = import_statement(scope, TWO, "two.csv"), import_statement(scope, ONE, "one.csv")
    undo_import(scope, first.import_id)
    assert [one.net for one in totals(scope, ALL)] == [800]
    undo_import(scope, second.import_id)
    assert totals(scope, ALL) == ()
    assert [record.undone_at is not None for record in imports(scope)] == [True, True]
    assert import_statement(scope, TWO, "two.csv").new == 2


def test_undoing_a_change_of_status_brings_the_old_status_back(scope: Scope) -> None:
    header = b"Date,Gross,Fee,Net,Description,Status\n"
    pending, done = (header + b"2026-01-05,10,2,8,Tip from Ann," + word for word in (b"loading", b"done"))
    import_statement(scope, pending, "a.csv")
    later = import_statement(scope, done, "b.csv")
    assert (later.changed, totals(scope, ALL)[0].pending) == (1, 0)
    undo_import(scope, later.import_id)
    assert totals(scope, ALL)[0].pending == 800


def test_imports_of_one_file_at_once_store_it_once(committed: str) -> None:
    scope = make_person("Ada", Role.CREATOR).scope
    content = statement_csv(3, 300, date(2026, 1, 1), date(2026, 3, 1))
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: import_statement(scope, content, "a.csv"), range(4)))
    assert sorted(result.new for result in results) == [0, 0, 0, 300]
    assert [record.number for record in imports(scope)] == [4, 3, 2, 1]
    assert rollups_match(scope) == ()


def test_days_follow_the_workspaces_time_zone(scope: Scope) -> None:
    edit_workspace(scope, time_zone="America/Los_Angeles")
    content = b"Date,Gross\n2026-01-05 03:00,10\n2026-01-05,20\n2026-03-08 09:59,1\n2026-03-08 10:01,2\n"
    import_statement(scope, content, "a.csv")
    assert _days(scope) == {"2026-01-04": 1000, "2026-01-05": 2000, "2026-03-08": 300}
    edit_workspace(scope, time_zone="Pacific/Auckland")
    assert _days(scope) == {"2026-01-05": 3000, "2026-03-08": 300}
    assert rollups_match(scope) == ()


def _days(scope: Scope) -> dict[str, int]:
    frame = revenue_by_day(scope, ALL, "USD")
    return {str(day): int(gross) for day, gross in zip(frame["day"], frame["gross_minor"], strict=True)}


@pytest.mark.parametrize("table", [DailyRevenue, FanTotal])
def test_a_wrong_sum_is_found_and_made_anew(scope: Scope, table: type[DailyRevenue] | type[FanTotal]) -> None:
    import_statement(scope, TWO, "two.csv")
    with transaction(scope) as session:
        session.execute(update(table).values(net_minor=table.net_minor + 1))
    assert {(one.table, one.side) for one in rollups_match(scope)} == {
        (table.__tablename__, "missing"),
        (table.__tablename__, "extra"),
    }
    rebuild_rollups(scope)
    assert rollups_match(scope) == ()


def test_sums_by_kind_come_largest_first(scope: Scope) -> None:
    content = b"Date,Type,Gross,Fee\n2026-01-05,Tip,5,1\n2026-01-05,Message,9,2\n2026-01-05,Refund,3,0\n"
    import_statement(scope, content, "a.csv")
    frame = revenue_by_kind(scope, ALL, "USD")
    assert frame[["kind", "gross_minor", "net_minor"]].values.tolist() == [
        ["message", 900, 700],
        ["tip", 500, 400],
        ["refund", 0, -300],
    ]
