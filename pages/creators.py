"""Every creator beside the others: this month's net, its change, and when figures last came in."""

from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from core.access import Permission
from core.insights.home import overview
from dashboard.components.creators import new_creator
from dashboard.components.month import change_shown, net_shown, totals
from dashboard.navigation import link
from dashboard.session import anyone, look_at, refusals_shown
from dashboard.words import moment, t

CHOSEN = "creators_chosen"


@refusals_shown()
def opened() -> None:
    look_at(st.session_state[CHOSEN])


def rows(names: dict[UUID, str], roles: dict[UUID, str]) -> list[dict[str, str]]:
    fed = {one.workspace_id: one.last_import_at for one in seen.fed}
    earning = [
        (one.workspace_id, net_shown(one.now.net, one.currency), change_shown(one.now.net, one.before.net))
        for one in seen.months
        if one.workspace_id in names
    ]
    quiet = [(one, t("home.no_data"), "") for one in names if one not in {each[0] for each in earning}]
    return [
        {
            t("frame.creator"): names[one],
            t("team.role"): roles[one],
            t("home.net"): net,
            t("home.against"): change,
            t("home.imported"): t("home.never") if (at := fed.get(one)) is None else moment(at),
        }
        for one, net, change in (*earning, *quiet)
    ]


looking = anyone()
seen = overview(looking.scope, datetime.now(UTC))
real = {one.id: one.name for one in looking.creators}
st.caption(t("creators.what"))
totals(one for one in seen.months if one.workspace_id in real)
st.dataframe(
    rows(real, {one.id: t(f"team.role_{one.role}") for one in looking.workspaces if one.id in real}), hide_index=True
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.selectbox(t("frame.creator"), list(real), format_func=real.__getitem__, key=CHOSEN)
    st.button(t("creators.look_at"), key="creators_look_at", on_click=opened)
link("analytics", t("creators.analytics"))
if looking.scope.may(Permission.MANAGE_CREATORS):
    new_creator()
