"""Accounts pay, workspaces hold one creator's data, memberships let people in."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id, stamped


class AccountKind(StrEnum):
    CREATOR = "creator"
    AGENCY = "agency"


class Account(Base):
    """Who pays: a solo creator or an agency."""

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("kind IN ('creator', 'agency')", name="kind"),)

    id: Mapped[UUID] = new_id()
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default=AccountKind.CREATOR)
    goal: Mapped[str | None] = mapped_column(comment="What the person came for, from the first onboarding step")
    created_at: Mapped[datetime] = stamped()


class AccountMember(Base):
    """A person's part in an account; owners manage its plan and its creators."""

    __tablename__ = "account_members"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'member')", name="role"),
        Index("account_members_user_id_idx", "user_id"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str]
    created_at: Mapped[datetime] = stamped()


class Workspace(Base):
    """One creator's data. The tenant: it never changes its id, while the account that pays for it may change."""

    __tablename__ = "workspaces"
    __table_args__ = (Index("workspaces_account_id_idx", "account_id"),)

    id: Mapped[UUID] = new_id()
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    name: Mapped[str]
    time_zone: Mapped[str] = mapped_column(server_default="UTC")
    currency: Mapped[str] = mapped_column(server_default="USD")
    platforms: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    skipped_steps: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    is_demo: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = stamped()


class Membership(Base):
    """A person's role in one workspace."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint("role IN ('creator', 'manager', 'analyst')", name="role"),
        Index("memberships_user_id_idx", "user_id"),
    )

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str]
    created_at: Mapped[datetime] = stamped()


class Invitation(Base):
    """A role offered by mail. Found by its token through `tenant_pointers`, before any scope exists."""

    __tablename__ = "invitations"
    __table_args__ = (CheckConstraint("role IN ('creator', 'manager', 'analyst')", name="role"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = new_id()
    email: Mapped[str]
    role: Mapped[str]
    workspace_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    invited_by: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = stamped()
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiKey(Base):
    """A key of an account for programs. Shown once; only its SHA-256 is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("api_keys_user_id_idx", "user_id"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = new_id()
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = stamped()
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Pack(Base):
    """Data made ready for one person to take along, as one zip. It shows to that person only.

    `content` is NULL while it is being made; what `failed_at` says will not come.
    """

    __tablename__ = "packs"
    __table_args__ = (CheckConstraint("kind IN ('workspace', 'person')", name="kind"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = new_id()
    kind: Mapped[str]
    subject_id: Mapped[UUID] = mapped_column(comment="The workspace or the person whose data it is")
    name: Mapped[str] = mapped_column(comment="What it is called on screens and in files")
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = stamped()
    ready_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class TenantPointer(Base):
    """Where a secret leads: from its SHA-256 to an account and one thing of it. Holds no tenant's data."""

    __tablename__ = "tenant_pointers"
    __table_args__ = (CheckConstraint("kind IN ('api_key', 'invitation', 'approval')", name="kind"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[str]
    account_id: Mapped[UUID]
    object_id: Mapped[UUID]
    created_at: Mapped[datetime] = stamped()


class StaffVisit(Base):
    """Staff in a workspace: who, why, until when, and whether they may change anything there."""

    __tablename__ = "staff_visits"
    __table_args__ = (Index("staff_visits_user_id_idx", "user_id", "expires_at"),)

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = new_id()
    account_id: Mapped[UUID]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    reason: Mapped[str]
    may_write: Mapped[bool] = mapped_column(server_default=text("false"))
    entered_at: Mapped[datetime] = stamped()
    expires_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
