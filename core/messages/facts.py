"""What the ledger knows about a fan, and how it may be said. Pure.

Only what is here is ever said about a fan. What they spent chooses whom to write to, and is never said.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from core.language import money
from core.messages.briefs import Offer

LONGEST_NAME = 40
_NAME = re.compile(r"[^\W\d_][^\W_]*(?:[ '’.-]{1,2}[^\W_]+)*\.?")
_HANDLE = re.compile(r"@?([A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*)")
_GIVEN_BY_MACHINES = re.compile(r"(?:u|user|fan|id)[._-]?\d{3,}", re.I)
_NO_NAME = frozenset({"none", "null", "undefined", "nan", "nil", "unknown", "user", "deleted", "inconnu", "anonymous"})
NAMELESS: Mapping[str, str] = {"en": "dear", "fr": "toi"}
"""What stands where a fan has no name that can be said."""

_ITEMS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "message": "the message you unlocked",
        "post": "the post you unlocked",
        "stream": "the stream you joined",
        "custom": "your custom request",
    },
    "fr": {
        "message": "le message que tu as ouvert",
        "post": "la publication que tu as ouverte",
        "stream": "le direct que tu as suivi",
        "custom": "ta demande sur mesure",
    },
}
_DAY, _MONTHS_A_YEAR = 86_400, 12
_EN = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_FR = (
    *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"),
    *("treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"),
)
_FR_TENS = {2: "vingt", 3: "trente", 4: "quarante", 5: "cinquante", 6: "soixante"}


@dataclass(frozen=True, slots=True)
class Record:
    """A fan as the ledger knows them. `net` is their lifetime net in minor units of one currency, None if unknown.

    `name`, `handle`: as the statements gave them. `since`, `active`: the first and the latest payment. `bought`: the
    kind and the instant of the latest purchase of `kinds.PURCHASES` that was not returned.
    """

    fan_id: UUID
    name: str | None
    handle: str | None
    since: datetime | None
    active: datetime | None
    bought: str | None
    bought_at: datetime | None
    net: int | None
    opted_out: bool = False


def facts(
    record: Record, offer: Offer, language: str, now: datetime, is_sayable: Callable[[str], bool] = bool
) -> dict[str, str]:
    """What each slot is filled with; a slot without a fact is not there, but for the name.

    `is_sayable`: whether a name breaks no rule.
    """
    name = spoken_name(record)
    found = {
        "fan_name": name if name and is_sayable(name) else NAMELESS[language],
        "tenure": tenure(record.since, now, language),
        "last_item": _ITEMS[language].get(record.bought or ""),
        **offer_facts(offer, language),
    }
    return {slot: fact for slot, fact in found.items() if fact}


def offer_facts(offer: Offer, language: str) -> dict[str, str]:
    """The slots that the offer fills."""
    price = money(offer.minor, offer.currency, language) if offer.minor is not None else ""
    found = {"offer_item": offer.item, "offer_price": price, "link": offer.link}
    return {slot: fact for slot, fact in found.items() if fact}


def longest_facts(offer: Offer, language: str) -> dict[str, str]:
    """The longest that each slot can come to, for knowing whether a template fits."""
    tenures = (_lasting(days, language) for days in (*range(1, 31), *range(31, 40 * 366, 31)))
    return {
        "fan_name": "m" * LONGEST_NAME,
        "tenure": max(tenures, key=len),
        "last_item": max(_ITEMS[language].values(), key=len),
        **offer_facts(offer, language),
    }


def spoken_name(record: Record) -> str | None:
    """The name, else the handle, if it can be said: words in one line, nothing that a machine gave. None without."""
    name = _tidied(record.name or "")
    if len(name) <= LONGEST_NAME and _NAME.fullmatch(name) and _is_somebody(name):
        return name
    handle = _HANDLE.fullmatch((record.handle or record.name or "").strip())
    if handle and 1 < len(handle[1]) <= LONGEST_NAME and _is_somebody(handle[1]):
        return handle[1]
    return None


def _tidied(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split(" ")).strip()


def _is_somebody(name: str) -> bool:
    return name.casefold() not in _NO_NAME and not _GIVEN_BY_MACHINES.fullmatch(name)


def tenure(since: datetime | None, now: datetime, language: str) -> str | None:
    """How long somebody has been a fan, rounded down, in words: days below a month, months below two years.

    None on the first day. Months are those of the calendar, in UTC.
    """
    if since is None or (now - since).total_seconds() < _DAY:
        return None
    first, today = since.astimezone(UTC), now.astimezone(UTC)
    months = (today.year - first.year) * _MONTHS_A_YEAR + today.month - first.month
    months -= (today.day, today.time()) < (first.day, first.time())
    return _in_words((now - since).days, months, language)


def _lasting(days: int, language: str) -> str:
    return _in_words(days, days // 31, language)


def _in_words(days: int, months: int, language: str) -> str:
    if months < 1:
        return _counted(days, ("day", "days"), ("jour", "jours"), language)
    years, rest = divmod(months, _MONTHS_A_YEAR)
    if years >= 2 or (years == 1 and not rest):
        said = _counted(years, ("year", "years"), ("an", "ans"), language)
        over = {"en": "over ", "fr": "plus de " if said[0] not in "aeiou" else "plus d’"}[language]
        return f"{over if rest else ''}{said}"
    return _counted(months, ("month", "months"), ("mois", "mois"), language)


def _counted(count: int, english: tuple[str, str], french: tuple[str, str], language: str) -> str:
    one, many = french if language == "fr" else english
    if count == 1:
        return f"un {one}" if language == "fr" else f"a {one}"
    return f"{_number(count, language)} {many}"


def _number(count: int, language: str) -> str:
    """A whole number below a hundred in words."""
    if language == "fr":
        return _french(count)
    if count < 20:
        return _EN[count]
    tens, ones = divmod(count, 10)
    return _EN_TENS[tens] + (f"-{_EN[ones]}" if ones else "")


def _french(count: int) -> str:
    if count < 20:
        return _FR[count]
    tens, ones = divmod(count, 10)
    if tens in (7, 9):
        tens, ones = tens - 1, ones + 10
    stem = "quatre-vingt" if tens == 8 else _FR_TENS[tens]
    if not ones:
        return f"{stem}s" if tens == 8 else stem
    return f"{stem} et {_FR[ones]}" if ones in (1, 11) and tens != 8 else f"{stem}-{_FR[ones]}"
