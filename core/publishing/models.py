"""Who approved a text, for when it is planned, and that everybody shown in it agreed."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id, stamped


def _workspace() -> Mapped[UUID]:
    return mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)


def _asset() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["workspace_id", "asset_id"], ["content_assets.workspace_id", "content_assets.id"], ondelete="CASCADE"
    )


class AssetDecision(Base):
    """What somebody decided about one version of a text: a member, or a client by a signed link."""

    __tablename__ = "asset_decisions"
    __table_args__ = (
        _asset(),
        CheckConstraint("decision IN ('approved', 'changes_asked')", name="decision"),
        CheckConstraint("num_nonnulls(user_id, link_id) = 1", name="by"),
        Index("asset_decisions_asset_id_idx", "workspace_id", "asset_id", "version"),
    )

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = new_id()
    asset_id: Mapped[UUID]
    version: Mapped[int]
    decision: Mapped[str]
    user_id: Mapped[UUID | None]
    link_id: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[datetime] = stamped()


class ApprovalLink(Base):
    """A link by which somebody without an account decides about one version of a text. Its secret is kept hashed."""

    __tablename__ = "approval_links"
    __table_args__ = (_asset(),)

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = new_id()
    asset_id: Mapped[UUID]
    version: Mapped[int]
    client_name: Mapped[str]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = stamped()
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApprovalRule(Base):
    """How many must approve a text in a workspace before it can be scheduled, and whether its author counts."""

    __tablename__ = "approval_rules"
    __table_args__ = (CheckConstraint("approvals BETWEEN 0 AND 5", name="approvals"),)

    workspace_id: Mapped[UUID] = _workspace()
    approvals: Mapped[int] = mapped_column(server_default=text("1"))
    author_may_approve: Mapped[bool] = mapped_column(server_default=text("true"))
    updated_by: Mapped[UUID]
    updated_at: Mapped[datetime] = stamped()


class Performer(Base):
    """Somebody who is shown in what the creator publishes."""

    __tablename__ = "performers"
    __table_args__ = (
        Index("performers_is_creator_key", "workspace_id", unique=True, postgresql_where=text("is_creator")),
    )

    workspace_id: Mapped[UUID] = _workspace()
    id: Mapped[UUID] = new_id()
    name: Mapped[str]
    is_creator: Mapped[bool] = mapped_column(server_default=text("false"))
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = stamped()


class PerformerDocument(Base):
    """That a document of a performer was seen: never the document, only its kind, its dates and its hash."""

    __tablename__ = "performer_documents"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "performer_id"], ["performers.workspace_id", "performers.id"], ondelete="CASCADE"
        ),
        CheckConstraint("kind IN ('identity', 'age', 'release')", name="kind"),
    )

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = new_id()
    performer_id: Mapped[UUID]
    kind: Mapped[str]
    verified_on: Mapped[date]
    expires_on: Mapped[date | None]
    sha256: Mapped[bytes | None]
    verified_by: Mapped[UUID]
    created_at: Mapped[datetime] = stamped()
    withdrawn_at: Mapped[datetime | None]


class AssetPerformer(Base):
    """Who is shown in what goes with a text."""

    __tablename__ = "asset_performers"
    __table_args__ = (
        _asset(),
        ForeignKeyConstraint(
            ["workspace_id", "performer_id"], ["performers.workspace_id", "performers.id"], ondelete="CASCADE"
        ),
    )

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(primary_key=True)
    performer_id: Mapped[UUID] = mapped_column(primary_key=True)
