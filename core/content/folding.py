"""A text as it is compared with a list of terms, and where each letter of it came from. Pure."""

import unicodedata
from dataclasses import dataclass

_DROPPED = frozenset({"Mn", "Me", "Cf"})
"""Accents, enclosing marks, and what nobody sees: zero-width spaces and joiners, soft hyphens, direction marks."""


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` is compared; letter i of it stands at `origins[i]` of the original."""

    text: str
    origins: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a piece of the folded text stands in the original; `end` is exclusive, and greater than `start`."""
        return self.origins[start], self.origins[end - 1] + 1


def fold(text: str) -> Folded:
    """Compatibility forms (full width, bold, ligatures) made plain, accents and invisible characters off, case off."""
    letters: list[str] = []
    origins: list[int] = []
    for position, letter in enumerate(text):
        for plain in unicodedata.normalize("NFKD", letter).casefold():
            if unicodedata.category(plain) not in _DROPPED:
                letters.append(plain)
                origins.append(position)
    return Folded("".join(letters), tuple(origins))
