"""Whether the documents of somebody who is shown are in order on a day. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from core.errors import Conflict, sentences
from core.language import day as told_day
from core.language import supported


class DocumentKind(StrEnum):
    """What must have been seen of everybody shown. Its name is `consent.kind_<value>`."""

    IDENTITY = "identity"
    AGE = "age"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was noted. It holds from `verified_on` through `expires_on`, without end when None."""

    kind: DocumentKind
    verified_on: date
    expires_on: date | None = None
    withdrawn_at: datetime | None = None

    def holds_on(self, day: date) -> bool:
        return (
            self.withdrawn_at is None
            and self.verified_on <= day
            and (self.expires_on is None or day <= self.expires_on)
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """A kind that somebody lacks on a day. `expired_on`: the latest of that kind held until then."""

    kind: DocumentKind
    expired_on: date | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """Somebody who may not be shown on a day, and why."""

    name: str
    gaps: tuple[Gap, ...]


def gaps(documents: Iterable[Document], day: date) -> tuple[Gap, ...]:
    """What is missing or expired on a day, kind by kind."""
    held = tuple(documents)
    return tuple(
        Gap(kind, _expired(held, kind, day))
        for kind in DocumentKind
        if not any(one.kind is kind and one.holds_on(day) for one in held)
    )


def _expired(held: Sequence[Document], kind: DocumentKind, day: date) -> date | None:
    ends = [
        one.expires_on
        for one in held
        if one.kind is kind and one.withdrawn_at is None and one.expires_on is not None and one.expires_on < day
    ]
    return max(ends, default=None)


class ConsentMissing(Conflict):
    """Somebody shown lacks a document. `missing` says who and what; the sentence is put together for its reader."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__("consent.held")
        self.missing = tuple(missing)

    def sentence(self, language: str = "en") -> str:
        people = "; ".join(f"{one.name} ({listed(one.gaps, language)})" for one in self.missing)
        return sentences().text(language, self.code, people=people)


def listed(lacking: Iterable[Gap], language: str) -> str:
    """Gaps in words: `proof of age, release (expired on Dec 1, 2026)`."""
    return ", ".join(_told(one, supported(language)) for one in lacking)


def _told(gap: Gap, language: str) -> str:
    kind = sentences().text(language, f"consent.kind_{gap.kind}")
    if gap.expired_on is None:
        return kind
    return sentences().text(language, "consent.expired", kind=kind, day=told_day(gap.expired_on, language))
