"""Days as a calendar shows them: which ones, and what they are called."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from babel.dates import format_date, format_time

from core.publishing.local_time import local
from core.publishing.planning import Entry
from dashboard.viewing import language

DAYS = 7


def weeks(day: date, view: str) -> tuple[tuple[date, ...], ...]:
    """The whole weeks, Monday first, that hold the day's month, or its week alone."""
    first = day.replace(day=1) if view == "month" else day
    last = _month_end(day) if view == "month" else day
    begin = first - timedelta(days=first.weekday())
    count = ((last - begin).days // DAYS) + 1
    return tuple(tuple(begin + timedelta(days=DAYS * week + n) for n in range(DAYS)) for week in range(count))


def stepped(day: date, view: str, step: int) -> date:
    """A day of the month or week before (-1) or after (1)."""
    if view == "week":
        return day + timedelta(days=DAYS * step)
    return _month_end(day) + timedelta(days=1) if step > 0 else day.replace(day=1) - timedelta(days=1)


def heading(day: date, view: str) -> str:
    """June 2027; or the first and last day of the week."""
    if view == "month":
        return format_date(day, "LLLL y", locale=language()).capitalize()
    ((*week,),) = weeks(day, "week")
    return f"{format_date(week[0], locale=language())} – {format_date(week[-1], locale=language())}"


def weekday(day: date) -> str:
    return format_date(day, "ccc", locale=language())


def full_day(day: date) -> str:
    """Tuesday, June 15, 2027."""
    return format_date(day, "full", locale=language())


def clock(at: datetime, zone: str) -> str:
    return format_time(local(at, zone), "short", locale=language())


def by_day(entries: Iterable[Entry], zone: str) -> dict[date, list[Entry]]:
    """Texts with a time, under their day in the zone, in the order given."""
    found: dict[date, list[Entry]] = {}
    for one in entries:
        if one.at is not None:
            found.setdefault(local(one.at, zone).date(), []).append(one)
    return found


def shown_days(of: tuple[tuple[date, ...], ...]) -> Iterator[date]:
    return (day for week in of for day in week)


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
