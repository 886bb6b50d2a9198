"""How much of what the plan includes is used, and what is beyond it."""

import streamlit as st

from core.access import Permission
from core.billing.service import PlanView
from core.content.service import drafts_left
from core.insights.metering import usage_beyond
from dashboard.components.figures import allowance
from dashboard.session import Viewer
from dashboard.words import money, number, plain, t


def usage(view: PlanView, looking: Viewer) -> None:
    """Creators and this month's drafts against the most there may be; those charged by use with their cost so far."""
    st.subheader(t("billing.allowance"))
    allowance(t("billing.creators_used"), view.creators_used, view.entitlement.most_creators)
    if not looking.scope.may(Permission.WRITE_CONTENT):
        return
    drafts = drafts_left(looking.scope)
    included = view.entitlement.limits.generations
    allowance(t("billing.drafts_used"), drafts.used, included if drafts.most is None else drafts.most)
    if drafts.most is None:
        _beyond(looking, included)
    st.caption(t("billing.month_is_utc"))


def _beyond(looking: Viewer, included: int) -> None:
    beyond = usage_beyond(looking.scope)
    if beyond.unit_amount is None or beyond.currency is None:
        st.caption(t("billing.beyond", count=beyond.quantity))
        return
    amounts = (beyond.quantity * beyond.unit_amount, beyond.unit_amount)
    cost, each = (plain(money(amount, beyond.currency)) for amount in amounts)
    count = beyond.quantity
    if count:
        st.caption(t("billing.beyond_costs", count=count, number=number(count), cost=cost, each=each))
    else:
        st.caption(t("billing.beyond_each", included=number(included), each=each))
