"""A person's data, to take along, and the end of their account."""

from urllib.parse import urlencode

import streamlit as st

from core.billing.farewell import request_deletion
from core.identity.proof import is_proved
from core.workspaces.packs import PackView, packs, request_export
from core.workspaces.privacy import TIME_TO_RETHINK, call_off_deletion, erased_on
from dashboard.components.confirmation import ask, confirmation
from dashboard.session import Viewer, anyone, flash, refusals_shown
from dashboard.words import moment, plain, t

_PROVE = f"/account/prove?{urlencode({'next': '/settings?settings=privacy'})}"
_DELETE = "delete_account"


def privacy(looking: Viewer) -> None:
    """Everything that is kept about the person as a pack of files, and having their account erased."""
    st.subheader(t("settings.export"))
    st.markdown(t("settings.export_what"))
    st.button(t("settings.export_ask"), key="export_ask", on_click=_export, icon=":material/inventory_2:")
    for made in packs(looking.scope):
        _pack(made)
    st.subheader(t("settings.delete"))
    _deletion(looking)


def _pack(one: PackView) -> None:
    with st.container(border=True):
        st.markdown(f"**{plain(one.name)}**")
        st.caption(t("settings.pack_asked", when=plain(moment(one.created_at))))
        if one.is_ready:
            st.caption(t("settings.pack_until", when=plain(moment(one.expires_at))))
            st.link_button(t("settings.pack_take"), f"/account/packs/{one.id}", icon=":material/download:")
        elif one.has_failed:
            st.warning(t("settings.pack_failed"), icon=":material/error:")
        else:
            st.caption(t("settings.pack_being_made"))
            st.button(t("settings.look_again"), key=f"look_{one.id}", icon=":material/refresh:")


def kept_back(looking: Viewer) -> bool:
    """While the account waits to be erased, when that will be and the way to keep it. Whether it does wait."""
    erased = erased_on(looking.scope)
    if erased is None:
        return False
    st.warning(t("settings.erased_on", when=plain(moment(erased))), icon=":material/delete_forever:")
    st.button(t("settings.keep_account"), key="keep_account", on_click=_keep, type="primary")
    return True


def _deletion(looking: Viewer) -> None:
    if kept_back(looking):
        return
    st.markdown(t("settings.delete_what", days=TIME_TO_RETHINK.days))
    if not is_proved(looking.scope):
        st.link_button(t("settings.prove_to_delete"), _PROVE, icon=":material/lock:")
        return
    st.button(t("settings.delete_ask"), key="delete_ask", on_click=ask, args=(_DELETE,), icon=":material/delete:")
    confirmation(_DELETE, t("settings.delete_title"), t("settings.delete_sure"), t("settings.delete_yes"), _delete)


@refusals_shown()
def _export() -> None:
    request_export(anyone().scope)
    flash(t("settings.export_asked"))


@refusals_shown()
def _keep() -> None:
    call_off_deletion(anyone().scope)
    flash(t("settings.account_kept"))


def _delete() -> None:
    """Signs every browser out, this one too: whoever changes their mind signs in again."""
    request_deletion(anyone().scope)
