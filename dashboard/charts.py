"""Frames in, figures out. Nothing here asks, draws on a page or knows a language: words come in.

Colours, fonts and the background are Streamlit's own for the viewer's theme, light or dark. A figure is made in one
piece: each later `update_…` of Plotly costs more than all of its making.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from html import escape
from itertools import accumulate
from typing import Any

import pandas as pd
from babel.numbers import get_currency_precision
from plotly.graph_objects import Figure

_HEIGHT = 320
_ROW = 30
_LONGEST_NAME = 24
_TICKS = ",~f"
"""Grouped, and without decimals where there are none."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a figure speaks: its currency, the reader's decimal mark and grouping sign, and a d3 format of days."""

    currency: str
    separators: str
    day: str

    @classmethod
    def of(cls, currency: str, language: str) -> "Style":
        return cls(currency, ",\u202f", "%d/%m/%Y") if language == "fr" else cls(currency, ".,", "%b %-d, %Y")

    @property
    def month(self) -> str:
        """A d3 format of months, in the same language as that of days."""
        return "%m/%Y" if self.day.startswith("%d") else "%b %Y"

    @property
    def amount(self) -> str:
        """A d3 number format with the decimals of the currency."""
        return f",.{get_currency_precision(self.currency)}f"

    def hover(self, what: str, axis: str) -> str:
        return f"{what}<br>%{{{axis}:{self.amount}}} {self.currency}<extra></extra>"

    def heights(self, minor: Sequence[int | None]) -> list[float | None]:
        """Minor units as lengths of a drawing; an unknown amount draws nothing."""
        scale = 10 ** get_currency_precision(self.currency)
        return [None if value is None else value / scale for value in minor]


def by_day(days: pd.DataFrame, measure: str, names: Mapping[str, str], style: Style, *, axis: str) -> Figure:
    """Stacked bars, one a day and platform, from `queries.revenue_by_day`; `names` are the platforms' names."""
    rows: dict[str, tuple[list[str], list[int | None]]] = defaultdict(lambda: ([], []))
    for day, platform, value in zip(days["day"], days["platform"], _known(days[measure]), strict=True):
        rows[platform][0].append(day.isoformat())
        rows[platform][1].append(value)
    hover = style.hover(f"%{{x|{style.day}}}", "y")
    bars = [
        {"type": "bar", "x": when, "y": style.heights(minor), "name": names.get(name, name), "hovertemplate": hover}
        for name, (when, minor) in sorted(rows.items())
    ]
    more = {"barmode": "relative", "showlegend": len(bars) > 1, "bargap": 0.15}
    return _figure(bars, style, **more, **_over_time(style, axis))


def running_sum(days: pd.DataFrame, measure: str, first: date, last: date, style: Style, *, axis: str) -> Figure:
    """What had come together by each day from `first` to `last`. From a day with an unknown amount on, nothing."""
    daily: dict[date, int | None] = {}
    for day, value in zip(days["day"], _known(days[measure]), strict=True):
        daily[day] = _plus(daily.get(day, 0), value)
    every = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    sums = list(accumulate((daily.get(day, 0) for day in every), _plus))
    line = {
        "type": "scatter",
        "mode": "lines",
        "fill": "tozeroy",
        "x": [day.isoformat() for day in every],
        "y": style.heights(sums),
        "hovertemplate": style.hover(f"%{{x|{style.day}}}", "y"),
    }
    return _figure([line], style, **_over_time(style, axis))


def ranking(names: Sequence[str], minor: pd.Series, style: Style, *, axis: str) -> Figure:
    """One bar a name, the first on top. Equal names stay apart; Plotly would read a name of tags as markup."""
    places, names = list(range(len(names))), [escape(name, quote=False) for name in map(_shortened, names)]
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": style.heights(_known(minor)),
        "y": places,
        "customdata": names,
        "hovertemplate": style.hover("%{customdata}", "x"),
    }
    return _figure(
        [bar],
        style,
        height=max(_HEIGHT, _ROW * len(names)),
        xaxis={"title": {"text": axis}, "tickformat": _TICKS, "nticks": 5},
        yaxis={"autorange": "reversed", "tickvals": places, "ticktext": names, "showgrid": False},
    )


def steps(points: Sequence[tuple[date, int]], style: Style, *, axis: str) -> Figure:
    """What stays as it is until it changes: each day on which it did, with the minor units since."""
    line = {
        "type": "scatter",
        "mode": "lines",
        "line": {"shape": "hv"},
        "fill": "tozeroy",
        "x": [day.isoformat() for day, _ in points],
        "y": style.heights([minor for _, minor in points]),
        "hovertemplate": style.hover(f"%{{x|{style.day}}}", "y"),
    }
    return _figure([line], style, **_over_time(style, axis))


def by_month(months: Sequence[date], parts: Mapping[str, Sequence[int]], style: Style, *, axis: str) -> Figure:
    """Stacked bars, one a month: minor units of each named part, what is lost below the line."""
    when = [first.isoformat() for first in months]
    bars = [
        {
            "type": "bar",
            "x": when,
            "xperiod": "M1",
            "y": style.heights(minor),
            "name": name,
            "hovertemplate": style.hover(f"{name}, %{{x|{style.month}}}", "y"),
        }
        for name, minor in parts.items()
        if any(minor)
    ]
    over_time = _over_time(style, axis)
    over_time["xaxis"] |= {"tickformat": style.month, "ticklabelmode": "period", "nticks": 12}
    legend = {"showlegend": True, "legend": {"orientation": "h", "y": -0.2}}
    return _figure(bars, style, barmode="relative", bargap=0.15, **legend, **over_time)


def spent_by_day(daily: Sequence[tuple[date, str, Decimal]], style: Style, *, axis: str) -> Figure:
    """Stacked bars, one a day and model, of amounts too small for the currency's own decimals."""
    rows: dict[str, tuple[list[str], list[float]]] = defaultdict(lambda: ([], []))
    for when, model, cost in daily:
        rows[model][0].append(when.isoformat())
        rows[model][1].append(float(cost))
    bars = [
        {
            "type": "bar",
            "x": days,
            "y": costs,
            "name": escape(_shortened(model), quote=False),
            "hovertemplate": f"{escape(model, quote=False)}<br>%{{x|{style.day}}}<br>%{{y:,.6~f}} {style.currency}"
            "<extra></extra>",
        }
        for model, (days, costs) in sorted(rows.items())
    ]
    over_time = _over_time(style, axis)
    over_time["yaxis"]["tickformat"] = ",.6~f"
    legend = {"showlegend": True, "legend": {"orientation": "h", "y": -0.2}}
    return _figure(bars, style, barmode="relative", bargap=0.15, **legend, **over_time)


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _figure(traces: Sequence[Mapping[str, Any]], style: Style, **layout: Any) -> Figure:
    usual = {
        "height": _HEIGHT,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "separators": style.separators,
        "showlegend": False,
    }
    return Figure({"data": traces, "layout": {**usual, **layout}})


def _over_time(style: Style, axis: str) -> dict[str, Any]:
    return {
        "xaxis": {"type": "date", "tickformat": style.day, "nticks": 6, "showgrid": False},
        "yaxis": {"title": {"text": axis}, "tickformat": _TICKS},
    }


def _known(column: pd.Series) -> list[int | None]:
    return [None if value is pd.NA else int(value) for value in column.tolist()]


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
