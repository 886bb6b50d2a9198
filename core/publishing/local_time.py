"""A creator's own clock: from a day and a time of theirs to an instant, and back. Pure.

Where clocks go forward some times do not exist, and are refused. Where they go back some exist twice, and the first
of the two is meant.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Planned:
    """An instant in UTC. `is_twice`: the creator's clock shows that time a second time, later."""

    at: datetime
    is_twice: bool


def instant(day: date, clock: time, zone: str) -> Planned:
    """The instant of a local day and time, to the minute. Raises BadInput for a time that the zone skips."""
    wall = datetime.combine(day, clock.replace(second=0, microsecond=0, tzinfo=None, fold=0))
    there = ZoneInfo(zone)
    try:
        first = wall.replace(tzinfo=there).astimezone(UTC)
        shown = first.astimezone(there)
        second = wall.replace(tzinfo=there, fold=1).astimezone(UTC)
    except OverflowError:
        raise BadInput("publishing.bad_day") from None
    if shown.replace(tzinfo=None) != wall:
        raise BadInput("publishing.no_such_time", asked=f"{wall:%H:%M}", later=f"{shown:%H:%M}")
    return Planned(first, second != first)


def local(at: datetime, zone: str) -> datetime:
    """An aware instant as the zone's clock shows it."""
    return at.astimezone(ZoneInfo(zone))


def span(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """The instants in UTC that the days from `first` to `last` begin with and end before.

    A midnight that the zone skips is taken as the moment that follows it.
    """
    there = ZoneInfo(zone)
    begin = datetime.combine(first, time.min, there).astimezone(UTC)
    after = datetime.combine(date.fromordinal(last.toordinal() + 1), time.min, there).astimezone(UTC)
    return begin, after
