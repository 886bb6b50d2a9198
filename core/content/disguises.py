"""Ways to write a term so that a reader still knows it and a list does not. Pure.

Back to front, a vowel left out, two letters changed over, some letters starred, stretched, cut in two or spelled as it
sounds: each put back, for long terms of the lists only, and never where every word of the spelling is a common one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache

from core.content.folding import Folded

_VOWELS = frozenset("aeiouy")
_SHORTEST = 5
"""Letters of a word below which a letter less or a letter moved is mostly another word."""
_MOST_WORDS = 5
_WORD = re.compile(r"[^\W\d_][^\s]*")
_STAR = re.compile(r"[*#•×?]")
_LETTERS = re.compile(r"[^\W\d_]+")
_PIECE = re.compile(r"[^\W\d_](?:[^\W\d_*#•×?]|[*#•×?](?=[^\W\d_*#•×?]))*")
_RUN = re.compile(r"(.)\1+")
_LONG_RUN = re.compile(r"(.)\1\1|(.)\2(.)\3")
_SOUNDS = (
    ("ph", "f"),
    ("ck", "k"),
    ("qu", "k"),
    ("x", "ks"),
    ("c", "k"),
    ("q", "k"),
    ("z", "s"),
    ("y", "i"),
    ("oo", "u"),
)


class Disguises:
    """The terms of a list, folded, and how they may be written."""

    def __init__(self, terms: Iterable[str]) -> None:
        listed = [term for term in terms if term.replace(" ", "").isalpha()]
        known = {word for term in listed for word in term.split()}
        self._known = known
        self._common = common = _common()
        self._ways: dict[str, str] = {}
        self._sounds: dict[str, str] = {}
        self._by_length: dict[int, list[str]] = {}
        for word in sorted(known):
            if len(word) >= _SHORTEST - 1:
                self._by_length.setdefault(len(word), []).append(word)
                self._ways |= {way: word for way in _ways(word) if way not in known and way not in common}
            if len(word) >= _SHORTEST:
                self._sounds[_sound(word)] = word
        self._phrases: dict[str, str] = {}
        self._phrases_by_length: dict[int, list[str]] = {}
        for term in sorted(listed):
            whole = term.replace(" ", "")
            if len(whole) > _SHORTEST:
                self._phrases |= dict.fromkeys((*_ways(whole), _squeezed(whole), whole), term)
                self._phrases_by_length.setdefault(len(whole), []).append(term)
        self._longest = max(map(len, self._phrases), default=0)

    def undone(self, view: Folded) -> Folded:
        """The view with each disguised term as it is meant; the same object when there is none."""
        words = _replaced(view, self._words(view.text))
        return _replaced(words, self._several(words.text))

    def _words(self, text: str) -> Iterator[tuple[int, int, str]]:
        for found in _WORD.finditer(text):
            meant, end = self._meant(found)
            if meant is not None:
                yield found.start(), end, meant

    def _several(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Terms that are cut otherwise than they are written, and phrases of several words."""
        pieces = [(one.start(), one.end(), one.group()) for one in _PIECE.finditer(text)]
        done = 0
        for place, (start, _, first) in enumerate(pieces):
            whole, are_common = "", True
            if start < done:
                continue
            for _, end, piece in pieces[place : place + _MOST_WORDS]:
                whole += piece
                if len(whole) > self._longest * 3:
                    break
                are_common = are_common and piece in self._common
                if whole is not first and not are_common and (meant := self._phrase(whole)):
                    yield start, end, meant
                    done = end
                    break

    def _phrase(self, whole: str) -> str | None:
        if meant := self._phrases.get(whole):
            return meant
        if _STAR.search(whole) and len(_STAR.sub("", whole)) * 2 >= len(whole):
            pattern = _starred_as(whole)
            near = self._phrases_by_length.get(len(whole), ())
            return next((term for term in near if pattern.fullmatch(term.replace(" ", ""))), None)
        if not _LONG_RUN.search(whole):
            return None
        squeezed = _squeezed(whole)
        return self._phrases.get(squeezed) if len(whole) > len(squeezed) + 2 else None

    def _meant(self, found: re.Match[str]) -> tuple[str | None, int]:
        token = found.group().rstrip(".,;:!\"')")
        if _STAR.search(token):
            return self._starred(token), found.start() + len(token)
        letters = _LETTERS.match(token)
        word = letters.group() if letters else ""
        if word in self._known:
            return None, found.end()
        meant = self._ways.get(word)
        if meant is None and len(word) >= _SHORTEST and word not in self._common:
            meant = self._sounds.get(_sound(word))
        return (None if meant == word else meant), found.start() + len(word)

    def _starred(self, token: str) -> str | None:
        """The one word that a token with stars can be. Half of its letters must show, the first among them."""
        shown = _STAR.sub("", token)
        if not shown.isalpha() or len(shown) * 2 < len(token):
            return None
        pattern = _starred_as(token)
        return next((word for word in self._by_length.get(len(token), ()) if pattern.fullmatch(word)), None)


def backwards(view: Folded) -> Folded:
    """The whole text from its end to its beginning, for words that were written so together."""
    return Folded(view.text[::-1], view.origins[::-1])


def _replaced(view: Folded, found: Iterable[tuple[int, int, str]]) -> Folded:
    letters: list[str] = []
    origins: list[int] = []
    done = 0
    for start, end, meant in found:
        letters += view.text[done:start]
        origins += view.origins[done:start]
        letters += meant
        origins += [view.origins[start]] * (len(meant) - 1) + [view.origins[end - 1]]
        done = end
    if not done:
        return view
    return Folded("".join(letters) + view.text[done:], (*origins, *view.origins[done:]))


def _ways(word: str) -> set[str]:
    ways = {word[::-1]}
    ways |= {
        word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        for place in range(1, len(word) - 1)
        if word[place] != word[place + 1]
    }
    if len(word) >= _SHORTEST:
        ways |= {word[:place] + word[place + 1 :] for place, letter in enumerate(word) if place and letter in _VOWELS}
        ways.add(word[0] + "".join(letter for letter in word[1:] if letter not in _VOWELS))
    return {way for way in ways if len(way) >= _SHORTEST - 1} - {word}


@lru_cache(maxsize=8192)
def _sound(word: str) -> str:
    for written, heard in _SOUNDS:
        word = word.replace(written, heard)
    return _squeezed(word)


def _squeezed(word: str) -> str:
    return _RUN.sub(r"\1", word)


def _starred_as(token: str) -> re.Pattern[str]:
    return re.compile("".join("." if _STAR.match(sign) else sign for sign in token))


@cache
def _common() -> frozenset[str]:
    """English words and names that are used often, from the frequency lists that judge passwords, and French ones."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

    names: Mapping[str, Iterable[str]] = FREQUENCY_LISTS
    wanted = ("english_wikipedia", "us_tv_and_film", "female_names", "male_names", "surnames")
    return frozenset(word for name in wanted for word in names[name]) | _FRENCH


_FRENCH = frozenset(
    [
        "au",
        "aux",
        "avec",
        "beau",
        "bien",
        "bon",
        "bonne",
        "ca",
        "car",
        "ce",
        "cela",
        "ces",
        "cette",
        "chez",
        "comme",
        "contre",
        "dans",
        "de",
        "des",
        "deux",
        "dit",
        "donc",
        "du",
        "elle",
        "en",
        "entre",
        "est",
        "et",
        "ete",
        "etre",
        "eux",
        "fait",
        "faut",
        "fille",
        "fils",
        "fois",
        "gre",
        "gros",
        "homme",
        "il",
        "ils",
        "jamais",
        "je",
        "jour",
        "la",
        "le",
        "les",
        "leur",
        "lui",
        "ma",
        "mais",
        "mes",
        "moi",
        "moins",
        "mon",
        "ne",
        "nos",
        "notre",
        "nous",
        "nu",
        "nue",
        "on",
        "ou",
        "par",
        "pas",
        "peu",
        "plan",
        "plus",
        "pour",
        "propre",
        "quand",
        "que",
        "qui",
        "sa",
        "sans",
        "se",
        "ses",
        "si",
        "soeur",
        "soi",
        "soir",
        "son",
        "sont",
        "sous",
        "sur",
        "ta",
        "te",
        "tes",
        "toi",
        "ton",
        "tous",
        "tout",
        "tres",
        "tu",
        "un",
        "une",
        "venu",
        "vie",
        "vieux",
        "voile",
        "vol",
        "vole",
        "voler",
        "voleur",
        "vos",
        "votre",
        "vous",
        "vrai",
        "vue",
        "viole",
        "violes",
        "violet",
        "violette",
        "violon",
        "volait",
        "volet",
        "drole",
        "drogues",
        "rendez",
        "gratuit",
        "sortir",
        "escorte",
    ]
)
