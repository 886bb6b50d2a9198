"""The question before a subscription is changed: what it costs to the cent, and when."""

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import streamlit as st

from core.billing.changing import Preview, change_plan, preview_change
from core.billing.plans import OFFERS, PlanName
from core.billing.service import PlanView
from dashboard.billing.dates import day_of
from dashboard.billing.owing import remember
from dashboard.billing.standing import named
from dashboard.billing.wishing import until_refused
from dashboard.session import flash, refusals_shown, viewer
from dashboard.words import money, number, plain, t

_ASKED = "billing_change"
_PREVIEW = "billing_preview"


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for, and the id under which it is asked for once, however often it is clicked."""

    id: UUID
    account_id: UUID
    lookup_key: str
    seats: int


def ask_change(account_id: UUID, lookup_key: str, seats_at: str | None) -> None:
    """The `on_click` of the button that leads to the question; `seats_at` is where the page keeps the seats wanted."""
    seats = int(st.session_state.get(seats_at) or 0) if seats_at else 0
    st.session_state.pop(_PREVIEW, None)
    st.session_state[_ASKED] = _Wish(uuid4(), account_id, lookup_key, seats)


def change_asked(view: PlanView, zone: str) -> None:
    """The question itself, while it is open: asked of Stripe once, and agreed to as it was shown."""
    wish: _Wish | None = st.session_state.get(_ASKED)
    if wish is None or wish.account_id != view.account_id:
        return

    of_seats = wish.lookup_key == view.lookup_key
    title = t("billing.seats_title") if of_seats else t("billing.change_title", what=named(wish.lookup_key))

    @st.dialog(title, on_dismiss=_forget)
    @refusals_shown()
    def question() -> None:
        was_read = _PREVIEW in st.session_state
        preview = _asked_once(wish)
        if preview is not None:
            _shown(preview, zone)
        with st.container(horizontal=True):
            agreed = preview is not None and st.button(t("billing.confirm"), key="billing_change_yes", type="primary")
            if st.button(t("frame.cancel"), key="billing_change_no"):
                _forget()
                st.rerun()
        if preview is not None and agreed and was_read:
            _agreed(preview, zone)

    question()


def _agreed(preview: Preview, zone: str) -> None:
    """Done as it was shown. Where the payment did not go through, the page leads to where it can be made."""
    wish: _Wish = st.session_state[_ASKED]
    with st.spinner(t("billing.asking")), until_refused(_anew):
        view = change_plan(viewer().scope, wish.id, preview)
    remember(view)
    _forget()
    has = view.subscription
    when, plan = day_of(preview.takes_effect_at, zone), t(f"frame.plan_{OFFERS[preview.lookup_key].plan}")
    if not preview.is_now and preview.is_only_seats:
        flash(t("billing.seats_change_later", day=when))
    elif not preview.is_now:
        flash(t("billing.changes_later", what=named(preview.lookup_key), day=when))
    elif has is not None and (has.lookup_key, has.seats) == (preview.lookup_key, preview.seats):
        flash(t("billing.seats_changed") if preview.is_only_seats else t("billing.changed", plan=plan))
    else:
        flash(t("billing.not_paid_yet"), icon=":material/hourglass_top:")
    st.rerun()


def _asked_once(wish: _Wish) -> Preview | None:
    """The same preview as long as the question is open: what is agreed to is what was read. None when refused."""
    kept: Preview | None = st.session_state.get(_PREVIEW)
    if kept is None:
        with refusals_shown(), st.spinner(t("billing.reckoning")):
            kept = preview_change(viewer().scope, wish.lookup_key, wish.seats)
            st.session_state[_PREVIEW] = kept
    return kept


def _shown(preview: Preview, zone: str) -> None:
    if OFFERS[preview.lookup_key].plan is PlanName.ENTERPRISE:
        st.markdown(t("billing.seats_wanted", seats=number(preview.seats)))
    if not preview.is_now:
        day = plain(day_of(preview.takes_effect_at, zone))
        st.info(t("billing.takes_effect", day=day), icon=":material/event_upcoming:")
    elif preview.prorated_at is None:
        st.info(t("billing.free_now"), icon=":material/redeem:")
    else:
        _to_the_cent(preview)
    if preview.over_by:
        st.warning(t("billing.over_by", count=preview.over_by), icon=":material/group:")
    next_amount = plain(money(preview.next_amount, preview.currency))
    st.markdown(t("billing.next_payment", amount=next_amount, day=plain(day_of(preview.next_at, zone))))


def _to_the_cent(preview: Preview) -> None:
    """What the rows come to is what is taken, or is left over; a credit from before is a row of its own."""
    total = preview.charge - preview.credit + preview.tax
    rows = [
        ("billing.credit", -preview.credit),
        ("billing.charge", preview.charge),
        ("billing.tax", preview.tax),
        ("billing.from_balance", preview.due_now - total if total > 0 else 0),
        ("billing.due_now", preview.due_now),
    ]
    table = [f"| {t('billing.position')} | {t('billing.amount')} |", "| :--- | ---: |"]
    table += [
        f"| {t(label)} | {plain(money(amount, preview.currency))} |"
        for label, amount in rows
        if amount or label == "billing.due_now"
    ]
    st.markdown("\n".join(table))
    if total < 0:
        st.caption(t("billing.credit_left", amount=plain(money(-total, preview.currency))))
    st.caption(t("billing.as_shown"))


def _anew() -> None:
    """What was refused is reckoned once more, and read before it is agreed to."""
    st.session_state[_ASKED] = replace(st.session_state[_ASKED], id=uuid4())
    st.session_state.pop(_PREVIEW, None)


def _forget() -> None:
    for name in (_ASKED, _PREVIEW):
        st.session_state.pop(name, None)
