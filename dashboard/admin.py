"""Finding accounts and people, and what staff may do to them: each deed asks for its reason first."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import streamlit as st

from core.billing.grants import LONGEST, Grant, grant_plan, revoke_grant
from core.billing.plans import PlanName, Status
from core.insights.people import Creator, FoundAccount, FoundUser, find_accounts, find_users
from core.workspaces.staff import disable_user, enable_user, visit
from dashboard.components.figures import nothing_yet
from dashboard.components.reason import closed, why
from dashboard.deeds import paged
from dashboard.navigation import go
from dashboard.session import Viewer, anyone, flash, look_at
from dashboard.words import moment, number, plain, t

_ASKED = "admin_asked"
_SEARCH = "admin_search"
_KIND = "admin_kind"
_USUAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """A deed that waits for its reason: its name in the catalogue, whom it concerns, and what does it."""

    deed: str
    name: str
    do: Callable[[str], None]
    fields: Callable[[], None] = lambda: None


def find(looking: Viewer) -> None:
    """A search over accounts or people, its results a page at a time, and the question that is open, if one is."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(t("admin.search"), key=_SEARCH, help=t("admin.search_help"), on_change=_from_the_start)
        kind = st.segmented_control(
            t("admin.kind"),
            ["accounts", "users"],
            default="accounts",
            required=True,
            format_func=lambda one: t(f"admin.kind_{one}"),
            key=_KIND,
            on_change=_from_the_start,
        )
    draw = _users if kind == "users" else _accounts
    paged("admin_find", lambda after: draw(looking, text, after))
    asked: Asked | None = st.session_state.get(_ASKED)
    if asked is not None:
        name = plain(asked.name)
        why(
            _ASKED,
            t(f"admin.{asked.deed}"),
            asked.do,
            what=t(f"admin.{asked.deed}_what", name=name),
            yes=t(f"admin.{asked.deed}_yes"),
            fields=asked.fields,
        )


def _from_the_start() -> None:
    st.session_state.pop("admin_find_after", None)


def _ask(asked: Asked) -> None:
    st.session_state[_ASKED] = asked


def _button(label: str, key: str, asked: Asked) -> None:
    st.button(label, key=key, on_click=_ask, args=(asked,))


def _accounts(looking: Viewer, text: str, after: UUID | None) -> UUID | None:
    page = find_accounts(looking.scope, text, after=after)
    for one in page.accounts:
        with st.container(border=True):
            _account(one)
    if not page.accounts:
        nothing_yet(t("admin.nobody"))
    return page.more


def _account(one: FoundAccount) -> None:
    now = one.entitlement
    st.markdown(f"**{plain(one.name)}**")
    st.caption(
        t(
            "admin.account_facts",
            kind=t(f"admin.of_{one.kind}"),
            plan=t(f"frame.plan_{now.plan}"),
            status=plain(t(f"admin.paid_{now.status}") if now.status in (*Status, "none") else now.status),
            creators=number(one.creators_count),
            since=plain(moment(one.created_at)),
        )
    )
    st.code(str(one.id), language=None)
    for member in one.members:
        st.markdown(t("admin.member", name=plain(member.name), email=plain(member.email), role=_role(member.role)))
    for given in one.grants:
        _grant(one, given)
    with st.container(horizontal=True):
        for creator in one.creators:
            _enter(creator)
        _button(t("admin.grant_plan"), f"grant_{one.id}", _giving(one))


def _role(role: str) -> str:
    return t(f"admin.role_{role}")


def _enter(creator: Creator) -> None:
    _button(
        t("admin.enter", name=plain(creator.name)),
        f"enter_{creator.workspace_id}",
        Asked("visit", creator.name, lambda reason: _visit(creator, reason), _acting),
    )


def _acting() -> None:
    st.checkbox(t("admin.may_write"), key="admin_may_write", help=t("admin.may_write_help"))


def _visit(creator: Creator, reason: str) -> None:
    may_write = bool(st.session_state.get("admin_may_write"))
    entered = visit(anyone().scope, creator.workspace_id, reason, may_write=may_write)
    look_at(creator.workspace_id)
    flash(t("admin.visit_done", name=plain(entered.name), until=plain(moment(entered.expires_at))))
    closed(_ASKED)
    go("home")


def _grant(account: FoundAccount, given: Grant) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        plan = t(f"frame.plan_{given.plan}")
        st.markdown(
            t("admin.given", plan=plan, until=plain(moment(given.ends_at)), reason=plain(given.reason)),
        )
        _button(
            t("admin.revoke_grant_yes"),
            f"revoke_{given.id}",
            Asked("revoke_grant", account.name, lambda reason: _take_back(given, reason)),
        )


def _take_back(given: Grant, reason: str) -> None:
    revoke_grant(anyone().scope, given.account_id, given.id, reason)
    flash(t("admin.revoke_grant_done"))


def _giving(account: FoundAccount) -> Asked:
    def fields() -> None:
        st.selectbox(
            t("admin.plan"),
            [PlanName.PRO, PlanName.ENTERPRISE],
            format_func=lambda plan: t(f"frame.plan_{plan}"),
            key="admin_plan",
        )
        st.number_input(t("admin.days"), 1, LONGEST, _USUAL_DAYS, key="admin_days")

    def do(reason: str) -> None:
        plan, days = st.session_state["admin_plan"], int(st.session_state["admin_days"])
        given = grant_plan(anyone().scope, account.id, plan, days=days, reason=reason)
        plan = t(f"frame.plan_{given.plan}")
        flash(t("admin.grant_plan_done", name=plain(account.name), plan=plan, until=plain(moment(given.ends_at))))

    return Asked("grant_plan", account.name, do, fields)


def _users(looking: Viewer, text: str, after: UUID | None) -> UUID | None:
    page = find_users(looking.scope, text, after=after)
    for one in page.users:
        with st.container(border=True):
            _user(one)
    if not page.users:
        nothing_yet(t("admin.nobody"))
    return page.more


def _user(one: FoundUser) -> None:
    st.markdown(t("admin.user", name=plain(one.name), email=plain(one.email)))
    seen = t("admin.never") if one.last_seen_at is None else moment(one.last_seen_at)
    state = t(f"admin.user_{_standing(one)}")
    st.caption(t("admin.user_facts", state=state, seen=plain(seen), since=plain(moment(one.created_at))))
    st.code(str(one.id), language=None)
    if one.accounts:
        st.caption(t("admin.in_accounts", names=plain(", ".join(one.accounts.values()))))
    if one.deleted_at is None:
        deed = "enable" if one.disabled_at else "disable"
        _button(t(f"admin.{deed}_yes"), f"{deed}_{one.id}", Asked(deed, one.name, _keeping(one, deed)))


def _standing(one: FoundUser) -> str:
    if one.deleted_at or one.disabled_at:
        return "deleted" if one.deleted_at else "disabled"
    if one.is_staff:
        return "staff"
    return "verified" if one.verified_at else "unverified"


def _keeping(one: FoundUser, deed: str) -> Callable[[str], None]:
    def do(reason: str) -> None:
        (disable_user if deed == "disable" else enable_user)(anyone().scope, one.id, reason)
        flash(t(f"admin.{deed}_done", name=plain(one.name)))

    return do
