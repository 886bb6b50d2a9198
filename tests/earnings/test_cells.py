"""One cell at a time: amounts, dates, kinds, fans."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from core.earnings.amounts import Amount, Unreadable, amount, decimal_mark_of, is_nothing
from core.earnings.dates import Moment, day_first_of, moment
from core.earnings.kinds import Fan, fan_of, kind_of, said, status_of


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("1234.5", "1234.5", None),
        ("1,234.50", "1234.50", None),
        ("$1,234.50", "1234.50", "$"),
        ("$ 12", "12", "$"),
        ("US$12.00", "12.00", "USD"),
        ("12.00 USD", "12.00", "USD"),
        ("$12.00 USD", "12.00", "USD"),
        ("CA$12.00", "12.00", "CAD"),
        ("1 234,50 €", "1234.50", "EUR"),
        ("1\u00a0234,50\u00a0€", "1234.50", "EUR"),
        ("1\u202f234,50 $US", "1234.50", "USD"),
        ("1.234,50", "1234.50", None),
        ("1'234.50", "1234.50", None),
        ("1,234,567", "1234567", None),
        ("12,50", "12.50", None),
        ("0,125", "0.125", None),
        (".5", "0.5", None),
        ("(12.00)", "-12.00", None),
        ("($12.00)", "-12.00", "$"),
        ("-$12.00", "-12.00", "$"),
        ("$-12.00", "-12.00", "$"),
        ("\u221212.00", "-12.00", None),
        ("–12.00", "-12.00", None),
        ("12.00-", "-12.00", None),
        ("+12.00", "12.00", None),
        ("'-12.00", "-12.00", None),
        ("0", "0", None),
    ],
)
def test_an_amount_is_read_exactly(text: str, value: str, currency: str | None) -> None:
    assert amount(text, None) == Amount(Decimal(value), currency)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1,234", "problem_amount_ambiguous"),
        ("$12.345", "problem_amount_ambiguous"),
        ('=HYPERLINK("x","9.99")', "problem_formula"),
        ("=1+1", "problem_formula"),
        ("@SUM(1)", "problem_formula"),
        ("twelve", "problem_amount"),
        ("1.2.3", "problem_amount"),
        ("12,34,56", "problem_amount"),
        ("(12.00", "problem_amount"),
        ("--5", "problem_amount"),
        ("-5-", "problem_amount"),
        ("1e3", "problem_amount"),
        ("nan", "problem_amount"),
        ("Infinity", "problem_amount"),
        ("١٢", "problem_amount"),
        ("9" * 41, "problem_amount"),
        ("1234567890123", "problem_amount_too_large"),
        ("12 XYZ", "problem_currency"),
        ("$12 EUR", "problem_currency"),
        ("£12 USD", "problem_currency"),
    ],
)
def test_what_is_no_certain_amount_is_refused(text: str, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        amount(text, None)
    assert refused.value.code == code


def test_the_decimal_mark_settles_what_has_two_readings() -> None:
    assert amount("1,234", ".").value == 1234
    assert amount("1,234", ",").value == Decimal("1.234")
    assert amount("12,50", ".").value == Decimal("12.50"), "only one reading: the mark does not forbid it"


def test_a_column_tells_its_decimal_mark_only_when_its_cells_agree() -> None:
    assert decimal_mark_of(["1,234", "$5.50", "x"]) == "."
    assert decimal_mark_of(["1,234", "5,50 €"]) == ","
    assert decimal_mark_of(["1,234", "12"]) is None
    assert decimal_mark_of(["5,50", "5.50"]) is None


def test_a_lone_dash_is_no_value() -> None:
    assert [is_nothing(text) for text in ("", " ", "-", "—", "\u00a0", "0", "x")] == [True] * 5 + [False] * 2


AT = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T14:30:00Z",
        "2026-01-05 14:30",
        "2026-01-05 14:30:00.000 UTC",
        "2026-01-05T15:30:00+01:00",
        "2026/01/05 14:30",
        "Jan 5, 2026 2:30 pm",
        "Jan 5, 2026, 2:30 PM",
        "January 5 2026 14:30",
        "Jan. 5, 2026 at 2:30 p.m.",
        "5 Jan 2026 14:30",
        "5 janvier 2026 14h30",
        "5 janvier 2026 à 14:30",
        "05.01.2026 14:30",
    ],
)
def test_an_instant_is_read_in_utc(text: str) -> None:
    assert moment(text, None) == Moment(AT, None)


@pytest.mark.parametrize(
    "text", ["2026-01-05", "Jan 5, 2026", "5 janv. 2026", "05.01.2026", "Jan 5th, 2026", "5-Jan-2026"]
)
def test_a_date_without_a_time_stays_that_day(text: str) -> None:
    assert moment(text, None) == Moment(datetime(2026, 1, 5, tzinfo=UTC), date(2026, 1, 5))


@pytest.mark.parametrize(
    ("text", "day_first", "day"),
    [
        ("01/05/2026", True, date(2026, 5, 1)),
        ("01/05/2026", False, date(2026, 1, 5)),
        ("13/05/2026", None, date(2026, 5, 13)),
        ("05/13/2026", True, date(2026, 5, 13)),
        ("05/05/2026", None, date(2026, 5, 5)),
        ("2/29/2024", False, date(2024, 2, 29)),
    ],
)
def test_numbers_are_a_date_once_the_order_is_known(text: str, day_first: bool | None, day: date) -> None:
    assert moment(text, day_first).day == day


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("01/05/2026", "problem_date_ambiguous"),
        ("01/05/2026 14:30", "problem_date_ambiguous"),
        ("2026-02-30", "problem_date"),
        ("2025-02-29", "problem_date"),
        ("2026-13-01", "problem_date"),
        ("2026-01-05 25:00", "problem_date"),
        ("2026-01-05 13:00 pm", "problem_date"),
        ("2026-01-05 14", "problem_date"),
        ("2026-01-05 12:00 +99:99", "problem_date"),
        ("Foo 5, 2026", "problem_date"),
        ("Jan 5", "problem_date"),
        ("Total", "problem_date"),
        ("", "problem_date"),
        ("2026-01-05x", "problem_date"),
        ("0026-01-05", "problem_date_range"),
        ("2199-01-05", "problem_date_range"),
    ],
)
def test_what_is_no_certain_date_is_refused(text: str, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        moment(text, None)
    assert refused.value.code == code


def test_a_column_tells_its_order_only_when_its_cells_agree() -> None:
    assert day_first_of(["01/05/2026", "13/05/2026"]) is True
    assert day_first_of(["01/05/2026", "05/13/2026 10:00"]) is False
    assert day_first_of(["01/05/2026", "02/05/2026", "2026-01-13"]) is None
    assert day_first_of(["13/05/2026", "05/13/2026"]) is None


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        ("Recurring subscription from Ann", "renewal"),
        ("Subscription from Ann", "subscription"),
        ("Tip in chat from Ann", "tip"),
        ("Tip from Ann", "tip"),
        ("Tip on post from Ann", "post_tip"),
        ("Tip on stream from Ann", "stream_tip"),
        ("Payment for message from Ann", "message"),
        ("Message from Ann", "message"),
        ("Post purchase by Ann", "post"),
        ("Post from Ann", "post"),
        ("Stream from Ann", "stream"),
        ("Custom request from Ann", "custom"),
        ("Custom from Ann", "custom"),
        ("Tip from", "tip"),
        ("Tipped by Ann", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_kind_is_how_the_description_begins(description: str, kind: str) -> None:
    assert kind_of("", description) == kind


def test_the_type_column_comes_before_the_description() -> None:
    assert kind_of("Chargeback", "Tip from Ann") == "chargeback"
    assert kind_of("Réabonnement", "") == "renewal"
    assert kind_of("Mystery", "Tip from Ann") == "tip"
    assert kind_of("Mystery", "Mystery") == "unknown"


@pytest.mark.parametrize(
    ("text", "status"),
    [("", "done"), ("Done", "done"), ("LOADING", "loading"), ("undo", "undo"), ("pending_return", "pending_return")],
)
def test_a_status_is_one_of_the_platforms(text: str, status: str) -> None:
    assert status_of(text) == status


def test_an_unknown_status_is_not_guessed() -> None:
    assert status_of("somewhere") is None


@pytest.mark.parametrize(
    ("html", "text", "link"),
    [
        (
            'Tip from <a href="https://onlyfans.com/ann">Ann &amp; co</a>',
            "Tip from Ann & co",
            "https://onlyfans.com/ann",
        ),
        ("Tip from Ann", "Tip from Ann", None),
        ("Tip&nbsp;from<br>Ann", "Tip from Ann", None),
        ("I <3 you", "I <3 you", None),
        ("<script>alert(1)</script>Tip from Ann", "Tip from Ann", None),
        ("<![foo Tip", "<![foo Tip", None),
        ("<![<![<![ Tip", "<![<![<![ Tip", None),
        ("Tip\x07 from \u202eAnn", "Tip from Ann", None),
    ],
)
def test_html_becomes_text(html: str, text: str, link: str | None) -> None:
    assert said(html) == (text, link)


def test_markup_bombs_stay_cheap_and_lose_no_text() -> None:
    assert "Tip" in said("<a " * 2000 + "Tip from Ann").text


@pytest.mark.parametrize(
    ("description", "fan_id", "fan_name", "fan"),
    [
        ('Tip from <a href="https://onlyfans.com/Ann_1">Ann</a>', "", "", Fan("@ann_1", "ann_1", "Ann")),
        ('Tip from <a href="/ann_1">Ann</a>', "", "", Fan("@ann_1", "ann_1", "Ann")),
        ('Tip from <a href="https://onlyfans.com/my/chats/7">Ann</a>', "", "", Fan("name:Ann", None, "Ann")),
        ('Tip from <a href="http://[">Ann</a>', "", "", Fan("name:Ann", None, "Ann")),
        ("Tip from Ann", "", "", Fan("name:Ann", None, "Ann")),
        ("Tip from Ann", "", "@Ann_1", Fan("@ann_1", "ann_1", "Ann")),
        ("Tip from Ann", "77", "", Fan("id:77", None, "Ann")),
        ("Something else", "", "", None),
        ("Something else", "", "Ann B", Fan("name:Ann B", None, "Ann B")),
    ],
)
def test_a_fan_is_known_by_the_best_that_the_row_gives(
    description: str, fan_id: str, fan_name: str, fan: Fan | None
) -> None:
    assert fan_of(said(description), fan_id, fan_name) == fan
