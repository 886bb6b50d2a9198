"""What one creator's requests to models came to: the figures with their meaning, a picture, tables and files."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar
from urllib.parse import urlencode

import streamlit as st
from babel.numbers import format_currency

from core.access import Scope
from core.ai.routing import table
from core.ai.savings import HIGH, LOW
from core.ai.shadow import ENOUGH
from core.ai.spending import Measured, Quality, Saved, Spent, Usage, usage
from core.billing.revenue import Window
from dashboard import charts
from dashboard.charts import Style
from dashboard.components.address import choice
from dashboard.components.figures import Measure, measures, nothing_yet
from dashboard.session import Viewer
from dashboard.viewing import language
from dashboard.words import day, number, percent, plain, t

_PERIODS = {"month": 1, "quarter": 3, "year": 12}
T = TypeVar("T")
_PARTS = ("days", "tasks", "models", "people")


def _who(scope: Scope) -> tuple[str, str]:
    return str(scope.user_id), str(scope.workspace_id)


@st.cache_data(ttl=30, max_entries=50, show_spinner=False, hash_funcs={Scope: _who})
def _kept(scope: Scope, window: Window) -> Usage:
    return usage(scope, window)


def figures(looking: Viewer) -> None:
    """The window, the figures, what was saved, a picture, and the tables."""
    window = _window(datetime.now(UTC).date())
    found = _kept(looking.scope, window)
    st.caption(t("usage.window", first=day(window.first), last=day(window.last)))
    if not found.total.calls and not found.quality.requests:
        nothing_yet(t("usage.empty"))
        return
    measures(_money(found))
    _unpriced(found)
    st.subheader(t("usage.quality"))
    measures(_became(found.quality))
    _savings(found)
    _picture(found)
    _tables(looking, found, window)


def of_recent(looking: Viewer) -> Usage:
    """The last three months, for what is measured beside each tier."""
    return _kept(looking.scope, Window.of_months(datetime.now(UTC).date(), 3))


def dollars(cost: Decimal) -> str:
    """US dollars with every digit that there is: one draft costs less than a cent."""
    return format_currency(cost, "USD", locale=language(), decimal_quantization=False)


def task_name(task: str | None) -> str:
    """What a task is called; one that is no longer in the table by the name that was kept."""
    if task is None:
        return t("usage.task_unknown")
    return t(f"usage.task_{task}") if task in table().tiers else task


def share_of(share: Fraction | None, count: int) -> str:
    """A share with the number of what it is a share of, which is never left out."""
    if share is None:
        return t("usage.no_share")
    return t("usage.share", share=_percent(share), count=number(count))


def _percent(share: Fraction) -> str:
    return percent(_decimal(share))


def _decimal(share: Fraction) -> Decimal:
    return Decimal(share.numerator) / share.denominator


def _window(today: date) -> Window:
    period = choice(
        t("usage.period"), tuple(_PERIODS), "month", key="usage_period", name=lambda one: t(f"usage.period_{one}")
    )
    return Window.of_months(today, _PERIODS[period])


def _money(found: Usage) -> list[Measure]:
    total = found.total
    tokens = total.input + total.cache_read + total.cache_write + total.output + total.reasoning
    return [
        Measure(t("usage.cost"), dollars(total.cost), t("usage.define_cost")),
        Measure(t("usage.requests"), number(total.requests), t("usage.define_requests")),
        Measure(t("usage.calls"), number(total.calls), t("usage.define_calls")),
        Measure(t("usage.tokens"), number(tokens), t("usage.define_tokens")),
    ]


def _unpriced(found: Usage) -> None:
    if found.unpriced:
        models = ", ".join(plain(f"{provider} {model} ({number(many)})") for provider, model, many in found.unpriced)
        st.caption(t("usage.unpriced", count=sum(many for _, _, many in found.unpriced), models=models))
    if found.total.estimated:
        st.caption(t("usage.estimated", count=found.total.estimated))


def _became(quality: Quality) -> list[Measure]:
    decided, requests = quality.decided, quality.requests
    row = [
        _share(name, quality.of_decided(getattr(quality, name)), decided)
        for name in ("unedited", "edited", "dismissed")
    ]
    row += [
        _share(name, quality.of_requests(getattr(quality, name)), requests)
        for name in ("repaired", "escalated", "failing")
    ]
    edits = quality.edited_per_hundred
    shown = None if edits is None else number(round(_decimal(edits), 1))
    reason = t("usage.nothing_decided")
    label = t("usage.of_count", name=t("usage.edits"), count=number(quality.unedited + quality.edited))
    return [*row, Measure(label, shown, t("usage.define_edits"), reason=reason)]


def _share(name: str, share: Fraction | None, count: int) -> Measure:
    label = t("usage.of_count", name=t(f"usage.{name}"), count=number(count))
    value = None if share is None else _percent(share)
    return Measure(label, value, t(f"usage.define_{name}"), reason=t("usage.nothing_decided"))


def _savings(found: Usage) -> None:
    st.subheader(t("usage.saved"))
    for one in found.saved:
        _saving(one, found)
    if not found.saved:
        st.caption(t("usage.no_baseline"))
    low, high = (number(_decimal(end)) for end in (LOW, HIGH))
    st.caption(t("usage.define_saved", low=low, high=high, enough=number(ENOUGH)))
    if found.shadow.calls or found.measured:
        _sample(found)


def _saving(one: Saved, found: Usage) -> None:
    of = one.saving
    if of.at_least is None or of.at_most is None:
        return
    low, high = sorted((of.at_least, of.at_most))
    facts = {
        "low": _percent(low),
        "high": _percent(high),
        "model": plain(of.model),
        "count": of.count,
        "spent": plain(dollars(Decimal(of.spent).scaleb(-9))),
        "least": plain(dollars(Decimal(of.low).scaleb(-9))),
        "most": plain(dollars(Decimal(of.high).scaleb(-9))),
    }
    st.markdown(t("usage.saving", **facts))
    if len(one.measured):
        tasks = ", ".join(task_name(task) for task in one.measured)
        st.caption(t("usage.measured_in", tasks=plain(tasks)))
    if left_out := found.quality.requests - sum(each.saving.count for each in found.saved):
        st.caption(t("usage.left_out", count=left_out))


def _sample(found: Usage) -> None:
    spent = plain(dollars(found.shadow.cost))
    st.caption(t("usage.sampled", count=found.shadow.calls, spent=spent))
    rows = [_sample_row(one) for one in found.measured]
    if rows:
        st.dataframe(rows, hide_index=True, alt=t("usage.sample"))


def _sample_row(one: Measured) -> dict[str, str]:
    tokens = one.tokens
    return {
        t("usage.task"): task_name(one.task),
        t("usage.baseline"): one.model,
        t("usage.pairs"): number(one.cost.count),
        t("usage.cost_ratio"): _interval(one.cost.low, one.cost.middle, one.cost.high),
        t("usage.token_ratio"): "" if tokens is None else _interval(tokens.low, tokens.middle, tokens.high),
        t("usage.counts"): t("usage.counts_yes") if one.cost.is_enough else t("usage.counts_no", enough=number(ENOUGH)),
    }


def _interval(low: Fraction, middle: Fraction, high: Fraction) -> str:
    told = (number(round(_decimal(one), 2)) for one in (middle, low, high))
    middle_told, low_told, high_told = told
    return t("usage.interval", middle=middle_told, low=low_told, high=high_told)


def _picture(found: Usage) -> None:
    paid = [(when, model, cost) for when, model, cost in found.daily if cost]
    if not paid:
        return
    title = t("usage.by_day")
    st.subheader(title)
    style = Style.of("USD", language())
    st.plotly_chart(
        charts.spent_by_day(paid, style, axis=t("usage.axis")),
        key="usage_by_day",
        config={"displayModeBar": False},
        alt=t("usage.alt", title=title, cost=dollars(found.total.cost), days=len({one for one, _, _ in paid})),
    )


def _tables(looking: Viewer, found: Usage, window: Window) -> None:
    title = t("usage.tables")
    st.subheader(title)
    part = choice(t("usage.by"), _PARTS, "tasks", key="usage_by", name=lambda one: t(f"usage.by_{one}"))
    st.dataframe(_rows(found, part), hide_index=True, alt=title)
    days = urlencode({"first": window.first.isoformat(), "last": window.last.isoformat()})
    address = f"/account/ai-costs/{looking.creator.id}/{part}.csv?{days}"
    st.link_button(t("usage.take", part=t(f"usage.by_{part}")), address, icon=":material/download:")


def _rows(found: Usage, part: str) -> list[dict[str, str]]:
    if part == "models":
        return [
            {t("usage.provider"): provider, t("usage.model"): model, **_spent_row(spent)}
            for (provider, model), spent in found.by_model
        ]
    if part == "days":
        return _joined(t("usage.day"), found.by_day, found.quality_by_day, day)
    if part == "people":
        return _joined(t("usage.person"), found.by_person, found.quality_by_person, _person)
    return _joined(t("usage.task"), found.by_task, found.quality_by_task, task_name)


def _person(name: str | None) -> str:
    return name or t("usage.nobody")


def _joined(
    heading: str, spent: Sequence[tuple[T, Spent]], became: Sequence[tuple[T, Quality]], name: Callable[[T], str]
) -> list[dict[str, str]]:
    cost, quality = dict(spent), dict(became)
    return [
        {heading: name(key), **_spent_row(cost.get(key, Spent())), **_quality_row(quality.get(key, Quality()))}
        for key in dict.fromkeys([*cost, *quality])
    ]


def _spent_row(spent: Spent) -> dict[str, str]:
    row = {t("usage.cost"): dollars(spent.cost), t("usage.unknown"): number(spent.unknown)}
    for name in ("requests", "calls", "input", "cache_read", "cache_write", "output", "reasoning"):
        row[t(f"usage.{name}")] = number(getattr(spent, name))
    return row


def _quality_row(quality: Quality) -> dict[str, str]:
    decided, requests = quality.decided, quality.requests
    row = {
        t(f"usage.{name}"): share_of(quality.of_decided(getattr(quality, name)), decided)
        for name in ("unedited", "edited", "dismissed")
    }
    return row | {
        t(f"usage.{name}"): share_of(quality.of_requests(getattr(quality, name)), requests)
        for name in ("repaired", "escalated", "failing")
    }
