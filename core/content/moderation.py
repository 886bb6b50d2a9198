"""Which rule a text breaks, by lists that are data with a version. Pure, but for the shipped lists, read once.

A finding names the term, its category and the rule, so that a person can leave the subject out. Nothing here says how a
text could pass unseen.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from core.content.disguises import Disguises, backwards
from core.content.folding import Folded, fold, spread, views
from core.content.platforms import Platform

NEARBY = 140
"""Characters between two terms that still belong together."""
OWN = "own."
"""What the version of a workspace's own list begins with."""
_DATA = Path(__file__).parent / "rules.toml"
_SHORT = 4
"""Letters of a word that is found by chance in others that stand apart."""
_LINK = re.compile(r"(?:https?://|www\.)\S+")


class Action(StrEnum):
    """BLOCK stops a text whoever asks; RESTRICT is a warning where the rule holds."""

    BLOCK = "block"
    RESTRICT = "restrict"


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule; its sentence is `moderation.<category>`, or `moderation.own_<action>` for a workspace's own.

    `found` is the piece of the text at [start, end), `term` the same as it was compared. `platform` is set where the
    rule is that platform's; `version` is that of the list that has the term, as in "2026-11-22" or "own.3".
    """

    category: str
    action: Action
    term: str
    found: str
    start: int
    end: int
    platform: Platform | None
    version: str

    @property
    def is_own(self) -> bool:
        """Whether the term is of the workspace's own list, and not of those that come with the product."""
        return self.version.startswith(OWN)

    @property
    def code(self) -> str:
        """The sentence that says what is wrong, and that the subject is to be left out."""
        return f"moderation.own_{self.action}" if self.is_own else f"moderation.{self.category}"


class CategoryList(BaseModel):
    """A category as `rules.toml` writes it; the file says what each field means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    action: Action
    platforms: tuple[Platform, ...] = ()
    terms: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    of_group: Literal["adult"] | None = None
    links: bool = False
    phrasings: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    allowed_phrasings: tuple[str, ...] = ()
    talked_about: bool = False
    beside: tuple[str, ...] = ()
    version: str = ""


class RuleList(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    groups: Mapping[Literal["adult", "public"], tuple[str, ...]]
    category: tuple[CategoryList, ...]


@dataclass(frozen=True, slots=True)
class _Category:
    name: str
    action: Action
    platforms: tuple[Platform, ...]
    alone: re.Pattern[str] | None
    near: re.Pattern[str] | None
    allowed: re.Pattern[str] | None
    links: bool
    words: tuple[str, ...]
    """Its terms that are one word."""
    version: str
    about: re.Pattern[str] | None
    """What makes a text one about the subject, and its block a warning."""

    def holds_on(self, platform: Platform | None) -> bool:
        return not self.platforms or platform in self.platforms


class Rules:
    """Lists made ready to search. `terms_of` gives a category's plain terms, for whoever shows the lists."""

    def __init__(self, lists: RuleList) -> None:
        adult = lists.groups["adult"]
        self.version = lists.version
        self._adult = _any_of(adult)
        self._disguises = Disguises(fold(term).text for one in lists.category for term in (*one.terms, *one.near))
        self._terms = frozenset(word for one in lists.category for word in _single(one.terms))
        self._categories = tuple(
            _Category(
                one.name,
                one.action,
                one.platforms,
                _any_of((*one.terms, *(adult if one.of_group else ())), one.phrasings),
                _any_of(one.near, one.patterns),
                _any_of(one.allowed, one.allowed_phrasings),
                one.links,
                _single(one.terms),
                one.version or lists.version,
                _any_of((*lists.groups.get("public", ()), *one.beside)) if one.talked_about else None,
            )
            for one in lists.category
        )

    @property
    def terms(self) -> frozenset[str]:
        """Every single word that is looked for by itself."""
        return self._terms

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(category.name for category in self._categories)

    def moderate(self, text: str, platform: Platform | None) -> tuple[Finding, ...]:
        """Every broken rule, in the order of the text. `platform` None: the rules of all platforms together only."""
        looked_at = _Text(text, platform, views(text), self._disguises, self._adult)
        found: dict[tuple[str, int, int], Finding] = {}
        for category in self._categories:
            if category.holds_on(platform):
                for finding in looked_at.findings(category):
                    _note(found, finding)
        return tuple(sorted(found.values(), key=lambda finding: (finding.start, finding.end)))


def blocking(findings: Sequence[Finding]) -> Finding | None:
    """The first finding that no one may override."""
    return next((finding for finding in findings if finding.action is Action.BLOCK), None)


@cache
def shipped_lists() -> RuleList:
    """The lists that come with the product, as they are written."""
    return RuleList.model_validate(tomllib.loads(_DATA.read_text(encoding="utf-8")))


@cache
def shipped_rules() -> Rules:
    """The lists that come with the product, ready to search."""
    return Rules(shipped_lists())


class _Text:
    """One text in all its readings. Places are those of the text itself, so that readings can be held together."""

    def __init__(
        self,
        text: str,
        platform: Platform | None,
        seen: Sequence[Folded],
        disguises: Disguises,
        adult: re.Pattern[str] | None,
    ) -> None:
        self.text = text
        self.platform = platform
        self.plain = seen[0]
        self.readings: list[tuple[Folded, int]] = []
        for folded in seen:
            undone = disguises.undone(folded)
            self.readings += [(one, 1) for one in ((folded,) if undone is folded else (folded, undone))]
        self.readings.append((backwards(self.plain), _SHORT + 1))
        self.runs = [run for folded in seen for run in spread(folded)]
        self.adult = (
            {folded.span(*one.span()) for folded, _ in self.readings for one in adult.finditer(folded.text)}
            if adult
            else set()
        )

    def findings(self, category: _Category) -> Iterator[Finding]:
        """What a category finds, reading by reading; the same place may come again."""
        for folded, shortest in self.readings:
            for span in self._spans(category, folded):
                if span[1] - span[0] >= shortest:
                    yield self._finding(category, folded, span)
        for run in self.runs:
            for span in _in_run(category, run):
                yield self._finding(category, run, span)

    def _spans(self, category: _Category, folded: Folded) -> Iterator[tuple[int, int]]:
        alone = [found.span() for found in category.alone.finditer(folded.text)] if category.alone else []
        near = [found.span() for found in category.near.finditer(folded.text)] if category.near and self.adult else []
        links = [found.span() for found in _LINK.finditer(folded.text)] if category.links else []
        close = [span for span in near if _is_near(folded.span(*span), self.adult)]
        hits = dict.fromkeys(alone + close + links)
        if not hits:
            return
        allowed = [found.span() for found in category.allowed.finditer(folded.text)] if category.allowed else []
        for start, end in hits:
            is_meant_otherwise = any(first <= start and end <= last for first, last in allowed)
            # A platform's own name and its own links are no rival to it.
            is_home = category.platforms and self.platform is not None and self.platform.value in folded.text[start:end]
            if not is_meant_otherwise and not is_home:
                yield start, end

    def _finding(self, category: _Category, folded: Folded, span: tuple[int, int]) -> Finding:
        start, end = folded.span(*span)
        term, found = folded.text[slice(*span)], self.text[start:end]
        is_open = category.about is not None and fold(found).text == term
        eases = is_open and category.action is Action.BLOCK and self._is_about(category, (start, end))
        return Finding(
            category.name,
            Action.RESTRICT if eases else category.action,
            term,
            found,
            start,
            end,
            self.platform if category.platforms else None,
            category.version,
        )

    def _is_about(self, category: _Category, place: tuple[int, int]) -> bool:
        """Whether the text is about the subject: it says so nearby, and says nothing of the adult group there."""
        if category.about is None:
            return False
        said = [self.plain.span(*one.span()) for one in category.about.finditer(self.plain.text)]
        adult = [one for one in self.adult if _gap(one, place)]
        return _is_near(place, [one for one in said if _gap(one, place)]) and not _is_near(place, adult)


def _note(found: dict[tuple[str, int, int], Finding], finding: Finding) -> None:
    """Keep a finding, unless one of its category is there already: the first view shows it as it was written.

    A block takes the place of a warning there, whichever was seen first.
    """
    same = [
        one
        for one in found.values()
        if one.category == finding.category and one.start < finding.end and finding.start < one.end
    ]
    if any(one.action is Action.BLOCK or finding.action is Action.RESTRICT for one in same):
        return
    for one in same:
        del found[one.category, one.start, one.end]
    found[finding.category, finding.start, finding.end] = finding


def _is_near(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(_gap(span, other) <= NEARBY for other in others)


def _in_run(category: _Category, run: Folded) -> Iterator[tuple[int, int]]:
    for term in category.words:
        if len(term) > _SHORT and (place := run.text.find(term)) >= 0:
            yield place, place + len(term)


def _single(terms: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({word for term in terms if (word := fold(term).text).isalpha()}))


def _gap(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(one[0] - other[1], other[0] - one[1], 0)


def _any_of(terms: Sequence[str], patterns: Sequence[str] = ()) -> re.Pattern[str] | None:
    """Whole words only: a substring filter finds Essex and therapists."""
    longest_first = sorted({fold(term).text for term in terms}, key=len, reverse=True)
    words = [r"[\W_]{0,3}".join(re.escape(word) for word in term.split()) for term in longest_first]
    branches = [rf"(?<![^\W_])(?:{'|'.join(words)})s?(?![^\W_])"] if words else []
    return re.compile("|".join([*branches, *patterns])) if branches or patterns else None
