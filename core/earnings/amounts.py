"""What a money cell of a statement says. Pure.

A cell that cannot be read for certain is never guessed: it raises `Unreadable`, which becomes a problem of its row.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from babel.numbers import list_currencies

from core.earnings.columns import DecimalMark

MAX_WHOLE_DIGITS = 12
DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD"})


class Unreadable(ValueError):
    """`code` names the sentence of the problem, under `earnings.` in the catalogues."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Amount(NamedTuple):
    """`currency` is an ISO code, `$` for a dollar of some country, or None when the cell names none."""

    value: Decimal
    currency: str | None


_SPACES = str.maketrans(dict.fromkeys("\u00a0\u2009\u202f\u2007\u200b\ufeff", " "))
_MINUSES = str.maketrans(dict.fromkeys("−–—‒﹣－", "-"))
_SYMBOLS = {
    "$": "$",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "US$": "USD",
    "$US": "USD",
    "USD$": "USD",
    "CA$": "CAD",
    "C$": "CAD",
    "$CA": "CAD",
    "A$": "AUD",
    "AU$": "AUD",
    "$AU": "AUD",
}
_MARK = r"[A-Z]{0,3} ?[$€£¥] ?[A-Z]{0,3}|[A-Z]{3}"
_AMOUNT = re.compile(
    rf"(?P<open>\()? ?(?P<sign>[-+])? ?(?P<before>{_MARK})? ?(?P<inner>[-+])? ?"
    rf"(?P<digits>[0-9.,][0-9 .,'’]*?) ?(?P<after>{_MARK})? ?(?P<trailing>-)? ?(?P<close>\))?"
)


def _number(point: str, groups: str) -> re.Pattern[str]:
    grouped = rf"[1-9][0-9]{{0,2}}(?P<group>[{groups}])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*"
    return re.compile(rf"(?P<whole>{grouped}|[0-9]+)?(?:{point}(?P<fraction>[0-9]+))?")


_READINGS: dict[DecimalMark, re.Pattern[str]] = {".": _number(r"\.", " ,'’"), ",": _number(",", " .'’")}


@cache
def currencies() -> frozenset[str]:
    """Every ISO 4217 code."""
    return frozenset(list_currencies())


def is_nothing(text: str) -> bool:
    """Whether the cell says that there is no value: empty, or a lone dash as accountants write it."""
    return text.translate(_SPACES).translate(_MINUSES).strip() in ("", "-")


def amount(text: str, mark: DecimalMark | None) -> Amount:
    """`"$1,234.50"`, `1 234,50 €`, `(12.00)`, `−3` as an exact amount; `mark` settles `1,234`, where it is known.

    Raises Unreadable with problem_formula, problem_amount, problem_amount_ambiguous or problem_amount_too_large.
    """
    found = _shape(text)
    signs = [found[name] for name in ("open", "sign", "inner", "trailing") if found[name]]
    if len(signs) > 1 or bool(found["open"]) != bool(found["close"]):
        raise Unreadable("problem_amount")
    readings = _readings(found["digits"])
    if not readings:
        raise Unreadable("problem_amount")
    if len(set(readings.values())) > 1 and mark is None:
        raise Unreadable("problem_amount_ambiguous")
    value = readings[mark] if mark in readings else next(iter(readings.values()))
    if value >= 10**MAX_WHOLE_DIGITS:
        raise Unreadable("problem_amount_too_large")
    return Amount(value if signs in ([], ["+"]) else -value, _currency(found["before"], found["after"]))


def decimal_mark_of(texts: Iterable[str]) -> DecimalMark | None:
    """The decimal mark that the cells of a column show beyond doubt, or None when they show none or both."""
    shown: set[DecimalMark] = set()
    for text in texts:
        try:
            readings = _readings(_shape(text)["digits"])
        except Unreadable:
            continue
        if len(readings) == 1:
            shown.update(readings)
    return next(iter(shown)) if len(shown) == 1 else None


def _shape(text: str) -> re.Match[str]:
    bare = " ".join(text.translate(_SPACES).translate(_MINUSES).split()).removeprefix("'")
    if bare.startswith(("=", "@")):
        raise Unreadable("problem_formula")
    found = _AMOUNT.fullmatch(bare.upper()) if len(bare) <= 40 else None
    if not found:
        raise Unreadable("problem_amount")
    return found


def _readings(digits: str) -> dict[DecimalMark, Decimal]:
    """The value under each decimal mark under which the digits make a number. `1,234` makes two."""
    readings: dict[DecimalMark, Decimal] = {}
    for mark, pattern in _READINGS.items():
        found = pattern.fullmatch(digits)
        if found and (found["whole"] or found["fraction"]):
            whole = re.sub("[^0-9]", "", found["whole"] or "0")
            readings[mark] = Decimal(f"{whole}.{found['fraction'] or 0}")
    return readings


def _currency(*written: str | None) -> str | None:
    marks = {_code(mark.replace(" ", "")) for mark in written if mark}
    named = marks - {"$"}
    if len(named) > 1 or ("$" in marks and not named <= DOLLARS):
        raise Unreadable("problem_currency")
    return next(iter(named or marks), None)


def _code(mark: str) -> str:
    code = _SYMBOLS.get(mark, mark)
    if code != "$" and code not in currencies():
        raise Unreadable("problem_currency")
    return code
