"""What was done in the account, by whom and through what."""

import streamlit as st

from core.insights.deeds import deeds
from dashboard.deeds import deeds_shown
from dashboard.session import anyone
from dashboard.team import own_account
from dashboard.words import t

scope = own_account(anyone())
st.caption(t("deeds.what_it_is"))
deeds_shown(lambda after: deeds(scope, after=after), "audit")
