"""Mail is written in the transaction of the deed that causes it, and sent by the worker, at least once."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Index, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, new_id, stamped
from core.errors import Refusal
from core.mail import gateway
from core.use_case import unscoped

log = logging.getLogger("huntaze.mail")
LEASE = timedelta(minutes=2)
TRIES = 8
SENT = "(sent)"


class Mail(Base):
    """A letter that waits, was sent, or was given up. Once sent, its body is emptied: links in it let people in."""

    __tablename__ = "mail_outbox"
    __table_args__ = (
        Index("mail_outbox_open_idx", "next_at", postgresql_where=text("sent_at IS NULL AND failed_at IS NULL")),
    )

    id: Mapped[UUID] = new_id()
    to_address: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str] = mapped_column(comment="Holds links that let somebody in: emptied once sent")
    created_at: Mapped[datetime] = stamped()
    next_at: Mapped[datetime] = stamped()
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class _Letter:
    id: UUID
    to_address: str
    subject: str
    body: str
    attempts: int


def post(session: Session, to_address: str, kind: str, subject: str, body: str) -> None:
    """Room: have a letter sent if, and only if, the caller's transaction commits. Plain text."""
    session.add(Mail(to_address=to_address, kind=kind, subject=subject, body=body))


def send_one() -> bool:
    """Send the oldest letter that is due. False when there was none."""
    letter = _claim()
    if letter is None:
        return False
    try:
        gateway.send(gateway.Letter(str(letter.id), letter.to_address, letter.subject, letter.body))
    except Refusal as refusal:
        _put_back(letter, refusal.code)
    except Exception as crash:
        log.exception("a letter could not be handed over")
        _put_back(letter, type(crash).__name__)
    else:
        _mark_sent(letter)
    return True


@unscoped("letters are sent for everybody")
def _claim(session: Session) -> _Letter | None:
    due = (
        select(Mail.id)
        .where(
            Mail.sent_at.is_(None),
            Mail.failed_at.is_(None),
            Mail.next_at <= func.now(),
            (Mail.lease_until.is_(None)) | (Mail.lease_until < func.now()),
        )
        .order_by(Mail.next_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    mail = session.scalars(
        update(Mail)
        .where(Mail.id == due)
        .values(lease_until=func.now() + LEASE, attempts=Mail.attempts + 1)
        .returning(Mail)
    ).one_or_none()
    return _Letter(mail.id, mail.to_address, mail.subject, mail.body, mail.attempts) if mail else None


@unscoped("only the letter in hand changes")
def _mark_sent(session: Session, letter: _Letter) -> None:
    session.execute(update(Mail).where(Mail.id == letter.id).values(sent_at=func.now(), body=SENT, last_error=None))


@unscoped("only the letter in hand changes")
def _put_back(session: Session, letter: _Letter, reason: str) -> None:
    given_up = letter.attempts >= TRIES
    session.execute(
        update(Mail)
        .where(Mail.id == letter.id)
        .values(
            last_error=reason,
            lease_until=None,
            next_at=func.now() + timedelta(seconds=min(3600, 15 * 2**letter.attempts)),
            failed_at=func.now() if given_up else None,
        )
    )
