"""The viewer of a rerun, and what a page has to say once: news and refusals."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex

import streamlit as st
from streamlit.errors import FragmentHandledException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.errors import NotSignedIn, PlanLimit, Refusal
from dashboard.viewing import Viewer, anyone, forget_choice, language, look_again, look_at, viewer
from dashboard.words import plain, t

__all__ = [
    "Viewer",
    "anyone",
    "flash",
    "forget_choice",
    "look_again",
    "look_at",
    "news_shown",
    "problem_shown",
    "refusals_shown",
    "viewer",
]

SIGN_IN = "/account/sign-in"
_NEWS = "news"
_WARNING = ":material/warning:"
_log = logging.getLogger(__name__)


def flash(text: str, icon: str = ":material/check_circle:") -> None:
    """Say something at the top of the next run, whichever page it shows; `st.rerun()` may follow at once."""
    st.session_state.setdefault(_NEWS, []).append((text, icon))


def news_shown() -> None:
    """Say what earlier runs left to be said, once."""
    for text, icon in st.session_state.pop(_NEWS, []):
        if icon == _WARNING:
            st.warning(text, icon=icon)
        else:
            st.toast(text, icon=icon)


@contextmanager
def refusals_shown() -> Iterator[None]:
    """Show what goes wrong inside, once: a refusal as its sentence, anything else as a reference number.

    The frame wraps every page in it. A fragment and a widget's callback run without the frame, so they wear it
    themselves: `@refusals_shown()` under `@st.fragment`, or above the callback.
    """
    try:
        yield
    except FragmentHandledException:
        raise  # it was shown where it happened
    except Exception as error:
        problem_shown(error)


def problem_shown(error: Exception) -> bool:
    """Show one problem in the viewer's language, never a trace. True, as Streamlit's `on_script_error` wants it."""
    if not isinstance(error, Refusal):
        reference = token_hex(4)
        _log.error("crash %s", reference, exc_info=error)
        _said(t("frame.crash", reference=reference))
        return True
    _said(plain(error.sentence(language())))
    if isinstance(error, PlanLimit) and _drawing():
        st.page_link("../pages/billing.py", label=t("frame.see_plans"), icon=":material/credit_card:")
    if isinstance(error, NotSignedIn) and _drawing():
        st.link_button(t("frame.sign_in"), SIGN_IN)
    return True


def _said(sentence: str) -> None:
    """A callback runs before the page is drawn: its sentence waits for the page."""
    if _drawing():
        st.warning(sentence, icon=_WARNING)
    else:
        flash(sentence, _WARNING)


def _drawing() -> bool:
    context = get_script_run_ctx()
    return context is not None and context.has_script_started
