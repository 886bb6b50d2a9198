"""Showing who one is again, and changing or replacing a password."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import limits
from core.access import Permission, Scope
from core.audit import record_of_person
from core.errors import NotSignedIn, TooManyTries
from core.identity import credentials, letters, second_factor
from core.identity.attempts import admit, forget
from core.identity.known_devices import remember_device
from core.identity.links import LASTS, Purpose, issue, look_at, redeem, void
from core.identity.models import User
from core.identity.sessions import Key, end_sessions, renew_session
from core.identity.visitors import Visitor
from core.text import unsafe_reason
from core.use_case import unscoped, use_case

RESETS_FROM_ADDRESS = limits.Limit("reset_address", 10, timedelta(hours=1))
RESETS_OF_ONE = limits.Limit("reset_account", 3, timedelta(hours=1))
PROOFS = limits.Limit("proof", 20, timedelta(hours=1))


def prove(scope: Scope, password: str, code: str, visitor: Visitor) -> Key:
    """Show again who is at the keyboard, by password and, where there is one, second factor.

    The session gets a new token. Raises NotSignedIn for what is wrong, TooManyTries as signing in does.
    """
    _check(scope, password, visitor)
    limits.count(PROOFS, str(scope.user_id))
    return _prove(scope, code)


def change_password(scope: Scope, old: str, new: str, visitor: Visitor) -> Key:
    """Replace the password. Every other session of the person ends with it, and this one gets a new token.

    Raises BadInput for a new password that is not good enough, NotSignedIn for a wrong old one, TooManyTries.
    """
    credentials.a_new_password(new, _email(scope))
    _check(scope, old, visitor)
    return _replace(scope, credentials.hashed(new))


def request_reset(email: str, visitor: Visitor) -> None:
    """Send a link for choosing a new password, where a living person has the address.

    Nothing tells the two cases apart: the same answer, after the same hashing, which hides what writing a letter takes.
    Raises TooManyTries by the visitor's network; too many for one address end in silence: letters are there by then.
    """
    name = email.strip().lower()
    limits.count(RESETS_FROM_ADDRESS, visitor.network)
    credentials.matches(name, None)
    try:
        limits.count(RESETS_OF_ONE, name)
    except TooManyTries:
        return
    _send_reset(name)


def reset_password(token: str, new: str, visitor: Visitor) -> str:
    """Choose a new password by a link from a letter; every session ends. Returns the token of a known browser.

    Whoever opened the letter is no stranger: guesses made by others must not keep them out afterwards.
    Raises BadInput for a link that is no good, or a password that is not good enough; the link can then be used again.
    """
    credentials.a_new_password(new, look_at(token, Purpose.RESET).email)
    return _reset(token, credentials.hashed(new), visitor.device)


def _check(scope: Scope, password: str, visitor: Visitor) -> None:
    email, kept = _kept(scope)
    tried = admit(email, visitor)
    if not credentials.matches(password, kept):
        raise NotSignedIn("identity.wrong_password")
    forget(tried)


@use_case(Permission.OWN_PROFILE)
def has_password(session: Session, scope: Scope) -> bool:
    """Whether the person can show who they are by a password; those who came through another provider may have none."""
    return session.get_one(User, scope.user_id).password_hash is not None


@use_case(Permission.OWN_PROFILE)
def _kept(session: Session, scope: Scope) -> tuple[str, str | None]:
    user = session.get_one(User, scope.user_id)
    return user.email.lower(), user.password_hash


def _email(scope: Scope) -> str:
    return _kept(scope)[0]


@use_case(Permission.OWN_PROFILE)
def _prove(session: Session, scope: Scope, code: str) -> Key:
    if second_factor.is_on(session, scope.user_id) and not second_factor.take(session, scope.user_id, code):
        raise NotSignedIn("identity.wrong_code")
    record_of_person(session, scope.user_id, "proved", session_id=scope.session_id)
    return renew_session(session, _this(scope))


@use_case(Permission.OWN_PROFILE)
def _replace(session: Session, scope: Scope, password_hash: str) -> Key:
    user = session.get_one(User, scope.user_id)
    user.password_hash = password_hash
    end_sessions(session, user.id, but=_this(scope))
    void(session, user.id, Purpose.RESET)
    record_of_person(session, user.id, "password_changed", session_id=scope.session_id)
    letters.write(session, letters.reader(session, user.id), "password_changed")
    return renew_session(session, _this(scope))


def _this(scope: Scope) -> UUID:
    if scope.session_id is None:
        raise NotSignedIn("identity.sign_in_again")
    return scope.session_id


@unscoped("whoever forgot their password is not known yet; only a letter to the address goes out")
def _send_reset(session: Session, email: str) -> None:
    if unsafe_reason(email):
        return
    living = (func.lower(User.email) == email, User.deleted_at.is_(None), User.disabled_at.is_(None))
    user = session.scalars(select(User).where(*living)).one_or_none()
    if user is None:
        return
    token = issue(session, user.id, Purpose.RESET, user.email)
    minutes = int(LASTS[Purpose.RESET].total_seconds() // 60)
    record_of_person(session, user.id, "password_reset_asked")
    letters.write(
        session, letters.reader(session, user.id), "reset", link=letters.link("/account/reset", token), minutes=minutes
    )


@unscoped("the link is what says who asks")
def _reset(session: Session, token: str, password_hash: str, device: str | None) -> str:
    link = redeem(session, token, Purpose.RESET)
    session.execute(
        update(User)
        .where(User.id == link.user_id)
        .values(password_hash=password_hash, email_verified_at=func.coalesce(User.email_verified_at, func.now()))
    )
    end_sessions(session, link.user_id)
    void(session, link.user_id, Purpose.RESET)
    record_of_person(session, link.user_id, "password_reset")
    letters.write(session, letters.reader(session, link.user_id), "password_changed")
    return remember_device(session, link.user_id, device)
