"""A text as it is compared with a list of terms, and where each letter of it came from. Pure.

`fold` takes off what nobody reads a word by: case, accents, fonts, invisible characters. `views` adds the text as it
reads once letters that were only drawn by others, spread apart or repeated are put back.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

_DROPPED = frozenset({"Mn", "Me", "Cf"})
"""Accents, enclosing marks, and what nobody sees: zero-width spaces and joiners, soft hyphens, direction marks."""


def _paired(drawn: str, meant: str) -> dict[str, str]:
    return dict(zip(drawn, meant, strict=True))


_LETTERLIKE: Mapping[str, str] = {
    **{chr(0x1F1E6 + place): chr(ord("a") + place) for place in range(26)},
    **{chr(0x1F150 + place): chr(ord("a") + place) for place in range(26)},
    **{chr(0x1F170 + place): chr(ord("a") + place) for place in range(26)},
    **_paired("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz"),
    **_paired("ɐɔǝɟƃɥıɾʞɯɹʇʌʍʎ", "acefghijkmrtvwy"),
    **_paired("ıłøđħŧ", "ilodht"),
    "œ": "oe",
    "æ": "ae",
    "ß": "ss",
}
"""Signs that are drawn as Latin letters and that no Unicode form makes plain."""

_FOREIGN: Mapping[str, str] = {
    **_paired("аеорсухівкмнтгѕјԁԛԝһӏ", "aeopcyxibkmhtrsjdqwhl"),
    **_paired("αβεζηικνορτυχγωσμ", "abeznikvoptuxywou"),
}
"""Cyrillic and Greek letters that look like Latin ones. Only in words that are of nothing else, or are mixed."""

_DRAWN = {
    "0": "o",
    "3": "e",
    "4": "a",
    "5": "s",
    "7": "t",
    "8": "b",
    "9": "g",
    "6": "g",
    "2": "z",
    "+": "t",
    "(": "c",
    "<": "c",
    "§": "s",
    "¥": "y",
    "@": "a",
    "$": "s",
    "€": "e",
    "¢": "c",
    "£": "l",
}
_BAR = "1!|¡"
_BARS = frozenset(_BAR)
"""Drawn for an i as for an l."""
_SIGNS = frozenset({*_DRAWN, *_BAR})
_MIXED = re.compile(rf"[^\W\d_]\S*[{re.escape(''.join(_SIGNS))}]|[{re.escape(''.join(_SIGNS))}]\S*[^\W\d_]")
_SHORT_SIGNS = 5
_DOUBLED = re.compile(r"(\w)\1{2}|(\w)\2(\w)\3(\w)\4")
_TOKEN = re.compile(r"\S+")
_BETWEEN = re.compile(r"(?<=[^\W\d_])(?:[^\w\s]|_){1,3}(?=[^\W\d_])")
"""Between two letters with no space: a dot, a dash, a star, an emoji."""
_SPREAD = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_](?![^\W_])){2,}")
"""Letters that stand alone one after the other."""
_NUMBERED = re.compile(
    r"(?<![^\W_])(?:\d{1,4}(?=[^\W\d_]{2})|\d{1,2}(?=\w{4}))"
    r"|(?:(?<=[^\W\d_]{2})\d{1,4}|(?<=\w{4})\d{1,2})(?![^\W_])"
)
"""Digits before or after a word."""
_NUMBERED_DRAWN = re.compile(r"(?<=[^\W_])\d{2}(?![^\W_])")
_HUMP = re.compile(r"(?<=[^\W\d_])(?=[A-Z][^\W\d_])")
_LONG_RUN = re.compile(r"(\w)\1{2,}")


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` is compared; letter i of it stands at `origins[i]` of the original."""

    text: str
    origins: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a piece of the folded text stands in the original; `end` is exclusive, and greater than `start`."""
        first, last = sorted((self.origins[start], self.origins[end - 1]))
        return first, last + 1


def fold(text: str) -> Folded:
    """Compatibility forms (full width, bold, ligatures) made plain, accents and invisible characters off, case off."""
    if text.isascii():
        return Folded(text.lower(), tuple(range(len(text))))
    letters: list[str] = []
    origins: list[int] = []
    for position, letter in enumerate(text):
        for plain in unicodedata.normalize("NFKD", letter).casefold():
            if unicodedata.category(plain) not in _DROPPED:
                letters.append(plain)
                origins.append(position)
    return Folded("".join(letters), tuple(origins))


def views(text: str) -> tuple[Folded, ...]:
    """The folded text first, then as it reads with drawn, spread and repeated letters put back, where that differs."""
    plain = fold(text)
    latin = plain if plain.text.isascii() else _by_token(_edited(plain, _LETTERLIKE), _as_latin)
    read = [plain, *_parted(text), latin, _joined(latin)]
    bare = _without(latin, _NUMBERED)
    bars = "il" if not _BARS.isdisjoint(latin.text) else "i"
    for bar in bars:
        drawn = _drawn(latin, bar)
        read += [drawn, _joined(drawn), _drawn(_joined(latin), bar)]
    if bare is not latin:
        read += [bare, _joined(bare), *(_drawn(bare, bar) for bar in bars)]
        # Digits at the end of a word in which digits are letters: its own last letter may be one of them.
        read += [_drawn(_without(latin, _NUMBERED_DRAWN), bar) for bar in bars]
    distinct = {one.text: one for one in reversed(read)}
    short = [_shortened(one, most) for one in distinct.values() for most in (1, 2) if _DOUBLED.search(one.text)]
    return tuple({one.text: one for one in (*short, *distinct.values())}.values())[::-1]


def _parted(text: str) -> Iterator[Folded]:
    """The text with a space before each capital within a word, where there is one: so are tags of several words."""
    humps = [found.start() for found in _HUMP.finditer(text) if not text[found.start() - 1].isupper()]
    if humps:
        letters, origins = [], []
        for first, last in zip([0, *humps], [*humps, len(text)], strict=True):
            piece = fold(text[first:last])
            letters += [*piece.text, " "]
            origins += [*(first + place for place in piece.origins), last - 1]
        yield Folded("".join(letters), tuple(origins))


def spread(plain: Folded) -> Iterator[Folded]:
    """Runs of letters that stand alone, each put together: what is written in them may begin and end anywhere."""
    for run in _SPREAD.finditer(plain.text):
        kept = [place for place in range(*run.span()) if plain.text[place].isalnum()]
        yield _of(plain, kept)


def _of(plain: Folded, places: Iterable[int]) -> Folded:
    chosen = tuple(places)
    return Folded("".join(plain.text[one] for one in chosen), tuple(plain.origins[one] for one in chosen))


def _edited(plain: Folded, by: Mapping[str, str]) -> Folded:
    if by.keys().isdisjoint(plain.text):
        return plain
    letters: list[str] = []
    origins: list[int] = []
    for letter, origin in zip(plain.text, plain.origins, strict=True):
        for meant in by.get(letter, letter):
            letters.append(meant)
            origins.append(origin)
    return Folded("".join(letters), tuple(origins))


def _by_token(plain: Folded, change: Callable[[str], str]) -> Folded:
    """Each word as `change` makes it: letter for letter, so that the origins stay."""
    return Folded(_TOKEN.sub(lambda found: change(found.group()), plain.text), plain.origins)


def _as_latin(token: str) -> str:
    foreign = [letter for letter in token if letter.isalpha() and not letter.isascii()]
    if not foreign or any(letter not in _FOREIGN for letter in foreign):
        return token
    return "".join(_FOREIGN.get(letter, letter) for letter in token)


def _drawn(plain: Folded, bar: str) -> Folded:
    """Signs and digits read as letters, in words that have letters, and in those of signs alone beside such a word."""
    if not _MIXED.search(plain.text):
        return plain
    tokens = list(_TOKEN.finditer(plain.text))
    read = [_as_drawn(token.group(), bar) for token in tokens]
    is_drawn = [False, *(now != token.group() for now, token in zip(read, tokens, strict=True)), False]
    letters = list(plain.text)
    for place, token in enumerate(tokens):
        word = token.group()
        if (is_drawn[place] or is_drawn[place + 2]) and len(word) < _SHORT_SIGNS and _SIGNS.issuperset(word):
            read[place] = "".join(bar if sign in _BAR else _DRAWN[sign] for sign in word)
        letters[slice(*token.span())] = read[place]
    return Folded("".join(letters), plain.origins)


def _as_drawn(token: str, bar: str) -> str:
    """A word with digits and signs among its letters, read as letters. A number stays a number."""
    end = len(token.rstrip("!|¡.,;:?)"))
    word = token[:end]
    if not any(letter.isalpha() for letter in word) or word.isalpha():
        return token
    return "".join(bar if sign in _BAR else _DRAWN.get(sign, sign) for sign in word) + token[end:]


def _without(plain: Folded, gone: re.Pattern[str]) -> Folded:
    left_out = {place for found in gone.finditer(plain.text) for place in range(*found.span())}
    return _of(plain, (place for place in range(len(plain.text)) if place not in left_out)) if left_out else plain


def _joined(plain: Folded) -> Folded:
    """Without what stands between the letters of a word, and with letters that stand alone put together."""
    gone = {place for found in _BETWEEN.finditer(plain.text) for place in range(*found.span())}
    for run in _SPREAD.finditer(plain.text):
        gone |= {place for place in range(*run.span()) if not plain.text[place].isalnum()}
    return _of(plain, (place for place in range(len(plain.text)) if place not in gone)) if gone else plain


def _shortened(plain: Folded, most: int) -> Folded:
    """Three and more of a letter are `most`; a word all of whose letters are doubled is halved."""
    gone: set[int] = set()
    for run in _LONG_RUN.finditer(plain.text):
        gone |= set(range(run.start() + most, run.end()))
    for token in _TOKEN.finditer(plain.text):
        word = token.group()
        if len(word) >= 6 and len(word) % 2 == 0 and word[::2] == word[1::2]:
            gone |= set(range(token.start() + 1, token.end(), 2))
    return _of(plain, (place for place in range(len(plain.text)) if place not in gone))
