"""What a date cell of a statement says. Pure.

A time without a zone is UTC, as OnlyFans counts. A date without a time stays that day in every zone.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import NamedTuple

from core.earnings.amounts import Unreadable
from core.earnings.windows import FIRST_DAY, LAST_DAY


class Moment(NamedTuple):
    """`at` is an instant in UTC. `day` is set when the cell gives no time: `at` is then that day's midnight."""

    at: datetime
    day: date | None


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january janv janvier",
            "feb february fev fevr fevrier",
            "mar march mars",
            "apr april avr avril",
            "may mai",
            "jun june juin",
            "jul july juil juillet",
            "aug august aou aout",
            "sep sept september septembre",
            "oct october octobre",
            "nov november novembre",
            "dec december decembre",
        ),
        start=1,
    )
    for name in names.split()
}
_TIME = re.compile(
    r"(?P<hour>[0-9]{1,2})(?:[:h](?P<minute>[0-9]{2}))?(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r" ?(?P<half>[ap])?\.?(?(half)m)\.? ?(?P<zone>z|utc|gmt|[-+][0-9]{2}:?(?:[0-9]{2})?)?"
)
_YEAR_FIRST = re.compile(r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})(?:t| |, ?|$)")
_NUMERIC = re.compile(
    r"(?P<first>[0-9]{1,2})(?P<separator>[-/.])(?P<second>[0-9]{1,2})(?P=separator)(?P<year>[0-9]{4})(?: |, ?|$)"
)
_MONTH_FIRST = re.compile(
    r"(?P<month>[a-z]{3,9})\.? (?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,? (?P<year>[0-9]{4})(?:,? (?:at |a )?|$)"
)
_DAY_FIRST = re.compile(
    r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er)?[ -](?P<month>[a-z]{3,9})\.?,?[ -](?P<year>[0-9]{4})(?:,? (?:at |a )?|$)"
)


def moment(text: str, day_first: bool | None) -> Moment:
    """ISO dates, `Jan 5, 2026 2:30 pm`, `5 janvier 2026`, `05.01.2026`, and `01/05/2026` once `day_first` is known.

    Raises Unreadable with problem_date, problem_date_ambiguous or problem_date_range.
    """
    bare = _bare(text)
    found, (year, month, day) = _calendar(bare, day_first)
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        raise Unreadable("problem_date_range")
    rest = bare[found.end() :].strip()
    try:
        on = date(year, month, day)
        if not rest:
            return Moment(datetime.combine(on, time(), UTC), on)
        return Moment(datetime.combine(on, _time(rest)).astimezone(UTC), None)
    except ValueError:
        raise Unreadable("problem_date") from None


def day_first_of(texts: Iterable[str]) -> bool | None:
    """Whether `13/01/2026` or `01/13/2026` among the cells gives the order away; None when nothing or both do."""
    shown = set()
    for text in texts:
        found = _NUMERIC.match(_bare(text))
        if found and found["separator"] != ".":
            first, second = int(found["first"]), int(found["second"])
            if (first > 12) != (second > 12):
                shown.add(first > 12)
    return shown.pop() if len(shown) == 1 else None


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text[:80]).encode("ascii", "ignore").decode().lower()
    return " ".join(plain.split()).removeprefix("'")


def _calendar(bare: str, day_first: bool | None) -> tuple[re.Match[str], tuple[int, int, int]]:
    if found := _YEAR_FIRST.match(bare):
        return found, (int(found["year"]), int(found["month"]), int(found["day"]))
    if found := _NUMERIC.match(bare):
        return found, _numeric(found, day_first)
    found = _MONTH_FIRST.match(bare) or _DAY_FIRST.match(bare)
    month = _MONTHS.get(found["month"]) if found else None
    if found is None or month is None:
        raise Unreadable("problem_date")
    return found, (int(found["year"]), month, int(found["day"]))


def _numeric(found: re.Match[str], day_first: bool | None) -> tuple[int, int, int]:
    """Year, month, day. With points the day comes first everywhere; else a number past 12 tells, or `day_first`."""
    first, second = int(found["first"]), int(found["second"])
    if found["separator"] == "." or first > 12:
        day_first = True
    elif second > 12:
        day_first = False
    if day_first is None and first != second:
        raise Unreadable("problem_date_ambiguous")
    day, month = (first, second) if day_first else (second, first)
    return int(found["year"]), month, day


def _time(text: str) -> time:
    """Raises ValueError for what is no time of day."""
    found = _TIME.fullmatch(text)
    if not found or (found["minute"] is None and not found["half"]):
        raise ValueError(text)
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if found["half"] == "p" else 0)
    micro = int((found["fraction"] or "0").ljust(6, "0")[:6])
    return time(hour, int(found["minute"] or 0), int(found["second"] or 0), micro, _zone(found["zone"]))


def _zone(text: str | None) -> timezone:
    if text is None or text in ("z", "utc", "gmt"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
