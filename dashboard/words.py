"""Every word, amount and date of a page, in the viewer's language."""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from core import language as speech
from core.language import Catalogue
from dashboard.viewing import language, time_zone

_MARKED = re.compile(r"([\\`*_{}\[\]()<>#+!|$~:&-])")


@cache
def catalogue() -> Catalogue:
    """The dashboard's own sentences; core's refusals have theirs."""
    return Catalogue(Path(__file__).parent / "locales")


def t(key: str, /, **facts: object) -> str:
    """The sentence `topic.key` of `dashboard/locales`. Raises KeyError for one that does not exist."""
    return catalogue().text(language(), key, **facts)


def money(minor: int, currency: str) -> str:
    """Minor units as money in the viewer's locale. In Markdown, wrap in `plain`: two `$` would become a formula."""
    return speech.money(minor, currency, language())


def number(value: int | Decimal | float) -> str:
    return speech.number(value, language())


def percent(share: Decimal | float) -> str:
    """A share of 1 as a percentage with one decimal."""
    return speech.percent(share, language())


def day(value: date) -> str:
    return speech.day(value, language())


def moment(value: datetime) -> str:
    """An aware instant in the viewer's own time zone."""
    return speech.moment(value, time_zone(), language())


def plain(text: str) -> str:
    """Text of a person or an amount, to be shown by a Markdown element letter for letter."""
    return _MARKED.sub(r"\\\1", text)
