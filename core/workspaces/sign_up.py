"""Coming in for the first time."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import Role
from core.audit import record_of_person
from core.errors import Conflict
from core.identity.addresses import send_verification
from core.identity.credentials import a_new_password, an_email, hashed
from core.identity.models import User
from core.identity.service import a_display_name, a_language, a_time_zone
from core.identity.visitors import Visitor
from core.limits import Limit, count
from core.settings import settings
from core.use_case import unscoped
from core.workspaces.service import create_workspace, found_account


def sign_up(
    email: str,
    password: str,
    display_name: str,
    language: str,
    time_zone: str = "UTC",
    *,
    visitor: Visitor | None = None,
    is_verified: bool = False,
) -> UUID:
    """Make a person with an account of their own and one workspace in it, all or nothing. Returns the user's id.

    A letter asks whether the address is theirs, unless that is known. A `visitor`'s network may sign up some people an
    hour, and that is counted before the costly hashing. Raises BadInput for what cannot be kept, TooManyTries, and
    Conflict when a living user has the e-mail. That answer tells a stranger who knows an address that it has an
    account: letting people in at once, and not only after they have read a letter, has that price, and the limit keeps
    it from being asked in bulk.
    """
    address, name = an_email(email), a_display_name(display_name)
    language, time_zone = a_language(language), a_time_zone(time_zone)
    good = a_new_password(password, address)
    if visitor is not None:
        count_sign_up(visitor)
    password_hash = hashed(good)
    user_id = _write(
        email=address,
        password_hash=password_hash,
        display_name=name,
        language=language,
        time_zone=time_zone,
        is_verified=is_verified,
    )
    if user_id is None:
        raise Conflict("identity.email_taken")
    return user_id


def count_sign_up(visitor: Visitor) -> None:
    """Count one sign-up from the visitor's network before it is made. Raises TooManyTries."""
    count(Limit("sign_up", settings().sign_ups_per_hour, timedelta(hours=1)), visitor.network)


@unscoped("nobody is known before signing up; it adds rows of its own and shows none")
def _write(
    session: Session,
    *,
    email: str,
    password_hash: str,
    display_name: str,
    language: str,
    time_zone: str,
    is_verified: bool,
) -> UUID | None:
    return add_person(
        session,
        email=email,
        password_hash=password_hash,
        display_name=display_name,
        language=language,
        time_zone=time_zone,
        is_verified=is_verified,
    )


def add_person(
    session: Session,
    *,
    email: str,
    password_hash: str | None,
    display_name: str,
    language: str,
    time_zone: str,
    is_verified: bool = False,
) -> UUID | None:
    """Room: somebody new with an account and one workspace; None when a living user has the e-mail.

    Without a password they come in through another provider. Unless the address is verified a letter asks about it.
    """
    living = User.deleted_at.is_(None)
    user_id = session.execute(
        insert(User)
        .values(
            email=email,
            password_hash=password_hash,
            display_name=display_name,
            language=language,
            time_zone=time_zone,
            email_verified_at=func.now() if is_verified else None,
        )
        .on_conflict_do_nothing(index_elements=[func.lower(User.email)], index_where=living)
        .returning(User.id)
    ).scalar_one_or_none()
    if user_id is None:
        return None
    account_id = found_account(session, user_id, display_name)
    create_workspace(session, account_id, user_id, display_name, Role.CREATOR, time_zone=time_zone)
    record_of_person(session, user_id, "signed_up")
    if not is_verified:
        send_verification(session, user_id)
    return user_id
