"""The notice, on every page, that staff are in somebody's workspace: whose, until when, and the way out."""

import streamlit as st

from core.workspaces.staff import current_visit, leave_visit
from dashboard.session import Viewer, anyone, flash, forget_choice, refusals_shown
from dashboard.words import moment, plain, t

_VISITED = "visited"


def visit_notice(person: Viewer) -> None:
    """Drawn before the page asks whom it shows: a visit that is over takes its creator out of this tab."""
    if not person.is_staff:
        return
    now = current_visit(person.scope)
    if now is None:
        if st.session_state.pop(_VISITED, None):
            forget_choice()
            st.info(t("frame.visit_over"), icon=":material/logout:")
        return
    st.session_state[_VISITED] = True
    told = "frame.visit_acting" if now.may_write else "frame.visit_reading"
    st.warning(
        t(told, name=plain(now.name), until=plain(moment(now.expires_at)), reason=plain(now.reason)),
        icon=":material/badge:",
    )
    st.button(t("frame.leave_visit"), key="leave_visit", icon=":material/logout:", on_click=_leave)


@refusals_shown()
def _leave() -> None:
    leave_visit(anyone().scope)
    forget_choice()
    st.session_state.pop(_VISITED, None)
    flash(t("frame.visit_left"))
