"""A person's own profile."""

from dataclasses import dataclass
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.errors import BadInput
from core.identity.models import User
from core.language import LANGUAGES
from core.text import unsafe_reason
from core.use_case import use_case

NAME_LENGTH = 80
TIME_ZONES = frozenset(available_timezones())


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as they see themselves. `time_zone` is an IANA name, `language` one of `core.language.LANGUAGES`."""

    user_id: UUID
    email: str
    display_name: str
    language: str
    time_zone: str
    is_staff: bool
    is_verified: bool
    """Whether the e-mail is known to be theirs."""


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
    return Profile(
        user.id,
        user.email,
        user.display_name,
        user.language,
        user.time_zone,
        user.is_staff,
        user.email_verified_at is not None,
    )


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
