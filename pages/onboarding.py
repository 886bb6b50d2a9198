"""Getting started: a few steps, each of which saves on its own and can wait."""

import streamlit as st

from core.insights.onboarding import progress
from dashboard import onboarding
from dashboard.navigation import link
from dashboard.session import viewer
from dashboard.words import t

looking = viewer()
so_far = progress(looking.scope)
if so_far.is_over:
    st.success(t("onboarding.over"))
    link("home", t("onboarding.to_home"))

step = onboarding.choose_step(so_far)
onboarding.draw(step, looking)
onboarding.ways_on(step, so_far)
