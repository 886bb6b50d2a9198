"""A question before what cannot be undone."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard.session import refusals_shown
from dashboard.words import t


def ask(key: str) -> None:
    """The `on_click` of the button that leads to the question."""
    st.session_state[_asked(key)] = True


def confirmation(key: str, title: str, what: str, yes: str, deed: Callable[[], None]) -> None:
    """The question itself, drawn while it is open: what will happen, a button that does it, one that does not.

    `key` names it in the whole app. `deed` runs in a callback, before the next run; its refusals are shown there.
    """
    if not st.session_state.get(_asked(key)):
        return

    @st.dialog(title, on_dismiss=partial(_close, key))
    def question() -> None:
        st.write(what)
        with st.container(horizontal=True):
            st.button(yes, key=f"{key}_yes", type="primary", on_click=_answered, args=(key, deed))
            st.button(t("frame.cancel"), key=f"{key}_no", on_click=_answered, args=(key,))

    question()


def _close(key: str) -> None:
    st.session_state.pop(_asked(key), None)


def _answered(key: str, deed: Callable[[], None] = lambda: None) -> None:
    """A dialog is a fragment, so the click alone would run its body anew and leave the page as it was."""
    _close(key)
    with refusals_shown():
        deed()
    st.rerun()


def _asked(key: str) -> str:
    return f"{key}_asked"
