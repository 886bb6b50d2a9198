"""The refusals that the product gives: one family, one sentence for the person each.

A refusal is a normal answer of "no". The dashboard frame shows it once, the sidecar maps it once to
problem details (RFC 9457). Anything that is not a `Refusal` is a crash.
"""

from functools import cache
from pathlib import Path
from typing import ClassVar

from core.language import Catalogue


@cache
def sentences() -> Catalogue:
    """Every sentence that core itself says, in each language."""
    return Catalogue(Path(__file__).parent / "locales")


class Refusal(Exception):
    """A "no" with its reason.

    `code` names a sentence in `core/locales` (`domain.reason`); `facts` fill its blanks.
    """

    status: ClassVar[int] = 400

    def __init__(self, code: str, /, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def sentence(self, language: str = "en") -> str:
        return sentences().text(language, self.code, **self.facts)

    def __str__(self) -> str:
        return self.sentence()


class BadInput(Refusal):
    """What was sent cannot be used as it is; the sentence says what to change."""

    status = 422


class NotSignedIn(Refusal):
    status = 401


class NotAllowed(Refusal):
    status = 403


class NotFound(Refusal):
    """Also the answer for what belongs to somebody else: the two must not differ."""

    status = 404


class Conflict(Refusal):
    status = 409


class PlanLimit(Refusal):
    """The plan in force does not include this. Nothing was done and nothing is lost."""

    status = 402


class ContentBlocked(Refusal):
    """The text goes against a rule; the facts name the category and the rule."""

    status = 422


class NotConfigured(Refusal):
    """The installation lacks a setting; the sentence names it."""

    status = 503


class Unavailable(Refusal):
    """An outside party did not answer. Trying again later is safe."""

    status = 503


class TooManyTries(Refusal):
    status = 429
