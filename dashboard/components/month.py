"""This month in three numbers, each beside its definition and the same days of the month before."""

from collections.abc import Iterable

import streamlit as st

from core.insights.home import Fed, Month, Sums, change
from dashboard.components.figures import Measure, measures
from dashboard.words import day, moment, money, percent, t

Total = tuple[Sums, Sums]
"""Now and before."""


def month(of: Month) -> None:
    """One creator's month so far in one currency."""
    st.caption(t("home.window", first=day(of.first), last=day(of.last), currency=of.currency))
    _row(of.currency, (of.now, of.before))


def totals(months: Iterable[Month]) -> None:
    """Several creators' months together, one row for each currency. A sum with an unknown part is not defined."""
    by_currency: dict[str, list[Month]] = {}
    for one in months:
        by_currency.setdefault(one.currency, []).append(one)
    for currency, held in by_currency.items():
        st.caption(t("home.all_window", currency=currency))
        _row(currency, (_together([one.now for one in held]), _together([one.before for one in held])))


def freshness(fed: Fed) -> None:
    """When the figures were last fed, so that quiet figures are not taken for quiet days."""
    if fed.last_import_at is not None:
        st.caption(t("home.last_import", when=moment(fed.last_import_at)))
    if fed.last_payment_at is not None:
        st.caption(t("home.last_payment", when=moment(fed.last_payment_at)))


def change_shown(now: int | None, before: int | None) -> str:
    """A change for a table, where there is no room for a reason."""
    share = change(now, before)
    return t("frame.not_defined") if share is None else f"{'−' if share < 0 else '+'}{percent(abs(share))}"


def net_shown(minor: int | None, currency: str) -> str:
    return t("frame.not_defined") if minor is None else money(minor, currency)


def _row(currency: str, total: Total) -> None:
    now, before = total
    measures(
        [
            _measure(t("home.net"), t("home.define_net"), currency, now.net, before.net),
            _measure(t("home.gross"), t("home.define_gross"), currency, now.gross, before.gross),
            _measure(t("home.fee"), t("home.define_fee"), currency, now.fee, before.fee, worse_when_up=True),
        ]
    )


def _measure(
    label: str, definition: str, currency: str, now: int | None, before: int | None, *, worse_when_up: bool = False
) -> Measure:
    return Measure(
        label,
        None if now is None else money(now, currency),
        definition,
        change=change(now, before),
        reason=t("home.unknown_amounts"),
        worse_when_up=worse_when_up,
    )


def _together(sums: list[Sums]) -> Sums:
    return Sums(_sum([one.gross for one in sums]), _sum([one.fee for one in sums]), _sum([one.net for one in sums]))


def _sum(parts: list[int | None]) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
