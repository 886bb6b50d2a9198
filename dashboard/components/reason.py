"""A question that wants to know why before something is done to somebody."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.workspaces.staff import REASON_LENGTH
from dashboard.session import refusals_shown
from dashboard.words import t


def why(
    key: str,
    title: str,
    deed: Callable[[str], None],
    *,
    what: str,
    yes: str,
    fields: Callable[[], None] = lambda: None,
) -> None:
    """A dialog with what will happen, `fields` of its own, the reason, and a button that does it.

    It stays open, with what was written, while the deed refuses. `closed` ends it otherwise.
    """

    @st.dialog(title, on_dismiss=partial(closed, key))
    @refusals_shown()
    def question() -> None:
        st.write(what)
        fields()
        reason = st.text_area(t("admin.reason"), key=f"{key}_reason", max_chars=REASON_LENGTH[1])
        st.caption(t("admin.reason_is_read"))
        with st.container(horizontal=True):
            is_agreed = st.button(yes, key=f"{key}_yes", type="primary")
            if st.button(t("frame.cancel"), key=f"{key}_no"):
                closed(key)
                st.rerun()
        if is_agreed:
            deed(reason)
            closed(key)
            st.rerun()

    question()


def closed(key: str) -> None:
    """Forget what was asked under the key, and what was written in answer."""
    for name in (key, f"{key}_reason"):
        st.session_state.pop(name, None)
