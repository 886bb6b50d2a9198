"""People and how they come in. No tenant owns these rows: one person may work in many accounts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
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
    email_verified_at: Mapped[datetime | None]
    avatar_url: Mapped[str | None]
    erase_after: Mapped[datetime | None]


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
    remembered: Mapped[bool] = mapped_column(server_default=text("false"))
    address: Mapped[str] = mapped_column(server_default="")
    agent: Mapped[str] = mapped_column(server_default="")
    proved_at: Mapped[datetime] = stamped()
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


class EmailToken(Base):
    """A link sent by mail, good once. Only the SHA-256 of its token is kept."""

    __tablename__ = "email_tokens"
    __table_args__ = (CheckConstraint("purpose IN ('verify', 'reset', 'change_email', 'restore')", name="purpose"),)

    id: Mapped[UUID] = new_id()
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email: Mapped[str] = mapped_column(comment="The address that the link was sent to")
    created_at: Mapped[datetime] = stamped()
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SecondFactor(Base):
    """A person's TOTP secret (RFC 6238), sealed. It counts once confirmed by a first code."""

    __tablename__ = "second_factors"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = stamped()
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None] = mapped_column(comment="The time step of the last code taken; none is taken twice")


class RecoveryCode(Base):
    """A way in without the second factor, good once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)

    id: Mapped[UUID] = new_id()
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = stamped()
    used_at: Mapped[datetime | None]


class ExternalIdentity(Base):
    """Somebody as another provider knows them: by issuer and subject, never by e-mail."""

    __tablename__ = "external_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[UUID] = new_id()
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    email: Mapped[str | None]
    created_at: Mapped[datetime] = stamped()


class KnownDevice(Base):
    """A browser that this person has signed in with: guessing from elsewhere does not lock it out."""

    __tablename__ = "known_devices"

    id: Mapped[UUID] = new_id()
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = stamped()
    last_seen_at: Mapped[datetime] = stamped()


class RefreshToken(Base):
    """What an API client trades for its next access token; used once, and using it again ends its whole family."""

    __tablename__ = "refresh_tokens"

    jti: Mapped[UUID] = new_id()
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    family: Mapped[UUID] = mapped_column(index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = stamped()
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
