"""Approve or drop everything that waits, after a look at some of it and at all that is flagged; and take that back."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

import streamlit as st

from core.access import Scope
from core.messages import approving
from core.messages.kinds import MessageStatus
from core.messages.views import CampaignView
from dashboard.components.confirmation import ask, confirmation
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.words import number, plain, t

_LOOKED, _TURN, _TOGETHER = "messages_looked_at", "messages_turn", "messages_together"
_Deed = Callable[[Scope, UUID, int], datetime]


def offer(looking: Viewer, one: CampaignView) -> None:
    """The samples first; only then the buttons that decide about all."""
    _take_back_offer(one)
    waiting = one.counts[MessageStatus.QUEUED]
    if not waiting:
        return
    if st.session_state.get(_LOOKED) != one.id:
        st.button(
            t("messages.look_first"), key="messages_look", on_click=_look, args=(one.id,), icon=":material/visibility:"
        )
        return
    with st.container(border=True):
        _samples(looking, one)
        with st.container(horizontal=True):
            st.button(t("messages.others"), key="messages_others", on_click=_others, icon=":material/casino:")
            st.button(
                t("messages.approve_all", shown=number(waiting)),
                key="messages_approve_all",
                type="primary",
                on_click=ask,
                args=("messages_approve",),
            )
            st.button(
                t("messages.drop_all", shown=number(waiting)),
                key="messages_drop_all",
                on_click=ask,
                args=("messages_drop",),
            )
    confirmation(
        "messages_approve",
        t("messages.approve_all_title"),
        t("messages.approve_all_what", count=waiting, shown=number(waiting)),
        t("messages.approve_all", shown=number(waiting)),
        partial(_decide, approving.approve_all, one.id, waiting),
    )
    confirmation(
        "messages_drop",
        t("messages.drop_all_title"),
        t("messages.drop_all_what", count=waiting, shown=number(waiting)),
        t("messages.drop_all", shown=number(waiting)),
        partial(_decide, approving.drop_all, one.id, waiting),
    )


def _samples(looking: Viewer, one: CampaignView) -> None:
    found = approving.samples(looking.scope, one.id, st.session_state.get(_TURN, 0))
    flagged = sum(bool(message.flags) for message in found)
    st.markdown(t("messages.samples", count=len(found) - flagged, flagged=number(flagged)))
    for message in found:
        told = " ".join(t(f"messages.check_{flag}") for flag in message.flags)
        st.markdown(f"**{plain(message.fan)}**" + (f" :material/flag: {told}" if told else ""))
        st.code(message.body, language=None, wrap_lines=True)


def _take_back_offer(one: CampaignView) -> None:
    together: tuple[UUID, datetime] | None = st.session_state.get(_TOGETHER)
    if together is not None and together[0] == one.id:
        st.button(
            t("messages.take_back_all"), key="messages_back", on_click=_back, args=together, icon=":material/undo:"
        )


def _look(campaign_id: UUID) -> None:
    st.session_state[_LOOKED] = campaign_id


def _others() -> None:
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def _decide(deed: _Deed, campaign_id: UUID, expected: int) -> None:
    st.session_state[_TOGETHER] = (campaign_id, deed(viewer().scope, campaign_id, expected))
    flash(t("messages.decided_all", count=expected, shown=number(expected)))


@refusals_shown()
def _back(campaign_id: UUID, at: datetime) -> None:
    st.session_state[_TOGETHER] = None
    back = approving.take_back_all(viewer().scope, campaign_id, at)
    flash(t("messages.taken_back", count=back, shown=number(back)))
