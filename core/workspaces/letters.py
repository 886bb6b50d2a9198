"""Letters about who works where, each posted in the transaction of the deed that it tells of."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import sentences
from core.identity.letters import Reader
from core.identity.models import User
from core.language import supported
from core.mail.outbox import post
from core.settings import settings


def write(session: Session, user_id: UUID, topic: str, letter: str, **facts: object) -> None:
    """Room: post the letter `<topic>.<letter>_subject` and `…_body` to a living person, in their own language."""
    to = session.execute(
        select(User.email, User.language).where(User.id == user_id, User.deleted_at.is_(None))
    ).one_or_none()
    if to is not None:
        write_to(session, Reader(to.email, to.language), topic, letter, **facts)


def write_to(session: Session, to: Reader, topic: str, letter: str, **facts: object) -> None:
    """Room: the same to an address that may be nobody's here yet."""
    said, spoken = sentences(), supported(to.language)
    facts = {"site": settings().public_url, **facts}
    post(
        session,
        to.email,
        f"{topic}.{letter}",
        said.text(spoken, f"{topic}.{letter}_subject", **facts),
        said.text(spoken, f"{topic}.{letter}_body", **facts),
    )


def masked(email: str) -> str:
    """An address as records keep it: enough to tell one from another, not enough to write to."""
    local, _, domain = email.partition("@")
    return f"{local[:1]}…@{domain}"
