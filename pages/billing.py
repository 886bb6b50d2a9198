"""The account's plan: what it is, what of it is used, how to have another, and what was billed."""

import streamlit as st

from core.billing.invoices import invoices
from core.billing.service import is_set_up, plan
from dashboard.billing.ending import ending
from dashboard.billing.invoices import invoices_shown
from dashboard.billing.offers import Prices, offers, prices
from dashboard.billing.owing import remember
from dashboard.billing.paying import method, to_pay
from dashboard.billing.returning import back_from_checkout
from dashboard.billing.standing import standing
from dashboard.billing.usage import usage
from dashboard.frame import choose_one
from dashboard.session import refusals_shown, viewer
from dashboard.words import t

looking = viewer()
if len(looking.scope.account_ids) != 1:  # a plan is an account's
    choose_one(looking)
    st.stop()
zone = looking.time_zone
view = plan(looking.scope)
remember(view)
back_from_checkout(view)
standing(view, zone)

bills = invoices(looking.scope) if view.may_choose else ()
to_pay(bills, zone)
if is_set_up():
    ending(view, zone)

known: Prices | None = None
with refusals_shown():  # without Stripe's answer the rest of the page stands
    known = prices() if is_set_up() else None
usage(view, looking)

if known is not None:
    offers(view, known, zone)
elif not is_set_up():
    st.info(t("billing.not_set_up"), icon=":material/key:")

if view.may_choose:
    method(view)
    invoices_shown(bills, zone)
