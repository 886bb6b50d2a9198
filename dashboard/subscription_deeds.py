"""What staff do to a subscription, each behind a question that says exactly what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import streamlit as st

from core.billing.desk import SubscriptionFile
from core.billing.desk_deeds import (
    MOST_SEATS,
    When,
    cancel_for,
    change_plan_for,
    extend_trial,
    keep_for,
    refund,
    resume_for,
    would_cost,
)
from core.billing.grants import LONGEST, grant_plan
from core.billing.invoices import Invoice
from core.billing.plans import OFFERS, SEATS, PlanName, Status, Subscription, beside
from core.billing.stripe_refunds import RefundReason
from core.errors import BadInput
from core.identity.proof import is_proved
from core.money import NotMoney, decimal_of, exact, minor_units
from dashboard.billing.wishing import until_refused
from dashboard.components.reason import why
from dashboard.session import anyone, flash
from dashboard.team import prove
from dashboard.words import moment, money, plain, t

_ASKED, _WISH = "subscription_asked", "subscription_wish"
_USUAL_DAYS = 14
_AMOUNT, _CODE, _DAYS, _PLAN, _SEATS, _WHEN = (
    f"subscription_{name}" for name in ("amount", "code", "days", "plan", "seats", "when")
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A deed that waits for its reason. `do` takes the wish's id and the reason; `what` says what will happen."""

    deed: str
    what: str
    do: Callable[[UUID, str], None]
    fields: Callable[[], None] = lambda: None


def sold_as(lookup_key: str | None) -> str:
    """A price's lookup key in the viewer's words; as it is where we do not sell it."""
    offer = OFFERS.get(lookup_key or "")
    if offer is None:
        return plain(lookup_key) if lookup_key else t("subscriptions.other_price")
    plan = t(f"frame.plan_{offer.plan}")
    return t("subscriptions.yearly" if offer.months == 12 else "subscriptions.monthly_plan", plan=plan)


def asked_for() -> None:
    """The question that is open, if one is."""
    asked: Asked | None = st.session_state.get(_ASKED)
    if asked is not None:
        why(
            _ASKED,
            t(f"subscriptions.{asked.deed}"),
            lambda reason: _done(asked, reason),
            what=asked.what,
            yes=t(f"subscriptions.{asked.deed}_yes"),
            fields=asked.fields,
        )


def _done(asked: Asked, reason: str) -> None:
    with until_refused(lambda: st.session_state.update({_WISH: uuid4()})):
        asked.do(st.session_state[_WISH], reason)
    flash(t(f"subscriptions.{asked.deed}_done"))


def _ask(asked: Asked) -> None:
    st.session_state[_ASKED] = asked
    st.session_state[_WISH] = uuid4()
    for key in (_AMOUNT, _CODE, _DAYS, _PLAN, _SEATS, _WHEN):
        st.session_state.pop(key, None)


def _button(key: str, asked: Asked) -> None:
    st.button(t(f"subscriptions.{asked.deed}"), key=key, on_click=_ask, args=(asked,))


def left_of(invoice: Invoice) -> int:
    """What of an invoice can still be given back, minor units."""
    if invoice.charge_id is None:
        return 0
    return max(0, invoice.amount_paid - invoice.amount_refunded - invoice.amount_disputed)


def refund_of(file: SubscriptionFile, invoice: Invoice) -> None:
    """The button for giving back what an invoice was paid with; before it a proof of who asks, where that is due."""
    key = f"refund_{invoice.stripe_id}"
    if not is_proved(anyone().scope):
        st.link_button(t("subscriptions.prove_to_refund"), prove("/admin"), icon=":material/lock:")
        return
    left = left_of(invoice)

    def fields() -> None:
        written = str(exact(left, invoice.currency))
        label = t("subscriptions.amount", currency=invoice.currency)
        st.text_input(label, written, key=_AMOUNT, max_chars=20, help=t("subscriptions.amount_help"))
        st.selectbox(
            t("subscriptions.code"),
            list(RefundReason),
            format_func=lambda one: t(f"subscriptions.code_{one}"),
            key=_CODE,
        )
        st.caption(_after_refund(invoice, left))

    def do(wish_id: UUID, reason: str) -> None:
        amount, code = _amount(invoice.currency), st.session_state[_CODE]
        refund(anyone().scope, file.account_id, wish_id, invoice.stripe_id, amount, reason_code=code, reason=reason)

    what = t(
        "subscriptions.refund_what",
        left=plain(money(left, invoice.currency)),
        paid=plain(money(invoice.amount_paid, invoice.currency)),
        invoice=plain(invoice.number or invoice.stripe_id),
        account=plain(file.account),
    )
    _button(key, Asked("refund", what, do, fields))


def _amount(currency: str) -> int:
    """What was written, in minor units. A comma is as good as a point. Raises BadInput for what is no amount."""
    try:
        return minor_units(decimal_of(str(st.session_state[_AMOUNT]).strip().replace(",", ".")), currency)
    except NotMoney:
        raise BadInput("desk.bad_amount") from None


def _after_refund(invoice: Invoice, left: int) -> str:
    try:
        amount = _amount(invoice.currency)
    except BadInput as refusal:
        return plain(refusal.sentence(anyone().language))
    if not 1 <= amount <= left:
        return t("subscriptions.too_much", left=plain(money(left, invoice.currency)))
    then = invoice.amount_refunded + amount
    return t(
        "subscriptions.after_refund",
        amount=plain(money(amount, invoice.currency)),
        refunded=plain(money(then, invoice.currency)),
        paid=plain(money(invoice.amount_paid, invoice.currency)),
    )


def deeds_of(file: SubscriptionFile) -> None:
    """What can be done to the subscription that counts, as it stands."""
    one = file.counts
    if one is None:
        return
    if one.status == Status.TRIALING:
        _button("extend", _extending(file, one))
    if one.status == Status.PAUSED:
        _button("resume", _resuming(file))
    if one.ends_at or one.schedule_id:
        _button("keep", _keeping(file, one))
    if one.ends_at is None:
        _button("change_plan", _changing(file, one))
    _button("cancel", _canceling(file, one))


def _extending(file: SubscriptionFile, one: Subscription) -> Asked:
    def fields() -> None:
        st.number_input(t("admin.days"), 1, LONGEST, _USUAL_DAYS, key=_DAYS)

    def do(wish_id: UUID, reason: str) -> None:
        extend_trial(anyone().scope, file.account_id, wish_id, int(st.session_state[_DAYS]), reason)

    ends = plain(moment(one.trial_end or one.current_period_end))
    return Asked("extend", t("subscriptions.extend_what", account=plain(file.account), ends=ends), do, fields)


def _resuming(file: SubscriptionFile) -> Asked:
    what = t("subscriptions.resume_what", account=plain(file.account))
    return Asked("resume", what, lambda wish_id, reason: resume_for(anyone().scope, file.account_id, wish_id, reason))


def _keeping(file: SubscriptionFile, one: Subscription) -> Asked:
    renews = plain(moment(one.current_period_end))
    what = t("subscriptions.keep_what", account=plain(file.account), renews=renews)
    return Asked("keep", what, lambda wish_id, reason: keep_for(anyone().scope, file.account_id, wish_id, reason))


def _changing(file: SubscriptionFile, one: Subscription) -> Asked:
    keys, held = list(OFFERS), one.lookup_key or ""
    ends = plain(moment(one.current_period_end))

    def fields() -> None:
        lookup_key = st.selectbox(
            t("subscriptions.plan"),
            keys,
            index=keys.index(held) if held in OFFERS else 0,
            format_func=sold_as,
            key=_PLAN,
        )
        seats = 0
        if beside(OFFERS[lookup_key], SEATS):
            seats = int(st.number_input(t("subscriptions.seats"), 0, MOST_SEATS, one.seats, key=_SEATS))
        when = st.radio(
            t("subscriptions.when"),
            list(When),
            format_func=lambda each: t(f"subscriptions.when_{each}", when=ends),
            key=_WHEN,
        )
        cost = would_cost(anyone().scope, one, lookup_key, seats)
        amount = plain(money(cost.amount, cost.currency))
        every = "yearly" if cost.months == 12 else "monthly"
        st.caption(t(f"subscriptions.then_{every}", amount=amount))
        if when is When.NOW:
            st.caption(t("subscriptions.anew" if cost.is_anew else "subscriptions.no_charge", amount=amount, when=ends))

    def do(wish_id: UUID, reason: str) -> None:
        lookup_key = st.session_state[_PLAN]
        seats = int(st.session_state.get(_SEATS, 0)) if beside(OFFERS[lookup_key], SEATS) else 0
        when = When(st.session_state[_WHEN])
        change_plan_for(anyone().scope, file.account_id, wish_id, lookup_key, seats, reason=reason, when=when)

    what = t("subscriptions.change_plan_what", account=plain(file.account), plan=sold_as(one.lookup_key))
    return Asked("change_plan", what, do, fields)


def _canceling(file: SubscriptionFile, one: Subscription) -> Asked:
    ways = (False, True) if one.ends_at is None else (True,)
    ends = plain(moment(one.current_period_end))

    def fields() -> None:
        at_once = st.radio(
            t("subscriptions.when"),
            ways,
            format_func=lambda each: t("subscriptions.cancel_now" if each else "subscriptions.cancel_later", when=ends),
            key=_WHEN,
        )
        st.caption(t("subscriptions.cancel_now_what" if at_once else "subscriptions.cancel_later_what", when=ends))

    def do(wish_id: UUID, reason: str) -> None:
        at_once = bool(st.session_state[_WHEN])
        cancel_for(anyone().scope, file.account_id, wish_id, at_once=at_once, reason=reason)

    return Asked("cancel", t("subscriptions.cancel_what", account=plain(file.account)), do, fields)


def give_plan(file: SubscriptionFile) -> None:
    """The button for giving a plan for some days, beside what is paid for."""

    def fields() -> None:
        plans = [PlanName.PRO, PlanName.ENTERPRISE]
        st.selectbox(t("admin.plan"), plans, format_func=lambda plan: t(f"frame.plan_{plan}"), key=_PLAN)
        st.number_input(t("admin.days"), 1, LONGEST, _USUAL_DAYS, key=_DAYS)

    def do(_wish_id: UUID, reason: str) -> None:
        plan, days = st.session_state[_PLAN], int(st.session_state[_DAYS])
        grant_plan(anyone().scope, file.account_id, plan, days=days, reason=reason)

    _button("give_plan", Asked("give_plan", t("admin.grant_plan_what", name=plain(file.account)), do, fields))
