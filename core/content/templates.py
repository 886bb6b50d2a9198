"""Drafts without a model: parts written by hand, put together by rule. Pure, but for the parts, read once.

They are what a creator has before a model is connected, labelled so and free. The same seed gives the same draft.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from random import Random

from pydantic import BaseModel, ConfigDict

from core.content.briefs import Brief, Length, Task, Tone, Voice
from core.content.folding import fold
from core.content.platforms import LIMITS, measure

_DATA = Path(__file__).parent / "templates.toml"
_TRIES = 40
"""Seeds that are tried for drafts that differ."""
_ENTRIES = {Length.SHORT: 2, Length.MEDIUM: 3, Length.LONG: 4}
_EMPTY = re.compile(
    r"the|and|for|you|are|was|not|with|from|this|that|les|des|une|par|sur|mon|mes|nos|est|pour|dans|avec|cette|mais"
)
"""Words that are no subject."""


class Parts(BaseModel):
    """The parts of one tone in one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    opener: tuple[str, ...]
    call: tuple[str, ...]
    body: Mapping[Task, tuple[str, ...]]


@cache
def parts() -> Mapping[str, Mapping[Tone, Parts]]:
    read = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    return {
        language: {Tone(tone): Parts.model_validate(one) for tone, one in by_tone.items()}
        for language, by_tone in read.items()
    }


def drafts(brief: Brief, voice: Voice, seed: int) -> tuple[str, ...]:
    """As many different drafts as the brief wants, or as there are."""
    tried = (draft(brief, voice, seed + step) for step in range(_TRIES))
    return tuple(islice(dict.fromkeys(tried), brief.variants))


def draft(brief: Brief, voice: Voice, seed: int) -> str:
    """A draft that fits the platform; what makes it too long is left off, the last things first.

    A brief that is longer than the platform allows comes back as a draft that is too long: nothing of it is cut.
    """
    chosen = parts()[brief.language][brief.tone]
    # A seed gives the same draft again; nothing secret hangs on it.
    dice = Random(seed)  # noqa: S311
    bodies = _pick(chosen.body[brief.task], voice, dice)
    if brief.task is Task.HASHTAGS:
        return _hashtags(brief, bodies, dice)
    if brief.task is Task.IDEAS:
        return "\n".join(_joined([body], _subject(brief)) for body in bodies[: _ENTRIES[brief.length]])
    return _text(brief, voice, chosen, bodies, dice)


def _text(brief: Brief, voice: Voice, chosen: Parts, bodies: Sequence[str], dice: Random) -> str:
    openers = _pick(chosen.opener, voice, dice)
    calls = _pick(chosen.call, voice, dice)
    before = [] if brief.length is Length.SHORT else openers[:1]
    after = calls[: {Length.SHORT: 0, Length.MEDIUM: 1, Length.LONG: 2}[brief.length]]
    if voice.emojis:
        after.append(dice.choice(voice.emojis))
    while True:
        text = _joined([*before, bodies[0], *after], _subject(brief))
        if measure(text, brief.platform).fits:
            return text
        if after:
            after.pop()
        elif before:
            before.pop()
        else:
            alone = [_joined([body], _subject(brief)) for body in bodies]
            return next((text for text in alone if measure(text, brief.platform).fits), alone[0])


def _subject(brief: Brief) -> str:
    return brief.about or brief.picture


def _hashtags(brief: Brief, known: Sequence[str], dice: Random) -> str:
    """Words of the subject, alone and two together, and one or two of our own; no more than the platform allows."""
    words = [word for word in re.findall(r"[^\W\d_]{3,}", _subject(brief)) if not _EMPTY.fullmatch(fold(word).text)]
    pairs = [one.capitalize() + other.capitalize() for one, other in pairwise(words)]
    own = [f"#{word}" for word in dict.fromkeys([word.lower() for word in words] + pairs)]
    most = min(_ENTRIES[brief.length], LIMITS[brief.platform].hashtags or _ENTRIES[brief.length])
    chosen = dice.sample(own, min(len(own), max(1, most - 1)))
    return "\n".join([*chosen, *known][:most])


def _pick(choices: Sequence[str], voice: Voice, dice: Random) -> list[str]:
    """Shuffled, without those that hold a word to avoid; all of them when none would be left."""
    avoided = [fold(word).text for word in voice.words_to_avoid]
    allowed = [choice for choice in choices if not any(word in fold(choice).text for word in avoided)]
    return dice.sample(allowed or list(choices), len(allowed) or len(choices))


def _joined(pieces: Sequence[str], about: str) -> str:
    subject = about.rstrip(".!?… ") or about
    said = [piece.replace("{about}", subject) for piece in pieces]
    return " ".join(piece[:1].upper() + piece[1:] for piece in said)
