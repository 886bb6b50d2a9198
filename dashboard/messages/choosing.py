"""Which part of the page, and which campaign, one looks at."""

from uuid import UUID

import streamlit as st

VIEW = "messages_view"
CAMPAIGN = "messages_campaign"
CAMPAIGNS, QUEUE, REPLIES, RULES = VIEWS = ("campaigns", "queue", "replies", "rules")


def look_at(campaign_id: UUID) -> None:
    """From a callback: the campaign's queue is what the next run shows."""
    st.session_state[CAMPAIGN] = campaign_id
    st.session_state[VIEW] = QUEUE
