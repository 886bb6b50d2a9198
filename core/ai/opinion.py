"""A vendor's view of a text: scores by category, through the moderations endpoint of a provider that was chosen.

Its own verdict is not used: it is made for other products than ours. What the scores mean here is decided here.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from core.ai.chain import Attempt
from core.ai.protocol import AIError, ErrorKind, Usage

MODEL = "omni-moderation-latest"
MOST_SECONDS = 10.0
"""A text does not wait longer than this for an opinion on it."""
MOST_CHARACTERS = 20_000


class Moderator(Protocol):
    """A connection that can judge. It ends within `seconds`, never retries, and raises AIError and nothing else."""

    @property
    def name(self) -> str: ...

    def scores(self, model: str, text: str, seconds: float) -> Mapping[str, float]: ...


class Doubt(StrEnum):
    """What is to be said of a text. A person reads `content.check_<value>`."""

    NOT_CHECKED = "not_checked"
    PARTLY_CHECKED = "partly_checked"
    FLAGGED = "flagged_by_provider"


@dataclass(frozen=True, slots=True)
class Opinion:
    """`blocked`: the category that nobody may override. `flagged`: categories to look at. `attempts`: for the ledger.

    `doubts` is empty for a text that was looked at in every category and is fine.
    """

    blocked: str | None
    flagged: tuple[str, ...]
    doubts: tuple[Doubt, ...]
    attempts: tuple[Attempt, ...]


_NEVER = {"sexual/minors": 0.2}
"""From this score on, a text is stopped on every platform."""
_LOOK = {
    "self-harm": 0.5,
    "self-harm/intent": 0.4,
    "self-harm/instructions": 0.4,
    "hate": 0.6,
    "hate/threatening": 0.4,
    "harassment/threatening": 0.5,
    "violence/graphic": 0.7,
    "illicit/violent": 0.5,
}
"""From these on, a person looks."""
_SEXUAL = 0.6
"""For `sexual`, where adult texts are not allowed. Elsewhere they are the trade."""


def opinion_on(
    texts: Sequence[str],
    moderator: Moderator | None,
    seconds: float,
    *,
    is_adult: bool,
    clock: Callable[[], float] = time.monotonic,
) -> Opinion:
    """The highest score of each category over the texts, weighed. Without a moderator: nothing is said at all.

    When the vendor cannot be reached the texts are not stopped: they are drafts, and a person is told.
    """
    if moderator is None or not texts:
        return Opinion(None, (), (), ())
    until = clock() + min(seconds, MOST_SECONDS)
    highest: dict[str, float] = {}
    answered: set[str] | None = None
    attempts: list[Attempt] = []
    for text in texts:
        began = clock()
        try:
            if until <= began:
                raise AIError(ErrorKind.TIMEOUT, usage=Usage())
            scores = moderator.scores(MODEL, text[:MOST_CHARACTERS], until - began)
        except AIError as error:
            attempts.append(_attempt(moderator, error.kind, clock() - began, error.status))
            return _weighed(highest, set(), attempts, is_adult=is_adult)
        attempts.append(_attempt(moderator, "ok", clock() - began))
        answered = set(scores) if answered is None else answered & set(scores)
        for category, score in scores.items():
            highest[category] = max(score, highest.get(category, 0.0))
    return _weighed(highest, answered or set(), attempts, is_adult=is_adult)


def _weighed(highest: Mapping[str, float], answered: set[str], attempts: list[Attempt], *, is_adult: bool) -> Opinion:
    """`answered`: the categories that every text was looked at in; one that is missing was not moderated."""
    looked_for = {**_LOOK, **({} if is_adult else {"sexual": _SEXUAL})}
    blocked = next((name for name, least in _NEVER.items() if highest.get(name, 0.0) >= least), None)
    flagged = tuple(name for name, least in looked_for.items() if highest.get(name, 0.0) >= least)
    missing = {*_NEVER, *looked_for} - answered
    doubts = [Doubt.FLAGGED] if flagged else []
    if missing:
        doubts.append(Doubt.PARTLY_CHECKED if answered and not missing & set(_NEVER) else Doubt.NOT_CHECKED)
    return Opinion(blocked, flagged, tuple(doubts), tuple(attempts))


def _attempt(moderator: Moderator, outcome: str, seconds: float, status: int | None = None) -> Attempt:
    """The endpoint is free, so what it used is nothing."""
    return Attempt(moderator.name, MODEL, None, outcome, Usage(), seconds, status, purpose="moderation")
