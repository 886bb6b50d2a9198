"""Where everybody lands: how things stand, and what to do next."""

import streamlit as st

from dashboard.session import viewer
from dashboard.words import plain, t

st.write(t("home.welcome", name=plain(viewer().display_name)))
