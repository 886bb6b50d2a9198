"""An account's team: who is on it, who is invited, and what its owner decides about them."""

from collections.abc import Mapping
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

import streamlit as st

from core.access import AccountRole, Scope
from core.billing.seats import invite
from core.identity.credentials import EMAIL_LENGTH
from core.identity.proof import is_proved
from core.workspaces.invitations import Open, invitations, revoke_invitation
from core.workspaces.service import my_accounts
from core.workspaces.team import (
    ROLES,
    Creator,
    Member,
    change_access,
    creators,
    hand_over_ownership,
    members,
    remove_member,
)
from dashboard.components.confirmation import ask, confirmation
from dashboard.components.creators import new_creator
from dashboard.components.figures import nothing_yet
from dashboard.session import Viewer, flash, refusals_shown
from dashboard.words import moment, plain, t

_EMAIL, _ROLE, _CREATORS = "invite_email", "invite_role", "invite_creators"
_NEW_ROLE, _NEW_CREATORS = "access_role", "access_creators"


def own_account(looking: Viewer) -> Scope:
    """The account that the page is about; which, is asked of those who own several."""
    owned = {one.id: one.name for one in my_accounts(looking.scope) if one.role is AccountRole.OWNER}
    chosen = next(iter(owned))
    if len(owned) > 1:
        chosen = st.selectbox(t("team.account"), list(owned), format_func=owned.__getitem__, key="team_account")
    return looking.scope.of_account(chosen)


def team(scope: Scope) -> None:
    """Everybody on the account, a form to invite, what waits for an answer, and one member's access."""
    there, everybody = creators(scope), members(scope)
    names = {one.id: one.name for one in there}
    st.dataframe([_row(one, names) for one in everybody], hide_index=True)
    if not there:
        nothing_yet(t("team.no_creator"))
        new_creator()
        return
    _invite(scope, there)
    _waiting(scope, names)
    others = [one for one in everybody if one.account_role is AccountRole.MEMBER]
    if others:
        _one_of(scope, there, others)


def _row(one: Member, names: Mapping[UUID, str]) -> dict[str, str]:
    held = [
        t("team.as", creator=names[workspace_id], role=t(f"team.role_{role}"))
        for workspace_id, role in one.access.items()
        if workspace_id in names
    ]
    return {
        t("team.who"): one.name,
        t("team.email"): one.email,
        t("team.part"): t(f"team.part_{one.account_role}"),
        t("team.access"): ", ".join(sorted(held)),
        t("team.last_seen"): t("team.never") if one.last_seen_at is None else moment(one.last_seen_at),
    }


def _invite(scope: Scope, there: tuple[Creator, ...]) -> None:
    st.subheader(t("team.invite"))
    with st.form("invite", clear_on_submit=True):
        st.text_input(t("team.email"), key=_EMAIL, max_chars=EMAIL_LENGTH)
        _role_and_creators(there, _ROLE, _CREATORS)
        st.form_submit_button(t("team.send"), on_click=_invited, args=(scope,))


def _role_and_creators(there: tuple[Creator, ...], role_key: str, creators_key: str) -> None:
    names, roles = {one.id: one.name for one in there}, {role: t(f"team.role_{role}") for role in ROLES}
    st.selectbox(t("team.role"), ROLES, format_func=roles.__getitem__, key=role_key, help=t("team.roles_what"))
    st.multiselect(t("team.creators"), list(names), format_func=names.__getitem__, key=creators_key)


@refusals_shown()
def _invited(scope: Scope) -> None:
    email = st.session_state[_EMAIL]
    invite(scope, email, st.session_state[_ROLE], st.session_state[_CREATORS])
    flash(t("team.invited", email=plain(email)))


def _waiting(scope: Scope, names: Mapping[UUID, str]) -> None:
    st.subheader(t("team.waiting"))
    waiting = invitations(scope)
    if not waiting:
        st.caption(t("team.none_waiting"))
    for one in waiting:
        with st.container(horizontal=True, vertical_alignment="center"):
            about = ", ".join(names[each] for each in one.workspace_ids if each in names)
            st.markdown(plain(t("team.offered", email=one.email, role=t(f"team.role_{one.role}"), creators=about)))
            st.caption(t("team.until", when=moment(one.expires_at)))
            st.button(t("team.take_back"), key=f"revoke_{one.id}", on_click=_taken_back, args=(scope, one))


@refusals_shown()
def _taken_back(scope: Scope, one: Open) -> None:
    revoke_invitation(scope, one.id)
    flash(t("team.taken_back", email=plain(one.email)))


def _one_of(scope: Scope, there: tuple[Creator, ...], others: list[Member]) -> None:
    st.subheader(t("team.member"))
    chosen = st.selectbox(t("team.who"), others, format_func=lambda one: one.name, key="team_member")
    here = {one.id for one in there}
    with st.form(f"access_{chosen.user_id}"):
        st.session_state.setdefault(f"{_NEW_ROLE}_{chosen.user_id}", next(iter(chosen.access.values()), ROLES[1]))
        given = [each for each in chosen.access if each in here]
        st.session_state.setdefault(f"{_NEW_CREATORS}_{chosen.user_id}", given)
        _role_and_creators(there, f"{_NEW_ROLE}_{chosen.user_id}", f"{_NEW_CREATORS}_{chosen.user_id}")
        st.form_submit_button(t("team.change"), on_click=_changed, args=(scope, chosen))
    name = plain(chosen.name)
    with st.container(horizontal=True):
        st.button(t("team.remove"), key="team_remove", on_click=ask, args=("team_remove_ask",))
        if is_proved(scope):
            st.button(t("team.hand_over"), key="team_hand_over", on_click=ask, args=("team_hand_over_ask",))
        else:
            st.link_button(t("team.prove_to_hand_over"), prove("/team"), icon=":material/lock:")
    confirmation(
        "team_remove_ask",
        t("team.remove"),
        t("team.remove_what", name=name),
        t("team.remove_yes"),
        partial(_removed, scope, chosen),
    )
    confirmation(
        "team_hand_over_ask",
        t("team.hand_over"),
        t("team.hand_over_what", name=name),
        t("team.hand_over_yes"),
        partial(_handed_over, scope, chosen),
    )


def prove(back_to: str) -> str:
    """The address where a person shows again who they are, and comes back from."""
    return f"/account/prove?{urlencode({'next': back_to})}"


@refusals_shown()
def _changed(scope: Scope, one: Member) -> None:
    role, given = (st.session_state[f"{key}_{one.user_id}"] for key in (_NEW_ROLE, _NEW_CREATORS))
    change_access(scope, one.user_id, role, given)
    flash(t("team.changed", name=plain(one.name)))


def _removed(scope: Scope, one: Member) -> None:
    remove_member(scope, one.user_id)
    flash(t("team.removed", name=plain(one.name)))


def _handed_over(scope: Scope, one: Member) -> None:
    hand_over_ownership(scope, one.user_id)
    flash(t("team.handed_over", name=plain(one.name)))
