"""Back from Stripe's page: what it says in the address is a claim, and Stripe is asked what is so."""

import streamlit as st

from core.billing.service import PlanView, refresh
from dashboard.billing.owing import remember
from dashboard.billing.standing import is_paid
from dashboard.session import flash, refusals_shown, viewer
from dashboard.words import t

_BACK = "checkout"
_ASKED = "billing_asked"
_EVERY = 2.0
"""Seconds between two questions."""
_MOST = 30
"""Questions before the page stops asking: the worker goes on without it."""


def back_from_checkout(view: PlanView) -> None:
    """Say what came of the payment, once it is known. Nothing when nobody comes back."""
    came = st.query_params.get(_BACK)
    if came == "cancelled":
        st.info(t("billing.cancelled"))
    elif came == "done" and is_paid(view):
        _settled(view)
    elif came == "done" and view.may_choose:
        _confirm()


@st.fragment(run_every=_EVERY)
@refusals_shown()
def _confirm() -> None:
    asked = st.session_state.get(_ASKED, 0)
    if asked >= _MOST:
        st.warning(t("billing.takes_longer"), icon=":material/hourglass_top:")
        return
    st.session_state[_ASKED] = asked + 1
    st.info(t("billing.confirming"), icon=":material/hourglass_top:")
    found = refresh(viewer().scope)
    remember(found)
    if is_paid(found):
        st.rerun()


def _settled(view: PlanView) -> None:
    st.session_state.pop(_ASKED, None)
    del st.query_params[_BACK]
    flash(t("billing.changed", plan=t(f"frame.plan_{view.entitlement.plan}")))
    st.rerun()
