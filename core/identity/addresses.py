"""Whether an e-mail address is its person's, and changing it."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import limits
from core.access import Permission, Scope
from core.audit import record_of_person
from core.errors import Conflict
from core.identity import credentials, letters
from core.identity.letters import Reader
from core.identity.links import Purpose, issue, redeem, void
from core.identity.models import User
from core.identity.proof import require_proof
from core.use_case import unscoped, use_case

LETTERS = limits.Limit("address_letters", 5, timedelta(hours=1))


def send_verification(session: Session, user_id: UUID) -> None:
    """Room: post the letter that asks whether an address is its person's. Sent at sign-up, and again when asked for."""
    to = letters.reader(session, user_id)
    token = issue(session, user_id, Purpose.VERIFY, to.email)
    letters.write(session, to, "verify", link=letters.link("/account/verify", token))


def ask_verification(scope: Scope) -> None:
    """Send the letter again; nothing for an address that is verified. Raises TooManyTries."""
    limits.count(LETTERS, str(scope.user_id))
    _ask_verification(scope)


@use_case(Permission.OWN_PROFILE)
def _ask_verification(session: Session, scope: Scope) -> None:
    if session.get_one(User, scope.user_id).email_verified_at is None:
        send_verification(session, scope.user_id)


@unscoped("the link is what says who asks")
def verify(session: Session, token: str) -> None:
    """Note that the address is its person's. Raises BadInput for a link that is no good."""
    link = redeem(session, token, Purpose.VERIFY)
    user = session.get_one(User, link.user_id)
    if user.email == link.email and user.email_verified_at is None:
        user.email_verified_at = func.now()
        record_of_person(session, user.id, "email_verified")


def ask_change(scope: Scope, email: str) -> None:
    """Send a link to the new address, and word to the old one; the change waits for the link to be opened.

    An address that somebody else has is answered in the same way, and found out by its link alone.
    Raises BadInput for what is no address or already theirs, ProofNeeded, TooManyTries.
    """
    fresh = credentials.an_email(email)
    limits.count(LETTERS, str(scope.user_id))
    _ask_change(scope, fresh)


@use_case(Permission.OWN_PROFILE)
def _ask_change(session: Session, scope: Scope, email: str) -> None:
    require_proof(session, scope)
    old = letters.reader(session, scope.user_id)
    token = issue(session, scope.user_id, Purpose.CHANGE_EMAIL, email)
    link = letters.link("/account/new-email", token)
    letters.write(session, Reader(email, old.language), "change_email", link=link)
    letters.write(session, old, "email_change_asked", email=email)
    record_of_person(session, scope.user_id, "email_change_asked", session_id=scope.session_id)


@unscoped("the link is what says who asks")
def change(session: Session, token: str) -> None:
    """Put the new address in force, and tell the old one. Raises BadInput for a bad link, Conflict when it is taken."""
    link = redeem(session, token, Purpose.CHANGE_EMAIL)
    old = letters.reader(session, link.user_id)
    user = session.scalars(select(User).where(User.id == link.user_id)).one()
    try:
        with session.begin_nested():
            user.email, user.email_verified_at = link.email, func.now()
    except IntegrityError:
        raise Conflict("identity.email_taken") from None
    # links in letters to the old address must lead nowhere
    void(session, user.id, Purpose.VERIFY, Purpose.RESET, Purpose.CHANGE_EMAIL)
    record_of_person(session, user.id, "email_changed", after={"email": link.email})
    letters.write(session, old, "email_changed", email=link.email)
