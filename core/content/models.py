"""How a creator sounds, the drafts that were asked for, and the texts that were kept."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.content.kinds import AssetStatus, AssetType, GenerationStatus
from core.db import Base, new_id, stamped

__all__ = [
    "AssetStatus",
    "AssetType",
    "ContentAsset",
    "ContentAssetVersion",
    "Generation",
    "GenerationStatus",
    "ModerationList",
    "ModerationReview",
    "VoiceRecord",
]


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(str(value)) for value in values)})", name=column)


def _words() -> Mapped[list[str]]:
    return mapped_column(ARRAY(Text), server_default=text("'{}'"))


def _workspace() -> Mapped[UUID]:
    return mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)


class VoiceRecord(Base):
    """One creator's voice: one row a workspace."""

    __tablename__ = "voices"

    workspace_id: Mapped[UUID] = _workspace()
    tone: Mapped[str]
    traits: Mapped[list[str]] = _words()
    sample_lines: Mapped[list[str]] = _words()
    words_to_use: Mapped[list[str]] = _words()
    words_to_avoid: Mapped[list[str]] = _words()
    languages: Mapped[list[str]] = _words()
    emojis: Mapped[list[str]] = _words()
    updated_at: Mapped[datetime] = stamped()


class Generation(Base):
    """One draft asked for. `draft` grows while it runs, and holds nothing that was blocked.

    `run` counts how often a worker took it up; only the latest run may write, and only while it is running.
    `reserved_month` is the month whose allowance it holds, NULL for template drafts and once that is given back.
    """

    __tablename__ = "generations"
    __table_args__ = (
        _one_of("status", GenerationStatus),
        CheckConstraint("run >= 0", name="run"),
        Index("generations_user_idx", "workspace_id", "user_id", "created_at"),
    )

    workspace_id: Mapped[UUID] = _workspace()
    id: Mapped[UUID] = new_id()
    account_id: Mapped[UUID] = mapped_column(comment="Who paid for it then")
    user_id: Mapped[UUID]
    brief: Mapped[dict[str, str]] = mapped_column(JSONB)
    task: Mapped[str]
    platform: Mapped[str]
    language: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=GenerationStatus.QUEUED)
    reserved_month: Mapped[date | None]
    run: Mapped[int] = mapped_column(server_default=text("0"))
    draft: Mapped[str] = mapped_column(server_default="")
    prompt_version: Mapped[str | None]
    provider: Mapped[str | None] = mapped_column(comment="NULL for a template draft")
    model: Mapped[str | None]
    tier: Mapped[str | None]
    reason: Mapped[str | None]
    input_tokens: Mapped[int | None]
    cache_read_tokens: Mapped[int | None]
    cache_write_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    reasoning_tokens: Mapped[int | None]
    is_estimated: Mapped[bool] = mapped_column(server_default=text("false"))
    cost_nano_usd: Mapped[int | None] = mapped_column(comment="Of all attempts; NULL when one of them is unknown")
    problem_code: Mapped[str | None]
    problem_facts: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'"))
    created_at: Mapped[datetime] = stamped()
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    put_away_at: Mapped[datetime | None] = mapped_column(comment="Saved or dismissed by the person")
    variants: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="The others that came with the draft"
    )
    note: Mapped[str] = mapped_column(server_default="", comment="What the person wanted otherwise than in the parent")
    parent_id: Mapped[UUID | None] = mapped_column(comment="The draft that this one is written anew from")
    plan_id: Mapped[UUID | None] = mapped_column(comment="What several drafts were asked for together as")
    failed_checks: Mapped[list[str]] = _words()
    wants_large: Mapped[bool] = mapped_column(server_default=text("false"))


class ContentAsset(Base):
    """A text that was kept, in its latest version."""

    __tablename__ = "content_assets"
    __table_args__ = (
        _one_of("type", AssetType),
        _one_of("status", AssetStatus),
        Index("content_assets_updated_at_idx", "workspace_id", "updated_at"),
        Index(
            "content_assets_generation_key",
            "workspace_id",
            "generation_id",
            unique=True,
            postgresql_where=text("generation_id IS NOT NULL"),
        ),
    )

    workspace_id: Mapped[UUID] = _workspace()
    id: Mapped[UUID] = new_id()
    type: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    category: Mapped[str] = mapped_column(server_default="")
    tags: Mapped[list[str]] = _words()
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default=text("'{}'"))
    status: Mapped[str] = mapped_column(server_default=AssetStatus.DRAFT)
    archived_from: Mapped[str | None] = mapped_column(comment="The status to go back to")
    platform: Mapped[str]
    language: Mapped[str]
    generation_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = stamped()
    updated_at: Mapped[datetime] = stamped()
    picture: Mapped[str] = mapped_column(server_default="", comment="What the picture or video shows, in words")
    scheduled_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    asked_review_by: Mapped[UUID | None]
    authorship: Mapped[str | None] = mapped_column(comment="person, ai or ai_edited")
    shows_nobody: Mapped[bool] = mapped_column(server_default=text("false"))


class ContentAssetVersion(Base):
    """A text as it was saved each time, the latest included."""

    __tablename__ = "content_asset_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "asset_id"], ["content_assets.workspace_id", "content_assets.id"], ondelete="CASCADE"
        ),
    )

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str]
    saved_by: Mapped[UUID]
    saved_at: Mapped[datetime] = stamped()


class ModerationList(Base):
    """A workspace's own terms beside those that come with the product: each change is a version."""

    __tablename__ = "moderation_lists"

    workspace_id: Mapped[UUID] = _workspace()
    version: Mapped[int] = mapped_column(primary_key=True)
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB)
    note: Mapped[str] = mapped_column(server_default="")
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = stamped()


class ModerationReview(Base):
    """A text that a person must look at, what was found in it, and what they decided."""

    __tablename__ = "moderation_reviews"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'allowed', 'stopped')", name="status"),
        CheckConstraint("direction IN ('out', 'in')", name="direction"),
        Index("moderation_reviews_status_idx", "workspace_id", "status", "created_at"),
    )

    workspace_id: Mapped[UUID] = _workspace()
    id: Mapped[UUID] = new_id()
    direction: Mapped[str] = mapped_column(server_default="out")
    subject_kind: Mapped[str] = mapped_column(comment="draft, asset, message, campaign or pasted")
    subject_id: Mapped[UUID | None]
    platform: Mapped[str | None]
    body: Mapped[str]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    rules_version: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="open")
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = stamped()
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(server_default="")
