"""Letters about a person's own account, in their language, posted in the transaction of what they tell of."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import sentences
from core.identity.models import User
from core.mail.outbox import post
from core.settings import settings


@dataclass(frozen=True, slots=True)
class Reader:
    """Who a letter is for."""

    email: str
    language: str


def reader(session: Session, user_id: UUID) -> Reader:
    """Room: the person's address and language as they are now."""
    row = session.execute(select(User.email, User.language).where(User.id == user_id)).one()
    return Reader(row.email, row.language)


def write(session: Session, to: Reader, kind: str, **facts: object) -> None:
    """Room: post the letter `letters.<kind>_subject` and `letters.<kind>_body`. A subject never holds a secret."""
    said = sentences()
    post(
        session,
        to.email,
        kind,
        said.text(to.language, f"letters.{kind}_subject"),
        said.text(to.language, f"letters.{kind}_body", site=settings().public_url, **facts),
    )


def link(path: str, token: str) -> str:
    """The address to click, at the product's public name."""
    return f"{settings().public_url}{path}?{urlencode({'token': token})}"
