"""What a text says that only a record could know: numbers, money, dates, names, memories. Pure, but for
the lists, read once.

It is searched for in what is left of a text when the facts that were filled in are taken out, so that whatever is found
was invented. A false alarm costs a variant, a miss is a lie.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MARK = "▢"
"""Stands where a fact was."""

EXPLAINED: Mapping[str, str] = {
    "invented_number": "it gives a number outside the slots, in digits or in words",
    "invented_money": "it speaks of money, a discount or something free outside the slots",
    "invented_date": "it names a date, a day, a month or a time outside the slots",
    "invented_name": "it names somebody or something outside the slots",
    "invented_memory": "it claims a memory, a purchase or something personal about the fan",
    "spend_spoken": "it speaks of what the fan spends",
    "contact_outside": "it has a link, an address, a handle or a hashtag outside the slots",
    "odd_characters": "it holds invisible or control characters",
    "talks_about_itself": "it talks about being a draft, a machine or a program instead of being the text",
    "unfilled": "it holds a placeholder, or braces and brackets that are no slot and no clause",
}


_DATA = Path(__file__).parent / "claims.toml"
_GREETING = re.compile(r"(?<!\w)(?:hey|hi|hello|hiya|dear|coucou|salut|bonjour|bonsoir|ch[eè]re?)\s+([^\W\d_]+)", re.I)
_SENTENCE = re.compile(r"[.!?…:;\n]+|[^\w\s,'’()/&+▢-]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SPOKEN = 0.25
"""Share of a text's words that are such words, at least, in either language; about half of them usually are."""
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_JOINERS = frozenset("\u200d\ufe0f\n")


@dataclass(frozen=True, slots=True)
class _Lists:
    """`claims.toml`, ready to search."""

    patterns: Mapping[str, tuple[re.Pattern[str], ...]]
    after_greeting: frozenset[str]
    openers: frozenset[str]
    known: frozenset[str]
    common: Mapping[str, frozenset[str]]


@cache
def _lists() -> _Lists:
    read = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    words = {name: re.compile(rf"(?<!\w)(?:{'|'.join(said)})(?!\w)", re.I) for name, said in read["words"].items()}
    signs = {name: re.compile("|".join(said)) for name, said in read["signs"].items()}
    greetings = {name: frozenset(said) for name, said in read["greetings"].items()}
    return _Lists(
        {name: tuple(one[name] for one in (words, signs) if name in one) for name in {**words, **signs}},
        greetings["after"],
        greetings["openers"],
        greetings["known"],
        {language: frozenset(said) for language, said in read["common"].items()},
    )


def claims(text: str) -> tuple[str, ...]:
    """The names in EXPLAINED of what a text invents. Facts in it are MARKs."""
    found = {name for name, patterns in _lists().patterns.items() if any(one.search(text) for one in patterns)}
    if any(unicodedata.category(letter).startswith("N") for letter in text):
        found.add("invented_number")
    if any(unicodedata.category(letter) in _INVISIBLE and letter not in _JOINERS for letter in text):
        found.add("odd_characters")
    if _names_somebody(text):
        found.add("invented_name")
    return tuple(name for name in EXPLAINED if name in found)


def speaks(text: str, language: str) -> bool:
    """Whether a text is in the language, as far as its commonest words tell. Facts in it are MARKs."""
    words = re.findall(
        r"[^\W\d_]+(?:'(?:m|s))?" if language == "en" else r"[^\W\d_]+", text.casefold().replace("’", "'")
    )
    common = sum(word in _lists().common[language] for word in words)
    return bool(words) and common >= _SPOKEN * len(words)


def _names_somebody(text: str) -> bool:
    """Capitals that no sentence begins with, a word that is greeted, or a sentence that begins by calling somebody."""
    greeted = (found[1].casefold() for found in _GREETING.finditer(text))
    if any(word not in _lists().after_greeting for word in greeted):
        return True
    return any(_has_name(sentence) for sentence in _SENTENCE.split(text))


def _has_name(sentence: str) -> bool:
    said = sentence.strip(" '’\"“”«»(-")
    for number, found in enumerate(_WORD.finditer(said)):
        word = found.group()
        is_capital = word[0].isupper() and not (word.isupper() and len(word) > 1) and word not in _lists().known
        if not is_capital:
            continue
        begins = number == 0 and found.start() == 0
        if not begins:
            return True
        called = said[found.end() : found.end() + 1] == ","
        if called and re.split("['’-]", word.casefold())[0] not in _lists().openers and len(word) > 1:
            return True
    return False
