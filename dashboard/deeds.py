"""A page of the audit log as a table, the newest first."""

from collections.abc import Callable, Mapping
from typing import TypeVar
from uuid import UUID

import streamlit as st

from core.identity.devices import named
from core.insights.deeds import Deed, Deeds
from dashboard.components.figures import nothing_yet
from dashboard.words import moment, t

P = TypeVar("P")
"""What says where a page begins."""


def deeds_shown(ask: Callable[[UUID | None], Deeds], key: str, *, across: bool = False) -> None:
    """Draw what `ask` answers, a page at a time; `across`: of several accounts, so each is named."""
    paged(key, lambda after: _table(ask(after), across=across))


def paged(key: str, draw: Callable[[P | None], P | None]) -> None:
    """Draw one page and the ways to the others. `draw` takes where the page begins and returns where the next does."""
    place = f"{key}_after"
    more = draw(st.session_state.get(place))
    with st.container(horizontal=True):
        if st.session_state.get(place) is not None:
            st.button(t("deeds.newest"), key=f"{key}_newest", on_click=_turn, args=(place, None))
        if more is not None:
            st.button(t("deeds.older"), key=f"{key}_older", on_click=_turn, args=(place, more))


def _turn(place: str, after: object) -> None:
    st.session_state[place] = after


def _table(page: Deeds, *, across: bool) -> UUID | None:
    if not page.deeds:
        nothing_yet(t("deeds.nothing"))
        return None
    st.dataframe([_row(one, across=across) for one in page.deeds], hide_index=True, alt=t("deeds.table"))
    return page.more


def _row(one: Deed, *, across: bool) -> dict[str, str]:
    account = {t("deeds.account"): one.account or ""} if across else {}
    return {
        t("deeds.when"): moment(one.at),
        t("deeds.who"): _who(one),
        t("deeds.what"): t(f"audit.{one.deed}"),
        t("deeds.on"): one.subject,
        **account,
        t("frame.creator"): one.creator or "",
        t("deeds.before"): _facts(one.before),
        t("deeds.after"): _facts(one.after),
        t("deeds.reason"): one.reason,
        t("deeds.through"): _through(one),
    }


def _who(one: Deed) -> str:
    if one.who is None:
        return "Huntaze"
    return t("deeds.by_staff", name=one.who) if one.by_staff else one.who


def _through(one: Deed) -> str:
    if one.key is not None:
        return t("deeds.through_key", name=one.key)
    if one.agent is None:
        return ""
    return ", ".join(part for part in named(one.agent) if part) or t("deeds.browser")


def _facts(facts: Mapping[str, object]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in facts.items())
