"""The plans side by side with Stripe's prices, and what can be done with each."""

from collections.abc import Mapping
from decimal import Decimal

import streamlit as st

from core.billing.plans import METERED, OFFERS, PLANS, SEATS, Offer, Plan, PlanName, Status, beside
from core.billing.service import PlanView, choose_plan, offered_prices
from core.billing.stripe_gateway import Price
from dashboard.billing.changing import ask_change, change_asked
from dashboard.billing.dates import day_of
from dashboard.billing.way_out import way_out
from dashboard.words import money, number, percent, plain, t

_EVERY = "billing_every"
_MONTH, _YEAR = 1, 12
_INTERVALS = {_MONTH: "month", _YEAR: "year"}
_PRICES_HOLD = 600
"""Seconds for which prices may be older than Stripe's."""
_MOST_SEATS = 975
_CHANGEABLE = frozenset({Status.TRIALING, Status.ACTIVE})

Prices = Mapping[str, Price]


def prices() -> Prices:
    """What Stripe charges, by lookup key. A price that was made wrongly, for another interval, is left out."""
    with st.spinner(t("billing.asking")):
        return _prices()


# The same for everybody: prices belong to no tenant.
@st.cache_data(ttl=_PRICES_HOLD, max_entries=4, show_spinner=False)
def _prices() -> dict[str, Price]:
    sold = {**OFFERS, **SEATS, **METERED}
    return {key: price for key, price in offered_prices().items() if price.months == sold[key].months}


def offers(view: PlanView, known: Prices, zone: str) -> None:
    """The plans side by side, a switch between monthly and yearly, and a button on each that can be had now."""
    st.subheader(t("billing.plans"))
    if not view.may_choose:
        st.info(t("billing.ask_owner", owners=plain(", ".join(view.owners))))
    elif view.subscription is not None and view.subscription.ends_at is not None:
        st.caption(t("billing.keep_first"))
    has = OFFERS.get(view.lookup_key or "")
    every = st.segmented_control(
        t("billing.every"),
        list(_INTERVALS),
        default=has.months if has else _MONTH,
        required=True,
        format_func=lambda months: t(f"billing.every_{_INTERVALS[months]}"),
        key=_EVERY,
    )
    with st.grid(len(PLANS), min_column_width=220, border=True):
        for plan in PLANS.values():
            with st.container():
                _card(view, plan, _offer(plan.name, every or _MONTH), known, zone)
    if view.may_choose:
        st.caption(t("billing.codes_and_tax_ids"))
    change_asked(view, zone)


def _offer(plan: PlanName, months: int) -> Offer | None:
    return next((one for one in OFFERS.values() if (one.plan, one.months) == (plan, months)), None)


def _card(view: PlanView, plan: Plan, offer: Offer | None, known: Prices, zone: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"#### {plain(t(f'frame.plan_{plan.name}'))}", width="content")
        _badge(view, plan, offer)
    price = known.get(offer.lookup_key) if offer else None
    if offer is None or price is None:
        st.markdown(t("billing.without_price" if offer else "billing.no_charge"))
        _features(plan)
        return
    above = st.container()
    _features(plan)
    seat = _seat_price(offer, known)
    seats = _seats(view, seat, plan) if seat else _held(view, plan)
    with above:
        _costs(offer, known, seats)
        if view.may_choose:
            _deed(view, plan, offer, seats, zone)


def _seat_price(offer: Offer, known: Prices) -> Price | None:
    seat = beside(offer, SEATS)
    return known.get(seat.lookup_key) if seat else None


def _costs(offer: Offer, known: Prices, seats: int) -> None:
    """The price, with the seats that are wanted; and what a year at once saves against twelve months."""
    price, total = known[offer.lookup_key], _total(offer, known, seats)
    st.markdown(f"**{plain(money(total, price.currency))}** {t(f'billing.per_{_INTERVALS[offer.months]}')}")
    monthly = _offer(offer.plan, _MONTH)
    if offer.months != _YEAR or monthly is None or monthly.lookup_key not in known:
        return
    by_the_month = _YEAR * _total(monthly, known, seats)
    saved = by_the_month - total
    if saved > 0 and known[monthly.lookup_key].currency == price.currency:
        share = percent(Decimal(saved) / by_the_month)
        st.caption(t("billing.saves", amount=plain(money(saved, price.currency)), share=share))


def _total(offer: Offer, known: Prices, seats: int) -> int:
    seat = _seat_price(offer, known)
    return known[offer.lookup_key].amount + (seats * seat.amount if seat else 0)


def _seats(view: PlanView, price: Price, plan: Plan) -> int:
    """How many creators beyond those included; what they have, or need, until they say otherwise."""
    each, per = plain(money(price.amount, price.currency)), t(f"billing.per_{_INTERVALS[price.months]}")
    included = plan.creators_included or 0
    st.caption(t("billing.seat_price", included=number(included), amount=each, per=per))
    if not view.may_choose or not _is_changeable(view):
        return _held(view, plan)
    needed, has = max(0, view.creators_used - included), _held(view, plan)
    wanted = st.number_input(
        t("billing.seats", included=number(included)),
        min_value=0,
        max_value=_MOST_SEATS,
        value=min(_MOST_SEATS, has or needed),
        step=1,
        key=seats_key(view),
    )
    return int(wanted or 0)


def _held(view: PlanView, plan: Plan) -> int:
    """The seats that are paid for already, of the plan that the subscription is of."""
    has = view.subscription
    return has.seats if has is not None and has.plan is plan.name else 0


def _is_changeable(view: PlanView) -> bool:
    """Whether something can be had now, by buying it or by changing what is paid for."""
    has = view.subscription
    return has is None or (has.status in _CHANGEABLE and has.ends_at is None)


def seats_key(view: PlanView) -> str:
    """Where the page keeps how many seats are wanted; anew once another number is paid for."""
    return f"billing_seats_{view.account_id}_{view.subscription.seats if view.subscription is not None else 0}"


def _badge(view: PlanView, plan: Plan, offer: Offer | None) -> None:
    now = view.entitlement
    if now.granted_until and plan.name is now.plan:
        st.badge(t("billing.given"), icon=":material/redeem:")
    elif plan.name is now.plan and (offer is None or view.lookup_key in (None, offer.lookup_key)):
        st.badge(t("billing.current"), icon=":material/check:")


def _deed(view: PlanView, plan: Plan, offer: Offer, seats: int, zone: str) -> None:
    """What can be done with this card: pay for it, or change to it what is paid for."""
    has = view.subscription
    if has is None:
        _choose(view, plan, offer, seats)
    elif not _is_changeable(view):
        return  # that is put right first; the page says how
    elif has.next_at and has.next_lookup_key == offer.lookup_key != has.lookup_key:
        st.caption(t("billing.from_day", day=plain(day_of(has.next_at, zone))))
    elif has.lookup_key != offer.lookup_key:
        is_same = has.plan is offer.plan
        label = f"billing.switch_{_INTERVALS[offer.months]}" if is_same else "billing.change_to"
        _change(t(label, plan=t(f"frame.plan_{plan.name}")), view, offer)
    elif seats != has.seats:
        _change(t("billing.change_seats"), view, offer)


def _choose(view: PlanView, plan: Plan, offer: Offer, seats: int) -> None:
    if view.may_try and plan.trial_days:
        st.caption(t("billing.trial", count=plan.trial_days))
    way_out(
        view,
        f"choose_{offer.lookup_key}",
        t("billing.choose", plan=t(f"frame.plan_{plan.name}")),
        lambda scope: choose_plan(scope, offer.lookup_key, seats),
        t("billing.to_payment"),
        look="primary",
    )


def _change(label: str, view: PlanView, offer: Offer) -> None:
    st.button(
        label,
        key=f"change_{offer.lookup_key}",
        on_click=ask_change,
        args=(view.account_id, offer.lookup_key, seats_key(view) if beside(offer, SEATS) else None),
        type="primary" if offer.plan.rank >= view.entitlement.plan.rank else "secondary",
        width="stretch",
    )


def _features(plan: Plan) -> None:
    extras = {
        "billing.alerts_by_mail": plan.alerts_by_mail,
        "billing.scheduled_reports": plan.scheduled_reports,
        "billing.api_keys": plan.api_keys,
    }
    lines = [
        _creators(plan),
        t("billing.drafts_metered" if plan.generations_metered else "billing.drafts", most=number(plan.generations)),
        _history(plan.history_days),
        t("billing.members_unlimited") if plan.team_members is None else t("billing.members", count=plan.team_members),
        *(t(extra) for extra, has_it in extras.items() if has_it),
    ]
    st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def _creators(plan: Plan) -> str:
    if plan.creators is None:
        return t("billing.creators_included", count=plan.creators_included)
    return t("billing.creators", count=plan.creators)


def _history(days: int | None) -> str:
    if days is None:
        return t("billing.history_all")
    years, rest = divmod(days, 365)
    return t("billing.history_days", count=days) if rest else t("billing.history_years", count=years)
