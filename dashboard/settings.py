"""A person's profile, and the browsers in which they are signed in."""

from uuid import UUID

import streamlit as st

from core.audit import own_entries
from core.identity.devices import Device, end_other_sessions, end_session, my_sessions
from core.identity.service import NAME_LENGTH, TIME_ZONES, edit_profile, profile
from core.language import LANGUAGES
from dashboard.session import Viewer, anyone, flash, refusals_shown
from dashboard.words import moment, plain, t

SECURITY = "/account/security"


def profile_form(looking: Viewer) -> None:
    """Name, language and time zone, saved together."""
    known = profile(looking.scope)
    zones, languages = sorted(TIME_ZONES), list(LANGUAGES)
    with st.form("profile"):
        name = st.text_input(t("settings.name"), known.display_name, max_chars=NAME_LENGTH, autocomplete="name")
        language = st.selectbox(
            t("frame.language"), languages, languages.index(known.language), format_func=LANGUAGES.__getitem__
        )
        zone = st.selectbox(
            t("settings.time_zone"), zones, zones.index(known.time_zone), help=t("settings.time_zone_help")
        )
        saved = st.form_submit_button(t("settings.save"), type="primary")
    st.caption(t("settings.email", email=plain(known.email)))
    if saved:
        edit_profile(looking.scope, display_name=name, language=language, time_zone=zone)
        flash(t("settings.saved"))
        st.rerun()


def security(looking: Viewer) -> None:
    """The way to the pages for password, e-mail and second factor; the browsers; what this person did lately."""
    st.markdown(t("settings.ways_in"))
    st.link_button(t("settings.change_ways_in"), SECURITY, icon=":material/lock:")
    st.subheader(t("settings.browsers"))
    devices = my_sessions(looking.scope)
    for device in devices:
        _browser(device)
    if any(not device.is_this for device in devices):
        st.button(t("settings.end_others"), key="end_others", on_click=_end_others)
    st.subheader(t("settings.lately"))
    _deeds(looking)


def _browser(device: Device) -> None:
    names = " · ".join(filter(None, (device.browser, device.system))) or t("settings.unknown_browser")
    with st.container(border=True):
        st.markdown(f"**{plain(names)}**")
        if device.is_this:
            st.badge(t("settings.this_one"), icon=":material/check:")
        st.caption(
            t(
                "settings.browser_facts",
                address=plain(device.address or t("settings.unknown_address")),
                since=plain(moment(device.created_at)),
                seen=plain(moment(device.last_seen_at)),
            )
        )
        if device.remembered:
            st.caption(t("settings.remembered"))
        if not device.is_this:
            st.button(
                t("settings.end"),
                key=f"end_{device.id}",
                on_click=_end,
                args=(device.id,),
                help=t("settings.end_what", browser=plain(names)),
            )


def _deeds(looking: Viewer) -> None:
    rows = [
        {
            t("settings.when"): moment(one.at),
            t("settings.what"): t(f"audit.{one.deed}"),
            t("settings.on_what"): one.subject,
        }
        for one in own_entries(looking.scope)
    ]
    if not rows:
        st.caption(t("settings.nothing_lately"))
        return
    st.dataframe(rows, hide_index=True, alt=t("settings.lately"))


@refusals_shown()
def _end(session_id: UUID) -> None:
    end_session(anyone().scope, session_id)
    flash(t("settings.ended", count=1))


@refusals_shown()
def _end_others() -> None:
    flash(t("settings.ended", count=end_other_sessions(anyone().scope)))
