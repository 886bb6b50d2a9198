"""The one type for text that comes from outside: storable, encodable, of bounded length. Pure.

NUL and lone surrogates break PostgreSQL, JSON answers and FastAPI's own 422 answer, so they are refused at the edge.
"""

from typing import Annotated

from pydantic import AfterValidator


def unsafe_reason(text: str) -> str | None:
    """Why a text cannot be kept, or None when it can."""
    if "\x00" in text:
        return "nul"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "surrogate"
    return None


def checked(text: str) -> str:
    """The text itself. Raises ValueError when it cannot be kept."""
    if reason := unsafe_reason(text):
        raise ValueError(f"text holds a character that cannot be kept ({reason})")
    return text


def cleaned(text: str) -> str:
    """The text without what cannot be kept, for logs and for messages of others."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


SafeText = Annotated[str, AfterValidator(checked)]
