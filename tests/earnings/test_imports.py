"""Statements through the doors: what becomes of each row, and what a file that is refused leaves behind."""

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from core.access import Permission, Role, Scope
from core.db import Base, transaction
from core.earnings.columns import ColumnMapping
from core.earnings.figures import freshness, rollups_match, top_fans, totals
from core.earnings.models import ColumnChoice, DailyRevenue, Fan, FanTotal, Import, Sighting, Transaction
from core.earnings.outline import KindTotal
from core.earnings.queries import Freshness, Totals
from core.earnings.sample import statement_csv
from core.earnings.service import Choices, import_statement, imports, preview, undo_import
from core.earnings.windows import Window
from core.errors import BadInput, NotAllowed, NotFound, Refusal
from tests.earnings.test_statement import shuffled
from tests.people import Made, make_person

HEADER = "Date,Gross,Fee,Net,Description,Status"
YEAR = Window(date(2026, 1, 1), date(2026, 12, 31))
TABLES = (Import, ColumnChoice, Fan, Transaction, Sighting, DailyRevenue, FanTotal)


def statement(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *rows)).encode()


def counts(scope: Scope) -> dict[str, int | None]:
    with transaction(scope) as session:
        return {table.__tablename__: session.scalar(select(func.count()).select_from(table)) for table in TABLES}


def the_totals(scope: Scope, window: Window = YEAR) -> Totals:
    (found,) = totals(scope, window)
    assert rollups_match(scope) == ()
    return found


def test_ten_thousand_rows_once_twice_and_extended(scope: Scope) -> None:
    content = statement_csv(7, 10_000, date(2026, 1, 1), date(2026, 10, 31))
    first = import_statement(scope, content, "october.csv")
    assert (first.new, first.changed, first.unchanged, first.rejected) == (10_000, 0, 0, 0)
    before = the_totals(scope)
    again = import_statement(scope, content, "october.csv")
    assert (again.new, again.changed, again.unchanged) == (0, 0, 10_000)
    assert the_totals(scope) == before
    extra = statement_csv(8, 50, date(2026, 11, 1), date(2026, 11, 20)).split(b"\r\n", 1)[1]
    longer = import_statement(scope, shuffled(content + extra, seed=5), "november.csv")
    assert (longer.new, longer.changed, longer.unchanged) == (50, 0, 10_000)
    after = the_totals(scope)
    assert after.transactions == 10_050
    assert after.net == (after.gross or 0) - (after.fee or 0)


def test_bad_rows_stay_out_and_the_good_ones_go_in(scope: Scope) -> None:
    content = statement("2026-01-05,10,2,8,Tip from Ann,", "x,10,2,8,Tip from Ann,", "", "2026-01-05,?,2,8,a,")
    result = import_statement(scope, content, "a.csv")
    assert (result.new, result.rejected, result.blank) == (1, 2, 1)
    (record,) = imports(scope)
    assert (record.rows, record.new, record.rejected, record.blank, record.by) == (4, 1, 2, 1, "Ada")


UNREADABLE = (b"", b"PK\x03\x04", b"Date,Gross\n2026-01-05,1\x00\n", b"\xff\xfe\x00", b"x" * 26 * 1024 * 1024)
EMPTY_HANDED = (HEADER.encode(), statement("x,10,2,8,a,"), statement("2026-01-05,x,2,8,a,"), b"Date,x\n1,2\n")


@pytest.mark.parametrize("content", [*UNREADABLE, *EMPTY_HANDED], ids=range(9))
def test_a_refused_file_leaves_no_trace(scope: Scope, content: bytes) -> None:
    for attempt in (lambda: import_statement(scope, content, "a.csv"), lambda: preview(scope, content)):
        try:
            attempt()
        except Refusal as refusal:
            said = refusal.sentence("fr")
        else:
            said = "a preview says it in its own way"
        assert len(said) > 20
    with pytest.raises(BadInput):
        import_statement(scope, content, "a.csv")
    assert set(counts(scope).values()) == {0}


def test_a_preview_says_what_would_happen_and_writes_nothing(scope: Scope) -> None:
    old = statement("2026-01-05,10,2,8,Tip from Ann,loading", "2026-01-06,10,2,8,Tip from Ann,done")
    import_statement(scope, old, "a.csv")
    before = counts(scope)
    new = statement(
        "2026-01-05,10,2,8,Tip from Ann,done", "2026-01-06,10,2,8,Tip from Ann,done", "2026-01-07,5,1,4,Tip from Bob,"
    )
    seen = preview(scope, new)
    assert (seen.new, seen.changed, seen.unchanged, seen.same_file_at) == (1, 1, 1, None)
    assert preview(scope, old).same_file_at is not None
    assert counts(scope) == before
    result = import_statement(scope, new, "b.csv")
    assert (result.new, result.changed, result.unchanged) == (1, 1, 1)


def test_a_preview_adds_up_the_file_by_type(scope: Scope) -> None:
    rows = (
        "2026-01-05,10,2,8,Tip from Ann,",
        "2026-01-05,5,1,4,Tip from Bob,",
        "2026-01-06,€7,,,Post from Ann,",
        "x,,,,,",
    )
    seen = preview(scope, statement(*rows)).outline
    assert seen.kinds == (KindTotal("tip", "USD", 2, 1500, 300, 1200), KindTotal("post", "EUR", 1, 700, None, None))
    assert (seen.lines, seen.rows, seen.rejected_rows) == (3, 4, 1)
    assert [line.row for line in seen.first] == [2, 3, 4]


def test_the_numbers_are_those_of_the_definitions(scope: Scope) -> None:
    content = statement(
        "2026-01-05,100,20,80,Tip from Ann,done",
        "2026-01-05,50,10,40,Tip from Ann,loading",
        "2026-01-05,30,6,24,Tip from Ann,undo",
        "2026-01-05,20,4,16,Tip from Ann,pending_return",
        "2026-01-06,-10,-2,-8,Tip from Ann,done",
    )
    import_statement(scope, content, "a.csv")
    assert the_totals(scope) == Totals(
        currency="USD",
        gross=20_000,
        fee=4_000,
        refunds=1_600 + 800,
        chargebacks=2_400,
        net=20_000 - 4_000 - 2_400 - 2_400,
        pending=4_000,
        transactions=5,
        gross_unknown=0,
        net_unknown=0,
    )


def test_refund_chargeback_and_payout_rows(scope: Scope) -> None:
    content = statement(
        "2026-01-05,Tip,100,20,80",
        "2026-01-06,Refund,10,2,8",
        "2026-01-06,Chargeback,-5,-1,-4",
        "2026-01-07,Payout,-60,,-60",
        header="Date,Type,Gross,Fee,Net",
    )
    import_statement(scope, content, "a.csv")
    found = the_totals(scope)
    assert (found.gross, found.fee, found.refunds, found.chargebacks, found.net) == (10_000, 2_000, 800, 400, 6_800)
    assert found.transactions == 3


def test_what_the_file_does_not_tell_is_not_defined(scope: Scope) -> None:
    import_statement(scope, statement("2026-01-05,Tip,10.00,USD", header="Date,Type,Amount,Currency"), "b.csv")
    found = the_totals(scope)
    assert (found.gross, found.fee, found.net, found.net_unknown) == (1000, None, None, 1)
    import_statement(scope, statement("2026-01-05,8", header="Date,Net"), "c.csv")
    found = the_totals(scope)
    assert (found.gross, found.net, found.gross_unknown, found.net_unknown) == (None, None, 1, 1)


def test_currencies_are_never_added(scope: Scope) -> None:
    rows = ("2026-01-05,$10,2,8,Tip from Ann,", "2026-01-05,$1,0,1,Tip from Ann,", "2026-01-05,€7,€1,€6,Tip from Ann,")
    import_statement(scope, statement(*rows), "a.csv")
    assert [(one.currency, one.gross) for one in totals(scope, YEAR)] == [("USD", 1100), ("EUR", 700)]
    assert [top_fans(scope, None, currency)["net_minor"].tolist() for currency in ("USD", "EUR")] == [[900], [600]]


def test_a_mapping_that_a_person_chose_is_remembered_for_those_columns(scope: Scope) -> None:
    content = statement("2026-01-05,10,8,a", header="Date,Paid,Mine,Note")
    assert preview(scope, content).outline.missing == ("gross",)
    mapping = ColumnMapping({"date": "Date", "gross": "Paid", "net": "Mine", "description": "Note"})
    import_statement(scope, content, "a.csv", Choices(mapping=mapping))
    other_order = statement("b,2026-01-06,20,16", header="note,DATE,Paid,mine")
    assert preview(scope, other_order).outline.missing != ()
    same = preview(scope, statement("2026-01-06,20,16,b", header="Date,Paid,Mine,Note"))
    assert (same.remembered, same.new) == (True, 1)


def test_a_better_known_fan_is_not_replaced_by_a_name(scope: Scope) -> None:
    linked = '2026-01-05,10,2,8,"Tip from <a href=""https://onlyfans.com/ann"">Ann</a>",'
    import_statement(scope, statement("2026-01-05,10,2,8,Tip from Ann,"), "deleted.csv")
    assert import_statement(scope, statement(linked), "linked.csv").changed == 1
    assert import_statement(scope, statement("2026-01-05,10,2,8,Tip from Ann,"), "deleted.csv").changed == 0
    assert top_fans(scope, None, "USD")[["fan", "handle"]].values.tolist() == [["Ann", "ann"]]
    assert rollups_match(scope) == ()


def test_top_fans_of_a_window_and_of_all_time(scope: Scope) -> None:
    rows = [
        f"2026-0{month}-05,{gross},0,{gross},Tip from {fan},"
        for month, gross, fan in ((1, 50, "Ann"), (2, 30, "Bob"), (2, 10, "Ann"), (3, 5, "Cy"))
    ]
    import_statement(scope, statement(*rows), "a.csv")
    february = Window(date(2026, 2, 1), date(2026, 2, 28))
    assert top_fans(scope, None, "USD", limit=2)[["fan", "net_minor"]].values.tolist() == [["Ann", 6000], ["Bob", 3000]]
    assert top_fans(scope, february, "USD")[["fan", "net_minor"]].values.tolist() == [["Bob", 3000], ["Ann", 1000]]
    since = date(2026, 2, 6)
    assert top_fans(scope, None, "USD", since=since)["fan"].tolist() == ["Cy"]
    assert totals(scope, YEAR, since)[0].net == 500
    assert totals(scope, february, since) == ()


def test_freshness(scope: Scope) -> None:
    assert freshness(scope).last_import_at is None
    made = import_statement(scope, statement("2026-01-05 10:00,10,2,8,a,"), "a.csv")
    assert freshness(scope).last_transaction_at == datetime(2026, 1, 5, 10, tzinfo=UTC)
    undo_import(scope, made.import_id)
    assert freshness(scope) == Freshness(last_import_at=None, last_transaction_at=None, changes=2)


def test_the_history_names_the_file_without_its_folders(scope: Scope) -> None:
    import_statement(scope, statement("2026-01-05,10,2,8,a,"), "C:\\Users\\me/../x\x00.csv")
    assert imports(scope)[0].filename == "x.csv"


def test_an_unknown_platform_or_currency_is_refused(scope: Scope) -> None:
    content = statement("2026-01-05,10,2,8,a,")
    for choices in (Choices(platform="evil"), Choices(currency="XXXX")):
        with pytest.raises(BadInput):
            import_statement(scope, content, "a.csv", choices)


def test_importing_takes_one_creator_and_the_right_to_do_it(database: object) -> None:
    agency = make_person("Mona", Role.MANAGER, creators=2)
    content = statement("2026-01-05,10,2,8,a,")
    with pytest.raises(NotAllowed):
        import_statement(agency.scope, content, "a.csv")
    one = agency.scope.narrowed_to(agency.workspace_ids[0])
    import_statement(one, content, "a.csv")
    assert the_totals(agency.scope).net == 800
    staff = Scope(uuid4(), {agency.workspace_ids[0]: Role.ADMIN}, {}, {}, is_staff=True)
    assert staff.may(Permission.VIEW_ANALYTICS)
    with pytest.raises(NotAllowed):
        import_statement(staff, content, "a.csv")
    with pytest.raises(NotAllowed):
        undo_import(staff, imports(one)[0].id)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__tablename__)
def test_a_neighbour_sees_nothing(ada: Made, bob: Made, table: type[Base]) -> None:
    mapping = ColumnMapping({"date": "Date", "gross": "Gross", "description": "Description"})
    import_statement(ada.scope, statement("2026-01-05,10,2,8,Tip from Ann,"), "a.csv", Choices(mapping=mapping))
    assert counts(ada.scope)[table.__tablename__] == 1
    assert counts(bob.scope)[table.__tablename__] == 0


def test_a_neighbours_import_answers_as_one_that_never_was(ada: Made, bob: Made) -> None:
    content = statement("2026-01-05,10,2,8,Tip from Ann,")
    made = import_statement(ada.scope, content, "a.csv")
    answers = [_answer(bob.scope, made.import_id), _answer(bob.scope, uuid4())]
    assert answers[0] == answers[1]
    assert the_totals(ada.scope).net == 800
    assert preview(bob.scope, content).new == 1, "what a neighbour imported is new to others"
    assert preview(bob.scope, content).same_file_at is None


def _answer(scope: Scope, import_id: UUID) -> tuple[str, str]:
    with pytest.raises(NotFound) as refused:
        undo_import(scope, import_id)
    return refused.value.code, str(refused.value)


def test_the_same_fan_and_payment_may_be_in_two_workspaces(ada: Made, bob: Made) -> None:
    content = statement("2026-01-05,10,2,8,Tip from Ann,")
    for made in (ada, bob):
        assert import_statement(made.scope, content, "a.csv").new == 1
    assert the_totals(bob.scope).transactions == 1


def test_a_removed_workspace_takes_its_ledger_along(make_creator: Callable[..., Made]) -> None:
    from sqlalchemy import delete

    from core.workspaces.models import Workspace

    made = make_creator("Cy")
    import_statement(made.scope, statement_csv(1, 200, date(2026, 1, 1), date(2026, 2, 1)), "a.csv")
    with transaction(made.scope) as session:
        session.execute(delete(Workspace).where(Workspace.id == made.workspace_id))
    assert set(counts(made.scope).values()) == {0}


def test_the_digest_of_the_file_is_kept(scope: Scope) -> None:
    content = statement("2026-01-05,10,2,8,a,")
    import_statement(scope, content, "a.csv")
    with transaction(scope) as session:
        assert session.scalar(select(Import.sha256)) == hashlib.sha256(content).digest()
