"""An account's plan, and the plans that it could have."""

from collections.abc import Mapping
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

import streamlit as st

from core.billing.plans import OFFERS, PLANS, Plan, PlanName, Status
from core.billing.service import PlanView, choose_plan, offered_prices, open_portal
from core.billing.stripe_gateway import Price
from dashboard.session import refusals_shown, viewer
from dashboard.words import day, money, number, plain, t

_WAY_OUT = "billing_way_out"
_EVERY = "billing_every"
_PORTAL = "portal"
_MONTH, _YEAR = 1, 12
_INTERVALS = {_MONTH: "month", _YEAR: "year"}
_PRICES_HOLD = 600
"""Seconds for which prices may be older than Stripe's."""


def standing(view: PlanView, zone: str) -> None:
    """Which plan the account has, until when, and what needs attention."""
    now = view.entitlement
    known = now.status if now.status in (*Status, "none") else "unknown"
    st.subheader(t("billing.your_plan", plan=t(f"frame.plan_{now.plan}")))
    facts = {"until": _day(now.until, zone), "grace": _day(now.grace_until, zone)}
    st.caption(t(f"billing.status_{known}", **facts))
    if now.granted_until:  # what a notice says of the free plan is not so now
        st.info(t("billing.granted", until=_day(now.granted_until, zone)), icon=":material/redeem:")
    elif now.notice:
        st.warning(t(f"billing.notice_{now.notice}", **facts), icon=":material/warning:")


def payment(view: PlanView) -> None:
    """Stripe's own pages, for those who have been there before."""
    if view.may_choose and view.has_portal:
        st.button(t("billing.manage"), key="billing_portal", on_click=_to_portal, help=t("billing.manage_what"))
        _way_out(view, _PORTAL, t("billing.to_portal"))


def offers(view: PlanView) -> None:
    """The plans side by side with Stripe's prices, and a button on each that can be chosen now."""
    st.subheader(t("billing.plans"))
    if not view.may_choose:
        st.info(t("billing.ask_owner", owners=plain(", ".join(view.owners))))
    elif view.lookup_key:
        st.caption(t("billing.change_there"))
    every = st.segmented_control(
        t("billing.every"),
        list(_INTERVALS),
        default=_MONTH,
        required=True,
        format_func=lambda months: t(f"billing.every_{_INTERVALS[months]}"),
        key=_EVERY,
    )
    prices = _prices()
    with st.grid(len(PLANS), min_column_width=220, border=True):
        for plan in PLANS.values():
            with st.container():
                _card(view, plan, every or _MONTH, prices)


def _card(view: PlanView, plan: Plan, months: int, prices: Mapping[str, Price]) -> None:
    offer = next((one for one in OFFERS.values() if one.plan is plan.name and one.months == months), None)
    price = prices.get(offer.lookup_key) if offer else None
    if price is not None and price.months != months:
        price = None  # made wrongly at Stripe: what the card says would not be what is charged
    st.markdown(f"#### {plain(t(f'frame.plan_{plan.name}'))}")
    if price is not None:
        st.markdown(f"**{plain(money(price.amount, price.currency))}** {t(f'billing.per_{_INTERVALS[months]}')}")
    else:
        st.markdown(t("billing.without_price" if offer else "billing.no_charge"))
    st.markdown("\n".join(f"- {plain(line)}" for line in _features(plan)))
    if plan.name is view.entitlement.plan:
        st.badge(t("billing.current"), icon=":material/check:")
    elif price is not None and view.may_choose and not view.lookup_key:
        if view.may_try and plan.trial_days:
            st.caption(t("billing.trial", count=plan.trial_days))
        st.button(
            t("billing.choose", plan=t(f"frame.plan_{plan.name}")),
            key=f"choose_{price.lookup_key}",
            on_click=_to_checkout,
            args=(price.lookup_key,),
            type="primary",
            width="stretch",
        )
        _way_out(view, price.lookup_key, t("billing.to_payment"))


def _features(plan: Plan) -> list[str]:
    extras = {
        "billing.alerts_by_mail": plan.alerts_by_mail,
        "billing.scheduled_reports": plan.scheduled_reports,
        "billing.api_keys": plan.api_keys,
    }
    return [
        _creators(plan),
        t("billing.drafts_metered" if plan.generations_metered else "billing.drafts", most=number(plan.generations)),
        _history(plan.history_days),
        t("billing.members_unlimited") if plan.team_members is None else t("billing.members", count=plan.team_members),
        *(t(extra) for extra, has_it in extras.items() if has_it),
    ]


def _creators(plan: Plan) -> str:
    if plan.creators is None:
        return t("billing.creators_included", count=plan.creators_included)
    return t("billing.creators", count=plan.creators)


def _history(days: int | None) -> str:
    if days is None:
        return t("billing.history_all")
    years, rest = divmod(days, 365)
    return t("billing.history_days", count=days) if rest else t("billing.history_years", count=years)


# The same for everybody: prices belong to no tenant.
@st.cache_data(ttl=_PRICES_HOLD, max_entries=4, show_spinner=False)
def _prices() -> dict[str, Price]:
    return offered_prices()


@refusals_shown()
def _to_checkout(lookup_key: str) -> None:
    scope = viewer().scope
    st.session_state[_WAY_OUT] = (scope.account_id, lookup_key, choose_plan(scope, lookup_key))


@refusals_shown()
def _to_portal() -> None:
    scope = viewer().scope
    st.session_state[_WAY_OUT] = (scope.account_id, _PORTAL, open_portal(scope))


def _way_out(view: PlanView, place: str, label: str) -> None:
    """Below the button that asked for it: the link to Stripe's page, in this tab. It belongs to one account."""
    account_id, asked_at, url = st.session_state.get(_WAY_OUT, (None, "", ""))
    if (account_id, asked_at) == (view.account_id, place):
        st.caption(t("billing.leaving"))
        st.html(
            f'<a class="way-out" style="color: inherit; font-weight: 600" href="{escape(url)}">{escape(label)} →</a>'
        )


def _day(instant: datetime | None, zone: str) -> str:
    return "" if instant is None else day(instant.astimezone(ZoneInfo(zone)).date())


def is_paid(view: PlanView) -> bool:
    """Whether a subscription is there and counts; a plan that was only given says nothing of a payment."""
    return view.lookup_key is not None and view.entitlement.plan is not PlanName.FREE
