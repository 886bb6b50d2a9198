"""The letters that the product sends. For staff; what they say is shown only where no mail server sends them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.audit import NO_ACCOUNT, record
from core.errors import NotAllowed, NotFound
from core.insights.operations import LATEST, State, stands, state_of
from core.mail import gateway
from core.mail.outbox import SENT, Mail
from core.use_case import use_case


@dataclass(frozen=True, slots=True)
class LetterSeen:
    """A letter without what it says."""

    id: UUID
    to_address: str
    kind: str
    subject: str
    created_at: datetime
    ended_at: datetime | None
    attempts: int
    last_error: str | None
    state: State


@use_case(Permission.SEE_OPERATIONS)
def letters(session: Session, _scope: Scope, *, state: State | None = None) -> tuple[LetterSeen, ...]:
    """The latest letters, the newest first."""
    which = true() if state is None else letter_is(state)
    return tuple(
        LetterSeen(
            one.id,
            one.to_address,
            one.kind,
            one.subject,
            one.created_at,
            one.sent_at or one.failed_at,
            one.attempts,
            one.last_error,
            state_of(one.sent_at, one.failed_at),
        )
        for one in session.scalars(select(Mail).where(which).order_by(Mail.id.desc()).limit(LATEST))
    )


def may_be_read() -> bool:
    """Whether letters may be read here: without a mail server they reach nobody otherwise."""
    return not gateway.is_configured()


def letter(scope: Scope, letter_id: UUID) -> str:
    """What a letter says, where no mail server sends them; on record, since its links let somebody in.

    Raises NotAllowed where a mail server sends letters, NotFound for an unknown one and one whose file is gone.
    """
    scope.require(Permission.SEE_OPERATIONS)
    if not may_be_read():
        raise NotAllowed("staff.letters_closed")
    body = _open_letter(scope, letter_id)
    if body != SENT:
        return body
    try:
        return gateway.kept(str(letter_id))
    except OSError:
        raise NotFound("staff.letter_gone") from None


@use_case(Permission.SEE_OPERATIONS)
def _open_letter(session: Session, scope: Scope, letter_id: UUID) -> str:
    mail = session.get(Mail, letter_id)
    if mail is None:
        raise NotFound("access.not_found")
    record(session, scope, "letter_opened", mail.kind, account_id=NO_ACCOUNT, after={"to": mail.to_address})
    return mail.body


def letter_is(state: State) -> ColumnElement[bool]:
    return stands(state, Mail.sent_at, Mail.failed_at)
