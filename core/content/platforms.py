"""How long a text may be on each platform, counted as that platform counts. Pure."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Platform(StrEnum):
    ONLYFANS = "onlyfans"
    FANSLY = "fansly"
    INSTAGRAM = "instagram"
    TIKTOK = "tiktok"
    X = "x"
    THREADS = "threads"
    REDDIT = "reddit"


PLATFORM_NAMES: Mapping[Platform, str] = {
    Platform.ONLYFANS: "OnlyFans",
    Platform.FANSLY: "Fansly",
    Platform.INSTAGRAM: "Instagram",
    Platform.TIKTOK: "TikTok",
    Platform.X: "X",
    Platform.THREADS: "Threads",
    Platform.REDDIT: "Reddit",
}


class Unit(StrEnum):
    """What a platform counts. Its name on a screen is `content.unit_<value>`."""

    CHARACTERS = "characters"
    UTF16 = "utf16"
    WEIGHTED = "weighted"
    EMOJI_BYTES = "emoji_bytes"


@dataclass(frozen=True, slots=True)
class Limits:
    """`most` in `unit`; None where no limit is known. `hashtags`: None where none is known."""

    unit: Unit
    most: int | None
    hashtags: int | None
    source: str
    checked_on: date


_CHECKED = date(2026, 11, 22)
LIMITS: Mapping[Platform, Limits] = {
    Platform.ONLYFANS: Limits(Unit.CHARACTERS, 1000, None, "public code of tools for creators", _CHECKED),
    Platform.FANSLY: Limits(Unit.CHARACTERS, None, None, "no limit is published", _CHECKED),
    Platform.INSTAGRAM: Limits(Unit.UTF16, 2200, 5, "Ayrshare and Buffer API documentation", _CHECKED),
    Platform.TIKTOK: Limits(Unit.UTF16, 2200, 5, "Buffer and Zernio API documentation", _CHECKED),
    Platform.X: Limits(Unit.WEIGHTED, 280, None, "X developer documentation, counting characters", _CHECKED),
    Platform.THREADS: Limits(Unit.EMOJI_BYTES, 500, 1, "Threads API documentation", _CHECKED),
    Platform.REDDIT: Limits(Unit.CHARACTERS, 300, None, "Reddit API documentation: the title", _CHECKED),
}

_URL = re.compile(
    r"https?://\S+|(?<![\w@.])(?:[a-z0-9-]+\.)+(?:com|net|org|io|co|me|tv|link|fr|uk|app)\b(?:/\S*)?", re.I
)
_URL_WEIGHT = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""Code points that weigh one on X; all others weigh two (twitter-text, configuration 3)."""
_PICTURE = (
    r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B05-\u2B55\u2190-\u21FF\u2300-\u23FF\u25AA-\u25FE\u3030\u303D\u3297\u3299]"
)
_EMOJI = re.compile(
    r"[\U0001F1E6-\U0001F1FF]{2}"
    r"|[0-9#*]\uFE0F?\u20E3"
    rf"|{_PICTURE}[\uFE0F\U0001F3FB-\U0001F3FF]*(?:\u200D{_PICTURE}[\uFE0F\U0001F3FB-\U0001F3FF]*)*"
)
_HASHTAG = re.compile(r"(?<![\w&])#\w*[^\W\d_]\w*")


@dataclass(frozen=True, slots=True)
class Measure:
    """A text against a platform's limits. `most` and `most_hashtags` None: no limit known."""

    unit: Unit
    length: int
    most: int | None
    hashtags: int
    most_hashtags: int | None

    @property
    def fits(self) -> bool:
        return (self.most is None or self.length <= self.most) and (
            self.most_hashtags is None or self.hashtags <= self.most_hashtags
        )


def measure(text: str, platform: Platform) -> Measure:
    """How long the text is there, in the platform's own unit."""
    limits = LIMITS[platform]
    return Measure(limits.unit, _COUNTS[limits.unit](text), limits.most, len(_HASHTAG.findall(text)), limits.hashtags)


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _weighted(text: str) -> int:
    """X: NFC; a link weighs 23 however long it is, an emoji 2 however it is composed."""
    composed = unicodedata.normalize("NFC", text)
    without_links, links = _URL.subn("", composed)
    plain, emoji = _EMOJI.subn("", without_links)
    letters = sum(1 if any(first <= ord(letter) <= last for first, last in _LIGHT) else 2 for letter in plain)
    return links * _URL_WEIGHT + emoji * 2 + letters


def _emoji_bytes(text: str) -> int:
    """Threads: characters, but an emoji counts as its bytes in UTF-8."""
    plain = _EMOJI.sub("", text)
    return len(plain) + sum(len(found.group().encode()) for found in _EMOJI.finditer(text))


_COUNTS: Mapping[Unit, Callable[[str], int]] = {
    Unit.CHARACTERS: len,
    Unit.UTF16: _utf16,
    Unit.WEIGHTED: _weighted,
    Unit.EMOJI_BYTES: _emoji_bytes,
}
