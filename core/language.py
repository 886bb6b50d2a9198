"""English and French: sentences from catalogues, numbers, money and dates by locale. Pure once read."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision

LANGUAGES: Mapping[str, str] = {"en": "English", "fr": "Français"}
DEFAULT = "en"


class Catalogue:
    """Sentences of one folder: `<folder>/<language>/<topic>.toml`, asked for as `topic.key`.

    A value is a format string, or a table of plural forms (`one`, `other`) chosen by `count`.
    """

    def __init__(self, folder: Path) -> None:
        self._texts: dict[str, dict[str, str | dict[str, str]]] = {
            language: {
                f"{file.stem}.{key}": value
                for file in sorted((folder / language).glob("*.toml"))
                for key, value in tomllib.loads(file.read_text(encoding="utf-8")).items()
            }
            for language in LANGUAGES
        }

    def keys(self, language: str) -> frozenset[str]:
        return frozenset(self._texts[language])

    def forms(self, language: str, key: str) -> tuple[str, ...]:
        """The raw format strings behind a key: one, or one a plural form."""
        value = self._texts[language][key]
        return (value,) if isinstance(value, str) else tuple(value.values())

    def text(self, language: str, key: str, **facts: object) -> str:
        """The sentence. Raises KeyError for a key that no catalogue of that language holds."""
        value = self._texts[supported(language)][key]
        if not isinstance(value, str):
            form = Locale(supported(language)).plural_form(_whole(facts["count"]))
            value = value.get(form, value["other"])
        return value.format(**facts) if facts else value


def _whole(count: object) -> int:
    if not isinstance(count, int):
        raise TypeError(f"`count` chooses the plural form and must be a whole number, not {count!r}")
    return count


def supported(language: str | None) -> str:
    """The nearest language that we speak: `fr-CA` → `fr`, anything unknown → English."""
    short = (language or "").replace("_", "-").split("-")[0].lower()
    return short if short in LANGUAGES else DEFAULT


def from_accept_language(header: str | None) -> str:
    """The first language of an Accept-Language header that we speak; its order is taken as preference."""
    for part in (header or "").split(","):
        short = part.split(";")[0].strip().split("-")[0].lower()
        if short in LANGUAGES:
            return short
    return DEFAULT


def money(minor: int, currency: str, language: str) -> str:
    """Minor units (cents) as money in the reader's locale: `money(123450, "USD", "fr")` → `1 234,50 $US`."""
    exact = Decimal(minor).scaleb(-get_currency_precision(currency))
    return format_currency(exact, currency, locale=language)


def number(value: int | Decimal | float, language: str) -> str:
    return format_decimal(value, locale=language)


def percent(share: Decimal | float, language: str) -> str:
    """A share of 1 as a percentage with one decimal."""
    return format_percent(share, format="#,##0.0 %" if language == "fr" else "#,##0.0%", locale=language)


def day(value: date, language: str, style: str = "medium") -> str:
    return format_date(value, format=style, locale=language)


def moment(value: datetime, zone: str, language: str, style: str = "medium") -> str:
    """An aware instant, shown in the given time zone."""
    return format_datetime(value, format=style, tzinfo=ZoneInfo(zone), locale=language)
