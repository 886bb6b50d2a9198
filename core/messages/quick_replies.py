"""Texts that a creator sends again and again by hand: kept, found, filled, and counted when they are used."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.content.house_rules import rules_for
from core.content.moderation import Finding
from core.content.platforms import Platform
from core.content.service import stop_if_blocked
from core.errors import BadInput, NotFound
from core.language import LANGUAGES
from core.messages.blanks import blanks, filled
from core.messages.models import QuickReply
from core.text import unsafe_reason
from core.use_case import use_case

LONGEST_TITLE = 80
LONGEST_BODY = 1_000
LONGEST_CATEGORY = 40
MOST = 500
"""Of one workspace, those that were put away included."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What a person typed."""

    title: str
    body: str
    category: str
    language: str

    @classmethod
    def of(cls, *, title: str, body: str, category: str = "", language: str) -> "Wording":
        """Raises BadInput that says what to change. Without a title it is the first words of the text."""
        text, short = body.strip(), " ".join(category.split())
        if not text:
            raise BadInput("quick_replies.empty")
        name = " ".join(title.split()) or " ".join(text.split())[:LONGEST_TITLE].rstrip()
        if (
            len(name) > LONGEST_TITLE
            or len(text) > LONGEST_BODY
            or len(short) > LONGEST_CATEGORY
            or any(unsafe_reason(one) for one in (name, text, short))
        ):
            raise BadInput("quick_replies.too_long", title=LONGEST_TITLE, body=LONGEST_BODY, category=LONGEST_CATEGORY)
        if language not in LANGUAGES:
            raise BadInput("content.bad_choice")
        blanks(text)
        return cls(name, text, short, language)


@dataclass(frozen=True, slots=True)
class ReplyView:
    """A kept text. `blanks` are what must be filled before it is used."""

    id: UUID
    title: str
    body: str
    category: str
    language: str
    blanks: tuple[str, ...]
    uses: int
    used_at: datetime | None
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class Filled:
    """A text ready to be copied, and the rules of the platform that it breaks, none of which stops it."""

    reply_id: UUID
    text: str
    findings: tuple[Finding, ...]


@use_case(Permission.WRITE_CONTENT)
def replies(session: Session, scope: Scope) -> tuple[ReplyView, ...]:
    """All of the workspace in view, those most used first, those put away at the end."""
    found = session.scalars(
        select(QuickReply)
        .where(QuickReply.workspace_id == scope.workspace_id)
        .order_by(QuickReply.archived_at.is_not(None), QuickReply.uses.desc(), QuickReply.title, QuickReply.id)
        .limit(MOST)
    )
    return tuple(_view(one) for one in found)


@use_case(Permission.WRITE_CONTENT)
def add_reply(session: Session, scope: Scope, new: Wording) -> UUID:
    """Keep a text. Raises ContentBlocked for one that no platform allows, BadInput when there are MOST already."""
    stop_if_blocked(new.body, None, rules_for(session, scope.workspace_id))
    many = session.scalar(
        select(func.count()).select_from(QuickReply).where(QuickReply.workspace_id == scope.workspace_id)
    )
    if (many or 0) >= MOST:
        raise BadInput("quick_replies.too_many", most=MOST)
    kept = QuickReply(
        workspace_id=scope.workspace_id,
        title=new.title,
        body=new.body,
        category=new.category,
        language=new.language,
        created_by=scope.user_id,
    )
    session.add(kept)
    session.flush()
    return kept.id


@use_case(Permission.WRITE_CONTENT)
def change_reply(session: Session, scope: Scope, reply_id: UUID, new: Wording) -> None:
    """Word a text anew; its uses stay counted. Raises ContentBlocked, NotFound."""
    stop_if_blocked(new.body, None, rules_for(session, scope.workspace_id))
    kept = _locked(session, scope, reply_id)
    kept.title, kept.body, kept.category, kept.language = new.title, new.body, new.category, new.language
    kept.updated_at = datetime.now(UTC)


@use_case(Permission.WRITE_CONTENT)
def archive_reply(session: Session, scope: Scope, reply_id: UUID) -> None:
    """Put a text away; `restore_reply` takes that back. Raises NotFound."""
    kept = _locked(session, scope, reply_id)
    kept.archived_at = kept.archived_at or datetime.now(UTC)


@use_case(Permission.WRITE_CONTENT)
def restore_reply(session: Session, scope: Scope, reply_id: UUID) -> None:
    """Raises NotFound."""
    _locked(session, scope, reply_id).archived_at = None


@use_case(Permission.WRITE_CONTENT)
def use_reply(
    session: Session, scope: Scope, reply_id: UUID, values: Mapping[str, str], platform: Platform | None = None
) -> Filled:
    """Fill a text to be copied, and count the use.

    Raises BadInput that names every blank still empty, ContentBlocked for what nobody may send, NotFound, also for a
    text that was put away. Nothing of that counts as a use.
    """
    kept = _locked(session, scope, reply_id)
    if kept.archived_at is not None:
        raise NotFound("access.not_found")
    text = filled(kept.body, values)
    findings = stop_if_blocked(text, platform, rules_for(session, scope.workspace_id))
    kept.uses += 1
    kept.used_at = datetime.now(UTC)
    return Filled(kept.id, text, findings)


def _locked(session: Session, scope: Scope, reply_id: UUID) -> QuickReply:
    found = session.get(QuickReply, (scope.workspace_id, reply_id), with_for_update=True)
    if found is None:
        raise NotFound("access.not_found")
    return found


def _view(kept: QuickReply) -> ReplyView:
    return ReplyView(
        kept.id,
        kept.title,
        kept.body,
        kept.category,
        kept.language,
        blanks(kept.body),
        kept.uses,
        kept.used_at,
        kept.archived_at,
    )
