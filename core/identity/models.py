"""People and how they come in. No tenant owns these rows: one person may work in many accounts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id, stamped


class User(Base):
    """A person. The e-mail is unique among the living, so that a deleted user's address is free again."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_email_key", text("lower(email)"), unique=True, postgresql_where=text("deleted_at IS NULL")),
        CheckConstraint("time_zone <> ''", name="time_zone"),
    )

    id: Mapped[UUID] = new_id()
    email: Mapped[str]
    display_name: Mapped[str]
    password_hash: Mapped[str | None] = mapped_column(comment="argon2id, or NULL for an external identity")
    language: Mapped[str] = mapped_column(server_default="en")
    time_zone: Mapped[str] = mapped_column(server_default="UTC")
    is_staff: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = stamped()
    disabled_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class WebSession(Base):
    """One signed-in browser. Only the SHA-256 of the cookie's token is kept."""

    __tablename__ = "web_sessions"

    id: Mapped[UUID] = new_id()
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = stamped()
    last_seen_at: Mapped[datetime] = stamped()
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    chosen: Mapped[UUID | None] = mapped_column(comment="The creator last looked at here; a wish, not a right")


class SignInAttempt(Base):
    """Failed sign-ins, kept for an hour, to slow down guessing by account and by address."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        Index("sign_in_attempts_email_hash_at_idx", "email_hash", "at"),
        Index("sign_in_attempts_address_at_idx", "address", "at"),
    )

    id: Mapped[UUID] = new_id()
    email_hash: Mapped[bytes] = mapped_column(LargeBinary)
    address: Mapped[str]
    at: Mapped[datetime] = stamped()
