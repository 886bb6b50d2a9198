"""Coming in through another provider, for the first time too."""

from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import BadInput, Conflict
from core.identity.credentials import an_email
from core.identity.external import Vouched, attach, find, user_known_as
from core.identity.service import NAME_LENGTH, a_display_name, a_language
from core.identity.visitors import Visitor
from core.text import cleaned
from core.use_case import unscoped
from core.workspaces.sign_up import add_person, count_sign_up


def user_vouched_for(vouched: Vouched, language: str, visitor: Visitor) -> UUID:
    """The user linked to what the provider vouched for; somebody new with account and workspace where there is none.

    Raises Conflict when a living user has the e-mail: whoever has an address at a provider need not be who signed up
    with it here, so that user links the two after signing in. Raises BadInput without a usable e-mail, NotAllowed for
    who is disabled or deleted, TooManyTries.
    """
    known = user_known_as(vouched)
    if known is not None:
        return known
    if vouched.email is None:
        raise BadInput("external.no_email")
    email = an_email(vouched.email)
    count_sign_up(visitor)
    return _add(vouched, email=email, display_name=_name(vouched.name, email), language=a_language(language))


@unscoped("nobody is known before signing up; it adds rows of its own and shows none")
def _add(session: Session, vouched: Vouched, *, email: str, display_name: str, language: str) -> UUID:
    user_id = add_person(
        session,
        email=email,
        password_hash=None,
        display_name=display_name,
        language=language,
        time_zone="UTC",
        is_verified=vouched.is_email_verified,
    )
    if user_id is not None:
        attach(session, user_id, vouched)
        return user_id
    # two answers of the provider at once: the other one has signed them up a moment ago
    known = find(session, vouched)
    if known is None:
        raise Conflict("external.email_taken")
    return known


def _name(given: str, email: str) -> str:
    name = " ".join(cleaned(given).split())[:NAME_LENGTH].strip()
    return a_display_name(name or email.partition("@")[0][:NAME_LENGTH])
