"""Days of a plan, as its people read them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from dashboard.words import day


def day_of(instant: datetime | None, zone: str) -> str:
    """The day on which an aware instant falls in a time zone; nothing for none."""
    return "" if instant is None else day(instant.astimezone(ZoneInfo(zone)).date())
