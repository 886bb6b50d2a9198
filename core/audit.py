"""Who did what, through what, on what: written in the transaction of the deed, never changed and never removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Index, insert, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.access import SYSTEM, Permission, Scope
from core.db import Base, new_id, stamped
from core.use_case import use_case

NO_ACCOUNT = SYSTEM
"""Stands for the account of a deed that concerns none, such as signing in."""
PAGE = 100


class AuditEntry(Base):
    """One deed. The app's role may add and read, and nothing else."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("audit_log_user_id_idx", "user_id", "at"),)

    account_id: Mapped[UUID] = mapped_column(primary_key=True, comment="The nil id for a deed that concerns no account")
    id: Mapped[UUID] = new_id()
    workspace_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None] = mapped_column(comment="Who did it; NULL for the product itself")
    session_id: Mapped[UUID | None]
    api_key_id: Mapped[UUID | None]
    deed: Mapped[str] = mapped_column(comment="A sentence of the catalogues: audit.<deed>")
    subject: Mapped[str] = mapped_column(server_default="")
    before: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
    reason: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime] = stamped()


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed as it is shown. `deed` names a sentence `audit.<deed>`, `subject` what it was done to."""

    at: datetime
    user_id: UUID | None
    session_id: UUID | None
    api_key_id: UUID | None
    workspace_id: UUID | None
    deed: str
    subject: str
    before: dict[str, object] | None
    after: dict[str, object] | None
    reason: str


def record(
    session: Session,
    scope: Scope,
    deed: str,
    subject: str = "",
    *,
    account_id: UUID | None = None,
    workspace_id: UUID | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
) -> None:
    """Room: note a deed of the scope's person. Without `account_id` it is that of the one account in view.

    `before` and `after` hold what changed where it is small; never a secret, never a text of a creator's.
    """
    _write(
        session,
        account_id=account_id or scope.account_id,
        workspace_id=workspace_id,
        user_id=None if scope.user_id == SYSTEM else scope.user_id,
        session_id=scope.session_id,
        api_key_id=scope.api_key_id,
        deed=deed,
        subject=subject,
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
        reason=reason,
    )


def record_of_person(
    session: Session,
    user_id: UUID,
    deed: str,
    subject: str = "",
    *,
    session_id: UUID | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Room: note a deed that concerns a person and no account: signing in, a new password, a second factor."""
    _write(
        session,
        account_id=NO_ACCOUNT,
        user_id=user_id,
        session_id=session_id,
        deed=deed,
        subject=subject,
        after=dict(after) if after is not None else None,
    )


def _write(session: Session, **values: object) -> None:
    """Without RETURNING: whoever signs in may write the entry, and has no scope yet that would show it."""
    session.execute(insert(AuditEntry).values(**values).inline())


@use_case(Permission.VIEW_AUDIT)
def entries(session: Session, scope: Scope, *, older_than: datetime | None = None) -> tuple[Entry, ...]:
    """The deeds in the account in view, the newest first, a hundred at a time."""
    return _entries(session, AuditEntry.account_id == scope.account_id, older_than)


@use_case(Permission.OWN_PROFILE)
def own_entries(session: Session, scope: Scope, *, older_than: datetime | None = None) -> tuple[Entry, ...]:
    """What the person themself did, in whatever account, the newest first, a hundred at a time."""
    return _entries(session, AuditEntry.user_id == scope.user_id, older_than)


def _entries(session: Session, which: ColumnElement[bool], older_than: datetime | None) -> tuple[Entry, ...]:
    question = select(AuditEntry).where(which).order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(PAGE)
    if older_than is not None:
        question = question.where(AuditEntry.at < older_than)
    return tuple(
        Entry(
            one.at,
            one.user_id,
            one.session_id,
            one.api_key_id,
            one.workspace_id,
            one.deed,
            one.subject,
            one.before,
            one.after,
            one.reason,
        )
        for one in session.scalars(question)
    )
