"""Adding a creator to the account, wherever a page offers it."""

import streamlit as st

from core.billing.seats import add_creator
from dashboard.session import anyone, flash, look_at, refusals_shown, viewer
from dashboard.words import plain, t

_NAME = "new_creator_name"


def new_creator() -> None:
    """A form for one more creator. The plan may have no room for one; then it says so, and nothing is lost."""
    with st.form("new_creator", clear_on_submit=True):
        st.text_input(t("frame.creator_name"), key=_NAME, max_chars=80)
        st.form_submit_button(t("frame.add_creator"), on_click=_add)


@refusals_shown()
def _add() -> None:
    """Whoever is looked at stays looked at: a second creator must not turn a page about one into an overview."""
    looking, name = viewer(), st.session_state[_NAME]
    scope = looking.scope if looking.workspace else anyone().scope
    zone = looking.workspace.time_zone if looking.workspace else looking.time_zone
    add_creator(scope, name, time_zone=zone, currency=looking.currency)
    if looking.workspace:
        look_at(looking.workspace.id)
    flash(t("frame.creator_added", name=plain(name)))
