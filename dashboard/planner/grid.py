"""A month or a week as a table, for screens wide enough; the list under it says the same on every screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from pathlib import Path

import streamlit as st

from core.content.kinds import AssetStatus
from core.content.platforms import PLATFORM_NAMES
from core.publishing.planning import Entry
from dashboard.planner.days import clock, full_day, heading, weekday
from dashboard.words import t

_SHEET = Path(__file__).parent / "grid.css"


@dataclass(frozen=True, slots=True)
class Looking:
    """What is looked at: the view and its day, in whose zone, what day it is there, and whether names are shown."""

    view: str
    day: date
    zone: str
    now: datetime
    today: date
    with_names: bool


def grid(looking: Looking, weeks: Sequence[Sequence[date]], texts: Mapping[date, Sequence[Entry]]) -> None:
    """The table; today is outlined and said to be today."""
    heads = "".join(f'<th scope="col">{escape(weekday(day))}</th>' for day in weeks[0])
    rows = "".join(f"<tr>{''.join(_cell(looking, day, texts.get(day, ())) for day in week)}</tr>" for week in weeks)
    caption = escape(heading(looking.day, looking.view))
    with st.container(key="calendar_grid"):
        st.html(_SHEET)
        st.html(f"<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")


def status_of(entry: Entry, now: datetime) -> str:
    """The state in words; a planned time that has passed is said."""
    return t("calendar.overdue") if entry.is_overdue(now) else t(f"content.status_{entry.status}")


def _cell(looking: Looking, day: date, entries: Sequence[Entry]) -> str:
    is_today = day == looking.today
    other = looking.view == "month" and day.month != looking.day.month
    kinds = " ".join(name for name, holds in (("today", is_today), ("other", other)) if holds)
    named = f"{full_day(day)}, {t('calendar.today')}" if is_today else full_day(day)
    items = "".join(_item(looking, one) for one in entries)
    held = f"<ul>{items}</ul>" if items else ""
    said = f" {escape(t('calendar.today'))}" if is_today else ""
    mark = f'<time datetime="{day.isoformat()}" title="{escape(named)}">{day.day}{said}</time>'
    return f'<td class="{kinds}">{mark}{held}</td>'


def _item(looking: Looking, one: Entry) -> str:
    kind = "overdue" if one.is_overdue(looking.now) else str(one.status)
    at = clock(one.at, looking.zone) if one.at else ""
    parts = [f"{at} {PLATFORM_NAMES[one.platform]}", one.title]
    if looking.with_names:
        parts.insert(0, one.creator)
    if one.status is not AssetStatus.SCHEDULED or kind == "overdue":
        parts.append(status_of(one, looking.now))
    return f'<li class="{kind}">{" · ".join(map(escape, parts))}</li>'
