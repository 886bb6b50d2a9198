"""Links sent by mail: each opens one thing, once, for some time. The database holds their SHA-256 only."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from core.errors import BadInput
from core.identity.models import EmailToken, User
from core.use_case import unscoped


class Purpose(StrEnum):
    VERIFY = "verify"
    RESET = "reset"
    CHANGE_EMAIL = "change_email"
    RESTORE = "restore"


LASTS = {
    Purpose.VERIFY: timedelta(hours=24),
    Purpose.RESET: timedelta(hours=1),
    Purpose.CHANGE_EMAIL: timedelta(hours=24),
    Purpose.RESTORE: timedelta(days=30),
}
_KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Link:
    """Whose link it is, and the address that it was sent to."""

    user_id: UUID
    email: str


def issue(session: Session, user_id: UUID, purpose: Purpose, email: str) -> str:
    """Room: a new link's token, 256 random bits. It is to be sent to `email` and to nobody else."""
    token = secrets.token_urlsafe(32)
    old = EmailToken.expires_at < func.now() - _KEPT_FOR
    session.execute(delete(EmailToken).where(EmailToken.user_id == user_id, old))
    session.add(
        EmailToken(
            user_id=user_id,
            purpose=purpose,
            token_hash=_hash(token),
            email=email,
            expires_at=func.now() + LASTS[purpose],
        )
    )
    return token


@unscoped("the token is what says whose link it is; nothing changes")
def look_at(session: Session, token: str, purpose: Purpose) -> Link:
    """What the link would open. Raises BadInput, the same for unknown, used, expired and made for another use."""
    row = session.execute(select(EmailToken.user_id, EmailToken.email).where(*_good(token, purpose))).one_or_none()
    if row is None:
        raise BadInput("identity.bad_link")
    return Link(row.user_id, row.email)


def redeem(session: Session, token: str, purpose: Purpose) -> Link:
    """Room: use the link up. Of two who try at once one succeeds. Raises BadInput as `look_at` does."""
    row = session.execute(
        update(EmailToken)
        .where(*_good(token, purpose))
        .values(used_at=func.now())
        .returning(EmailToken.user_id, EmailToken.email)
    ).one_or_none()
    if row is None:
        raise BadInput("identity.bad_link")
    return Link(row.user_id, row.email)


def void(session: Session, user_id: UUID, *purposes: Purpose) -> None:
    """Room: make every unused link of these purposes useless, as when the address or the password has changed."""
    session.execute(
        update(EmailToken)
        .where(EmailToken.user_id == user_id, EmailToken.purpose.in_(purposes), EmailToken.used_at.is_(None))
        .values(used_at=func.now())
    )


def _good(token: str, purpose: Purpose) -> tuple[ColumnElement[bool], ...]:
    may_come_in = select(User.id).where(User.disabled_at.is_(None))
    if purpose is not Purpose.RESTORE:
        may_come_in = may_come_in.where(User.deleted_at.is_(None))
    return (
        EmailToken.token_hash == _hash(token),
        EmailToken.purpose == purpose,
        EmailToken.used_at.is_(None),
        EmailToken.expires_at > func.now(),
        EmailToken.user_id.in_(may_come_in),
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
