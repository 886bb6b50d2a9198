"""How much of what the plan includes is used, and what is beyond it."""

import streamlit as st

from core.access import Permission
from core.billing.plans import METERED, OFFERS, beside
from core.billing.service import PlanView
from core.content.service import AllowanceView, drafts_left
from dashboard.billing.offers import Prices
from dashboard.components.figures import allowance
from dashboard.session import Viewer
from dashboard.words import money, number, plain, t


def usage(view: PlanView, looking: Viewer, known: Prices) -> None:
    """Creators and this month's drafts against the most there may be; those charged by use with their cost so far."""
    st.subheader(t("billing.allowance"))
    allowance(t("billing.creators_used"), view.creators_used, view.entitlement.most_creators)
    if not looking.scope.may(Permission.WRITE_CONTENT):
        return
    drafts = drafts_left(looking.scope)
    included = view.entitlement.limits.generations
    allowance(t("billing.drafts_used"), drafts.used, included if drafts.most is None else drafts.most)
    if drafts.most is None:
        _beyond(view, drafts, included, known)
    st.caption(t("billing.month_is_utc"))


def _beyond(view: PlanView, drafts: AllowanceView, included: int, known: Prices) -> None:
    offer = OFFERS.get(view.lookup_key or "")
    metered = beside(offer, METERED) if offer else None
    price = known.get(metered.lookup_key) if metered else None
    beyond = max(0, drafts.used - included)
    if price is None:
        st.caption(t("billing.beyond", count=beyond))
        return
    cost, each = (plain(money(amount, price.currency)) for amount in (beyond * price.amount, price.amount))
    st.caption(t("billing.beyond_costs", count=beyond, number=number(beyond), cost=cost, each=each))
