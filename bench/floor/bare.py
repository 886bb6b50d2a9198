"""The least page that there can be. It is served by the same server as ours, behind the same gate."""

import streamlit as st

st.title("Bare")
