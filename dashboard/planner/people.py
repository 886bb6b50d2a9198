"""Who is shown in what the creator publishes, and the documents that were seen of them."""

import hashlib
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import streamlit as st

from core.publishing.local_time import local
from core.publishing.papers import DocumentKind, listed
from core.publishing.performers import (
    LONGEST_NAME,
    PerformerView,
    add_document,
    add_performer,
    appearances,
    archive_performer,
    expiring,
    performers,
    withdraw_consent,
    withdraw_document,
)
from dashboard.components.confirmation import ask, confirmation
from dashboard.session import Viewer, flash, viewer
from dashboard.viewing import language
from dashboard.words import day, number, plain, t

_KINDS: tuple[DocumentKind, ...] = tuple(DocumentKind)


def reminder(looking: Viewer) -> None:
    """Documents that end within thirty days, or have ended; nothing while there are none."""
    found = expiring(looking.scope)
    if not found:
        return
    today = local(datetime.now(UTC), looking.creator.time_zone).date()
    lines = [
        t(
            "calendar.has_expired" if one.expires_on < today else "calendar.expires",
            name=plain(one.name),
            kind=t(f"calendar.kind_{one.kind}"),
            day=plain(day(one.expires_on)),
        )
        for one in found
    ]
    st.info("  \n".join(lines), icon=":material/badge:")


def people(looking: Viewer) -> None:
    """The list with its deeds, and somebody new."""
    st.markdown(t("calendar.people_about"))
    for person in performers(looking.scope):
        _person(looking, person)
    with st.form("calendar_new_person", clear_on_submit=True):
        name = st.text_input(t("calendar.new_person"), max_chars=LONGEST_NAME)
        if st.form_submit_button(t("calendar.add_person")):
            add_performer(looking.scope, name or "")
            flash(t("calendar.done_person", name=plain(name or "")))
            st.rerun()


def _person(looking: Viewer, person: PerformerView) -> None:
    with st.container(border=True):
        st.markdown(f"**{plain(person.name)}**" + (f" · {t('calendar.is_creator')}" if person.is_creator else ""))
        if person.is_archived:
            st.caption(t("calendar.is_archived"))
        elif person.gaps:
            st.caption(t("calendar.gaps", gaps=plain(listed(person.gaps, language()))))
        else:
            st.caption(t("calendar.in_order"))
        with st.expander(t("calendar.documents", number=number(len(person.documents)))):
            _documents(looking, person)
            _new_document(looking, person)
        _appearances(looking, person)
        with st.container(horizontal=True):
            name = "restore_person" if person.is_archived else "archive_person"
            if st.button(t(f"calendar.{name}"), key=f"archive_{person.id}"):
                archive_performer(looking.scope, person.id, archived=not person.is_archived)
                st.rerun()
            _withdrawal(person)


def _documents(looking: Viewer, person: PerformerView) -> None:
    for one in person.documents:
        facts = [t(f"calendar.kind_{one.kind}"), t("calendar.verified", day=day(one.verified_on))]
        if one.expires_on:
            facts.append(t("calendar.until", day=day(one.expires_on)))
        if one.sha256:
            facts.append(f"SHA-256 {one.sha256[:12]}…")
        if one.is_withdrawn:
            facts.append(t("calendar.is_withdrawn"))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(plain(" · ".join(facts)), width="stretch")
            if not one.is_withdrawn and st.button(t("calendar.end_document"), key=f"end_{one.id}"):
                _sent_back(withdraw_document(looking.scope, person.id, one.id))
                st.rerun()


def _new_document(looking: Viewer, person: PerformerView) -> None:
    today = local(datetime.now(UTC), looking.creator.time_zone).date()
    with st.form(f"document_{person.id}", clear_on_submit=True):
        kind = st.selectbox(
            t("calendar.kind"),
            _KINDS,
            format_func=lambda one: t(f"calendar.kind_{one}"),
            key=f"k_{person.id}",
        )
        verified = st.date_input(t("calendar.verified_on"), today, max_value=today, key=f"v_{person.id}")
        expires = st.date_input(t("calendar.expires_on"), None, min_value=today, key=f"e_{person.id}")
        file = st.file_uploader(t("calendar.file"), key=f"f_{person.id}", help=t("calendar.file_help"))
        typed = st.text_input(t("calendar.hash"), key=f"h_{person.id}", max_chars=64)
        if st.form_submit_button(t("calendar.add_document")):
            # the file is hashed here and goes nowhere: neither its bytes nor its name are kept
            found = hashlib.sha256(file.getvalue()).hexdigest() if file else typed or ""
            add_document(
                looking.scope,
                person.id,
                kind=kind,
                verified_on=verified,
                expires_on=expires,
                sha256=found,
            )
            flash(t("calendar.done_document"))
            st.rerun()


def _appearances(looking: Viewer, person: PerformerView) -> None:
    found = appearances(looking.scope, person.id)
    if not found:
        return
    with st.expander(t("calendar.appearances", number=number(len(found)))):
        for one in found:
            st.caption(plain(f"{one.title} · {t(f'content.status_{one.status}')}"))


def _withdrawal(person: PerformerView) -> None:
    """Asked once more: what is scheduled with this person comes off the calendar."""
    key = f"withdraw_{person.id}"
    st.button(t("calendar.withdraw"), key=f"{key}_button", on_click=ask, args=(key,))
    title, what = t("calendar.withdraw_title", name=plain(person.name)), t("calendar.withdraw_what")
    confirmation(key, title, what, t("calendar.withdraw_yes"), partial(_withdraw, person.id))


def _withdraw(performer_id: UUID) -> None:
    _sent_back(withdraw_consent(viewer().scope, performer_id))


def _sent_back(titles: tuple[str, ...]) -> None:
    if titles:
        flash(t("calendar.sent_back", titles=plain(", ".join(titles))), icon=":material/event_busy:")
    else:
        flash(t("calendar.done_withdrawn"))
