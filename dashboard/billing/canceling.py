"""The question before a subscription is canceled: what stays, until when, and why."""

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import streamlit as st

from core.billing.changing import LONGEST_COMMENT, UNPAID, Feedback, cancel
from core.billing.plans import Status
from core.billing.service import PlanView
from dashboard.billing.dates import day_of
from dashboard.billing.owing import remember
from dashboard.billing.wishing import until_refused
from dashboard.session import flash, refusals_shown, viewer
from dashboard.words import plain, t

_ASKED = "billing_cancel_asked"
_COMMENT = "billing_cancel_comment"


@dataclass(frozen=True, slots=True)
class _Wish:
    id: UUID
    account_id: UUID


def ask_to_cancel(account_id: UUID) -> None:
    """The `on_click` of the button that leads to the question."""
    st.session_state[_ASKED] = _Wish(uuid4(), account_id)


def cancel_asked(view: PlanView, zone: str) -> None:
    """The question, while it is open. It stays open, with what was written, while Stripe refuses."""
    wish: _Wish | None = st.session_state.get(_ASKED)
    if wish is None or wish.account_id != view.account_id:
        return

    @st.dialog(t("billing.cancel_title"), on_dismiss=_forget)
    @refusals_shown()
    def question() -> None:
        st.write(_what_stays(view, zone))
        feedback = st.selectbox(
            t("billing.cancel_why"),
            list(Feedback),
            index=None,
            format_func=lambda one: t(f"billing.because_{one}"),
            placeholder=t("billing.cancel_choose"),
            key="billing_cancel_why",
        )
        comment = st.text_area(t("billing.cancel_comment"), key=_COMMENT, max_chars=LONGEST_COMMENT)
        with st.container(horizontal=True):
            agreed = st.button(t("billing.cancel"), key="billing_cancel_yes", type="primary")
            if st.button(t("billing.cancel_not"), key="billing_cancel_no"):
                _forget()
                st.rerun()
        if agreed and feedback is None:
            st.warning(t("billing.cancel_needs_why"), icon=":material/warning:")
        elif agreed and feedback is not None:
            now: _Wish = st.session_state[_ASKED]
            with st.spinner(t("billing.asking")), until_refused(_anew):
                remember(cancel(viewer().scope, now.id, feedback, comment))
            _forget()
            flash(t("billing.cancel_done"))
            st.rerun()

    question()


def _what_stays(view: PlanView, zone: str) -> str:
    has = view.subscription
    if has is None or has.status in UNPAID:
        return t("billing.cancel_now_what")
    if has.status == Status.PAUSED:
        return t("billing.cancel_paused_what")
    return t("billing.cancel_what", until=plain(day_of(has.current_period_end, zone)))


def _anew() -> None:
    st.session_state[_ASKED] = replace(st.session_state[_ASKED], id=uuid4())


def _forget() -> None:
    st.session_state.pop(_ASKED, None)
