"""Signed-in browsers. The token is in the cookie; the database holds its SHA-256 only."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from core.errors import NotSignedIn
from core.identity.families import end_families
from core.identity.models import User, WebSession
from core.text import cleaned
from core.use_case import unscoped

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
REMEMBERED = timedelta(days=30)
"""How long a session holds on a browser that is to be remembered; it may be idle all that time."""
KEPT_FOR = timedelta(days=30)
"""How long a session that is over stays on record."""
ADDRESS_LENGTH = 64
AGENT_LENGTH = 200
NOTED_EVERY = timedelta(minutes=1)
"""A sign of life is written at most this often: a click must not cost a write."""


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A browser that is signed in now."""

    id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class Key:
    """A session and the only copy of its token: 256 random bits, URL-safe.

    `lasts` says how long the browser is to keep the token; None, until it closes.
    """

    session_id: UUID
    token: str
    lasts: timedelta | None


@unscoped("a session begins before any scope exists; the caller has just verified who it is")
def open_session(
    session: Session, user_id: UUID, *, remembered: bool = False, address: str = "", agent: str = ""
) -> str:
    """A new session's token, as `begin_session` makes it."""
    return begin_session(session, user_id, remembered=remembered, address=address, agent=agent).token


def begin_session(
    session: Session, user_id: UUID, *, remembered: bool = False, address: str = "", agent: str = ""
) -> Key:
    """Room: a new session. `address` and `agent` are shown to the person later, so that they know their browsers."""
    token = secrets.token_urlsafe(32)
    session.execute(
        delete(WebSession).where(WebSession.user_id == user_id, WebSession.expires_at < func.now() - KEPT_FOR)
    )
    made = WebSession(
        user_id=user_id,
        token_hash=_hash(token),
        expires_at=func.now() + (REMEMBERED if remembered else LONGEST),
        remembered=remembered,
        address=cleaned(address)[:ADDRESS_LENGTH],
        agent=cleaned(agent)[:AGENT_LENGTH],
    )
    session.add(made)
    session.flush()
    return Key(made.id, token, REMEMBERED if remembered else None)


def renew_session(session: Session, session_id: UUID) -> Key:
    """Room: a new token for a session whose person has just proved who they are; the old one leads nowhere.

    Raises NotSignedIn when the session is over.
    """
    token = secrets.token_urlsafe(32)
    row = session.execute(
        update(WebSession)
        .where(WebSession.id == session_id, WebSession.revoked_at.is_(None), WebSession.expires_at > func.now())
        .values(token_hash=_hash(token), proved_at=func.now(), last_seen_at=func.now())
        .returning(WebSession.remembered, (WebSession.expires_at - func.now()).label("left"))
    ).one_or_none()
    if row is None:
        raise NotSignedIn("identity.sign_in_again")
    return Key(session_id, token, row.left if row.remembered else None)


def end_sessions(session: Session, user_id: UUID, *, but: UUID | None = None) -> None:
    """Room: end every way in that somebody has open, in browsers and in API clients, except one session."""
    still_open = (WebSession.user_id == user_id, WebSession.revoked_at.is_(None))
    others = (*still_open, WebSession.id != but) if but else still_open
    session.execute(update(WebSession).where(*others).values(revoked_at=func.now()))
    end_families(session, user_id)


@unscoped("the token is what says who asks")
def session_of(session: Session, token: str) -> LiveSession | None:
    """The session behind a cookie, or None when it is over, idle for too long, or its user may not come in."""
    return _found(session, WebSession.token_hash == _hash(token), touch=True)


@unscoped("asked for by the id that a verified cookie led to")
def is_alive(session: Session, session_id: UUID, *, touch: bool = True) -> bool:
    """Whether the session still holds. A page that refreshes itself asks with `touch=False`, so that it may go idle."""
    return _found(session, WebSession.id == session_id, touch=touch) is not None


@unscoped("whoever holds a token may end its session")
def close_session(session: Session, token: str) -> None:
    """End the session behind a cookie. An unknown token changes nothing."""
    session.execute(
        update(WebSession)
        .where(WebSession.token_hash == _hash(token), WebSession.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )


@unscoped("only remembers a wish; what may be looked at is the scope's answer")
def choose(session: Session, session_id: UUID, workspace_id: UUID | None) -> None:
    """Remember the creator looked at in this session; None for all of them."""
    session.execute(update(WebSession).where(WebSession.id == session_id).values(chosen=workspace_id))


def _found(session: Session, which: ColumnElement[bool], *, touch: bool) -> LiveSession | None:
    row = session.execute(
        select(
            WebSession.id,
            WebSession.user_id,
            (WebSession.last_seen_at < func.now() - NOTED_EVERY).label("worth_noting"),
        )
        .join(User, User.id == WebSession.user_id)
        .where(which, *_IS_LIVE)
    ).one_or_none()
    if row is None:
        return None
    if touch and row.worth_noting:
        session.execute(update(WebSession).where(WebSession.id == row.id).values(last_seen_at=func.now()))
    return LiveSession(row.id, row.user_id)


_IS_LIVE = (
    WebSession.revoked_at.is_(None),
    WebSession.expires_at > func.now(),
    or_(WebSession.remembered, WebSession.last_seen_at > func.now() - IDLE),
    User.disabled_at.is_(None),
    User.deleted_at.is_(None),
)


def _hash(token: str) -> bytes:
    """A plain hash is enough: the token is random, so there is nothing to guess faster."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
