"""One of each element that pages draw with, to see that the content policy lets it be drawn."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.sidecar.pages import TEMPLATES

st.set_page_config(page_title="Everything", page_icon=str(TEMPLATES / "icon.svg"))
days = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=30), "net": range(30)})
st.plotly_chart(go.Figure(go.Scatter(x=days.day, y=days.net)), key="lines")
st.plotly_chart(go.Figure(go.Bar(x=days.day, y=days.net)), key="bars")
st.metric("Net", "12", "3", chart_data=[1, 2, 3])
st.dataframe(days)
st.data_editor(days, key="edited")
st.file_uploader("Statement", key="statement")
st.selectbox("Creator", ["Ada", "Bob"])
st.date_input("From")
st.markdown(":material/home: :smile: $x^2$")
st.html('<form method="post" action="/account/sign-out"><button class="sign-out">Out</button></form>')
st.echarts_chart(
    {"xAxis": {"type": "category", "data": ["a"]}, "yAxis": {"type": "value"}, "series": [{"type": "bar", "data": [1]}]}
)
