"""Made-up data to try things with, one click away and one click gone."""

import streamlit as st

from core import demo
from core.access import Permission
from dashboard.session import Viewer, look_at, refusals_shown, viewer
from dashboard.words import t


def try_demo(looking: Viewer) -> None:
    """A button that adds a Demo creator beside one's own; a way there once it exists."""
    if not looking.scope.may(Permission.MANAGE_CREATORS) or (looking.workspace and looking.workspace.is_demo):
        return
    if there := next((one for one in looking.workspaces if one.is_demo), None):
        st.button(t("frame.see_demo"), key="see_demo", on_click=look_at, args=(there.id,), icon=":material/science:")
        return
    st.button(t("frame.try_demo"), key="try_demo", on_click=_add, icon=":material/science:")


@refusals_shown()
def _add() -> None:
    looking = viewer()
    look_at(demo.add_to(looking.scope))
