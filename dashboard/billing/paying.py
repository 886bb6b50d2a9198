"""What the account pays with, and what to do when a payment failed."""

import calendar
from collections.abc import Sequence
from datetime import UTC, date, datetime

import streamlit as st

from core.billing.invoices import OPEN, Invoice, PaymentMethod
from core.billing.plans import Subscription
from core.billing.service import PlanView, refresh
from dashboard.billing.dates import day_of
from dashboard.billing.owing import remember
from dashboard.billing.way_out import to_portal
from dashboard.session import flash, viewer
from dashboard.words import money, plain, t


def to_pay(bills: Sequence[Invoice], zone: str) -> None:
    """Each invoice that waits for its payment: what happened, what Stripe will do, and the page to pay it on."""
    waiting = [each for each in bills if each.status == OPEN and each.amount_remaining > 0]
    for bill in waiting:
        with st.container(border=True):
            _bill(bill, zone)
    if waiting:
        st.caption(t("billing.fix_card"))
        if st.button(t("billing.paid_check"), key="billing_check", icon=":material/refresh:"):
            with st.spinner(t("billing.asking")):
                remember(refresh(viewer().scope))
            flash(t("billing.checked"))
            st.rerun()


def method(view: PlanView) -> None:
    """The card that is charged, a warning when it will not last, and the way to change it."""
    st.subheader(t("billing.payment"))
    if view.method is None:
        st.caption(t("billing.no_method"))
    else:
        st.markdown(_named(view.method))
        if view.subscription is not None and expires_before_renewal(view.method, view.subscription):
            st.warning(t("billing.card_expires"), icon=":material/credit_card_off:")
    to_portal(view)


def expires_before_renewal(card: PaymentMethod, subscription: Subscription) -> bool:
    """Whether the card is no longer good on the day of the next payment. It is good to the end of its month."""
    if card.expires_month is None or card.expires_year is None or subscription.ends_at is not None:
        return False
    return _last_day(card.expires_year, card.expires_month) < subscription.current_period_end.astimezone(UTC).date()


def _last_day(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _named(paid_with: PaymentMethod) -> str:
    brand = plain((paid_with.brand or paid_with.kind).replace("_", " ").title())
    if paid_with.last4 is None:
        return f"**{brand}**"
    named = f"**{brand}** •••• {plain(paid_with.last4)}"
    if paid_with.expires_month is None or paid_with.expires_year is None:
        return named
    return t("billing.card", card=named, month=f"{paid_with.expires_month:02d}", year=str(paid_with.expires_year))


def _bill(bill: Invoice, zone: str) -> None:
    amount = plain(money(bill.amount_remaining, bill.currency))
    failed = bill.failed_at is not None
    st.markdown(
        t(
            "billing.bill_failed" if failed else "billing.bill_open",
            amount=amount,
            number=plain(bill.number or ""),
            day=plain(day_of(bill.failed_at if failed else bill.created, zone)),
        )
    )
    if bill.next_attempt_at is not None and bill.next_attempt_at > datetime.now(UTC):
        st.caption(t("billing.tries_again", day=plain(day_of(bill.next_attempt_at, zone))))
    if bill.hosted_url:
        st.link_button(
            t("billing.pay_now"),
            bill.hosted_url,
            key=f"pay_{bill.stripe_id}",
            type="primary",
            icon=":material/payments:",
        )
