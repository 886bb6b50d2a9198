"""What is no statement gets one sentence, and nothing that anybody sends makes the reader fail."""

import gzip
import io
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.earnings.columns import FIELDS, SYNONYMS, ColumnMapping
from core.earnings.kinds import KINDS, STATUSES
from core.earnings.statement import Statement, read_statement
from core.earnings.table import MAX_BYTES, MAX_ROWS
from core.errors import BadInput, Refusal

HEADER = b"Date,Gross,Fee,Net,Description\n"
ROW = b"2026-01-05,10,2,8,Tip from Ann\n"


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("statement.csv", HEADER + ROW)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \r\n\r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (HEADER, "only_header"),
        (HEADER + b"\n , \n", "only_header"),
        (b"sep=,\n", "only_header"),
        (b"x" * (MAX_BYTES + 1), "too_big"),
        (HEADER + b"\n" * (MAX_ROWS + 1), "too_many_rows"),
        (zipped(), "packed"),
        (gzip.compress(HEADER + ROW), "packed"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "packed"),
        (b"%PDF-1.7\n", "not_text"),
        (b"\x89PNG\r\n\x1a\n", "not_text"),
        (HEADER + b"2026-01-05,10,2,8,Tip\x00 from Ann\n", "nul"),
        ((HEADER + ROW).decode().encode("utf-16-le"), "nul"),
        (b"\xff" + bytes(range(256)), "nul"),
        ((HEADER + ROW).decode().encode("utf-16") + b"\xd8", "wrong_encoding"),
        (HEADER + "2026-01-05,10,2,8,Zoé et Noël\n".encode() + b"\xe9\n", "wrong_encoding"),
        (HEADER + "2026-01-05,10,2,8,Аня\n".encode("cp1251") * 40, "wrong_encoding"),
        (HEADER + "2026-01-05,10,2,8,さくら\n".encode("shift-jis"), "wrong_encoding"),
        (b"a,b,c\n1,2,3\n", "no_known_columns"),
        (ROW + ROW, "no_known_columns"),
        (b"Date,Total Earnings,Tips,PPV,Subscriptions,Referrals,Currency\n2026-01-05,9,1,2,3,3,USD\n", "daily_totals"),
        (b"User ID,Username,Subscribed Date,Expiry Date,Price,Auto Renew,Lifetime\n1,a,b,c,d,e,f\n", "subscriber_list"),
        (
            b"Post ID,Created At,Type,Likes,Comments,Tips,PPV Revenue,Total Revenue,Media Count\n1,b,c,d,e,f,g,h,i\n",
            "post_list",
        ),
    ],
)
def test_what_is_no_statement_is_refused_with_a_sentence(content: bytes, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_statement(content)
    assert refused.value.code == f"earnings.{code}"
    for language in ("en", "fr"):
        assert len(refused.value.sentence(language)) > 30


def test_daily_totals_stay_refused_whatever_the_mapping_says() -> None:
    content = b"Date,Total Earnings,Tips,PPV,Subscriptions\n2026-01-05,9,1,2,3\n"
    with pytest.raises(BadInput, match="one total a day"):
        read_statement(content, mapping=ColumnMapping({"date": "Date", "gross": "Total Earnings"}))


@pytest.mark.parametrize("cell", [b"x" * 10**6, b'"' + b"x" * 10**6 + b'"', b'"' + b"x\n" * 10**5 + b'"'])
def test_an_endless_cell_costs_its_row_only(cell: bytes) -> None:
    statement = read_statement(HEADER + b"2026-01-05,10,2,8," + cell + b"\n" + ROW)
    assert statement.lines[-1].description == "Tip from Ann"
    assert [problem.row for problem in statement.problems][:1] == [2]
    assert accounted(statement)


def test_rows_built_to_re_read_each_other_are_still_read_in_passing() -> None:
    statement = read_statement(HEADER + b'"x\n' + b'a",b,"c\n' * 20_000)
    assert statement.rejected_rows == 20_001


def accounted(statement: Statement) -> bool:
    return bool(statement.missing) or (
        len(statement.lines) + statement.rejected_rows + statement.blank_rows == statement.rows
    )


formulas = ["=1+1", "@x", "+1", "-", "'=1"]
signs = ["\x00", '"', '""', ",", ";", "\n", "\r", "\ufeff", "\u202e"]
numbers = ["1,234", "1.234", "(5.00)", "−3", "$", "€9", "1e9", "nan", "9" * 30, "EUR", "XXX"]
dates = ["01/02/2026", "2026-01-05", "Jan 5, 2026 2:30 pm", "2026-01-05T10:00+99:00"]
words = ["x" * 3000, "<a href='http://['>", "<![", "&#0;", "undo", "Tip from Ann", "Refund", "Chargeback"]
nasty = st.sampled_from([*formulas, *signs, *numbers, *dates, *words])
cells = st.one_of(nasty, st.text(max_size=20), st.decimals(-(10**6), 10**6, places=2).map(str), st.dates().map(str))
headers = st.lists(
    st.one_of(st.sampled_from([name for names in SYNONYMS.values() for name in names]), st.text(max_size=8)),
    min_size=1,
    max_size=8,
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Something between a statement and noise: any header, cells, quoting, delimiter, line end and encoding."""
    delimiter, end = draw(st.sampled_from([",", ";", "\t"])), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    quote = draw(st.booleans())
    rows = [draw(headers), *draw(st.lists(st.lists(cells, max_size=9), max_size=12))]
    text = end.join(
        delimiter.join('"' + cell.replace('"', '""') + '"' if quote else cell for cell in row) for row in rows
    )
    encoded = text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])), "replace")
    return draw(st.sampled_from([encoded, encoded[: len(encoded) * 2 // 3], encoded + b"\xff\xfe"]))


def sound(statement: Statement, size: int) -> None:
    assert accounted(statement)
    assert len({line.fingerprint for line in statement.lines}) == len(statement.lines)
    assert statement.rows <= size
    for line in statement.lines:
        assert line.kind in KINDS
        assert line.status in STATUSES
        assert (line.fee is None) == (line.gross is None or line.net is None)
        assert line.gross is None or line.fee is None or line.net == line.gross - line.fee
        assert "\x00" not in line.description
        line.description.encode()
    for problem in statement.problems:
        assert problem.sentence("en")
        assert problem.sentence("fr")


def check(content: bytes, mapping: ColumnMapping | None = None) -> None:
    try:
        statement = read_statement(content, mapping=mapping)
    except Refusal as refusal:
        said = refusal.sentence("en"), refusal.sentence("fr")
    else:
        said = ("", "")
        sound(statement, len(content))
    assert bool(said[0]) == bool(said[1])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files())
def test_any_file_is_a_statement_or_a_refusal(content: bytes) -> None:
    check(content)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400), st.sampled_from([b"", HEADER]))
def test_any_bytes_are_a_statement_or_a_refusal(content: bytes, header: bytes) -> None:
    check(header + content)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files(), st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=5)), st.sampled_from([None, True, False]))
def test_any_mapping_is_a_statement_or_a_refusal(
    content: bytes, chosen: dict[str, str], day_first: bool | None
) -> None:
    check(content, ColumnMapping({"date": "Date", "gross": "amount", **chosen}, day_first, ","))
