"""Signing in with a password, and a person's own profile."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.errors import BadInput, NotSignedIn, TooManyTries
from core.identity import credentials
from core.identity.models import SignInAttempt, User
from core.identity.sessions import open_session
from core.language import LANGUAGES
from core.text import cleaned, unsafe_reason
from core.use_case import unscoped, use_case

NAME_LENGTH = 80
TIME_ZONES = frozenset(available_timezones())

MEMORY = timedelta(hours=1)
"""How long a failed sign-in counts."""
TRIES_OF_ONE = 10
"""Failures at one account from one address. The true user, elsewhere, is not held up by them."""
TRIES_AT_ACCOUNT = 100
TRIES_FROM_ADDRESS = 100


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as they see themselves. `time_zone` is an IANA name, `language` one of `core.language.LANGUAGES`."""

    user_id: UUID
    email: str
    display_name: str
    language: str
    time_zone: str
    is_staff: bool


@dataclass(frozen=True, slots=True)
class _Known:
    user_id: UUID
    password_hash: str | None


def sign_in(email: str, password: str, address: str) -> str:
    """Open a session for whoever knows the password, and return its token.

    `address` is the client's IP address. Raises NotSignedIn, the same for a wrong password as for somebody unknown,
    disabled or deleted; TooManyTries, before the password is looked at, once the last hour holds too many failures.
    """
    name, network = email.strip().lower(), _network(address)
    _admit(_email_hash(name), network)
    known = _find(name)
    if not credentials.matches(password, known.password_hash if known else None) or known is None:
        raise NotSignedIn("identity.wrong_credentials")
    _forget(_email_hash(name), network)
    if credentials.is_outdated(known.password_hash or ""):
        _keep_password(known.user_id, credentials.hashed(password))
    return open_session(known.user_id)


@unscoped("tries are counted before anybody is known")
def _admit(session: Session, email_hash: bytes, network: str) -> None:
    """Count the try before the password is looked at, so that parallel tries cannot slip past the limit together."""
    for mark in sorted((email_hash, hashlib.sha256(network.encode()).digest())):
        session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(mark[:8], signed=True))))
    session.execute(delete(SignInAttempt).where(SignInAttempt.id < func.uuidv7(-MEMORY)))
    at_account, from_address = SignInAttempt.email_hash == email_hash, SignInAttempt.address == network
    limits = (
        (and_(at_account, from_address), TRIES_OF_ONE),
        (at_account, TRIES_AT_ACCOUNT),
        (from_address, TRIES_FROM_ADDRESS),
    )
    if any(_failures(session, which) >= most for which, most in limits):
        raise TooManyTries("identity.too_many_tries", minutes=int(MEMORY.total_seconds() // 60))
    session.add(SignInAttempt(email_hash=email_hash, address=network))


def _failures(session: Session, which: ColumnElement[bool]) -> int:
    recent = SignInAttempt.at > func.now() - MEMORY
    return session.execute(select(func.count()).select_from(SignInAttempt).where(which, recent)).scalar_one()


@unscoped("whoever knows the password was only mistyping it before")
def _forget(session: Session, email_hash: bytes, network: str) -> None:
    session.execute(
        delete(SignInAttempt).where(SignInAttempt.email_hash == email_hash, SignInAttempt.address == network)
    )


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


def _email_hash(email: str) -> bytes:
    return hashlib.sha256(email.encode("utf-8", "surrogatepass")).digest()


def _network(address: str) -> str:
    """Who counts as one visitor: an IPv4 address, or the /64 that one IPv6 line has to itself."""
    try:
        known = ip_address(address)
    except ValueError:
        return cleaned(address)[:64]
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ip_network((int(known), 64), strict=False))
    return str(known)


@use_case(Permission.OWN_PROFILE)
def profile(session: Session, scope: Scope) -> Profile:
    return _profile(session.get_one(User, scope.user_id))


@use_case(Permission.OWN_PROFILE)
def edit_profile(
    session: Session,
    scope: Scope,
    *,
    display_name: str | None = None,
    language: str | None = None,
    time_zone: str | None = None,
) -> Profile:
    """Change what is given, leave the rest. Raises BadInput for an empty name, an unknown language or time zone."""
    user = session.get_one(User, scope.user_id)
    if display_name is not None:
        user.display_name = a_display_name(display_name)
    if language is not None:
        user.language = a_language(language)
    if time_zone is not None:
        user.time_zone = a_time_zone(time_zone)
    session.flush()
    return _profile(user)


def _profile(user: User) -> Profile:
    return Profile(user.id, user.email, user.display_name, user.language, user.time_zone, user.is_staff)


def a_display_name(text: str) -> str:
    """A person's name fit to keep. Raises BadInput when it is empty, too long or holds what cannot be kept."""
    name = " ".join(text.split())
    if not name or len(name) > NAME_LENGTH or unsafe_reason(name):
        raise BadInput("identity.bad_name", most=NAME_LENGTH)
    return name


def a_language(code: str) -> str:
    if code not in LANGUAGES:
        raise BadInput("identity.bad_language")
    return code


def a_time_zone(name: str) -> str:
    """An IANA time zone. Raises BadInput for any other text."""
    if name not in TIME_ZONES:
        raise BadInput("identity.bad_time_zone")
    return name
