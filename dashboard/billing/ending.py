"""Ways to end a subscription, to hold it, and to go on after all."""

from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

import streamlit as st

from core.access import Scope
from core.billing.changing import keep, pause, resume
from core.billing.plans import Status
from core.billing.service import PlanView
from dashboard.billing.canceling import ask_to_cancel, cancel_asked
from dashboard.billing.owing import remember
from dashboard.billing.wishing import until_refused
from dashboard.components.confirmation import ask, confirmation
from dashboard.session import flash, refusals_shown, viewer
from dashboard.words import t

_DEEDS: dict[str, Callable[[Scope, UUID], PlanView]] = {"keep": keep, "pause": pause, "resume": resume}


def ending(view: PlanView, zone: str) -> None:
    """What the owner can do with a subscription that lives, and the question that is open, if one is."""
    has = view.subscription
    if has is None or not view.may_choose:
        return
    is_left = has.ends_at is not None
    with st.container(horizontal=True):
        if is_left or has.next_at is not None:
            st.button(t("billing.keep"), key="billing_keep", on_click=_do, args=("keep",), type="primary")
        elif has.status == Status.PAUSED:
            st.button(t("billing.resume"), key="billing_resume", on_click=_ask, args=("resume",), type="primary")
        elif has.status == Status.ACTIVE:
            st.button(t("billing.pause"), key="billing_pause", on_click=_ask, args=("pause",))
        if not is_left:
            st.button(t("billing.cancel"), key="billing_cancel", on_click=ask_to_cancel, args=(view.account_id,))
    _question("pause")
    _question("resume")
    cancel_asked(view, zone)


def _question(deed: str) -> None:
    title, what, yes = t(f"billing.{deed}_title"), t(f"billing.{deed}_what"), t(f"billing.{deed}")
    confirmation(_key(deed), title, what, yes, partial(_do, deed))


def _ask(deed: str) -> None:
    st.session_state[_wish(deed)] = uuid4()
    ask(_key(deed))


@refusals_shown()
def _do(deed: str) -> None:
    """One wish until it is done: another try after an answer that was lost is the same."""
    wish_id: UUID = st.session_state.setdefault(_wish(deed), uuid4())
    with until_refused(lambda: st.session_state.pop(_wish(deed), None)):
        view = _DEEDS[deed](viewer().scope, wish_id)
    del st.session_state[_wish(deed)]
    remember(view)
    if deed == "resume" and view.subscription is not None and view.subscription.status == Status.PAUSED:
        flash(t("billing.not_paid_yet"), icon=":material/hourglass_top:")
    else:
        flash(t(f"billing.{deed}_done"))


def _key(deed: str) -> str:
    return f"billing_{deed}"


def _wish(deed: str) -> str:
    return f"billing_{deed}_wish"
