"""Figures drawn from frames: every amount where it belongs, and nothing where an amount is unknown."""

from datetime import date

import pandas as pd
import pytest

from dashboard import charts
from dashboard.charts import Style

DOLLARS = Style.of("USD", "en")


def frame(*rows: tuple[date, str, int | None]) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=["day", "platform", "net_minor"])
    return made.astype({"net_minor": "Int64"})


def test_days_are_stacked_by_platform() -> None:
    days = frame((date(2026, 1, 1), "onlyfans", 1050), (date(2026, 1, 1), "fansly", 200), (date(2026, 1, 2), "x", None))
    drawn = charts.by_day(days, "net_minor", {"fansly": "Fansly"}, DOLLARS, axis="Net")
    assert [(bar.name, bar.x, bar.y) for bar in drawn.data] == [
        ("Fansly", ("2026-01-01",), (2.0,)),
        ("onlyfans", ("2026-01-01",), (10.5,)),
        ("x", ("2026-01-02",), (None,)),
    ]
    assert drawn.layout.showlegend is True
    assert drawn.layout.yaxis.title.text == "Net"


def test_one_platform_needs_no_legend() -> None:
    assert (
        charts.by_day(frame((date(2026, 1, 1), "x", 1)), "net_minor", {}, DOLLARS, axis="").layout.showlegend is False
    )


def test_a_running_sum_has_every_day_and_ends_at_the_total() -> None:
    days = frame((date(2026, 1, 2), "x", 100), (date(2026, 1, 2), "y", 50), (date(2026, 1, 4), "x", -20))
    drawn = charts.running_sum(days, "net_minor", date(2026, 1, 1), date(2026, 1, 5), DOLLARS, axis="")
    assert drawn.data[0].x == tuple(f"2026-01-0{day}" for day in range(1, 6))
    assert drawn.data[0].y == (0.0, 1.5, 1.5, 1.3, 1.3)


def test_a_running_sum_stops_where_an_amount_is_unknown() -> None:
    days = frame((date(2026, 1, 1), "x", 100), (date(2026, 1, 2), "x", None), (date(2026, 1, 3), "x", 100))
    drawn = charts.running_sum(days, "net_minor", date(2026, 1, 1), date(2026, 1, 3), DOLLARS, axis="")
    assert drawn.data[0].y == (1.0, None, None)


def test_a_ranking_keeps_equal_names_apart_and_markup_as_text() -> None:
    names = ["Ann", "Ann", "<b>Bob</b>", "x" * 40]
    drawn = charts.ranking(names, pd.Series([300, 200, 100, None], dtype="Int64"), DOLLARS, axis="Net")
    assert drawn.data[0].y == (0, 1, 2, 3)
    assert drawn.data[0].x == (3.0, 2.0, 1.0, None)
    assert drawn.layout.yaxis.ticktext == ("Ann", "Ann", "&lt;b&gt;Bob&lt;/b&gt;", "x" * 23 + "…")


@pytest.mark.parametrize(
    ("currency", "language", "amount", "height"),
    [("USD", "en", ",.2f", 12.34), ("JPY", "fr", ",.0f", 1234), ("KWD", "en", ",.3f", 1.234)],
)
def test_amounts_have_the_decimals_of_their_currency(currency: str, language: str, amount: str, height: float) -> None:
    style = Style.of(currency, language)
    assert style.amount == amount
    assert style.heights([1234]) == [height]
    assert style.separators == (",\u202f" if language == "fr" else ".,")


def test_steps_hold_until_the_next_change() -> None:
    drawn = charts.steps([(date(2026, 1, 1), 0), (date(2026, 1, 9), 2950)], DOLLARS, axis="MRR")
    (line,) = drawn.data
    assert (line.x, line.y, line.line.shape) == (("2026-01-01", "2026-01-09"), (0.0, 29.5), "hv")


def test_months_are_stacked_with_losses_below_the_line() -> None:
    months = [date(2026, 1, 1), date(2026, 2, 1)]
    drawn = charts.by_month(months, {"New": [2900, 0], "Churned": [0, -1050], "Other": [0, 0]}, DOLLARS, axis="USD")
    assert [(bar.name, bar.x, bar.y) for bar in drawn.data] == [
        ("New", ("2026-01-01", "2026-02-01"), (29.0, 0.0)),
        ("Churned", ("2026-01-01", "2026-02-01"), (0.0, -10.5)),
    ]
    assert (drawn.layout.barmode, drawn.layout.xaxis.tickformat) == ("relative", "%b %Y")
    french = charts.by_month(months, {"Nouveau": [1, 0]}, Style.of("EUR", "fr"), axis="EUR")
    assert french.layout.xaxis.tickformat == "%m/%Y"
