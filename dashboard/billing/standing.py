"""Which plan an account has, until when, and what comes next."""

import streamlit as st

from core.billing.plans import OFFERS, Notice, PlanName, Status, Subscription
from core.billing.service import PlanView
from dashboard.billing.dates import day_of
from dashboard.words import plain, t

_WAYS = {1: "month", 12: "year"}


def standing(view: PlanView, zone: str) -> None:
    """The plan, what is paid for it, what a scheduled change makes of it, and what needs attention."""
    now = view.entitlement
    known = now.status if now.status in (*Status, "none") else "unknown"
    st.subheader(t("billing.your_plan", plan=t(f"frame.plan_{now.plan}")))
    facts = {"until": day_of(now.until, zone), "grace": day_of(now.grace_until, zone)}
    st.caption(t(f"billing.status_{known}", **facts))
    if view.subscription is not None:
        _paid_for(view.subscription)
    if now.granted_until:  # what a notice says of the free plan is not so now
        st.info(t("billing.granted", until=day_of(now.granted_until, zone)), icon=":material/redeem:")
    elif now.notice is Notice.ENDING:
        st.info(t("billing.notice_ending", **facts), icon=":material/event_busy:")
    elif now.notice:
        st.warning(t(f"billing.notice_{now.notice}", **facts), icon=":material/warning:")
    if view.subscription is not None and view.subscription.next_at and view.subscription.next_lookup_key:
        _comes_next(view.subscription, zone)


def is_paid(view: PlanView) -> bool:
    """Whether a subscription is there and counts; a plan that was only given says nothing of a payment."""
    return view.lookup_key is not None and view.entitlement.plan is not PlanName.FREE


def named(lookup_key: str | None) -> str:
    """A plan and how often it is paid, as in "Pro, monthly"; "?" for what is not ours to name."""
    offer = OFFERS.get(lookup_key or "")
    if offer is None:
        return "?"
    every = t(f"billing.every_{_WAYS[offer.months]}")
    return t("billing.plan_paid", plan=t(f"frame.plan_{offer.plan}"), every=every)


def _paid_for(subscription: Subscription) -> None:
    what = plain(named(subscription.lookup_key))
    if subscription.seats:
        what = t("billing.with_seats", what=what, count=subscription.seats)
    st.caption(t("billing.subscribed", what=what))


def _comes_next(subscription: Subscription, zone: str) -> None:
    when, after = plain(day_of(subscription.next_at, zone)), subscription.next_lookup_key
    if after == subscription.lookup_key:
        said = t("billing.seats_come_next", day=when)
    else:
        said = t("billing.comes_next", day=when, what=plain(named(after)))
    st.info(said, icon=":material/event_upcoming:")
