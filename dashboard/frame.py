"""What surrounds every page: the creator looked at, the language, the way out, and the Demo notice."""

from html import escape
from uuid import UUID

import streamlit as st

from core.access import Permission
from core.errors import Refusal
from core.identity.service import edit_profile, profile
from core.language import LANGUAGES
from core.workspaces.service import WorkspaceView, remove_demo
from dashboard.components.confirmation import ask, confirmation
from dashboard.session import Viewer, anyone, flash, forget_choice, look_at, refusals_shown, viewer
from dashboard.viewing import ALL
from dashboard.words import plain, t

_CREATOR = "frame_creator"
_LANGUAGE = "frame_language"
_REMOVE_DEMO = "frame_remove_demo"
_IS_CONFIRMED = "frame_is_confirmed"
# Forms of our own: only a request that the browser itself sends can change its cookies and leave Streamlit's page.
_FORM = (
    '<form method="post" action="{action}"><button type="submit" style="background: transparent; '
    "color: inherit; font: inherit; border: 1px solid currentColor; border-radius: 0.6rem; "
    'padding: 0.4rem 0.8rem; min-height: 2.5rem; cursor: pointer">{label}</button></form>'
)


def sidebar(person: Viewer) -> None:
    """Below the menu: the switch between creators where there are several, the language, and the way out."""
    with st.sidebar:
        if len(person.workspaces) > 1:
            _creator_switch(person)
        _language_switch(person)
        st.caption(t("frame.signed_in_as", name=plain(person.display_name)))
        st.html(_FORM.format(action="/account/sign-out", label=escape(t("frame.sign_out"))))


def confirm_email(person: Viewer) -> None:
    """Until the e-mail is confirmed: the reminder, and the letter once more. Asked once a tab of those who have."""
    if st.session_state.get(_IS_CONFIRMED):
        return
    known = profile(person.scope)
    st.session_state[_IS_CONFIRMED] = known.is_verified
    if not known.is_verified:
        st.info(t("confirming.notice", email=plain(known.email)), icon=":material/mail:")
        st.html(_FORM.format(action="/account/verification", label=escape(t("confirming.again"))))


def subject(looking: Viewer) -> None:
    """Whose page this is, and the notice that its figures are made up where they are."""
    if looking.workspace is None:
        return
    if len(looking.workspaces) > 1:
        st.caption(t("frame.looking_at", name=plain(looking.workspace.name)))
    if looking.workspace.is_demo:
        _demo_notice(looking)


def choose_one(looking: Viewer) -> None:
    """In place of a page that works on one creator: the creators to choose from."""
    if not looking.workspaces:
        st.info(t("frame.no_creator"))
        return
    st.info(t("frame.choose_creator"))
    for workspace in looking.workspaces:
        st.button(
            plain(workspace.name), key=f"choose_{workspace.id}", on_click=look_at, args=(workspace.id,), width="stretch"
        )


def _creator_switch(person: Viewer) -> None:
    names = {ALL: t("frame.all_creators"), **_distinct(person.workspaces)}
    st.session_state[_CREATOR] = _chosen()
    st.selectbox(
        t("frame.creator"),
        list(names),
        format_func=names.__getitem__,
        key=_CREATOR,
        on_change=_switched,
    )


def _distinct(workspaces: tuple[WorkspaceView, ...]) -> dict[str, str]:
    """Names by id, told apart where two creators share one."""
    taken = [workspace.name for workspace in workspaces]
    return {
        str(one.id): one.name if taken.count(one.name) == 1 else f"{one.name} ({str(one.id)[-4:]})"
        for one in workspaces
    }


def _chosen() -> str:
    try:
        workspace = viewer().workspace
    except Refusal:  # the address names nobody of theirs; the page says so
        workspace = None
    return ALL if workspace is None else str(workspace.id)


@refusals_shown()
def _switched() -> None:
    choice = st.session_state[_CREATOR]
    look_at(None if choice == ALL else UUID(choice))


def _language_switch(person: Viewer) -> None:
    st.session_state[_LANGUAGE] = person.language
    st.selectbox(
        t("frame.language"), list(LANGUAGES), format_func=LANGUAGES.__getitem__, key=_LANGUAGE, on_change=_speak
    )


@refusals_shown()
def _speak() -> None:
    edit_profile(anyone().scope, language=st.session_state[_LANGUAGE])


def _demo_notice(looking: Viewer) -> None:
    st.info(t("frame.demo"), icon=":material/science:")
    if looking.scope.may(Permission.MANAGE_CREATORS):
        st.button(t("frame.remove_demo"), key="remove_demo", on_click=ask, args=(_REMOVE_DEMO,))
        confirmation(
            _REMOVE_DEMO, t("frame.remove_demo"), t("frame.remove_demo_what"), t("frame.remove_demo_yes"), _remove_demo
        )


def _remove_demo() -> None:
    remove_demo(viewer().scope)
    forget_choice()
    flash(t("frame.demo_removed"))
