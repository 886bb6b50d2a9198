"""The calendar page: month, week, what is under way, who is shown, and the rule of approval."""

from datetime import UTC, date, datetime

import streamlit as st

from core.content.kinds import AssetStatus
from core.content.platforms import PLATFORM_NAMES, Platform
from core.publishing.planning import Entry, calendar, today_of, under_way
from dashboard.components.figures import nothing_yet
from dashboard.navigation import link
from dashboard.planner import card, people, rule
from dashboard.planner.days import by_day, clock, full_day, heading, shown_days, stepped, weeks
from dashboard.planner.grid import Looking, grid, status_of
from dashboard.session import Viewer
from dashboard.words import number, plain, t

_DAY = "calendar_day"
_VIEW = "calendar_view"
_TIMED = (AssetStatus.SCHEDULED, AssetStatus.PUBLISHED)
_GOING = (AssetStatus.DRAFT, AssetStatus.IN_REVIEW, AssetStatus.APPROVED, AssetStatus.SCHEDULED)
_OF_SEVERAL = ("month", "week")
_WITHOUT_TEXTS = ("people", "rule")
_OF_ONE = (*_OF_SEVERAL, "texts", *_WITHOUT_TEXTS)


def planner(looking: Viewer) -> None:
    """One creator's plan, with its deeds; every creator's in view, to read, while none is chosen."""
    one = looking.workspace
    if one is not None:
        people.reminder(looking)
    view = st.segmented_control(
        t("calendar.view"),
        _OF_SEVERAL if one is None else _OF_ONE,
        default="month",
        required=True,
        key=_VIEW,
        format_func=lambda name: t(f"calendar.view_{name}"),
    )
    if one is None:
        st.caption(t("calendar.several", zone=looking.time_zone))
    else:
        st.caption(t("calendar.zone", zone=one.time_zone))
    match view:
        case "texts":
            _texts(looking)
        case "people":
            people.people(looking)
        case "rule":
            rule.rule_form(looking)
        case _:
            _calendar(looking, view or "month")


def _calendar(looking: Viewer, view: str) -> None:
    zone = looking.time_zone if looking.workspace is None else looking.workspace.time_zone
    today = today_of(zone)
    day: date = st.session_state.get(_DAY, today)
    _steps(day, view, today)
    platform, status = _filters(_TIMED)
    shown = weeks(day, view)
    found = calendar(looking.scope, shown[0][0], shown[-1][-1], zone=zone, platform=platform, status=status)
    texts = by_day(found, zone)
    seen = Looking(view, day, zone, datetime.now(UTC), today, with_names=looking.workspace is None)
    grid(seen, shown, texts)
    _opened_elsewhere(looking, found)
    if not found:
        nothing_yet(t("calendar.nothing_found") if platform or status else t("calendar.nothing"))
        link("content", t("calendar.write"))
    for one in shown_days(shown):
        if one in texts:
            _day(looking, seen, one, texts[one])


def _steps(day: date, view: str, today: date) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(heading(day, view), width="content")
        st.button(t("calendar.before"), key="calendar_before", on_click=_go, args=(stepped(day, view, -1),))
        st.button(t("calendar.today"), key="calendar_today", on_click=_go, args=(today,))
        st.button(t("calendar.after"), key="calendar_after", on_click=_go, args=(stepped(day, view, 1),))


def _go(day: date) -> None:
    st.session_state[_DAY] = day


def _filters(statuses: tuple[AssetStatus, ...]) -> tuple[Platform | None, AssetStatus | None]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        platform = st.selectbox(
            t("calendar.platform"),
            list(Platform),
            index=None,
            key="calendar_platform",
            placeholder=t("calendar.platform_any"),
            format_func=PLATFORM_NAMES.__getitem__,
        )
        status = st.selectbox(
            t("calendar.status"),
            list(statuses),
            index=None,
            key=f"calendar_status_{len(statuses)}",
            placeholder=t("calendar.status_any"),
            format_func=lambda one: t(f"content.status_{one}"),
        )
    return platform, status


def _day(looking: Viewer, seen: Looking, day: date, entries: list[Entry]) -> None:
    said = plain(full_day(day))
    st.markdown(f"**{said}** · {t('calendar.today')}" if day == seen.today else f"**{said}**")
    for one in entries:
        at = clock(one.at, seen.zone) if one.at else ""
        facts = [at, PLATFORM_NAMES[one.platform], status_of(one, seen.now)]
        if seen.with_names:
            facts.insert(0, one.creator)
        _row(looking, one, facts)


def _opened_elsewhere(looking: Viewer, found: tuple[Entry, ...]) -> None:
    """The opened text, first where the list does not hold it: another day's, or just taken off the calendar."""
    if looking.workspace is not None and not any(card.is_open(one.asset_id) for one in found):
        card.opened(looking)


def _row(looking: Viewer, one: Entry, facts: list[str]) -> None:
    """A text; its title is the button that opens it, in its place. Of several creators' none is opened."""
    can_open = looking.workspace is not None
    if can_open and card.is_open(one.asset_id):
        card.opened(looking)
        return
    with st.container(border=True, gap=None):
        if can_open:
            st.button(
                plain(one.title),
                key=f"open_{one.asset_id}",
                type="tertiary",
                on_click=card.open_it,
                args=(one.asset_id,),
            )
        else:
            st.markdown(plain(one.title))
        st.caption(plain(" · ".join(facts)))


def _texts(looking: Viewer) -> None:
    platform, status = _filters(_GOING)
    found = under_way(looking.scope, platform=platform, status=status)
    _opened_elsewhere(looking, found)
    if not found:
        nothing_yet(t("calendar.nothing_found") if platform or status else t("calendar.no_texts"))
        link("content", t("calendar.write"))
        return
    for going in (AssetStatus.IN_REVIEW, AssetStatus.APPROVED, AssetStatus.SCHEDULED, AssetStatus.DRAFT):
        held = [one for one in found if one.status is going]
        if held:
            st.markdown(f"**{t(f'content.status_{going}')}** ({number(len(held))})")
        for one in held:
            _row(looking, one, [PLATFORM_NAMES[one.platform], t(f"content.type_{one.type}")])
