"""What the product earns, for staff: for which days, in which currency, each figure with its meaning, and files."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from urllib.parse import urlencode

import streamlit as st
from plotly.graph_objects import Figure

from core.access import Scope
from core.billing import revenue as takings
from core.billing.ledger import Drift, check
from core.billing.metrics import Kind, Month
from core.billing.revenue import FIRST_DAY, Revenue, Window
from dashboard import charts
from dashboard.charts import Style
from dashboard.components.address import choice, wish
from dashboard.components.figures import Measure, measures, nothing_yet
from dashboard.session import Viewer
from dashboard.viewing import language
from dashboard.words import day, moment, money, number, percent, plain, t

_PERIODS = {"month": 1, "quarter": 3, "year": 12}
_CUSTOM = "custom"
_CURRENCY = "revenue_currency"
_TABLES = ("movements", "months")


def _who(scope: Scope) -> tuple[str, bool]:
    return str(scope.user_id), scope.is_staff


@st.cache_data(ttl=60, max_entries=50, show_spinner=False, hash_funcs={Scope: _who})
def _kept(scope: Scope, window: Window, currency: str | None) -> Revenue:
    return takings.revenue(scope, window, currency)


@st.cache_data(ttl=600, max_entries=10, show_spinner=False, hash_funcs={Scope: _who})
def _drift(scope: Scope) -> tuple[Drift, ...]:
    return check(scope)


def revenue(looking: Viewer) -> None:
    """The choices, the figures, what moved by month, and the files."""
    window = _window(datetime.now(UTC).date())
    found = _kept(looking.scope, window, wish(_CURRENCY))
    if not found.currencies:
        nothing_yet(t("revenue.empty"))
        return
    if len(found.currencies) > 1:
        choice(t("revenue.currency"), found.currencies, found.currencies[0], key=_CURRENCY)
    facts = {"first": day(window.first), "last": day(window.last), "as_of": plain(moment(found.as_of))}
    st.caption(t("revenue.window", currency=found.currency, **facts))
    _differing(_drift(looking.scope))
    measures(_recurring(found))
    st.subheader(t("revenue.payments"))
    measures(_payments(found))
    _pictures(found, window)
    _table(found.months, found.currency)
    _files(window)


def _window(today: date) -> Window:
    period = choice(
        t("revenue.period"),
        (*_PERIODS, _CUSTOM),
        "year",
        key="revenue_period",
        name=lambda one: t(f"revenue.period_{one}"),
    )
    usual = Window.of_months(today, _PERIODS.get(period, 1))
    if period != _CUSTOM:
        return usual
    chosen = st.date_input(
        t("revenue.days"),
        value=(usual.first, usual.last),
        min_value=FIRST_DAY,
        max_value=today,
        key="revenue_days",
        format="DD/MM/YYYY" if language() == "fr" else "YYYY-MM-DD",
        width=280,
    )
    first, *rest = chosen or (today,)
    return Window(first, rest[-1] if rest else first)


def _differing(drift: tuple[Drift, ...]) -> None:
    """Figures that the books do not bear out are never shown without saying so."""
    if not drift:
        return
    st.warning(t("revenue.drift", count=len(drift)), icon=":material/error:")
    rows = [
        {
            t("revenue.account"): str(one.account_id),
            t("revenue.of_ledger"): money(one.of_ledger, one.currency),
            t("revenue.of_subscriptions"): money(one.of_subscriptions, one.currency),
        }
        for one in drift
    ]
    st.dataframe(rows, hide_index=True, alt=t("revenue.differing"))


def _recurring(found: Revenue) -> list[Measure]:
    cohort, trials = found.cohort, found.trials
    nobody = t("revenue.nobody_at_start")
    ratio = None if found.quick_ratio is None else number(round(_decimal(found.quick_ratio), 2))
    return [
        Measure(t("revenue.mrr"), money(found.mrr, found.currency), t("revenue.define_mrr")),
        Measure(t("revenue.arr"), money(found.arr, found.currency), t("revenue.define_arr")),
        Measure(t("revenue.subscribers"), number(found.subscribers), t("revenue.define_subscribers")),
        _share("net_retention", cohort.net_retention, nobody),
        _share("gross_churn", cohort.gross_churn, nobody),
        _share("subscriber_churn", cohort.subscriber_churn, nobody),
        Measure(t("revenue.quick_ratio"), ratio, t("revenue.define_quick_ratio"), reason=t("revenue.nothing_lost")),
        _share("conversion", trials.rate, t("revenue.no_trials")),
        Measure(
            t("revenue.trials"),
            t("revenue.of", some=number(trials.paid), all=number(trials.ended)),
            t("revenue.define_conversion"),
        ),
    ]


def _payments(found: Revenue) -> list[Measure]:
    bad, back = found.failed, found.returned
    return [
        _counted("failed", bad.amount, bad.count, found.currency),
        _counted("recovered", bad.recovered_amount, bad.recovered_count, found.currency),
        _share("recovery", bad.rate, t("revenue.nothing_failed")),
        _counted("still_open", bad.open_amount, bad.open_count, found.currency),
        Measure(t("revenue.received"), money(back.received, found.currency), t("revenue.define_received")),
        _counted("refunded", back.refunded, back.refunds, found.currency),
        _share("refund_rate", back.refund_rate, t("revenue.nothing_received")),
        _counted("disputed", back.disputed, back.disputes, found.currency),
        _share("dispute_rate", back.dispute_rate, t("revenue.nothing_received")),
    ]


def _share(name: str, share: Fraction | None, reason: str) -> Measure:
    value = None if share is None else percent(_decimal(share))
    return Measure(t(f"revenue.{name}"), value, t(f"revenue.define_{name}"), reason=reason)


def _counted(name: str, minor: int, count: int, currency: str) -> Measure:
    label = t("revenue.named_with_count", name=t(f"revenue.{name}"), many=number(count))
    return Measure(label, money(minor, currency), t(f"revenue.define_{name}"))


def _decimal(share: Fraction) -> Decimal:
    return Decimal(share.numerator) / share.denominator


def _pictures(found: Revenue, window: Window) -> None:
    style = Style.of(found.currency, language())
    last = min(window.last, found.as_of.date())
    points = [*found.days, (last, found.mrr)]
    _drawn("over_time", charts.steps(points, style, axis=f"{t('revenue.mrr')} ({found.currency})"), found)
    parts = {t(f"revenue.{kind}"): [getattr(month, kind) for month in found.months] for kind in Kind}
    if not any(any(minor) for minor in parts.values()):
        st.caption(t("revenue.nothing_moved"))
        return
    firsts = [month.first for month in found.months]
    _drawn("moved", charts.by_month(firsts, parts, style, axis=found.currency), found)


def _drawn(name: str, figure: Figure, found: Revenue) -> None:
    title = t(f"revenue.{name}")
    st.subheader(title)
    before, now = (money(minor, found.currency) for minor in (found.months[0].start, found.mrr))
    st.plotly_chart(
        figure,
        key=f"revenue_{name}",
        config={"displayModeBar": False},
        alt=t("revenue.alt", title=title, before=before, now=now),
    )


def _table(months: tuple[Month, ...], currency: str) -> None:
    title = t("revenue.by_month")
    st.subheader(title)
    st.caption(t("revenue.define_by_month"))
    rows = [
        {t("revenue.month"): month.first.strftime("%Y-%m")}
        | {t(f"revenue.{name}"): money(getattr(month, name), currency) for name in ("start", *Kind, "end")}
        for month in reversed(months)
    ]
    st.dataframe(rows, hide_index=True, alt=title)


def _files(window: Window) -> None:
    st.caption(t("revenue.files"))
    days = urlencode({"first": window.first.isoformat(), "last": window.last.isoformat()})
    with st.container(horizontal=True):
        for table in _TABLES:
            address = f"/account/revenue/{table}.csv?{days}"
            st.link_button(t(f"revenue.take_{table}"), address, icon=":material/download:")
