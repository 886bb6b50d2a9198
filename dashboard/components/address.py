"""Choices that stand in the page's address, so that a view can be shared.

Streamlit's own binding writes the label that is shown, which another reader's language does not know.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st


def wish(key: str) -> str | None:
    """What was chosen in this tab, else what the address asks for. Not checked: it may be anything."""
    chosen: str | None = st.session_state.get(key) or st.query_params.get(key)
    return chosen


def choice(
    label: str,
    options: Sequence[str],
    usual: str,
    *,
    key: str,
    name: Callable[[str], str] = str,
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> str:
    """One of a few options, side by side. What the address asks for counts where it is one of them.

    `key` names the choice in the whole app, and in the address; the usual choice leaves no mark there.
    """
    if st.session_state.get(key) not in options:
        asked = st.query_params.get(key)
        st.session_state[key] = asked if asked in options else usual
    chosen = st.segmented_control(
        label, options, required=True, key=key, format_func=name, label_visibility=label_visibility
    )
    if chosen is None or chosen == usual:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != chosen:
        st.query_params[key] = chosen
    return chosen or usual
