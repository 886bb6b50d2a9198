"""Browsers that somebody has signed in with before: guesses made elsewhere do not lock them out."""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core.identity.models import KnownDevice, User

KEPT_FOR = timedelta(days=365)


def known_device(session: Session, email: str, token: str | None) -> UUID | None:
    """Room: the browser's id where its token was given to the living user of that address, else None."""
    if not token:
        return None
    return session.scalar(
        select(KnownDevice.id)
        .join(User, User.id == KnownDevice.user_id)
        .where(KnownDevice.token_hash == _hash(token), func.lower(User.email) == email, User.deleted_at.is_(None))
    )


def remember_device(session: Session, user_id: UUID, token: str | None) -> str:
    """Room: the token by which this browser is known from now on; the one it brought where that is theirs."""
    session.execute(
        delete(KnownDevice).where(KnownDevice.user_id == user_id, KnownDevice.last_seen_at < func.now() - KEPT_FOR)
    )
    if token:
        seen = update(KnownDevice).where(KnownDevice.token_hash == _hash(token), KnownDevice.user_id == user_id)
        if session.execute(seen.values(last_seen_at=func.now()).returning(KnownDevice.id)).one_or_none():
            return token
    fresh = secrets.token_urlsafe(32)
    session.add(KnownDevice(user_id=user_id, token_hash=_hash(fresh)))
    return fresh


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
