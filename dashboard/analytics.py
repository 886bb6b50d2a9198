"""The figures of a creator: for which days, in which currency, what they add up to, and four ways to look at them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

import streamlit as st
from plotly.graph_objects import Figure

from core.access import Scope
from core.earnings.amounts import currencies
from core.earnings.kinds import KINDS
from core.earnings.queries import Totals
from core.earnings.service import PLATFORMS
from core.earnings.windows import FIRST_DAY, Window
from core.insights import analytics
from core.insights.analytics import Earnings, Standing
from core.insights.home import change
from dashboard import charts
from dashboard.charts import Style
from dashboard.components.address import choice, wish
from dashboard.components.figures import Measure, measures, nothing_yet
from dashboard.navigation import link
from dashboard.session import Viewer
from dashboard.viewing import language
from dashboard.words import day, moment, money, number, plain, t

VIEW = "view"
FIGURES, IMPORTS = "figures", "imports"
LOOK = "analytics_look"
"""Set to a view, it is the one shown at the next run."""
PERIODS = (7, 30, 90, 365)
CUSTOM = "custom"
USUAL = 30
NAMES = {"onlyfans": "OnlyFans", "fansly": "Fansly", "fanvue": "Fanvue"}
AMOUNTS = ("net", "gross", "fee", "refunds", "chargebacks", "pending")
_LOSSES = ("fee", "refunds", "chargebacks")


def platform_name(platform: str) -> str:
    """A platform's own name, which is the same in every language."""
    return NAMES.get(platform) or t("analytics.platform_other")


def chosen_view() -> str:
    """The figures, or what they come from."""
    if (wish := st.session_state.pop(LOOK, None)) is not None:
        st.session_state[VIEW] = wish
    return choice(
        t("analytics.view"),
        (FIGURES, IMPORTS),
        FIGURES,
        key=VIEW,
        name=lambda view: t(f"analytics.view_{view}"),
        label_visibility="collapsed",
    )


def _who(scope: Scope) -> tuple[str, ...]:
    return (str(scope.user_id), *sorted(map(str, scope.workspace_ids)))


# What decides whether a kept answer still holds is asked anew at each rerun, and is a part of the key.
@st.cache_data(ttl=900, max_entries=300, show_spinner=False, hash_funcs={Scope: _who})
def _earnings(
    scope: Scope, window: Window, today: date, currency: str, *, standing: Standing, time_zone: str
) -> Earnings:
    del standing, time_zone
    return analytics.earnings(scope, window, today, currency)


def figures(looking: Viewer, standing: Standing, today: date) -> None:
    """Everything below the import: the controls, the numbers with their meaning, and the charts."""
    _freshness(standing)
    window = _window(today)
    asked = wish("currency")
    currency = asked if asked in currencies() else looking.creator.currency
    zone = looking.creator.time_zone
    found = _earnings(looking.scope, window, today, currency, standing=standing, time_zone=zone)
    _currency(found, looking.creator.currency)
    _cut(window, standing)
    if found.now is None:
        nothing_yet(t("analytics.nothing_in_window"))
        return
    shown = window.since(standing.since)
    st.caption(t("analytics.window", first=day(shown.first), last=day(shown.last), zone=plain(zone)))
    _numbers(found, found.now)
    _pictures(found, found.now, shown)


def _freshness(standing: Standing) -> None:
    fresh = standing.freshness
    if fresh.last_import_at and fresh.last_transaction_at:
        imported, newest = moment(fresh.last_import_at), moment(fresh.last_transaction_at)
        st.caption(t("analytics.freshness", imported=plain(imported), newest=plain(newest)))


def _window(today: date) -> Window:
    """The chosen days. What the address says is checked by the widgets themselves."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        period = choice(
            t("analytics.period"), (*map(str, PERIODS), CUSTOM), str(USUAL), key="period", name=_period_name
        )
        if period != CUSTOM:
            return Window.ending(today, int(period))
        chosen = st.date_input(
            t("analytics.days"),
            value=(Window.ending(today, USUAL).first, today),
            min_value=FIRST_DAY,
            max_value=today,
            key="days",
            bind="query-params",
            format="DD/MM/YYYY" if language() == "fr" else "YYYY-MM-DD",
            width=280,
        )
    first, *rest = chosen or (today,)
    return Window(first, rest[-1] if rest else first)


def _period_name(period: str) -> str:
    return t("analytics.period_custom") if period == CUSTOM else t("analytics.last_days", count=int(period))


def _currency(found: Earnings, own: str) -> None:
    """Currencies are looked at one at a time, and never added."""
    if len(found.currencies) > 1:
        usual = own if own in found.currencies else found.currencies[0]
        choice(t("analytics.currency_shown"), found.currencies, usual, key="currency")


def _cut(window: Window, standing: Standing) -> None:
    if standing.since and window.first < standing.since:
        st.info(t("analytics.plan_shows_since", since=day(standing.since)), icon=":material/lock_clock:")
        link("billing", t("frame.see_plans"))


def _numbers(found: Earnings, now: Totals) -> None:
    measures([_measure(name, now, found.before) for name in AMOUNTS])


def _measure(name: str, now: Totals, before: Totals | None) -> Measure:
    minor: int | None = getattr(now, name)
    earlier: int | None = getattr(before, name) if before else None
    return Measure(
        t(f"analytics.{name}"),
        None if minor is None else money(minor, now.currency),
        t(f"analytics.define_{name}"),
        change=change(minor, earlier),
        against=t("analytics.against"),
        reason=t("analytics.unknown_amounts", count=now.gross_unknown + now.net_unknown),
        worse_when_up=name in _LOSSES,
    )


@dataclass(frozen=True, slots=True)
class _Picture:
    """A chart under its title. Where the net is not known, all of them show the gross."""

    title: str
    draw: Callable[[], Figure]


def _pictures(found: Earnings, now: Totals, shown: Window) -> None:
    amount: Literal["net", "gross"] = "gross" if now.net is None else "net"
    column, axis = f"{amount}_minor", f"{t(f'analytics.{amount}')} ({now.currency})"
    style = Style.of(now.currency, language())
    platforms = {name: platform_name(name) for name in PLATFORMS}
    kinds = {kind: t(f"analytics.kind_{kind}") for kind in KINDS}
    pictures = (
        _Picture("by_day", lambda: charts.by_day(found.days, column, platforms, style, axis=axis)),
        _Picture(
            "running_sum", lambda: charts.running_sum(found.days, column, shown.first, shown.last, style, axis=axis)
        ),
        _Picture(
            "by_kind",
            lambda: charts.ranking(
                [kinds[kind] for kind in found.kinds["kind"]], found.kinds[column], style, axis=axis
            ),
        ),
        _Picture("top_fans", lambda: charts.ranking(list(found.fans["fan"]), found.fans[column], style, axis=axis)),
    )
    for row in (pictures[:2], pictures[2:]):
        for place, picture in zip(st.columns(2), row, strict=True):
            with place:
                _drawn(picture, now, shown, amount)


def _drawn(picture: _Picture, now: Totals, shown: Window, amount: Literal["net", "gross"]) -> None:
    title = t(f"analytics.{picture.title}", amount=t(f"analytics.{amount}"))
    total: int | None = getattr(now, amount)
    st.subheader(title)
    st.plotly_chart(
        picture.draw(),
        key=f"analytics_{picture.title}",
        config={"displayModeBar": False},
        alt=t(
            "analytics.alt",
            title=title,
            first=day(shown.first),
            last=day(shown.last),
            total=t("frame.not_defined") if total is None else money(total, now.currency),
            count=number(now.transactions),
        ),
    )
