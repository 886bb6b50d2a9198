"""The way to a page of Stripe's: a button that asks for it, and then a link below."""

from collections.abc import Callable
from html import escape
from typing import Literal

import streamlit as st

from core.access import Scope
from core.billing.service import PlanView, open_portal
from dashboard.session import refusals_shown, viewer
from dashboard.words import t

_WAY_OUT = "billing_way_out"


def way_out(
    view: PlanView,
    key: str,
    label: str,
    open_page: Callable[[Scope], str],
    onward: str,
    *,
    look: Literal["primary", "secondary"] = "secondary",
    about: str | None = None,
) -> None:
    """A button, and below it, once Stripe was asked for the page, the link to it in this tab.

    `onward` is what the link says. It belongs to one account, and leads to what was asked for last.
    """
    if st.button(label, key=key, type=look, help=about, width="stretch" if look == "primary" else "content"):
        with refusals_shown(), st.spinner(t("billing.asking")):
            st.session_state[_WAY_OUT] = (view.account_id, key, open_page(viewer().scope))
    account_id, asked_at, url = st.session_state.get(_WAY_OUT, (None, "", ""))
    if (account_id, asked_at) == (view.account_id, key):
        st.caption(t("billing.leaving"))
        st.html(
            f'<a class="way-out" style="color: inherit; font-weight: 600" href="{escape(url)}">{escape(onward)} →</a>'
        )


def to_portal(view: PlanView) -> None:
    """Stripe's own pages for cards, addresses and tax ids, for those who have been there before."""
    if view.may_choose and view.has_portal:
        way_out(
            view,
            "billing_portal",
            t("billing.manage"),
            open_portal,
            t("billing.to_portal"),
            about=t("billing.manage_what"),
        )
