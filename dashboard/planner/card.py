"""One text under decision: what it says, how far it is, and what this person may do with it now."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import streamlit as st

from core.access import Permission
from core.content.kinds import AssetStatus
from core.content.platforms import PLATFORM_NAMES
from core.publishing import approving, links, planning, states
from core.publishing.conflicts import Concern
from core.publishing.local_time import instant, local
from core.publishing.planning import Entry
from dashboard.components.writing import shown
from dashboard.planner import shown_with
from dashboard.planner.days import clock, full_day
from dashboard.planner.grid import status_of
from dashboard.session import Viewer, flash, refusals_shown
from dashboard.words import moment, number, plain, t

_OPEN = "calendar_open"
_LINK = "calendar_link"
S = AssetStatus


def open_it(asset_id: UUID) -> None:
    st.session_state[_OPEN] = asset_id
    st.session_state.pop(_LINK, None)


def is_open(asset_id: UUID) -> bool:
    return st.session_state.get(_OPEN) == asset_id


def opened(looking: Viewer) -> None:
    """The text that was opened; nothing while none is."""
    asset_id: UUID | None = st.session_state.get(_OPEN)
    if asset_id is None:
        return
    with st.container(border=True), refusals_shown():
        st.button(t("calendar.close"), key="card_close", on_click=_close, icon=":material/close:")
        one = planning.entry(looking.scope, asset_id)
        _facts(looking, one)
        shown_with.shown_with(looking, one)
        _deeds(looking, one)


def _close() -> None:
    st.session_state.pop(_OPEN, None)
    st.session_state.pop(_LINK, None)


def _facts(looking: Viewer, one: Entry) -> None:
    zone = looking.creator.time_zone
    st.subheader(plain(one.title))
    facts = [
        PLATFORM_NAMES[one.platform],
        status_of(one, datetime.now(UTC)),
        t("calendar.version", version=number(one.version)),
    ]
    if one.at is not None:
        facts.append(f"{full_day(local(one.at, zone).date())}, {clock(one.at, zone)} ({zone})")
    st.caption(plain(" · ".join(facts)))
    shown(one.body)
    if one.picture:
        st.caption(t("calendar.picture", picture=plain(one.picture)))
    if one.status in approving.UNDECIDED:
        so_far = approving.standing_of(looking.scope, one.asset_id)
        st.caption(t("calendar.standing", approvals=number(so_far.approvals), needed=number(so_far.needed)))
    for said in approving.decisions(looking.scope, one.asset_id):
        by = t("calendar.client", name=plain(said.name)) if said.by_link else plain(said.name)
        sentence = t(
            f"calendar.said_{said.decision}",
            name=by,
            version=number(said.version),
            when=plain(moment(said.decided_at)),
        )
        st.caption(f"{sentence} “{plain(said.note)}”" if said.note else sentence)


def _deeds(looking: Viewer, one: Entry) -> None:
    scope = looking.scope
    if one.status is S.DRAFT:
        _deed("submit", lambda: states.submit(scope, one.asset_id, version=one.version), primary=True)
    if one.status is S.IN_REVIEW and scope.may(Permission.APPROVE_CONTENT):
        _deed("approve", lambda: approving.approve(scope, one.asset_id, version=one.version), primary=True)
        _client_links(looking, one)
    if one.status in (S.APPROVED, S.SCHEDULED):
        _plan(looking, one)
        _posted(looking, one)
    if one.status is S.SCHEDULED:
        _deed("unschedule", lambda: planning.unschedule(scope, one.asset_id))
    if one.status in approving.UNDECIDED:
        if scope.may(Permission.APPROVE_CONTENT):
            _changes(looking, one)
        _deed("draft", lambda: states.back_to_draft(scope, one.asset_id))
    if one.status is S.PUBLISHED:
        _deed("take_back", lambda: states.take_back_published(scope, one.asset_id))


def _deed(name: str, do: Callable[[], object], *, primary: bool = False) -> None:
    if st.button(t(f"calendar.do_{name}"), key=f"card_{name}", type="primary" if primary else "secondary"):
        do()
        _done(name)


def _done(name: str) -> None:
    flash(t(f"calendar.done_{name}"))
    st.rerun()


def _changes(looking: Viewer, one: Entry) -> None:
    with st.expander(t("calendar.do_changes")):
        remark = st.text_area(t("calendar.remark"), key=f"card_remark_{one.asset_id}", max_chars=approving.LONGEST_NOTE)
        if st.button(t("calendar.send_remark"), key="card_changes"):
            approving.ask_changes(looking.scope, one.asset_id, version=one.version, remark=remark or "")
            _done("changes")


def _plan(looking: Viewer, one: Entry) -> None:
    zone = looking.creator.time_zone
    day, at = _when(one, zone, "plan", date_of=_next(one, zone))
    for concern in planning.concerns_about(looking.scope, one.asset_id, day=day, clock=at):
        st.warning(plain(_told(concern, zone)), icon=":material/event_busy:")
    name = "reschedule" if one.status is S.SCHEDULED else "schedule"
    if st.button(t(f"calendar.do_{name}"), key="card_schedule", type="primary"):
        done = planning.schedule(looking.scope, one.asset_id, version=one.version, day=day, clock=at)
        if done.is_twice:
            flash(t("calendar.twice", clock=clock(done.at, zone)), icon=":material/schedule:")
        _done(name)


def _posted(looking: Viewer, one: Entry) -> None:
    zone = looking.creator.time_zone
    with st.expander(t("calendar.do_posted")):
        passed = local(min(one.at or datetime.now(UTC), datetime.now(UTC)), zone)
        day, at = _when(one, zone, "posted", date_of=passed)
        if st.button(t("calendar.save_posted"), key="card_posted"):
            when = instant(day, at, zone).at
            states.mark_published(looking.scope, one.asset_id, version=one.version, at=when)
            _done("posted")


def _when(one: Entry, zone: str, what: str, *, date_of: datetime) -> tuple[date, time]:
    key = f"card_{what}_{one.asset_id}_{one.version}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        day = st.date_input(t(f"calendar.{what}_day"), date_of.date(), key=f"{key}_day")
        at = st.time_input(
            t(f"calendar.{what}_time", zone=zone), date_of.time().replace(second=0, microsecond=0), key=f"{key}_time"
        )
    return day, at


def _next(one: Entry, zone: str) -> datetime:
    """What the fields begin with: the planned time, else tomorrow at noon."""
    if one.at is not None:
        return local(one.at, zone)
    tomorrow = local(datetime.now(UTC), zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(12))


def _told(concern: Concern, zone: str) -> str:
    when = f"{full_day(local(concern.at, zone).date())}, {clock(concern.at, zone)}" if concern.at else ""
    return t(
        f"calendar.warn_{concern.problem}",
        title=concern.title,
        when=when,
        platform=PLATFORM_NAMES[concern.platform],
        number=number(concern.count),
        cap=number(concern.cap),
    )


def _client_links(looking: Viewer, one: Entry) -> None:
    with st.expander(t("calendar.client_links"), expanded=_LINK in st.session_state):
        with st.form("card_link", clear_on_submit=True, border=False):
            name = st.text_input(t("calendar.client_name"), max_chars=links.LONGEST_NAME)
            days = st.number_input(t("calendar.client_days"), 1, links.LONGEST, 7)
            if st.form_submit_button(t("calendar.make_link")):
                made = links.make_link(
                    looking.scope, one.asset_id, version=one.version, client_name=name or "", days=int(days)
                )
                st.session_state[_LINK] = (one.asset_id, made.url)
        kept = st.session_state.get(_LINK)
        if kept and kept[0] == one.asset_id:
            st.info(t("calendar.link_once"))
            st.code(kept[1], language=None, wrap_lines=True)
        _waiting(looking, one)


def _waiting(looking: Viewer, one: Entry) -> None:
    now = datetime.now(UTC)
    for link in links.links_of(looking.scope, one.asset_id):
        if not link.is_waiting(now):
            continue
        with st.container(horizontal=True, vertical_alignment="center"):
            facts = {"name": plain(link.client_name), "until": plain(moment(link.expires_at))}
            st.caption(t("calendar.link_waits", version=number(link.version), **facts), width="stretch")
            if st.button(t("calendar.revoke_link"), key=f"revoke_{link.id}"):
                links.revoke_link(looking.scope, link.id)
                st.session_state.pop(_LINK, None)
                _done("revoke")
