"""Where a person works for others: the way out, and for a creator with everything that is theirs."""

from functools import partial
from uuid import UUID

import streamlit as st

from core.access import AccountRole, Role
from core.insights.leaving import leave_account
from core.workspaces.packs import request_pack
from core.workspaces.service import AccountView, WorkspaceView, my_accounts
from core.workspaces.team import leave_team
from dashboard.components.confirmation import ask, confirmation
from dashboard.components.figures import nothing_yet
from dashboard.session import Viewer, anyone, flash, forget_choice, refusals_shown
from dashboard.words import plain, t


def agencies(looking: Viewer) -> None:
    """A pack for each creator that one is, and each account of others with its way out."""
    own = [one for one in looking.workspaces if one.role is Role.CREATOR and not one.is_demo]
    if own:
        st.subheader(t("agencies.packs"))
        st.markdown(t("agencies.packs_what"))
    for one in own:
        st.button(t("agencies.pack", creator=plain(one.name)), key=f"pack_{one.id}", on_click=_packed, args=(one,))
    accounts = my_accounts(looking.scope)
    of_others = [one for one in accounts if one.role is AccountRole.MEMBER]
    if not of_others:
        nothing_yet(t("agencies.none"))
    paying: dict[UUID | None, str] = {None: t("agencies.new_account")}
    paying |= {one.id: one.name for one in accounts if one.role is AccountRole.OWNER}
    for account in of_others:
        st.subheader(t("agencies.at", account=plain(account.name)))
        theirs = [one for one in own if one.account_id == account.id]
        for one in theirs:
            _with_workspace(account, one, paying)
        if not theirs:
            _without(account)


def _with_workspace(account: AccountView, one: WorkspaceView, paying: dict[UUID | None, str]) -> None:
    key = f"leave_{one.id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        to = st.selectbox(t("agencies.to_account"), list(paying), format_func=paying.__getitem__, key=f"{key}_to")
        st.button(t("agencies.leave_with", creator=plain(one.name)), key=f"{key}_button", on_click=ask, args=(key,))
    confirmation(
        key,
        t("agencies.leave"),
        t("agencies.leave_what", creator=plain(one.name), account=plain(account.name)),
        t("agencies.leave_yes"),
        partial(_left, one, to),
    )


def _without(account: AccountView) -> None:
    key = f"leave_{account.id}"
    st.button(t("agencies.leave_team"), key=f"{key}_button", on_click=ask, args=(key,))
    confirmation(
        key,
        t("agencies.leave_team"),
        t("agencies.leave_team_what", account=plain(account.name)),
        t("agencies.leave_yes"),
        partial(_left_team, account),
    )


@refusals_shown()
def _packed(one: WorkspaceView) -> None:
    request_pack(anyone().scope.narrowed_to(one.id))
    flash(t("agencies.asked"))


def _left(one: WorkspaceView, to: UUID | None) -> None:
    leave_account(anyone().scope, one.id, to)
    flash(t("agencies.left", creator=plain(one.name)))


def _left_team(account: AccountView) -> None:
    leave_team(anyone().scope.of_account(account.id))
    forget_choice()
    flash(t("agencies.left_team", account=plain(account.name)))
