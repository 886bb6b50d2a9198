"""The entry, run from the top at every rerun: who is here, what they may open, then the page itself."""

import streamlit as st

from core.errors import NotSignedIn
from core.sidecar.pages import TEMPLATES
from dashboard import frame, navigation
from dashboard.billing.owing import owing
from dashboard.components.visit import visit_notice
from dashboard.session import anyone, look_again, news_shown, problem_shown, refusals_shown, viewer

# Streamlit would fetch a named icon from a host elsewhere, at each visit.
ICON = TEMPLATES / "icon.svg"

st.set_page_config(page_title="Huntaze", page_icon=str(ICON), layout="wide")
look_again()  # a callback may have changed the person just now

try:
    person = anyone()
except NotSignedIn as refusal:
    st.navigation([st.Page(lambda: None, title="Huntaze", url_path="signed-out")], position="hidden")
    problem_shown(refusal)
    st.stop()

with refusals_shown():
    page, script = navigation.draw(navigation.open_to(person))
    frame.sidebar(person)
    st.title(script.title)
    visit_notice(person)
    frame.confirm_email(person)
    news_shown()
    looking = viewer()
    if page.name != "billing":  # which says it itself, and knows better
        owing(looking)
    frame.subject(looking)
    if page.needs_one and looking.workspace is None:
        frame.choose_one(looking)
    else:
        script.run()
