"""How many must approve a text."""

import streamlit as st

from core.access import Permission
from core.publishing.approving import MOST_APPROVALS, Rule, rule, save_rule
from dashboard.session import Viewer, flash
from dashboard.words import t


def rule_form(looking: Viewer) -> None:
    """The workspace's rule, to change for those who may."""
    now = rule(looking.scope)
    may = looking.scope.may(Permission.EDIT_WORKSPACE)
    st.markdown(t("calendar.rule_about"))
    with st.form("calendar_rule"):
        approvals = st.number_input(t("calendar.approvals"), 0, MOST_APPROVALS, now.approvals, disabled=not may)
        author = st.checkbox(t("calendar.author_may"), value=now.author_may_approve, disabled=not may)
        if st.form_submit_button(t("calendar.save_rule"), disabled=not may):
            save_rule(looking.scope, Rule(int(approvals), bool(author)))
            flash(t("calendar.done_rule"))
            st.rerun()
