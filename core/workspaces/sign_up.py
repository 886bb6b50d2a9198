"""Coming in for the first time."""

from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import Role
from core.errors import Conflict
from core.identity.credentials import a_new_password, an_email, hashed
from core.identity.models import User
from core.identity.service import a_display_name, a_language, a_time_zone
from core.use_case import unscoped
from core.workspaces.service import create_workspace, found_account


def sign_up(email: str, password: str, display_name: str, language: str, time_zone: str = "UTC") -> UUID:
    """Make a person with an account of their own and one workspace in it, all or nothing. Returns the user's id.

    Raises BadInput for what cannot be kept, Conflict when a living user has the e-mail. That answer tells a stranger
    who knows an address that it has an account; without a mail to that address there is no other way to say it.
    """
    address, name = an_email(email), a_display_name(display_name)
    language, time_zone = a_language(language), a_time_zone(time_zone)
    password_hash = hashed(a_new_password(password, address))
    user_id = _write(
        email=address,
        password_hash=password_hash,
        display_name=name,
        language=language,
        time_zone=time_zone,
    )
    if user_id is None:
        raise Conflict("identity.email_taken")
    return user_id


@unscoped("nobody is known before signing up; it adds rows of its own and shows none")
def _write(
    session: Session, *, email: str, password_hash: str, display_name: str, language: str, time_zone: str
) -> UUID | None:
    living = User.deleted_at.is_(None)
    user_id = session.execute(
        insert(User)
        .values(
            email=email,
            password_hash=password_hash,
            display_name=display_name,
            language=language,
            time_zone=time_zone,
        )
        .on_conflict_do_nothing(index_elements=[func.lower(User.email)], index_where=living)
        .returning(User.id)
    ).scalar_one_or_none()
    if user_id is None:
        return None
    account_id = found_account(session, user_id, display_name)
    create_workspace(session, account_id, user_id, display_name, Role.CREATOR, time_zone=time_zone)
    return user_id
