"""Where everybody lands: how things stand, and what to do next."""

from datetime import UTC, datetime

import streamlit as st

from core.access import Permission
from core.insights.home import desk, overview
from core.insights.onboarding import Progress, progress
from dashboard import onboarding
from dashboard.components.creators import new_creator
from dashboard.components.demo import try_demo
from dashboard.components.figures import allowance, nothing_yet
from dashboard.components.month import change_shown, freshness, month, net_shown, totals
from dashboard.navigation import go, link
from dashboard.privacy import kept_back
from dashboard.session import Viewer, look_at, viewer
from dashboard.words import moment, plain, t

NOW = datetime.now(UTC)


def all_creators(looking: Viewer) -> None:
    seen = overview(looking.scope, NOW)
    names = {workspace.id: workspace.name for workspace in looking.workspaces}
    fed = {one.workspace_id: one.last_import_at for one in seen.fed}
    earning = {one.workspace_id for one in seen.months}
    st.subheader(t("home.this_month"))
    real = {workspace.id for workspace in looking.creators}
    totals(one for one in seen.months if one.workspace_id in real)
    rows = [
        (names[one.workspace_id], net_shown(one.now.net, one.currency), change_shown(one.now.net, one.before.net), when)
        for one in seen.months
        if (when := imported(fed[one.workspace_id]))
    ]
    rows += [(name, t("home.no_data"), "", imported(fed[one])) for one, name in names.items() if one not in earning]
    headings = (t("frame.creator"), t("home.net"), t("home.against"), t("home.imported"))
    st.dataframe([dict(zip(headings, row, strict=True)) for row in rows], hide_index=True)
    st.pills(t("home.open_creator"), list(names), format_func=names.__getitem__, key="open_creator", on_change=opened)
    if looking.scope.may(Permission.MANAGE_CREATORS):
        new_creator()


def opened() -> None:
    look_at(st.session_state["open_creator"])


def imported(at: datetime | None) -> str:
    return t("home.never") if at is None else moment(at)


def one_creator(looking: Viewer) -> None:
    so_far = progress(looking.scope)
    if not (so_far.is_over or looking.creator.is_demo or st.session_state.get(onboarding.LEFT)):
        st.session_state[onboarding.LEFT] = True
        go("onboarding")
    next_thing(so_far)
    st.subheader(t("home.this_month"))
    seen = overview(looking.scope, NOW)
    for one in seen.months:
        month(one)
    if not seen.months:
        nothing_yet(t("home.no_earnings"))
        link("analytics", t("onboarding.first_chart"))
        try_demo(looking)
    for fed in seen.fed:
        freshness(fed)
    at_work(looking)


def next_thing(so_far: Progress) -> None:
    if so_far.next is not None:
        st.progress(so_far.settled / len(so_far.steps), text=t(f"onboarding.step_{so_far.next}"))
        link("onboarding", t("home.go_on"))
    elif not all(so_far.checklist.values()):
        st.subheader(t("home.next"))
        for milestone, reached in so_far.checklist.items():
            st.checkbox(t(f"home.{milestone}"), value=reached, disabled=True, key=f"milestone_{milestone}")


def at_work(looking: Viewer) -> None:
    on = desk(looking.scope, NOW)
    st.subheader(t("home.texts"))
    for text in on.texts:
        st.markdown(plain(text.title))
        st.caption(t("home.saved", when=moment(text.updated_at)))
    if not on.texts:
        nothing_yet(t("home.no_texts"))
    link("content", t("home.write"))
    st.subheader(t("home.plan", plan=t(f"frame.plan_{on.plan}")))
    allowance(t("home.drafts"), on.drafts_used, on.drafts_most)
    link("billing", t("frame.see_plans"))


looking = viewer()
kept_back(looking)
if looking.workspace is not None:
    one_creator(looking)
elif looking.workspaces:
    all_creators(looking)
elif looking.is_staff:
    st.info(t("home.staff"))
    link("admin", t("frame.admin"))
elif looking.scope.may(Permission.MANAGE_CREATORS):
    nothing_yet(t("home.no_creator"))
    new_creator()
else:
    st.info(t("frame.no_creator"))
