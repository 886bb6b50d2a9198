"""The queue of one campaign: look, edit, approve or drop, copy, and say what was sent."""

from functools import partial
from uuid import UUID

import streamlit as st

from core.messages.approving import PAGE, Filter, approve, drop, edit, mark_sent, messages, take_back
from core.messages.kinds import MessageStatus
from core.messages.opting import opt_out_of_message
from core.messages.service import campaign, campaigns, close_campaign
from core.messages.views import CampaignView, MessageView
from dashboard.components.figures import nothing_yet
from dashboard.components.writing import findings, length
from dashboard.messages import bulk
from dashboard.messages.campaigns import counted, facts, left_out, name, origin, templates
from dashboard.messages.choosing import CAMPAIGN
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.words import moment, number, plain, t

POLL_SECONDS = 1.0
_EDITING, _UNDO, _PAGE = "message_editing", "message_undo", "message_page"


def queue(looking: Viewer) -> None:
    """The campaign that was chosen, else the latest."""
    made = campaigns(looking.scope)
    if not made:
        nothing_yet(t("messages.no_campaign"))
        return
    ids = [one.id for one in made]
    if st.session_state.get(CAMPAIGN) not in ids:
        st.session_state[CAMPAIGN] = ids[0]
    by_id = {one.id: one for one in made}
    labels = {one.id: f"{t(f'messages.kind_{one.brief.kind}')} · {moment(one.created_at)}" for one in made}
    st.selectbox(
        t("messages.campaign"),
        ids,
        key=CAMPAIGN,
        format_func=labels.__getitem__,
        on_change=_first_page,
    )
    chosen = by_id[st.session_state[CAMPAIGN]]
    st.markdown(f"**{name(chosen)}**")
    st.caption(facts(chosen))
    if chosen.is_open:
        _growing(chosen.id)
    else:
        _made(looking, chosen)


def _growing(campaign_id: UUID) -> None:
    """Asks again and again how far it is; a closed tab loses nothing."""

    @st.fragment(run_every=POLL_SECONDS)
    @refusals_shown()
    def progress() -> None:
        now = campaign(viewer().scope, campaign_id)
        if not now.is_open:
            st.rerun()
        if now.fans:
            share = min(now.messages / now.fans, 1.0)
            st.progress(share, text=t("messages.filling", made=number(now.messages), fans=number(now.fans)))
        else:
            st.caption(t("messages.drafting"))
        st.button(t("messages.stop"), key="messages_stop", on_click=_close, args=(campaign_id,))

    progress()


def _made(looking: Viewer, one: CampaignView) -> None:
    origin(one)
    st.caption(counted(one))
    left_out(one.skipped)
    templates(one)
    bulk.offer(looking, one)
    _undo_offer()
    labels = {value: t(f"messages.status_{value}") for value in MessageStatus}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        status = st.selectbox(
            t("messages.status"),
            list(MessageStatus),
            index=None,
            key="message_status",
            placeholder=t("messages.any"),
            format_func=labels.__getitem__,
            on_change=_first_page,
            width=180,
        )
        search = st.text_input(t("messages.search"), key="message_search", on_change=_first_page)
        flagged = st.toggle(t("messages.only_flagged"), key="message_flagged", on_change=_first_page)
    wanted = Filter(status, flagged, search or "")
    found = messages(looking.scope, one.id, wanted, st.session_state.get(_PAGE, 1) - 1)
    if not found.total:
        nothing_yet(t("messages.nothing_found") if one.messages else t("messages.nobody_written"))
    for message in found.messages:
        with st.container(border=True):
            _edited(one, message) if st.session_state.get(_EDITING) == message.id else _resting(message)
    if found.total > PAGE:
        st.pagination(-(-found.total // PAGE), key=_PAGE)


def card(one: MessageView) -> None:
    """A message letter for letter, with what a person should know about it; the code block has a copy button."""
    handle = f" · @{one.handle}" if one.handle and one.handle != one.fan else ""
    st.markdown(f"**{plain(one.fan)}**{plain(handle)}")
    st.code(one.body, language=None, wrap_lines=True)
    told = [t(f"messages.by_{one.authorship}"), t(f"messages.status_{one.status}")]
    if one.edited_characters:
        told.append(t("messages.edited", count=one.edited_characters, shown=number(one.edited_characters)))
    if one.decided_at:
        told.append(t("messages.decided", who=one.decided_by or "—", when=moment(one.decided_at)))
    if one.sent_at:
        told.append(t("messages.sent", who=one.sent_by or "—", when=moment(one.sent_at)))
    st.caption(plain(" · ".join(told)))
    for flag in one.flags:
        st.caption(f":material/flag: {t(f'messages.check_{flag}')}")


def _resting(one: MessageView) -> None:
    card(one)
    with st.container(horizontal=True):
        if one.status is MessageStatus.QUEUED:
            _button("approve", one, partial(_did, approve), ":material/check:")
            _button("edit", one, _edit, ":material/edit:")
            _button("drop", one, partial(_did, drop), ":material/close:")
        elif one.status is MessageStatus.APPROVED:
            _button("i_sent_it", one, partial(_did, mark_sent), ":material/done_all:")
            _button("edit", one, _edit, ":material/edit:")
            _button("take_back", one, partial(_did, take_back), ":material/undo:")
        else:
            _button("take_back", one, partial(_did, take_back), ":material/undo:")
        if one.status in (MessageStatus.QUEUED, MessageStatus.APPROVED):
            _button("never_again", one, _opted_out, ":material/block:")


def _button(label: str, one: MessageView, deed: object, icon: str) -> None:
    st.button(t(f"messages.{label}"), key=f"{label}_{one.id}", on_click=deed, args=(one.id,), icon=icon)  # type: ignore[arg-type]


def _edited(campaign_of: CampaignView, one: MessageView) -> None:
    @st.fragment
    @refusals_shown()
    def fields() -> None:
        key = f"message_text_{one.id}"
        text = st.text_area(t("messages.text"), one.body, key=key, height="content") or ""
        length(text, campaign_of.brief.platform)
        findings(text, campaign_of.brief.platform)
        if st.button(t("messages.save"), key="message_save", type="primary"):
            edit(viewer().scope, one.id, text)
            st.session_state.pop(_EDITING, None)
            flash(t("messages.saved"))
            st.rerun()

    st.markdown(f"**{plain(one.fan)}**")
    fields()
    st.button(t("messages.cancel"), key="message_cancel", on_click=_edit, args=(None,))


def _undo_offer() -> None:
    last: UUID | None = st.session_state.get(_UNDO)
    if last is not None:
        st.button(
            t("messages.undo_last"), key="message_undo_last", on_click=_undo, args=(last,), icon=":material/undo:"
        )


def _first_page() -> None:
    st.session_state[_PAGE] = 1


def _edit(message_id: UUID | None) -> None:
    st.session_state[_EDITING] = message_id


@refusals_shown()
def _did(deed: object, message_id: UUID) -> None:
    deed(viewer().scope, message_id)  # type: ignore[operator]
    st.session_state[_UNDO] = None if deed is take_back else message_id


@refusals_shown()
def _undo(message_id: UUID) -> None:
    st.session_state[_UNDO] = None
    take_back(viewer().scope, message_id)


@refusals_shown()
def _opted_out(message_id: UUID) -> None:
    dropped = opt_out_of_message(viewer().scope, message_id)
    flash(t("messages.opted_out", count=dropped, shown=number(dropped)))


@refusals_shown()
def _close(campaign_id: UUID) -> None:
    close_campaign(viewer().scope, campaign_id)
