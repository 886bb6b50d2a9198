"""The viewer of a rerun, and what a page has to say once: news and refusals."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.errors import FragmentHandledException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.errors import NotSignedIn, PlanLimit, Refusal
from core.identity.proof import ProofNeeded
from dashboard.navigation import link
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
PROVE = "/account/prove"
_NEWS = "news"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _News:
    """Something to say at the next run. `refused` is set for what went wrong: the kind of its error."""

    text: str
    icon: str = ""
    refused: type[Exception] | None = None


def flash(text: str, icon: str = ":material/check_circle:") -> None:
    """Say something at the top of the next run, whichever page it shows; `st.rerun()` may follow at once."""
    _keep(_News(text, icon))


def news_shown() -> None:
    """Say what earlier runs left to be said, once."""
    for news in st.session_state.pop(_NEWS, []):
        if news.refused:
            _refused(news.text, news.refused)
        else:
            st.toast(news.text, icon=news.icon)


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
    if isinstance(error, Refusal):
        sentence = plain(error.sentence(language()))
    else:
        reference = token_hex(4)
        _log.error("crash %s", reference, exc_info=error)
        sentence = t("frame.crash", reference=reference)
    if _drawing():
        _refused(sentence, type(error))
    else:  # a callback runs before the page is drawn: what it has to say waits for the page
        _keep(_News(sentence, refused=type(error)))
    return True


def _refused(sentence: str, kind: type[Exception]) -> None:
    st.warning(sentence, icon=":material/warning:")
    if issubclass(kind, PlanLimit):
        link("billing", t("frame.see_plans"))
    if issubclass(kind, NotSignedIn):
        st.link_button(t("frame.sign_in"), SIGN_IN)
    if issubclass(kind, ProofNeeded):
        back = urlsplit(st.context.url or "/").path
        st.link_button(t("confirming.prove"), f"{PROVE}?{urlencode({'next': back})}")


def _keep(news: _News) -> None:
    st.session_state.setdefault(_NEWS, []).append(news)


def _drawing() -> bool:
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and context.has_script_started
