"""Whole files: layouts, mapping, accounting of rows, and how a line is known again."""

import csv
import io
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest

from core.earnings.columns import ColumnMapping
from core.earnings.rows import Line, Problem
from core.earnings.sample import statement_csv
from core.earnings.statement import Statement, read_statement
from core.errors import BadInput

HEADER = "Date,Gross,Fee,Net,Description"
TIP = '2026-01-05 10:00,$10.00,$2.00,$8.00,"Tip from <a href=""https://onlyfans.com/ann"">Ann</a>"'


def read(*rows: str, header: str = HEADER, **options: object) -> Statement:
    return read_statement("\n".join((header, *rows)).encode(), **options)  # type: ignore[arg-type]


def accounted(statement: Statement) -> bool:
    return len(statement.lines) + statement.rejected_rows + statement.blank_rows == statement.rows


def amounts(line: Line) -> tuple[int | None, ...]:
    return (line.gross, line.fee, line.net, line.stated_net)


def codes(statement: Statement) -> list[tuple[int, str, str]]:
    return [(problem.row, problem.column, problem.code) for problem in statement.problems]


def shuffled(content: bytes, seed: int) -> bytes:
    head, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    random.Random(seed).shuffle(rows)
    written = io.StringIO()
    csv.writer(written).writerows([head, *rows])
    return written.getvalue().encode()


def names(lines: Sequence[Line]) -> set[str]:
    return {line.fingerprint for line in lines}


def test_the_statement_page_as_a_file() -> None:
    statement = read(TIP, '"Jan 6, 2026","$1,234.50",$246.90,$987.60,Payment for message from Bob')
    first, second = statement.lines
    assert (first.row, first.occurred_at, first.day) == (2, datetime(2026, 1, 5, 10, tzinfo=UTC), None)
    assert amounts(first) == (1000, 200, 800, None)
    assert (first.kind, first.status, first.currency, first.description) == ("tip", "done", "USD", "Tip from Ann")
    assert first.fan is not None
    assert first.fan.handle == "ann"
    assert amounts(second) == (123450, 24690, 98760, None)
    assert (second.kind, second.day) == ("message", date(2026, 1, 6))
    assert statement.problems == ()
    assert accounted(statement)


def test_the_typed_export() -> None:
    statement = read(
        "2026-01-05,Tip,5.00,USD,Thanks,77,\n2026-01-05,Post,7.00,eur,,78,p1\n2026-01-06,Refund,5.00,USD,,77,",
        header="Date, Type, Amount, Currency, Description, User ID, Post ID",
    )
    tip, post, refund = statement.lines
    assert amounts(tip) == (500, None, None, None), "an amount alone is the gross, and no fee is made up"
    assert tip.fan is not None
    assert tip.fan.identity == "id:77"
    assert (post.kind, post.currency, post.post_id) == ("post", "EUR", "p1")
    assert (refund.kind, refund.gross) == ("refund", -500), "a refund counts against earnings, however it is written"


def test_french_headers_numbers_and_separators() -> None:
    statement = read(
        "05/01/2026;1 234,50 €;246,90 €;987,60 €;Tip from Ann",
        "31/01/2026;10,00 €;2,00 €;8,00 €;Tip from Ann",
        header="Date;Montant brut;Frais;Montant net;Libellé",
    )
    assert [amounts(line)[:3] for line in statement.lines] == [(123450, 24690, 98760), (1000, 200, 800)]
    assert [line.day for line in statement.lines] == [date(2026, 1, 5), date(2026, 1, 31)]
    assert {line.currency for line in statement.lines} == {"EUR"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_usual_way_to_save_a_file(encoding: str, end: str, delimiter: str) -> None:
    rows = [HEADER.split(","), ["2026-01-05", "10", "2", "8", "Tip from Zoé"]]
    text = end.join(delimiter.join(row) for row in rows) + end
    statement = read_statement(text.encode(encoding))
    assert [line.description for line in statement.lines] == ["Tip from Zoé"]


def test_a_sep_line_names_the_delimiter_and_is_no_row() -> None:
    statement = read("2026-01-05|10|2|8|a, b; c", header="sep=|\nDate|Gross|Fee|Net|Description")
    assert statement.lines[0].description == "a, b; c"
    assert (statement.delimiter, statement.lines[0].row) == ("|", 2)


def test_bad_rows_are_listed_with_their_numbers_and_nothing_is_lost() -> None:
    statement = read(
        TIP,
        "yesterday,10,2,8,Tip from Ann",
        "2026-01-05,ten,2,8,Tip from Ann",
        "",
        '2026-01-05,"=HYPERLINK(""x"",""10"")",2,8,Tip from Ann',
        "2026-01-05,10,2",
        "2026-01-05,10,2,8,Tip from Ann, and more",
        "2026-01-05,,,,Tip from Ann",
        '2026-01-05,10,2,8,"Tip from Ann',
        "2026-01-05,10.001,2,8,Tip from Ann",
        "2026-01-05,€10,$2,8,Tip from Ann",
        TIP,
    )
    assert codes(statement) == [
        (3, "Date", "problem_date"),
        (4, "Gross", "problem_amount"),
        (6, "Gross", "problem_formula"),
        (7, "", "problem_ragged"),
        (8, "", "problem_ragged"),
        (9, "Gross", "problem_no_amount"),
        (10, "", "problem_quotes"),
        (11, "Gross", "problem_too_precise"),
        (12, "", "problem_currency_conflict"),
    ]
    assert [line.row for line in statement.lines] == [2, 13]
    assert (statement.rows, statement.rejected_rows, statement.blank_rows) == (12, 9, 1)
    assert statement.problems[1].raw == "ten"
    assert {problem.sentence("fr") != problem.sentence("en") for problem in statement.problems} == {True}


def test_an_open_quotation_mark_swallows_no_payment() -> None:
    quoted = [f'"2026-01-0{day}","1{day}","2","{8 + day}","Tip from Ann"' for day in range(1, 6)]
    quoted[1] = quoted[1][:-1]
    statement = read(*quoted)
    assert [line.gross for line in statement.lines] == [1100, 1300, 1400, 1500]
    assert codes(statement) == [(3, "", "problem_quotes")]


def test_stray_quotation_marks_are_text_and_true_line_breaks_are_kept_in_the_cell() -> None:
    statement = read(
        '2026-01-05,10,2,8,"Tip from <a href="https://onlyfans.com/ann">Ann</a>"',
        '2026-01-05,10,2,8,"Tip from\nAnn"',
        TIP,
    )
    assert [line.description for line in statement.lines] == ["Tip from Ann"] * 3
    assert [line.fan.handle for line in statement.lines if line.fan] == ["ann", None, "ann"]
    assert [line.row for line in statement.lines] == [2, 3, 4]


def test_two_of_gross_fee_and_net_give_the_third() -> None:
    statement = read("2026-01-05,10,2,,a", "2026-01-05,10,,8,a", "2026-01-05,,2,8,a", "2026-01-05,,,8,a")
    assert [amounts(line) for line in statement.lines] == [(1000, 200, 800, None)] * 3 + [(None, None, 800, None)]


def test_a_fee_is_a_cut_with_whatever_sign_it_is_written() -> None:
    statement = read("2026-01-05,10,-2,8,a", "2026-01-05,-10,2,-8,a", "2026-01-05,-10,-2,-8,a")
    assert [amounts(line)[:3] for line in statement.lines] == [(1000, 200, 800), *[(-1000, -200, -800)] * 2]
    assert statement.problems == ()


def test_a_net_that_does_not_add_up_is_kept_and_said() -> None:
    statement = read("2026-01-05,10,2,9,Tip from Ann")
    assert amounts(statement.lines[0]) == (1000, 200, 800, 900)
    assert [(problem.code, problem.kept) for problem in statement.problems] == [("problem_fee_check", True)]
    assert statement.rejected_rows == 0


def test_a_formula_in_a_description_is_only_text() -> None:
    statement = read('2026-01-05,10,2,8,"=HYPERLINK(""http://x"")"')
    assert statement.lines[0].description == '=HYPERLINK("http://x")'


def test_unknown_types_are_counted_and_shown() -> None:
    statement = read(*["2026-01-05,10,2,8,Bonus from Ann"] * 2, "2026-01-05,10,2,8,")
    assert statement.unknown_types == {"Bonus": 2, "": 1}
    assert [line.kind for line in statement.lines] == ["unknown"] * 3


def test_statuses_say_what_is_pending_and_what_went_back() -> None:
    rows = [f"2026-01-05,10,2,8,Tip from Ann,{status}" for status in ("done", "loading", "undo", "Pending Return", "?")]
    statement = read(*rows, header=f"{HEADER},Status")
    assert [line.status for line in statement.lines] == ["done", "loading", "undo", "pending_return"]
    assert codes(statement) == [(6, "Status", "problem_status")]


def test_ambiguous_dates_are_asked_about_and_settled_by_the_mapping() -> None:
    rows = ["01/02/2026,10,2,8,a", "03/02/2026,10,2,8,a"]
    asked = read(*rows)
    assert (asked.lines, asked.asks, asked.rejected_rows) == ((), ("day_first",), 2)
    mapping = ColumnMapping(asked.mapping.columns, day_first=True)
    assert [line.day for line in read(*rows, mapping=mapping).lines] == [date(2026, 2, 1), date(2026, 2, 3)]


def test_ambiguous_amounts_are_asked_about_and_settled_by_the_file_or_the_mapping() -> None:
    assert read('2026-01-05,"1,234",,,a').asks == ("decimal_mark",)
    told = read('2026-01-05,"1,234",,,a', "2026-01-05,5.50,,,a")
    assert [line.gross for line in told.lines] == [123400, 550]
    mapping = ColumnMapping({"date": "Date", "gross": "Gross"}, decimal_mark=".")
    assert read('2026-01-05,"1,234",,,a', mapping=mapping).lines[0].gross == 123400


def test_a_person_corrects_the_mapping() -> None:
    rows, header = ["2026-01-05,10,8,Tip from Ann"], "When,What fans paid,Mine,Description"
    unread = read(*rows, header=header)
    assert (unread.missing, unread.lines, unread.rows) == (("date", "gross"), (), 1)
    mapping = ColumnMapping({"date": "When", "gross": "What fans paid", "net": "Mine", "description": "Description"})
    assert amounts(read(*rows, header=header, mapping=mapping).lines[0]) == (1000, 200, 800, None)
    assert ColumnMapping.from_json(mapping.to_json()) == mapping


def test_a_mapping_that_names_another_files_column_leaves_that_field_out() -> None:
    statement = read(TIP, mapping=ColumnMapping({"date": "Date", "gross": "Gross", "fee": "Cut"}))
    assert amounts(statement.lines[0])[:2] == (1000, None)


def test_one_column_is_not_two_things() -> None:
    with pytest.raises(BadInput) as refused:
        read(TIP, mapping=ColumnMapping({"date": "Date", "gross": "Gross", "net": "Gross"}))
    assert (refused.value.code, refused.value.facts) == ("earnings.column_used_twice", {"column": "Gross"})


def test_the_currency_is_the_rows_then_the_headers_then_the_callers() -> None:
    header = HEADER.replace("Gross", "Gross (EUR)")
    assert read("2026-01-05,10,2,8,a", header=header).lines[0].currency == "EUR"
    assert read("2026-01-05,£10,2,8,a", header=header).lines[0].currency == "GBP"
    assert read("2026-01-05,10,2,8,a", currency="CAD").lines[0].currency == "CAD"
    assert read("2026-01-05,$10,2,8,a", currency="CAD").lines[0].currency == "CAD"
    assert read("2026-01-05,$10,2,8,a", currency="EUR").lines[0].currency == "USD"


def test_repeated_and_empty_header_names_stay_apart() -> None:
    statement = read("2026-01-05,1,2,3,4,5", header="Date,Amount,Amount,Amount (2),,Net")
    assert statement.header == ("Date", "Amount", "Amount (2)", "Amount (2) (2)", "#5", "Net")


def test_the_signature_of_a_header_does_not_depend_on_order_or_case() -> None:
    assert read(TIP).signature == read("a,8,2,10,2026-01-05", header="description,NET,Fee,gross,Date").signature
    assert read(TIP).signature != read(f"{TIP},done", header=f"{HEADER},Status").signature


def test_equal_lines_are_different_payments_and_are_known_again() -> None:
    once, again = read(TIP, TIP, TIP), read(TIP, TIP)
    assert len(names(once.lines)) == 3
    assert names(again.lines) < names(once.lines)


def test_a_line_is_known_again_by_what_it_says_not_by_how_it_is_written() -> None:
    other = read("Tip from Ann;8,00;2,00;10,00 $US;5 janv. 2026 10:00", header="Description;Net;Fee;Gross;Date")
    assert names(read(TIP).lines) == names(other.lines)
    assert names(read(TIP, platform="fansly").lines) != names(other.lines)


def test_a_change_of_status_keeps_the_name_of_a_line() -> None:
    before, after = (read(f"{TIP},{status}", header=f"{HEADER},Status") for status in ("loading", "done"))
    assert names(before.lines) == names(after.lines)


def test_a_provider_id_names_a_line_whatever_else_changes() -> None:
    header = f"Transaction ID,{HEADER}"
    before, after = read(f"t1,{TIP}", header=header), read("t1,2026-01-05,9,1,8,Tip from Ann", header=header)
    assert names(before.lines) == names(after.lines)
    twice = read(f"t1,{TIP}", f"t1,{TIP}", f"t2,{TIP}", header=header)
    assert codes(twice) == [(3, "Transaction ID", "problem_repeated_id")]
    assert len(names(twice.lines)) == 2


def test_ten_thousand_rows_re_sorted_and_extended() -> None:
    content = statement_csv(7, 10_000, date(2025, 11, 1), date(2026, 10, 31))
    extra = statement_csv(8, 50, date(2026, 11, 1), date(2026, 11, 20)).split(b"\r\n", 1)[1]
    first, second = read_statement(content), read_statement(shuffled(content + extra, seed=3))
    assert (len(first.lines), first.problems) == (10_000, ())
    assert len(names(first.lines)) == 10_000
    assert names(first.lines) < names(second.lines)
    assert len(second.lines) == 10_050


def test_the_sample_is_the_same_for_the_same_seed_and_looks_like_a_statement() -> None:
    sample = statement_csv(1, 2000, date(2026, 1, 1), date(2026, 3, 31))
    assert sample == statement_csv(1, 2000, date(2026, 1, 1), date(2026, 3, 31))
    assert sample != statement_csv(2, 2000, date(2026, 1, 1), date(2026, 3, 31))
    assert b'"$1,234.50"' in sample
    lines = read_statement(sample).lines
    assert {line.occurred_at.month for line in lines} == {1, 2, 3}
    assert all(line.fee == (line.gross or 0) * 20 // 100 + ((line.gross or 0) * 20 % 100 >= 50) for line in lines)
    assert "unknown" not in {line.kind for line in lines}


def test_the_sample_can_show_every_status() -> None:
    sample = statement_csv(1, 3000, date(2026, 1, 1), date(2026, 3, 31), with_status=True)
    lines = read_statement(sample).lines
    assert {line.status for line in lines} == {"done", "loading", "undo", "pending_return"}
    assert {line.occurred_at.date() >= date(2026, 3, 25) for line in lines if line.status == "loading"} == {True}


def test_a_flood_of_problems_is_counted_in_full_and_kept_in_part() -> None:
    statement = read_statement(b"Date,Gross\n" + b"x,1\n" * 25_000)
    assert (statement.rejected_rows, len(statement.problems)) == (25_000, 20_000)


def test_problems_are_sentences() -> None:
    problem = Problem(3, "Gross", "problem_ragged", {"cells": 4, "expected": 5}, "x")
    assert "4" in problem.sentence("en")
    assert "5" in problem.sentence("fr")
