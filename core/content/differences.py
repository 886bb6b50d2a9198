"""What changed from one text to another, word by word. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


class Change(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Piece:
    change: Change
    text: str


def differences(before: str, after: str) -> tuple[Piece, ...]:
    """Pieces in reading order: those not REMOVED together are `after`, those not ADDED `before`."""
    return tuple(piece for piece in _pieces(_WORDS.findall(before), _WORDS.findall(after)) if piece.text)


def _pieces(before: list[str], after: list[str]) -> Iterator[Piece]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for deed, start, end, new_start, new_end in matcher.get_opcodes():
        if deed == "equal":
            yield Piece(Change.SAME, "".join(before[start:end]))
        else:
            yield Piece(Change.REMOVED, "".join(before[start:end]))
            yield Piece(Change.ADDED, "".join(after[new_start:new_end]))
