"""Several texts in one answer: a line of its own between two of them. Pure.

One answer instead of three costs the prompt once, and can be shown while it comes, which typed output cannot.
"""

import re

MARK = "==="
_BETWEEN = re.compile(r"^[ \t]*={3,}[ \t\r]*$", re.M)
_BEGUN = re.compile(r"(?:^|\n)[ \t]*=+[ \t\r]*\Z")
"""A mark that is being written."""


def parted(answer: str) -> tuple[str, ...]:
    """The texts of a whole answer, in order: trimmed, without the empty ones and without one that was there before."""
    found = (text.strip() for text in _BETWEEN.split(answer))
    return tuple(dict.fromkeys(text for text in found if text))


def growing(answer: str) -> tuple[str, ...]:
    """The texts of an answer that still comes; a mark that is only half there is no part of the last."""
    return parted(_BEGUN.sub("", answer))


def unmarked(text: str) -> str:
    """A text of a person without anything that could be taken for a mark: ours between texts, or a block's."""
    return re.sub(r"={3,}", "=", text.replace("<", "‹").replace(">", "›"))
