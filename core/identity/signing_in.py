"""Coming in: a password, a code where the person has asked for one, then a session."""

import hashlib
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import limits, sealing
from core.audit import record_of_person
from core.errors import NotSignedIn
from core.identity import credentials, second_factor
from core.identity.attempts import admit, forget
from core.identity.known_devices import known_device, remember_device
from core.identity.models import User
from core.identity.sessions import Key, begin_session
from core.identity.visitors import Visitor
from core.text import unsafe_reason
from core.use_case import unscoped

CODE_WAITS = timedelta(minutes=10)
"""How long after the password its code may come."""
CODE_TRIES = limits.Limit("second_factor", 10, timedelta(minutes=15))
_SEALED_FOR = "half a sign-in"


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody is in: their session's key, and the token by which this browser is known from now on."""

    key: Key
    device: str


@dataclass(frozen=True, slots=True)
class CodeAsked:
    """The password was right and a code is still wanted. `pending` is for this browser alone, and opens nothing."""

    pending: str


@dataclass(frozen=True, slots=True)
class _Known:
    user_id: UUID
    password_hash: str | None


def sign_in(email: str, password: str, visitor: Visitor, *, remembered: bool = False) -> Admitted | CodeAsked:
    """Let in whoever knows the password, or ask for the second factor of those who have one.

    Raises what `who_knows` raises.
    """
    return come_in(who_knows(email, password, visitor), visitor, remembered=remembered)


def who_knows(email: str, password: str, visitor: Visitor) -> UUID:
    """The user whose password this is. It opens nothing: a second factor may still be wanted.

    Raises NotSignedIn, the same for a wrong password as for somebody unknown, disabled or deleted; TooManyTries,
    before the password is looked at, once the last hour holds too many failures.
    """
    name = email.strip().lower()
    tried = admit(name, visitor)
    known = _find(name)
    if not credentials.matches(password, known.password_hash if known else None) or known is None:
        raise NotSignedIn("identity.wrong_credentials")
    forget(tried)
    if credentials.is_outdated(known.password_hash or ""):
        _keep_password(known.user_id, credentials.hashed(password))
    return known.user_id


@unscoped("the caller has just verified who it is")
def come_in(session: Session, user_id: UUID, visitor: Visitor, *, remembered: bool = False) -> Admitted | CodeAsked:
    """For somebody who has shown who they are by a first factor, ours or another provider's.

    Raises NotSignedIn for who is disabled, deleted or unknown.
    """
    user = _living(session, user_id)
    if not second_factor.is_on(session, user_id):
        return _let_in(session, user_id, visitor, remembered=remembered)
    until = int(time.time() + CODE_WAITS.total_seconds())
    half = {"user": str(user_id), "until": until, "remembered": remembered, "of": _state_of(user)}
    return CodeAsked(urlsafe_b64encode(sealing.seal(json.dumps(half).encode(), _SEALED_FOR)).decode())


def give_code(pending: str, code: str, visitor: Visitor) -> Admitted:
    """The second half of signing in. Raises NotSignedIn for a wrong code and for a half that is over, TooManyTries."""
    user_id, of, remembered = _half(pending)
    limits.count(CODE_TRIES, _guesser(user_id, visitor))
    return _finish(user_id, of, code, visitor, remembered=remembered)


@unscoped("the password was verified a moment ago, and the code is verified here")
def _finish(session: Session, user_id: UUID, of: str, code: str, visitor: Visitor, *, remembered: bool) -> Admitted:
    if _state_of(_living(session, user_id)) != of:
        raise NotSignedIn("identity.sign_in_again")
    if not second_factor.take(session, user_id, code):
        raise NotSignedIn("identity.wrong_code")
    return _let_in(session, user_id, visitor, remembered=remembered)


def _let_in(session: Session, user_id: UUID, visitor: Visitor, *, remembered: bool) -> Admitted:
    key = begin_session(session, user_id, remembered=remembered, address=visitor.address, agent=visitor.agent)
    record_of_person(session, user_id, "signed_in", session_id=key.session_id)
    return Admitted(key, remember_device(session, user_id, visitor.device))


def _half(pending: str) -> tuple[UUID, str, bool]:
    try:
        half = json.loads(sealing.opened(urlsafe_b64decode(pending.encode()), _SEALED_FOR))
    except (ValueError, sealing.CannotOpen):
        raise NotSignedIn("identity.sign_in_again") from None
    if half["until"] < time.time():
        raise NotSignedIn("identity.sign_in_again")
    return UUID(half["user"]), half["of"], half["remembered"]


@unscoped("whose tries these are is known by the sealed first half")
def _guesser(session: Session, user_id: UUID, visitor: Visitor) -> str:
    """As with passwords, a browser known to the person counts apart from everybody else's."""
    device = known_device(session, _living(session, user_id).email.lower(), visitor.device)
    return f"{user_id} {device or ''}"


def _living(session: Session, user_id: UUID) -> User:
    user = session.get(User, user_id)
    if user is None or user.disabled_at is not None or user.deleted_at is not None:
        raise NotSignedIn("identity.sign_in_again")
    return user


def _state_of(user: User) -> str:
    """Changes with the password, so that half a sign-in made with the old one does not outlive it."""
    return hashlib.sha256((user.password_hash or "").encode()).hexdigest()


@unscoped("signing in reads the one user whose password is offered")
def _find(session: Session, email: str) -> _Known | None:
    if unsafe_reason(email):
        return None
    row = session.execute(
        select(User.id, User.password_hash).where(
            func.lower(User.email) == email, User.deleted_at.is_(None), User.disabled_at.is_(None)
        )
    ).one_or_none()
    return _Known(row.id, row.password_hash) if row else None


@unscoped("the password was verified a moment ago; only its hash changes")
def _keep_password(session: Session, user_id: UUID, password_hash: str) -> None:
    session.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))
