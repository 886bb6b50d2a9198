"""API keys of the accounts that a person owns: made, shown once, revoked."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

import streamlit as st

from core.access import AccountRole, Permission, Scope
from core.billing.keys import create_api_key, may_add_keys
from core.identity.proof import is_proved
from core.identity.service import NAME_LENGTH
from core.workspaces.api_keys import GRANTABLE, KeyView, api_keys, revoke_api_key
from core.workspaces.service import my_accounts
from dashboard.components.confirmation import ask, confirmation
from dashboard.components.figures import nothing_yet
from dashboard.navigation import link
from dashboard.session import Viewer, anyone, flash
from dashboard.words import day, moment, plain, t

_PROVE = f"/account/prove?{urlencode({'next': '/settings?settings=keys'})}"
_SHOWN = "settings_key_shown"
_USUAL = (Permission.VIEW_WORKSPACE, Permission.VIEW_ANALYTICS)
_LIVES: Mapping[str, timedelta | None] = {
    "month": timedelta(days=30),
    "quarter": timedelta(days=90),
    "year": timedelta(days=365),
    "endless": None,
}


def keys(looking: Viewer) -> None:
    """The keys of one account; which, is asked of those who own several."""
    owned = {one.id: one.name for one in my_accounts(looking.scope) if one.role is AccountRole.OWNER}
    if not owned:
        st.info(t("settings.keys_of_owners"))
        return
    account_id = next(iter(owned))
    if len(owned) > 1:
        account_id = st.selectbox(t("settings.account"), list(owned), format_func=owned.__getitem__, key="keys_account")
    scope = looking.scope.of_account(account_id)
    st.markdown(t("settings.keys_what"))
    _shown_once(account_id)
    if may_add_keys(scope) and is_proved(scope):
        _new_key(scope)
    elif may_add_keys(scope):
        st.link_button(t("settings.prove_to_make_key"), _PROVE, icon=":material/lock:")
    else:
        st.info(t("settings.keys_not_in_plan"))
        link("billing", t("frame.see_plans"))
    _list(scope)


def _new_key(scope: Scope) -> None:
    with st.form("new_key", clear_on_submit=True):
        name = st.text_input(
            t("settings.key_name"), max_chars=NAME_LENGTH, help=t("settings.key_name_help"), key="key_name"
        )
        allowed = st.multiselect(
            t("settings.key_for"), sorted(GRANTABLE), _USUAL, format_func=_permission, key="key_permissions"
        )
        life = st.selectbox(
            t("settings.key_life"), list(_LIVES), format_func=lambda one: t(f"settings.life_{one}"), key="key_life"
        )
        made = st.form_submit_button(t("settings.make_key"), type="primary")
    if made:
        key = create_api_key(scope, name, allowed, _LIVES[life])
        st.session_state[_SHOWN] = (scope.account_id, key.key)
        st.rerun()


def _shown_once(account_id: UUID) -> None:
    """The key just made, in this tab only, until its person says that they have it."""
    of, key = st.session_state.get(_SHOWN, (None, ""))
    if of != account_id:
        return
    with st.container(border=True):
        st.markdown(t("settings.key_made"))
        st.code(key, language=None, wrap_lines=True)
        st.button(t("settings.key_kept"), key="key_kept", on_click=lambda: st.session_state.pop(_SHOWN, None))


def _list(scope: Scope) -> None:
    found = api_keys(scope)
    st.subheader(t("settings.keys"))
    if not found:
        nothing_yet(t("settings.no_keys"), ":material/key:")
    for one in found:
        _key(scope, one)


def _key(scope: Scope, one: KeyView) -> None:
    with st.container(border=True):
        st.markdown(f"**{plain(one.name)}**  \n`{one.prefix}_…`")
        if one.is_over:
            st.badge(t("settings.key_over"), icon=":material/event_busy:", color="orange")
        st.caption(plain(" · ".join(sorted(map(_permission, one.permissions)))))
        st.caption(
            t(
                "settings.key_facts",
                maker=plain(one.maker),
                made=plain(moment(one.created_at)),
                end=plain(day(one.expires_at.date()) if one.expires_at else t("settings.life_endless")),
                used=plain(moment(one.last_used_at) if one.last_used_at else t("settings.never")),
            )
        )
        question = f"revoke_{one.id}"
        st.button(t("settings.revoke"), key=f"ask_{question}", on_click=ask, args=(question,))
        confirmation(
            question,
            t("settings.revoke_title"),
            t("settings.revoke_what", name=plain(one.name)),
            t("settings.revoke_yes"),
            partial(_revoke, scope.account_id, one),
        )


def _revoke(account_id: UUID, one: KeyView) -> None:
    revoke_api_key(anyone().scope.of_account(account_id), one.id)
    flash(t("settings.revoked", name=plain(one.name)))


def _permission(permission: Permission) -> str:
    return t(f"settings.may_{permission}")
