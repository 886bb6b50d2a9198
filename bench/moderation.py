"""What the shipped lists still find when their terms are disguised, and what they stop that nobody should mind.

The terms are the lists' own, disguised here one trick at a time and put into a plain sentence: nothing is written out.
Benign texts are our own, chosen to look like trouble, and every common English word by itself.
"""

import random
import statistics
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.benign import BENIGN
from bench.benign_held_out import HELD_OUT
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


def _camel(term: str) -> str:
    return "#" + "".join(word.capitalize() for word in term.split(" "))


def _as_it_sounds(term: str) -> str:
    for written, heard in (("ph", "f"), ("ck", "k"), ("c", "k"), ("x", "ks"), ("qu", "k"), ("y", "i")):
        term = term.replace(written, heard)
    return term


def _cut_in_two(term: str) -> str:
    """The longest word, with a space in its middle."""
    longest = max(term.split(" "), key=len)
    middle = len(longest) // 2
    return term.replace(longest, f"{longest[:middle]} {longest[middle:]}", 1)


def _both(*tricks: Callable[[str], str]) -> Callable[[str], str]:
    def disguise(term: str) -> str:
        for trick in tricks:
            term = trick(term)
        return term

    return disguise


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
    "digits after": lambda term: f"{term}69",
    "digits before": lambda term: f"24{term}",
    "a word joined by a dot": lambda term: f"hello.{term}",
    "a word joined by an underscore": lambda term: f"my_{term}_now",
    "in brackets": lambda term: " ".join("".join(f"[{letter}]" for letter in word) for word in term.split(" ")),
    "a tag of words": _camel,
    "each letter twice": lambda term: " ".join("".join(letter * 2 for letter in word) for word in term.split(" ")),
    "as it sounds": _as_it_sounds,
    "cut in two": _cut_in_two,
    "French accents": lambda term: term.translate(str.maketrans("aeiouc", "àéîôùç")),
}
"""One at a time."""
MIXED: Mapping[str, Callable[[str], str]] = {
    "leet, spaced": _both(TRICKS["leet"], _between(" ")),
    "leet, dotted": _both(TRICKS["leet"], _between(".")),
    "leet, capitals": _both(str.upper, lambda term: term.translate(str.maketrans("AEIOST", "431057"))),
    "leet, repeated": _both(TRICKS["repeated"], TRICKS["leet"]),
    "leet, zero width": _both(TRICKS["leet"], _between("\u200b")),
    "leet, accents": _both(lambda term: term.translate(str.maketrans("eo", "éô")), TRICKS["leet"]),
    "leet, digits after": _both(TRICKS["leet"], TRICKS["digits after"]),
    "signs, dashed": _both(TRICKS["signs"], _between("-")),
    "bold, repeated": _both(TRICKS["repeated"], _bold),
    "bold, spaced": _both(_bold, _between(" ")),
    "Cyrillic, dotted": _both(TRICKS["Cyrillic"], _between(".")),
    "Cyrillic, spaced": _both(TRICKS["Cyrillic"], _between(" ")),
    "Greek, repeated": _both(TRICKS["repeated"], TRICKS["Greek"]),
    "full width, dashed": _both(_wide, _between("-")),
    "zero width, swapped": _both(_swapped, _between("\u200b")),
    "capitals, starred": _both(_starred, str.upper),
    "Cyrillic, swapped": _both(_swapped, TRICKS["Cyrillic"]),
    "leet, swapped": _both(_swapped, TRICKS["leet"]),
    "spaced, underscores": _both(_between("_"), _between(" ")),
}
"""Two at once."""

HOW = (
    "{terms} terms of {categories} categories, each by {tricks} tricks and {mixed} pairs of them where a trick changes "
    "it, in a plain sentence, "
    "with a word of the adult group beside those that count only there: how many were missed. A false block is a text "
    "that cannot be saved: {benign} texts of our own (35 of the 251 "
    "held out were, when they were first looked at), and {words} common English words by themselves."
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
        mixed=len(MIXED),
        benign=len(BENIGN) + len(HELD_OUT),
        words=len(words),
    )
    rows = [
        Row(f"missed, {name}", sum(found), len(found), "cases", 1 - RECALL if name == "all" else None, how)
        for name, found in sorted(missed.items())
    ]
    rows.append(Row("false blocks, benign texts", _blocked(rules, BENIGN), len(BENIGN), "texts", FALSE_BLOCKS, how))
    rows.append(Row("false blocks, held out", _blocked(rules, HELD_OUT), len(HELD_OUT), "texts", FALSE_BLOCKS, how))
    rows.append(Row("processor time of a text of 650 letters", _milliseconds(rules), 5.0, "ms", 1.0, how))
    rows.append(Row("false blocks, common words", _blocked(rules, words), len(words), "words", FALSE_BLOCKS, how))
    return rows


def _cases(lists: RuleList) -> Iterator[tuple[str, str, str, Platform | None]]:
    adult = lists.groups["adult"][0]
    for one in lists.category:
        for term in (*one.terms, *one.near):
            # a platform's own name is no rival on it
            elsewhere = (each for each in one.platforms if each.value not in term)
            platform = next(elsewhere) if one.platforms else None
            beside = f" {adult}" if term in one.near else ""
            for trick, disguise in {**TRICKS, **MIXED}.items():
                hidden = disguise(term)
                if hidden != term or trick == "as it is":
                    yield one.name, trick, f"So I said {hidden} again{beside}, you know.", platform


def _blocked(rules: Rules, texts: tuple[str, ...]) -> int:
    return sum(any(one.action is Action.BLOCK for one in rules.moderate(text, None)) for text in texts)


def _milliseconds(rules: Rules) -> float:
    """The median of some texts put together to 650 letters, looked at for a platform with every rule."""
    text = " ".join(HELD_OUT)
    spent: list[float] = []
    for start in range(0, len(text) - 650, 250):
        began = time.process_time()
        rules.moderate(text[start : start + 650], Platform.ONLYFANS)
        spent.append(time.process_time() - began)
    return statistics.median(spent) * 1000


def _common_words() -> tuple[str, ...]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

    named = {one for rules in [shipped_rules()] for one in rules.terms}
    return tuple(
        word for word in FREQUENCY_LISTS["english_wikipedia"] if named.isdisjoint({word, word.removesuffix("s")})
    )
