"""A workspace's own terms beside the lists that come with the product. Pure.

It can add: terms that block or warn, and phrases in which a word is meant otherwise. It takes nothing away from what is
forbidden on every platform: no phrase of its own is allowed there.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Self

from pydantic import BaseModel, ConfigDict

from core.content.folding import fold
from core.content.moderation import OWN, Action, CategoryList, Rules, shipped_lists, shipped_rules
from core.content.platforms import Platform
from core.errors import BadInput
from core.text import unsafe_reason

MOST_TERMS = 500
LONGEST_TERM = 60
HOUSE = "house"
"""The category of what a workspace forbids for reasons of its own."""

REVIEWED = ("hate", "personal_data", "self_harm")
"""The categories whose warnings a person looks at, as long as a workspace chooses no others."""


class OwnTerm(BaseModel):
    """One term: what it does, in which category, and on which platforms; on all of them when none is named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    term: str
    category: str = HOUSE
    action: Action = Action.RESTRICT
    platforms: tuple[Platform, ...] = ()


class OwnList(BaseModel):
    """A workspace's list in one version. `of` checks what a person writes; 0 is the version of a list never saved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    terms: tuple[OwnTerm, ...] = ()
    allowed: tuple[str, ...] = ()
    reviewed: tuple[str, ...] = REVIEWED
    """The categories whose warnings put a saved text into the queue."""

    @classmethod
    def of(cls, terms: Iterable[OwnTerm], allowed: Iterable[str], reviewed: Iterable[str] = REVIEWED) -> Self:
        """Tidied: no empty ones, none twice (the last counts). Raises BadInput that says what to change."""
        kept = {
            (fold(term.term).text, term.category): term
            for term in (one.model_copy(update={"term": _tidy(one.term)}) for one in terms)
            if term.term
        }
        phrases = tuple(dict.fromkeys(phrase for phrase in map(_tidy, allowed) if phrase))
        _stop_if_unfit([term.term for term in kept.values()])
        _stop_if_unfit(phrases)
        looked_at = tuple(sorted(set(reviewed)))
        for category in (*(term.category for term in kept.values()), *looked_at):
            if category not in own_categories():
                raise BadInput("moderation.unknown_category", category=category)
        return cls(terms=tuple(kept.values()), allowed=phrases, reviewed=looked_at)


def own_categories() -> tuple[str, ...]:
    """The categories that a workspace may add to: its own first, then those of the product."""
    return (HOUSE, *shipped_rules().categories)


@lru_cache(maxsize=128)
def with_own(own: OwnList, version: int) -> Rules:
    """The product's rules and a workspace's together, ready to search. `version` 0: nothing of its own."""
    if not version:
        return shipped_rules()
    shipped = shipped_lists()
    named = f"{OWN}{version}"
    theirs = [_as_category(term, own.allowed, named) for term in own.terms]
    ours = [
        one.model_copy(
            update={
                "version": shipped.version,
                "allowed": one.allowed if one.action is Action.BLOCK else (*one.allowed, *own.allowed),
            }
        )
        for one in shipped.category
    ]
    together = {"version": f"{shipped.version}+{named}", "category": (*ours, *_grouped(theirs))}
    return Rules(shipped.model_copy(update=together))


def _as_category(term: OwnTerm, allowed: tuple[str, ...], version: str) -> CategoryList:
    return CategoryList(
        name=term.category,
        action=term.action,
        platforms=tuple(sorted(term.platforms)),
        terms=(term.term,),
        allowed=allowed,
        version=version,
    )


def _grouped(lists: Iterable[CategoryList]) -> Iterable[CategoryList]:
    """Terms that do the same in one list: each list is searched once."""
    alike: dict[tuple[str, Action, tuple[Platform, ...]], CategoryList] = {}
    for one in lists:
        key = one.name, one.action, one.platforms
        held = alike.get(key)
        alike[key] = held.model_copy(update={"terms": (*held.terms, *one.terms)}) if held else one
    return alike.values()


def _tidy(written: str) -> str:
    return " ".join(written.split())


def _stop_if_unfit(written: Iterable[str]) -> None:
    all_of_them = list(written)
    if len(all_of_them) > MOST_TERMS:
        raise BadInput("moderation.too_many_terms", most=MOST_TERMS)
    for one in all_of_them:
        letters = [sign for sign in fold(one).text if sign.isalnum()]
        if len(one) > LONGEST_TERM or unsafe_reason(one) or len(letters) < 2:
            raise BadInput("moderation.bad_term", term=one[:LONGEST_TERM], most=LONGEST_TERM)
