"""What speaks against a planned time: too many, too close together, the same text again. Warnings only. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from core.content.platforms import Platform
from core.publishing.local_time import local

CLOSE = timedelta(minutes=30)
AGAIN = timedelta(days=30)
_ROLLING = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Cap:
    """Posts on one platform: `usual` a day of the creator's, `most` in any 24 hours. None where no source gives one."""

    usual: int | None
    most: int | None
    source: str
    checked_on: date


_CHECKED = date(2026, 11, 22)
CAPS: Mapping[Platform, Cap] = {
    Platform.INSTAGRAM: Cap(
        5, 50, "usual: defaults of tools for agencies; most: Meta, IG User Content Publishing Limit (API)", _CHECKED
    ),
    Platform.TIKTOK: Cap(3, None, "usual: defaults of tools for agencies; TikTok publishes no cap", _CHECKED),
    Platform.ONLYFANS: Cap(20, None, "usual: defaults of tools for agencies; no cap is published", _CHECKED),
    Platform.THREADS: Cap(None, 250, "most: Meta, Threads API overview", _CHECKED),
}
"""The other platforms have no figure that could be verified, and get no warning."""


class Problem(StrEnum):
    """A warning's sentence on a screen is `calendar.warn_<value>`."""

    TOO_CLOSE = "too_close"
    SAME_TEXT = "same_text"
    OVER_USUAL = "over_usual"
    OVER_MOST = "over_most"


@dataclass(frozen=True, slots=True)
class Slot:
    """A text at its time."""

    asset_id: UUID
    title: str
    body: str
    platform: Platform
    at: datetime


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that speaks against a time. `title` and `at` name the other text, `count` and `cap` the numbers."""

    problem: Problem
    platform: Platform
    title: str = ""
    at: datetime | None = None
    count: int = 0
    cap: int = 0


def concerns(wanted: Slot, others: Sequence[Slot], zone: str) -> tuple[Concern, ...]:
    """What speaks against `wanted`, given every other text of the creator's with a time, planned or published."""
    beside = [one for one in others if one.platform is wanted.platform and one.asset_id != wanted.asset_id]
    found = [
        Concern(Problem.TOO_CLOSE, one.platform, one.title, one.at) for one in beside if abs(one.at - wanted.at) < CLOSE
    ]
    found += [
        Concern(Problem.SAME_TEXT, one.platform, one.title, one.at)
        for one in beside
        if abs(one.at - wanted.at) <= AGAIN and _same(one.body, wanted.body)
    ]
    return (*found, *_over_cap(wanted, [one.at for one in beside], zone))


def _over_cap(wanted: Slot, beside: Sequence[datetime], zone: str) -> tuple[Concern, ...]:
    cap = CAPS.get(wanted.platform)
    if cap is None:
        return ()
    found: list[Concern] = []
    that_day = local(wanted.at, zone).date()
    day = 1 + sum(1 for at in beside if local(at, zone).date() == that_day)
    if cap.usual is not None and day > cap.usual:
        found.append(Concern(Problem.OVER_USUAL, wanted.platform, count=day, cap=cap.usual))
    most = _most_in_a_day(wanted.at, beside)
    if cap.most is not None and most > cap.most:
        found.append(Concern(Problem.OVER_MOST, wanted.platform, count=most, cap=cap.most))
    return tuple(found)


def _most_in_a_day(wanted: datetime, beside: Sequence[datetime]) -> int:
    """The most posts in any 24 hours that hold the wanted one: windows that begin with it or with one before it."""
    all_of_them = [*beside, wanted]
    starts = [at for at in all_of_them if wanted - _ROLLING < at <= wanted]
    return max(sum(1 for at in all_of_them if start <= at < start + _ROLLING) for start in starts)


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
