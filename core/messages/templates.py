"""Texts with slots: what may stand in them, how they are filled from a record, and what is checked before and after.

`{fan_name}` is a slot; `[[and thank you for {last_item}]]` is a clause, which is dropped whole where the record lacks
one of its facts. Pure, but for the rules of moderation, which are handed in.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from core.content.briefs import Brief, Length, Task, Voice
from core.content.checks import EXPLAINED as OF_DRAFTS
from core.content.checks import failed_checks
from core.content.moderation import Action, Finding, Rules, blocking
from core.content.platforms import measure
from core.messages import claims
from core.messages.briefs import MessageBrief
from core.messages.claims import MARK
from core.messages.facts import longest_facts, offer_facts
from core.messages.kinds import OFFERING

OF_RECORD = ("fan_name", "tenure", "last_item")
ONLY_IN_CLAUSES = frozenset({"tenure", "last_item"})
"""Facts that a record may lack, with nothing to say instead."""
ALIKE = 0.6
"""Share of shingles in common from which on two texts are the same to whoever reads both."""
_SHINGLE = 3
PROBE = "sex"
"""Stands in for a name where rules look at what is near a word of love: whatever the name is, it is no worse."""
SHORTEST = 20
_PIECE = re.compile(r"\[\[|\]\]|\{([^{}]*)\}|[{}\[\]]")

EXPLAINED: Mapping[str, str] = {
    **OF_DRAFTS,
    **claims.EXPLAINED,
    "bad_syntax": "its braces or brackets do not close, or a clause has no slot or another clause in it",
    "unknown_slot": "it uses a slot that is not among the allowed ones",
    "bare_slot": "{tenure} and {last_item} may stand in [[clauses]] only",
    "no_name": "it does not use {fan_name}, outside clauses and once",
    "no_offer": "it does not name {offer_item}",
    "wrong_slots": "its slots_used are not the slots in its text",
    "forbidden": "it breaks a rule that holds on every platform",
    "too_similar": "it is too close to another variant",
    "too_short": "it is too short to be a message",
    "too_few": "there were fewer variants than asked for that pass every check",
}
"""What each check that fails means, for the model. For a person it is `messages.check_<name>`."""


class BadTemplate(ValueError):
    """Braces or brackets that are neither slot nor clause."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a template: words, with the slots among them; a clause goes as a whole."""

    pieces: tuple[tuple[str, str], ...]
    is_clause: bool

    @property
    def slots(self) -> tuple[str, ...]:
        return tuple(value for kind, value in self.pieces if kind == "slot")


@dataclass(frozen=True, slots=True)
class Filled:
    text: str
    used: Mapping[str, str]
    """The facts that stand in the text."""


def parse(text: str) -> tuple[Part, ...]:
    """A template's parts, in order. Raises BadTemplate."""
    parts: list[Part] = []
    pieces: list[tuple[str, str]] = []
    in_clause, place = False, 0

    def close(*, is_clause: bool) -> None:
        if is_clause and not any(kind == "slot" for kind, _ in pieces):
            raise BadTemplate("a clause without a slot")
        parts.append(Part(tuple(pieces), is_clause))
        pieces.clear()

    for found in _PIECE.finditer(text):
        pieces.append(("words", text[place : found.start()]))
        place = found.end()
        if found.group() == "[[" and not in_clause:
            close(is_clause=False)
            in_clause = True
        elif found.group() == "]]" and in_clause:
            close(is_clause=True)
            in_clause = False
        elif found[1] is not None and re.fullmatch("[a-z_]+", found[1]):
            pieces.append(("slot", found[1]))
        else:
            raise BadTemplate(found.group())
    if in_clause:
        raise BadTemplate("[[")
    pieces.append(("words", text[place:]))
    close(is_clause=False)
    return tuple(parts)


def fill(parts: Sequence[Part], facts: Mapping[str, str]) -> Filled:
    """The text, its slots filled and its clauses without facts dropped. Raises KeyError for a slot without a fact."""
    said: list[str] = []
    used: dict[str, str] = {}
    for part in parts:
        if part.is_clause and any(slot not in facts for slot in part.slots):
            continue
        for kind, value in part.pieces:
            said.append(facts[value] if kind == "slot" else value)
            if kind == "slot":
                used[value] = facts[value]
    return Filled(tidied("".join(said)), used)


def tidied(text: str) -> str:
    """Without the gaps that a dropped clause leaves."""
    closed = re.sub(r" +([,.…])", r"\1", re.sub(" {2,}", " ", text))
    return re.sub(" ?\n ?", "\n", closed).strip()


def allowed_slots(brief: MessageBrief) -> tuple[str, ...]:
    """Those of every record, and those that the offer fills."""
    return (*OF_RECORD, *offer_facts(brief.offer, brief.language))


def failed_template(text: str, brief: MessageBrief, voice: Voice, rules: Rules) -> tuple[str, ...]:
    """The names in EXPLAINED of what is wrong with a template."""
    try:
        parts = parse(text)
    except BadTemplate:
        return ("bad_syntax",)
    slots = [slot for part in parts for slot in part.slots]
    bare = [slot for part in parts if not part.is_clause for slot in part.slots]
    allowed = allowed_slots(brief)
    if any(slot not in allowed for slot in slots):
        return ("unknown_slot",)
    skeleton = fill(parts, dict.fromkeys(allowed, MARK)).text
    failing = {
        "bare_slot": bool(ONLY_IN_CLAUSES & set(bare)),
        "no_name": bare.count("fan_name") != 1 or slots.count("fan_name") != 1,
        "no_offer": brief.kind in OFFERING and "offer_item" not in bare,
        "too_short": len(skeleton) < SHORTEST,
    }
    found = [name for name, fails in failing.items() if fails]
    found += claims.claims(skeleton)
    found += [] if claims.speaks(skeleton, brief.language) else ["wrong_language"]
    longest = fill(parts, longest_facts(brief.offer, brief.language)).text
    # Names and offers may be in any language, and the worst that a name may be is a word of love.
    found += [one for one in _as_draft(longest, brief, voice) if one not in ("wrong_language", "invented_number")]
    found += [one for one in _as_draft(skeleton, brief, voice) if one == "wrong_language"]
    probed = fill(parts, {**longest_facts(brief.offer, brief.language), "fan_name": PROBE}).text
    found += broken(rules.moderate(probed, brief.platform))
    return tuple(dict.fromkeys(found))


def failed_variants(
    texts: Sequence[str], brief: MessageBrief, voice: Voice, rules: Rules
) -> tuple[tuple[str, ...], ...]:
    """For each template what is wrong with it; of two that are too close, the later one is."""
    kept: list[str] = []
    failed: list[tuple[str, ...]] = []
    for text in texts:
        wrong = failed_template(text, brief, voice, rules)
        if not wrong and any(likeness(text, other) > ALIKE for other in kept):
            wrong = ("too_similar",)
        if not wrong:
            kept.append(text)
        failed.append(wrong)
    return tuple(failed)


def without_facts(text: str, known: Mapping[str, str]) -> str:
    """The text with MARKs where facts stand, as whole words."""
    rest = text
    for fact in sorted({fact for fact in known.values() if fact}, key=len, reverse=True):
        rest = _replaced(rest, fact, MARK)
    return rest


def _replaced(text: str, fact: str, by: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(fact)}(?!\w)", by, text) if fact else text


def _as_draft(text: str, brief: MessageBrief, voice: Voice) -> tuple[str, ...]:
    """What every draft for that platform is checked for."""
    as_draft = Brief(Task.CAPTION, brief.platform, brief.tone, brief.language, Length.SHORT, "")
    return failed_checks(text, as_draft, voice, ())


def broken(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The checks that findings of moderation fail: `forbidden` on every platform, or `restricted` on this one."""
    is_restricted = any(one.action is Action.RESTRICT for one in findings)
    return (*(["restricted"] if is_restricted else []), *(["forbidden"] if blocking(findings) else []))


_SAYABLE: WeakKeyDictionary[Rules, dict[str, bool]] = WeakKeyDictionary()
_MOST_NAMES = 50_000
"""Kept for one set of rules in a process: each campaign asks for the same names again."""


class Checker:
    """What is wrong with texts that are filled or edited. It remembers what does not change from fan to fan."""

    def __init__(self, brief: MessageBrief, rules: Rules) -> None:
        self._brief = brief
        self._rules = rules
        self._of_rest: dict[str, tuple[str, ...]] = {}
        self._moderated: dict[str, tuple[str, ...]] = {}
        self._names = _SAYABLE.setdefault(rules, {})

    def is_sayable(self, name: str) -> bool:
        """Whether a name breaks no rule, by itself or in a message of love, and claims nothing."""
        if len(self._names) > _MOST_NAMES:
            self._names.clear()
        if name not in self._names:
            says = set(claims.claims(name)) - {"invented_name", "invented_number"}
            self._names[name] = not (says or self._rules.moderate(f"{name} {PROBE} {name}", self._brief.platform))
        return self._names[name]

    def failed(self, text: str, known: Mapping[str, str], *, is_edited: bool = False) -> tuple[str, ...]:
        """The names in EXPLAINED. `known`: every fact of its fan and of the offer, the name being sayable.

        Whatever is in the text and not in `known` must stand without a record; spend never does. A text that a person
        edited is moderated whole.
        """
        rest = without_facts(text, known)
        if rest not in self._of_rest:
            self._of_rest[rest] = (*claims.claims(rest), *_as_draft(rest, self._brief, Voice()))
        size = measure(text, self._brief.platform)
        found = {
            "too_short": len(text) < SHORTEST,
            "too_long": size.most is not None and size.length > size.most,
            "too_many_hashtags": size.most_hashtags is not None and size.hashtags > size.most_hashtags,
        }
        moderated = text if is_edited else _replaced(text, known.get("fan_name", ""), PROBE)
        if moderated not in self._moderated:
            self._moderated[moderated] = broken(self._rules.moderate(moderated, self._brief.platform))
        failing = [name for name, fails in found.items() if fails]
        return tuple(dict.fromkeys([*failing, *self._of_rest[rest], *self._moderated[moderated]]))


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Runs of three words, each told once."""
    words = words_of(text)
    return frozenset(tuple(words[place : place + _SHINGLE]) for place in range(max(1, len(words) - _SHINGLE + 1)))


def likeness(one: str, other: str) -> float:
    """Share of shingles that two texts have in common, of all that they have together (Jaccard)."""
    return likeness_of(shingles(one), shingles(other))


def likeness_of(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    return len(one & other) / (len(one | other) or 1)


def text_key(text: str) -> bytes:
    """The same for texts that differ in nothing that a reader would notice."""
    return hashlib.sha256((" ".join(words_of(text)) or text).encode()).digest()
