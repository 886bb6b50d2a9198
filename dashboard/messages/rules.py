"""Who is not to be written to, how often the others are, and what may go to a model."""

import streamlit as st

from core.content.platforms import PLATFORM_NAMES, Platform
from core.messages.kinds import PLATFORMS
from core.messages.opting import LONGEST_REASON, MOST_DAYS, OptOut, Rule, opt_in, opt_out, opt_outs, rule, save_rule
from dashboard.components.figures import nothing_yet
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.words import moment, number, plain, t


def rules(looking: Viewer) -> None:
    """The rule of the workspace, and the list of opt-outs."""
    _rule(rule(looking.scope))
    st.subheader(t("messages.opt_outs"))
    with st.form("opt_out", clear_on_submit=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox(
                t("messages.platform"),
                list(PLATFORMS),
                key="opt_platform",
                format_func=PLATFORM_NAMES.__getitem__,
                width=160,
            )
            st.text_input(t("messages.handle"), key="opt_who", placeholder="@", max_chars=65)
            st.text_input(t("messages.why"), key="opt_why", max_chars=LONGEST_REASON)
        st.form_submit_button(t("messages.opt_out"), on_click=_opt_out)
    kept = opt_outs(looking.scope)
    if not kept:
        nothing_yet(t("messages.no_opt_out"))
    for place, one in enumerate(kept):
        with st.container(border=True):
            _one(one, place)


def _rule(now: Rule) -> None:
    with st.form("message_rule"):
        st.number_input(
            t("messages.days_between"), 0, MOST_DAYS, now.days_between, key="rule_days", help=t("messages.days_help")
        )
        st.toggle(t("messages.sums_may_leave"), now.facts_may_leave, key="rule_leave", help=t("messages.sums_help"))
        st.form_submit_button(t("messages.save_rule"), on_click=_save)


def _one(one: OptOut, place: int) -> None:
    st.markdown(f"**{plain(one.fan)}**")
    told = [PLATFORM_NAMES[Platform(one.platform)], moment(one.created_at), *([one.reason] if one.reason else [])]
    st.caption(plain(" · ".join(told)))
    st.button(t("messages.opt_in"), key=f"opt_in_{place}", on_click=_opt_in, args=(one.platform, one.identity))


@refusals_shown()
def _save() -> None:
    state = st.session_state
    save_rule(viewer().scope, Rule(int(state["rule_days"]), bool(state["rule_leave"])))
    flash(t("messages.rule_saved"))


@refusals_shown()
def _opt_out() -> None:
    state = st.session_state
    dropped = opt_out(viewer().scope, state["opt_platform"], str(state["opt_who"] or ""), str(state["opt_why"] or ""))
    flash(t("messages.opted_out", count=dropped, shown=number(dropped)))


@refusals_shown()
def _opt_in(platform: str, identity: str) -> None:
    opt_in(viewer().scope, platform, identity)
    flash(t("messages.opted_in"))
