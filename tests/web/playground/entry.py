"""A script behind the gate that notes down what of it ran, and for whom."""

import os
from pathlib import Path

import streamlit as st

RAN = Path(os.environ["DATA_DIR"]) / "ran"


def note(what: str) -> None:
    with RAN.open("a") as file:
        file.write(f"{what}\n")


def clicked() -> None:
    note("callback")
    st.session_state.clicks = st.session_state.get("clicks", 0) + 1


@st.fragment
def part() -> None:
    note("fragment")
    st.button("in the fragment", key="fragment")


note("script")
st.text(f"user {st.user.get('sub')}")
st.text(f"session {st.user.get('sid')}")
st.button("click", key="click", on_click=clicked)
st.text(f"clicks {st.session_state.get('clicks', 0)}")
part()
