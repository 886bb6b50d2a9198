"""Ways to write a word so that a reader still knows it and a list does not. Pure.

Back to front, a vowel left out, two letters changed over, some letters starred: each put back, for long words of the
lists only, and never where the spelling is a common word of its own.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from core.content.folding import Folded

_VOWELS = frozenset("aeiouy")
_SHORTEST = 5
"""Letters of a word below which its disguises are other words."""
_WORD = re.compile(r"[^\W\d_][^\s]*")
_STAR = re.compile(r"[*#•×?]")
_LETTERS = re.compile(r"[^\W\d_]+")


class Disguises:
    """The words of a list, and how they may be written."""

    def __init__(self, words: Iterable[str]) -> None:
        known = {word for word in words if word.isalpha()}
        common = _common()
        self._ways: dict[str, str] = {}
        self._by_length: dict[int, list[str]] = {}
        for word in sorted(known):
            if len(word) >= _SHORTEST - 1:
                self._by_length.setdefault(len(word), []).append(word)
            if len(word) >= _SHORTEST:
                self._ways |= {way: word for way in _ways(word) if way not in known and way not in common}

    def undone(self, view: Folded) -> Folded:
        """The view with each disguised word as it is meant; the same object when there is none."""
        letters: list[str] = []
        origins: list[int] = []
        done = 0
        for found in _WORD.finditer(view.text):
            meant, end = self._meant(found)
            if meant is None:
                continue
            letters += view.text[done : found.start()]
            origins += view.origins[done : found.start()]
            first, last = view.origins[found.start()], view.origins[end - 1]
            letters += meant
            origins += [first] * (len(meant) - 1) + [last]
            done = end
        if not done:
            return view
        return Folded("".join(letters) + view.text[done:], (*origins, *view.origins[done:]))

    def _meant(self, found: re.Match[str]) -> tuple[str | None, int]:
        token = found.group().rstrip(".,;:!\"')")
        if _STAR.search(token):
            return self._starred(token), found.start() + len(token)
        letters = _LETTERS.match(token)
        word = letters.group() if letters else ""
        return self._ways.get(word), found.start() + len(word)

    def _starred(self, token: str) -> str | None:
        """The one word that a token with stars can be. Half of its letters must show, the first among them."""
        shown = _STAR.sub("", token)
        if not shown.isalpha() or len(shown) * 2 < len(token):
            return None
        pattern = re.compile("".join("." if _STAR.match(sign) else sign for sign in token))
        return next((word for word in self._by_length.get(len(token), ()) if pattern.fullmatch(word)), None)


def backwards(view: Folded) -> Folded:
    """The whole text from its end to its beginning, for words that were written so together."""
    return Folded(view.text[::-1], view.origins[::-1])


def _ways(word: str) -> set[str]:
    ways = {word[::-1]}
    ways |= {word[:place] + word[place + 1 :] for place, letter in enumerate(word) if place and letter in _VOWELS}
    ways |= {
        word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        for place in range(1, len(word) - 1)
        if word[place] != word[place + 1]
    }
    bare = word[0] + "".join(letter for letter in word[1:] if letter not in _VOWELS)
    return {way for way in ways | {bare} if len(way) >= _SHORTEST - 1} - {word}


@cache
def _common() -> frozenset[str]:
    """English words and names that are used often, from the frequency lists that judge passwords."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

    names: Mapping[str, Iterable[str]] = FREQUENCY_LISTS
    wanted = ("english_wikipedia", "us_tv_and_film", "female_names", "male_names", "surnames")
    return frozenset(word for name in wanted for word in names[name])
