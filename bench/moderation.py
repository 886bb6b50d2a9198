"""What the shipped lists still find when their terms are disguised, and what they stop that nobody should mind.

The terms are the lists' own, disguised here one trick at a time and put into a plain sentence: nothing is written out.
Benign texts are our own, chosen to look like trouble, and every common English word by itself.
"""

import random
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.benign import BENIGN
from bench.rows import Row
from core.content.moderation import Action, RuleList, Rules, shipped_rules
from core.content.platforms import Platform

RULES = Path(__file__).resolve().parents[1] / "core" / "content" / "rules.toml"
RECALL, FALSE_BLOCKS = 0.9, 0.02
_LOOKALIKES = str.maketrans("aeopcyxibkmhtrsj", "аеорсухіькмнтгѕј".replace("ь", "в"))
_GREEK = str.maketrans("abeiknoptuxyw", "αβειкηορτυχγω".replace("к", "κ"))
_LEET = str.maketrans("aeiost", "431057")
_SIGNS = str.maketrans("ais", "@!$")
_VOWELS = "aeiou"


def _wide(term: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if letter.isascii() and letter.isalpha() else letter for letter in term)


def _bold(term: str) -> str:
    return "".join(chr(0x1D41A + ord(letter) - 97) if "a" <= letter <= "z" else letter for letter in term)


def _circled(term: str) -> str:
    return "".join(chr(0x24D0 + ord(letter) - 97) if "a" <= letter <= "z" else letter for letter in term)


def _between(sign: str) -> Callable[[str], str]:
    return lambda term: " ".join(sign.join(word) for word in term.split(" "))


def _starred(term: str) -> str:
    place = next(
        (at for at, letter in enumerate(term) if at and letter in _VOWELS and term[at - 1 : at + 2].isalpha()), 0
    )
    return term if not place else f"{term[:place]}*{term[place + 1 :]}"


def _without_a_vowel(term: str) -> str:
    place = next((at for at, letter in enumerate(term) if at and letter in _VOWELS), 0)
    return term if not place else term[:place] + term[place + 1 :]


def _swapped(term: str) -> str:
    middle = max(1, len(term) // 2 - 1)
    return term[:middle] + term[middle + 1 : middle + 2] + term[middle] + term[middle + 2 :]


TRICKS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "capitals": str.upper,
    "leet": lambda term: term.translate(_LEET),
    "signs": lambda term: term.translate(_SIGNS),
    "Cyrillic": lambda term: term.translate(_LOOKALIKES),
    "Greek": lambda term: term.translate(_GREEK),
    "full width": _wide,
    "bold": _bold,
    "circled": _circled,
    "accents": lambda term: "".join(letter + "\u0301" for letter in term),
    "zero width": _between("\u200b"),
    "soft hyphen": _between("\u00ad"),
    "spaced": _between(" "),
    "dotted": _between("."),
    "dashed": _between("-"),
    "emoji between": _between("\U0001f525"),
    "underscores": _between("_"),
    "repeated": lambda term: "".join(letter * 3 if letter in _VOWELS else letter for letter in term),
    "starred": _starred,
    "back to front": lambda term: term[::-1],
    "a vowel left out": _without_a_vowel,
    "swapped": _swapped,
}

HOW = (
    "{terms} terms of {categories} categories, each by {tricks} tricks where a trick changes it, in a plain sentence, "
    "with a word of the adult group beside those that count only there: how many were missed. A false block is a text "
    "that cannot be saved: {benign} texts of our own, and {words} common English words by themselves."
)


def run(size: int | None) -> list[Row]:
    lists = RuleList.model_validate(tomllib.loads(RULES.read_text(encoding="utf-8")))
    rules = shipped_rules()
    luck = random.Random(5)
    cases = [case for case in _cases(lists) if size is None or luck.random() < size / 1_000]
    missed: dict[str, list[bool]] = {}
    for category, trick, text, platform in cases:
        is_missed = all(one.category != category for one in rules.moderate(text, platform))
        missed.setdefault(f"trick: {trick}", []).append(is_missed)
        missed.setdefault(f"category: {category}", []).append(is_missed)
        missed.setdefault("all", []).append(is_missed)
    words = _common_words()
    how = HOW.format(
        terms=sum(len(one.terms) + len(one.near) for one in lists.category),
        categories=len(lists.category),
        tricks=len(TRICKS),
        benign=len(BENIGN),
        words=len(words),
    )
    rows = [
        Row(f"missed, {name}", sum(found), len(found), "cases", 1 - RECALL if name == "all" else None, how)
        for name, found in sorted(missed.items())
    ]
    rows.append(Row("false blocks, benign texts", _blocked(rules, BENIGN), len(BENIGN), "texts", FALSE_BLOCKS, how))
    rows.append(Row("false blocks, common words", _blocked(rules, words), len(words), "words", FALSE_BLOCKS, how))
    return rows


def _cases(lists: RuleList) -> Iterator[tuple[str, str, str, Platform | None]]:
    adult = lists.groups["adult"][0]
    for one in lists.category:
        for term in (*one.terms, *one.near):
            # a platform's own name is no rival on it
            elsewhere = (each for each in one.platforms if each.value not in term)
            platform = None if one.action is Action.BLOCK else next(elsewhere)
            beside = f" {adult}" if term in one.near else ""
            for trick, disguise in TRICKS.items():
                hidden = disguise(term)
                if hidden != term or trick == "as it is":
                    yield one.name, trick, f"So I said {hidden} again{beside}, you know.", platform


def _blocked(rules: Rules, texts: tuple[str, ...]) -> int:
    return sum(any(one.action is Action.BLOCK for one in rules.moderate(text, None)) for text in texts)


def _common_words() -> tuple[str, ...]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

    named = {one for rules in [shipped_rules()] for one in rules.terms}
    return tuple(word for word in FREQUENCY_LISTS["english_wikipedia"] if word not in named)
