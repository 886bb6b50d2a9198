"""Which fan gets which text: balanced arms by a hash, nobody the same twice, and why somebody gets none. Pure."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from core.content.moderation import Rules
from core.messages.briefs import MessageBrief
from core.messages.facts import NAMELESS, Record, facts
from core.messages.kinds import Skip
from core.messages.templates import (
    ALIKE,
    Checker,
    Filled,
    Part,
    fill,
    likeness_of,
    parse,
    shingles,
    text_key,
)

FALLBACK_NAME = "fallback_name"
"""A fan whose name cannot be said is addressed without one."""
SOFT = frozenset({"restricted"})
"""Checks whose failure a person decides about; a text that fails another is not made."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a fan was given before: `keys` of every text ever, `texts` of the last weeks, and whether it is too soon."""

    keys: frozenset[bytes] = frozenset()
    texts: tuple[str, ...] = ()
    is_recent: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """One message as it goes into the queue."""

    fan_id: UUID
    variant: int
    text: str
    key: bytes
    flags: tuple[str, ...]


@dataclass(slots=True)
class Assignment:
    """A campaign's texts for its fans. `skipped` is complete when `written` has ended."""

    campaign_id: UUID
    brief: MessageBrief
    templates: Sequence[str]
    rules: Rules
    now: datetime
    skipped: Counter[str] = field(default_factory=Counter)
    _checker: Checker = field(init=False)

    def __post_init__(self) -> None:
        self._checker = Checker(self.brief, self.rules)

    def ordered(self, records: Sequence[Record]) -> list[Record]:
        """The fans as they take turns: by a hash, so that arms differ in nothing but their text."""
        return sorted(records, key=lambda record: _draw(self.campaign_id, record.fan_id))

    def written(self, records: Sequence[Record], past: Mapping[UUID, Past], first: int = 0) -> Iterator[Written]:
        """For each fan their text, or one more in `skipped`. `first`: how many of `ordered` came before these."""
        parsed = [parse(text) for text in self.templates]
        for place, record in enumerate(records, first):
            found = self._for(record, past.get(record.fan_id, Past()), parsed, place)
            if isinstance(found, Written):
                yield found
            else:
                self.skipped[found] += 1

    def _for(self, record: Record, past: Past, parsed: Sequence[tuple[Part, ...]], place: int) -> Written | Skip:
        """Their arm's text, else the next one that they may have."""
        if record.opted_out:
            return Skip.OPTED_OUT
        if past.is_recent:
            return Skip.WRITTEN_RECENTLY
        known = facts(record, self.brief.offer, self.brief.language, self.now, self._checker.is_sayable)
        seen = [shingles(text) for text in past.texts]
        reasons: list[Skip] = []
        for turn in range(len(parsed)):
            variant = (place + turn) % len(parsed)
            filled = self._filled(parsed[variant], known)
            key = text_key(filled.text)
            if key in past.keys:
                reasons.append(Skip.SAME_TEXT)
                continue
            words = shingles(filled.text)
            if any(likeness_of(words, other) > ALIKE for other in seen):
                reasons.append(Skip.SIMILAR_TEXT)
                continue
            failed = self._checker.failed(filled.text, known)
            if set(failed) - SOFT:
                reasons.append(Skip.CHECK_FAILED)
                continue
            return Written(record.fan_id, variant, filled.text, key, (*failed, *self._odd(filled)))
        return reasons[0]

    def _filled(self, parts: tuple[Part, ...], known: Mapping[str, str]) -> Filled:
        """A text that begins with what stands for a name begins with a capital; a name stays as it is."""
        filled = fill(parts, known)
        starts_small = filled.text.startswith(NAMELESS[self.brief.language])
        return replace(filled, text=filled.text[:1].upper() + filled.text[1:]) if starts_small else filled

    def _odd(self, filled: Filled) -> tuple[str, ...]:
        return (FALLBACK_NAME,) if filled.used.get("fan_name") == NAMELESS[self.brief.language] else ()


def _draw(campaign_id: UUID, fan_id: UUID) -> bytes:
    return hashlib.sha256(campaign_id.bytes + fan_id.bytes).digest()
