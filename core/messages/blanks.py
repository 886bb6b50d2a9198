"""Texts with blanks between braces, `{fan_name}`, that a person fills before the text is used. Pure."""

import re
from collections.abc import Mapping

from core.errors import BadInput
from core.text import unsafe_reason

KNOWN = ("fan_name", "creator_name", "platform", "offer", "price", "link", "day")
"""Blanks that everybody understands, with a label in each language; any other name is asked for by that name."""
MOST_BLANKS = 12
LONGEST_VALUE = 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
_BLANK = re.compile(r"\{([^{}]*)\}")


def blanks(body: str) -> tuple[str, ...]:
    """The names of the blanks, each once, in their order. Raises BadInput for a brace or a name that is none."""
    names = tuple(dict.fromkeys(_BLANK.findall(body)))
    rest = _BLANK.sub("", body)
    if "{" in rest or "}" in rest or any(not _NAME.fullmatch(name) for name in names):
        raise BadInput("quick_replies.bad_blank", example="{fan_name}")
    if len(names) > MOST_BLANKS:
        raise BadInput("quick_replies.too_many_blanks", most=MOST_BLANKS)
    return names


def filled(body: str, values: Mapping[str, str]) -> str:
    """The text with every blank filled. Raises BadInput that names what is missing: half filled it is not given out.

    A value is taken letter for letter; one that is itself a blank is none.
    """
    names = blanks(body)
    given = {name: " ".join(values.get(name, "").split()) for name in names}
    missing = [name for name, value in given.items() if not value or "{" in value or "}" in value]
    if missing:
        raise BadInput("quick_replies.half_filled", missing=", ".join(missing))
    if any(len(value) > LONGEST_VALUE or unsafe_reason(value) for value in given.values()):
        raise BadInput("quick_replies.bad_value", most=LONGEST_VALUE)
    return _BLANK.sub(lambda blank: given[blank[1]], body)
