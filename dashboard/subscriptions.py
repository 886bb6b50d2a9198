"""For staff: all subscriptions to search in, and the file of one account with what may be done to it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import streamlit as st

from core.billing.desk import (
    Change,
    Cursor,
    FoundSubscription,
    SubscriptionFile,
    Wish,
    find_subscriptions,
    subscription_file,
)
from core.billing.invoices import Invoice
from core.billing.plans import Status, Subscription
from core.insights.operations import replay
from dashboard.components.figures import nothing_yet
from dashboard.deeds import paged
from dashboard.session import Viewer, anyone, flash, refusals_shown
from dashboard.subscription_deeds import asked_for, deeds_of, give_plan, left_of, refund_of, sold_as
from dashboard.words import moment, money, number, plain, t

_OPEN = "subscriptions_open"
_INVOICE_STATES = frozenset({"open", "paid", "void", "uncollectible"})
_SEARCH, _STATUS, _LIST = "subscriptions_search", "subscriptions_status", "subscriptions"


def subscriptions(looking: Viewer) -> None:
    """The list, or the file that was opened from it."""
    opened: UUID | None = st.session_state.get(_OPEN)
    if opened is None:
        _found(looking)
    else:
        _file(subscription_file(looking.scope, opened))
        asked_for()


def _found(looking: Viewer) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            t("subscriptions.search"), key=_SEARCH, help=t("subscriptions.search_help"), on_change=_from_the_start
        )
        status = st.selectbox(
            t("subscriptions.status"),
            [None, *Status],
            format_func=lambda one: t("subscriptions.any") if one is None else _standing(one),
            key=_STATUS,
            on_change=_from_the_start,
        )
    paged(_LIST, lambda after: _page(looking, text, status, after))


def _from_the_start() -> None:
    st.session_state.pop(f"{_LIST}_after", None)


def _page(looking: Viewer, text: str, status: str | None, after: Cursor | None) -> Cursor | None:
    page = find_subscriptions(looking.scope, text, status, after)
    for one in page.subscriptions:
        with st.container(border=True):
            _line(one)
    if not page.subscriptions:
        nothing_yet(t("subscriptions.none"))
    return page.more


def _line(one: FoundSubscription) -> None:
    told = one.subscription
    st.markdown(f"**{plain(one.account)}** · {plain(one.email or t('subscriptions.no_owner'))}")
    st.caption(" · ".join([*_facts(told), *_worth(one)]))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(t("subscriptions.open"), key=f"open_{told.stripe_id}", on_click=_opened, args=(one.account_id,))
        st.code(told.stripe_id, language=None, width="content")


def _worth(one: FoundSubscription) -> list[str]:
    """Nothing where nothing is paid now: on trial, paused, ended."""
    if one.currency is None or not one.monthly:
        return []
    return [t("subscriptions.monthly", amount=plain(money(one.monthly, one.currency)))]


def _opened(account_id: UUID | None) -> None:
    if account_id is None:
        st.session_state.pop(_OPEN, None)
    else:
        st.session_state[_OPEN] = account_id


def _file(file: SubscriptionFile) -> None:
    st.button(
        t("subscriptions.back"), key="subscriptions_back", icon=":material/arrow_back:", on_click=_opened, args=(None,)
    )
    st.subheader(plain(file.account))
    st.caption(
        t(
            "subscriptions.account_facts",
            plan=t(f"frame.plan_{file.entitlement.plan}"),
            owners=plain(", ".join(file.owners)) or t("subscriptions.no_owner"),
            card=plain(_card(file)),
        )
    )
    st.code("\n".join(part for part in (file.customer_id, str(file.account_id)) if part), language=None)
    _asked(file)
    with st.container(horizontal=True):
        deeds_of(file)
        give_plan(file)
    _held(file)
    _invoices(file)
    _given(file)
    _table(t("subscriptions.changes"), [_change_row(one) for one in file.changes], t("subscriptions.no_changes"))
    with st.expander(t("subscriptions.machinery"), key="subscriptions_machinery"):
        _table(t("subscriptions.events"), _event_rows(file), t("subscriptions.no_events"))
        _table(t("subscriptions.wishes"), _wish_rows(file), t("subscriptions.no_wishes"))


def _card(file: SubscriptionFile) -> str:
    method = file.method
    if method is None:
        return t("subscriptions.no_method")
    if method.last4 is None:
        return method.kind
    expires = f"{method.expires_month:02d}/{method.expires_year}" if method.expires_month else ""
    return t("subscriptions.card", brand=(method.brand or method.kind).title(), last4=method.last4, expires=expires)


def _asked(file: SubscriptionFile) -> None:
    """How fresh this is, and a way to have Stripe asked again."""
    asked = file.asked
    if asked is None:
        st.caption(t("subscriptions.no_customer"))
        return
    if asked.is_given_up or asked.last_error:
        said = "subscriptions.given_up" if asked.is_given_up else "subscriptions.failing"
        when = plain(moment(asked.next_at))
        st.warning(t(said, error=plain(asked.last_error or ""), tries=number(asked.attempts), when=when))
    elif asked.waiting:
        st.caption(t("subscriptions.waiting", count=asked.waiting))
    st.button(
        t("admin.replay"), key="subscriptions_replay", icon=":material/sync:", on_click=_replay, args=(asked.key,)
    )


@refusals_shown()
def _replay(key: str) -> None:
    replay(anyone().scope, key)
    flash(t("admin.replayed"))


def _held(file: SubscriptionFile) -> None:
    st.markdown(f"#### {t('subscriptions.held')}")
    for one in file.subscriptions:
        with st.container(border=True):
            st.markdown(" · ".join(_facts(one)))
            lines = [_item_line(one)] + ([t("subscriptions.is_meant")] if one == file.counts else [])
            st.caption(" · ".join(line for line in lines if line))
            st.code(one.stripe_id, language=None)
    if not file.subscriptions:
        nothing_yet(t("subscriptions.no_subscription"))


def _facts(one: Subscription) -> list[str]:
    """What it is, how it stands, and what comes next."""
    facts = [sold_as(one.lookup_key), _standing(one.status)]
    if one.ended_at or one.status == Status.CANCELED:
        return [*facts, t("subscriptions.ended", when=plain(moment(one.ended_at or one.current_period_end)))]
    if one.status == Status.TRIALING and one.trial_end:
        facts.append(t("subscriptions.trial_until", when=plain(moment(one.trial_end))))
    if one.ends_at:
        facts.append(t("subscriptions.ends", when=plain(moment(one.ends_at))))
    elif one.next_lookup_key and one.next_at:
        then = sold_as(one.next_lookup_key)
        facts.append(t("subscriptions.becomes", plan=then, when=plain(moment(one.next_at))))
    elif one.status in (Status.ACTIVE, Status.PAST_DUE):
        facts.append(t("subscriptions.renews", when=plain(moment(one.current_period_end))))
    return facts


def _item_line(one: Subscription) -> str:
    amounts = [
        t("subscriptions.item", count=number(each.quantity), amount=plain(money(each.unit_amount, each.currency)))
        for each in one.items
        if each.unit_amount is not None and not each.is_metered
    ]
    return " + ".join(amounts)


def _standing(status: str) -> str:
    return t(f"admin.paid_{status}") if status in tuple(Status) else plain(status)


def _invoices(file: SubscriptionFile) -> None:
    st.markdown(f"#### {t('subscriptions.invoices')}")
    for one in file.invoices:
        with st.container(border=True):
            _invoice(file, one)
    if not file.invoices:
        nothing_yet(t("subscriptions.no_invoices"), icon=":material/receipt_long:")


def _invoice(file: SubscriptionFile, one: Invoice) -> None:
    facts = [
        f"**{plain(money(one.total, one.currency))}**",
        t(f"subscriptions.invoice_{one.status}") if one.status in _INVOICE_STATES else plain(one.status),
        plain(moment(one.created)),
    ]
    st.markdown(" · ".join(facts))
    notes = [plain(one.number or one.stripe_id)]
    for name in ("amount_remaining", "amount_refunded", "amount_disputed"):
        amount: int = getattr(one, name)
        if amount:
            notes.append(t(f"subscriptions.{name}", amount=plain(money(amount, one.currency))))
    if one.failed_at:
        notes.append(t("subscriptions.failed", when=plain(moment(one.failed_at))))
    st.caption(" · ".join(notes))
    with st.container(horizontal=True):
        if left_of(one) > 0:
            refund_of(file, one)
        if one.hosted_url:
            st.link_button(t("subscriptions.at_stripe"), one.hosted_url)


def _given(file: SubscriptionFile) -> None:
    for one in file.grants:
        plan, until = t(f"frame.plan_{one.plan}"), plain(moment(one.ends_at))
        st.markdown(t("admin.given", plan=plan, until=until, reason=plain(one.reason)))


def _change_row(one: Change) -> dict[str, str]:
    return {
        t("subscriptions.noticed"): moment(one.noticed_at),
        t("subscriptions.plan"): sold_as(one.lookup_key),
        t("subscriptions.status"): _standing(one.status),
        t("subscriptions.period_end"): moment(one.current_period_end),
        t("subscriptions.ends_at"): moment(one.ends_at) if one.ends_at else "",
        t("admin.id"): one.stripe_id,
    }


def _event_rows(file: SubscriptionFile) -> list[dict[str, str]]:
    return [
        {
            t("admin.made"): moment(one.created),
            t("admin.type"): one.type,
            t("admin.received"): moment(one.received_at),
            t("admin.applied"): moment(one.processed_at) if one.processed_at else "",
            t("admin.id"): one.stripe_id,
        }
        for one in file.events
    ]


def _wish_rows(file: SubscriptionFile) -> list[dict[str, str]]:
    return [
        {
            t("admin.made"): moment(one.created_at),
            t("admin.type"): one.kind,
            t("admin.state"): t(f"subscriptions.wish_{_came(one)}"),
            t("subscriptions.outcome"): one.stripe_id or "",
            t("admin.id"): str(one.id),
        }
        for one in file.wishes
    ]


def _came(one: Wish) -> str:
    if one.closed_at is None:
        return "open"
    return "done" if one.stripe_id else "given_up"


def _table(title: str, rows: Sequence[Mapping[str, str]], empty: str) -> None:
    st.markdown(f"#### {title}")
    if rows:
        st.dataframe(list(rows), hide_index=True, alt=title)
    else:
        st.caption(empty)
