"""What was done in the account, by whom and through what."""

import streamlit as st

from core.insights.deeds import deeds
from dashboard.deeds import deeds_shown
from dashboard.session import viewer
from dashboard.words import t

looking = viewer()
st.caption(t("deeds.what_it_is"))
deeds_shown(lambda after: deeds(looking.scope, after=after), "audit")
