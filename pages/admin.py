"""For staff: find people and accounts, see how the product does, read what staff did."""

import streamlit as st

from core.insights.deeds import staff_deeds
from dashboard.admin import find
from dashboard.deeds import deeds_shown
from dashboard.operations import operations
from dashboard.revenue import revenue
from dashboard.session import anyone
from dashboard.subscriptions import subscriptions
from dashboard.words import t

looking = anyone()
tab = st.segmented_control(
    t("admin.tab"),
    ["find", "subscriptions", "revenue", "operations", "audit"],
    default="find",
    required=True,
    format_func=lambda one: t(f"admin.tab_{one}"),
    key="admin_tab",
    label_visibility="collapsed",
)
if tab == "subscriptions":
    subscriptions(looking)
elif tab == "operations":
    operations(looking)
elif tab == "revenue":
    revenue(looking)
elif tab == "audit":
    deeds_shown(lambda after: staff_deeds(looking.scope, after=after), "staff_audit", across=True)
else:
    find(looking)
