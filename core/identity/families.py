"""Refresh tokens of API clients: each is traded in once for the next of its family, and only its SHA-256 is kept.

Rotation and what a replay means: RFC 9700, 4.14.2. A token that comes twice is in two hands, and nobody can tell which
of the two is the thief: the family ends and its person is told.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from core import audit
from core.errors import sentences
from core.identity.models import RefreshToken, User
from core.language import supported
from core.mail import outbox
from core.use_case import unscoped

LASTS = timedelta(days=30)
"""A family ends this long after its sign-in, however often it is refreshed."""
KEPT_FOR = timedelta(days=30)
"""How long a family that has run out stays on record, so that its tokens are still known as used."""


@dataclass(frozen=True, slots=True)
class Member:
    """The newest token of a family. `token` is its only copy."""

    token: str
    user_id: UUID
    family: UUID


@unscoped("the caller has just verified who asks; what is kept tells no tenant")
def begin_family(session: Session, user_id: UUID) -> Member:
    """A new family with its first token."""
    session.execute(
        delete(RefreshToken).where(RefreshToken.user_id == user_id, RefreshToken.expires_at < func.now() - KEPT_FOR)
    )
    family, expires_at = session.execute(select(func.uuidv7(), func.now() + LASTS)).one()
    audit.record_of_person(session, user_id, "api_client_signed_in")
    return _next(session, user_id, family, expires_at)


@unscoped("the token is what says who asks")
def rotate(session: Session, token: str) -> Member | None:
    """Trade a token in for the next one. None for one that is unknown, over, or comes again.

    The last of these ends the family, hence the answer None: an exception would take that back.
    """
    held = _held(session, token)
    if held is None:
        return None
    if held.used_at is not None:
        _replayed(session, held)
        return None
    if not _is_alive(session, held.user_id, RefreshToken.jti == held.jti):
        return None
    held.used_at = session.execute(select(func.now())).scalar_one()
    return _next(session, held.user_id, held.family, held.expires_at)


@unscoped("whoever holds a token may end its family")
def revoke(session: Session, token: str) -> None:
    """End the family of a token, used or not. An unknown token changes nothing (RFC 7009, 2.2)."""
    held = _held(session, token)
    if held is not None and _end(session, RefreshToken.family == held.family):
        audit.record_of_person(session, held.user_id, "api_client_signed_out")


@unscoped("asked for what a verified access token names")
def is_alive(session: Session, user_id: UUID, family: UUID) -> bool:
    """Whether the family still holds and its person may still come in."""
    return _is_alive(session, user_id, RefreshToken.family == family)


def end_families(session: Session, user_id: UUID) -> int:
    """Room: sign every API client of a person out, as a new password must. Returns how many tokens ended."""
    _one_at_a_time(session, user_id)
    return _end(session, RefreshToken.user_id == user_id)


def _held(session: Session, token: str) -> RefreshToken | None:
    which = select(RefreshToken).where(RefreshToken.token_hash == _hash(token))
    found = session.scalars(which).one_or_none()
    if found is None:
        return None
    _one_at_a_time(session, found.user_id)
    return session.scalars(which.execution_options(populate_existing=True)).one_or_none()


def _one_at_a_time(session: Session, user_id: UUID) -> None:
    """One change of a person's tokens after the other: a family that ends must not miss the token just being made."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def _next(session: Session, user_id: UUID, family: UUID, expires_at: datetime) -> Member:
    token = secrets.token_urlsafe(32)
    session.add(RefreshToken(user_id=user_id, family=family, token_hash=_hash(token), expires_at=expires_at))
    session.flush()
    return Member(token, user_id, family)


def _replayed(session: Session, held: RefreshToken) -> None:
    """Told once: a family that is already over is nobody's way in."""
    if not _end(session, RefreshToken.family == held.family):
        return
    person = session.get_one(User, held.user_id)
    audit.record_of_person(session, person.id, "api_client_replayed")
    if person.deleted_at is None:
        said, language = sentences(), supported(person.language)
        subject, body = said.text(language, "tokens.replayed_subject"), said.text(language, "tokens.replayed_body")
        outbox.post(session, person.email, "api_client_replayed", subject, body)


def _end(session: Session, which: ColumnElement[bool]) -> int:
    ended = session.execute(
        update(RefreshToken)
        .where(which, RefreshToken.revoked_at.is_(None), RefreshToken.expires_at > func.now())
        .values(revoked_at=func.now())
        .returning(RefreshToken.jti)
    )
    return len(ended.all())


def _is_alive(session: Session, user_id: UUID, which: ColumnElement[bool]) -> bool:
    found = session.execute(
        select(RefreshToken.jti)
        .join(User, User.id == RefreshToken.user_id)
        .where(
            which,
            RefreshToken.user_id == user_id,
            RefreshToken.revoked_at.is_(None),
            RefreshToken.expires_at > func.now(),
            User.disabled_at.is_(None),
            User.deleted_at.is_(None),
        )
        .limit(1)
    )
    return found.one_or_none() is not None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
