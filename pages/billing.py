"""The account's plan: what it is, what of it is used, and how to have another."""

import streamlit as st

from core.access import Permission
from core.billing.service import is_set_up, plan
from core.content.service import drafts_left
from dashboard.components.confirming import back_from_checkout
from dashboard.components.figures import allowance
from dashboard.components.plans import offers, payment, standing
from dashboard.session import viewer
from dashboard.words import t

looking = viewer()
view = plan(looking.scope)
back_from_checkout(view)
standing(view, looking.time_zone)
payment(view)

st.subheader(t("billing.allowance"))
allowance(t("billing.creators_used"), view.creators_used, view.entitlement.most_creators)
if looking.scope.may(Permission.WRITE_CONTENT):
    drafts = drafts_left(looking.scope)
    allowance(t("billing.drafts_used"), drafts.used, drafts.most)
    st.caption(t("billing.month_is_utc"))

if is_set_up():
    offers(view)
else:
    st.info(t("billing.not_set_up"), icon=":material/key:")
