"""Texts for fans: quick replies, campaigns with their templates, and each fan's message until a person has sent it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id, stamped


def _workspace() -> Mapped[UUID]:
    return mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)


class QuickReply(Base):
    """A text with variables, kept to be sent again and again by hand."""

    __tablename__ = "quick_replies"

    workspace_id: Mapped[UUID] = _workspace()
    id: Mapped[UUID] = new_id()
    title: Mapped[str]
    body: Mapped[str]
    category: Mapped[str] = mapped_column(server_default="")
    language: Mapped[str]
    uses: Mapped[int] = mapped_column(server_default=text("0"))
    used_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = stamped()
    updated_at: Mapped[datetime] = stamped()


class MessageCampaign(Base):
    """One occasion to write to a segment of fans: what for, to whom, and the templates that are filled for each."""

    __tablename__ = "message_campaigns"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('greeting', 'upsell', 'ppv_offer', 'reactivation', 'thank_you', 'custom')", name="kind"
        ),
        CheckConstraint("status IN ('drafting', 'ready', 'failed', 'closed')", name="status"),
        Index("message_campaigns_created_at_idx", "workspace_id", "created_at"),
    )

    workspace_id: Mapped[UUID] = _workspace()
    id: Mapped[UUID] = new_id()
    account_id: Mapped[UUID] = mapped_column(comment="Who paid for it then")
    user_id: Mapped[UUID]
    kind: Mapped[str]
    platform: Mapped[str]
    language: Mapped[str]
    brief: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Tone, goal, offer and segment, as asked for")
    templates: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    status: Mapped[str] = mapped_column(server_default="drafting")
    run: Mapped[int] = mapped_column(server_default=text("0"))
    reserved_month: Mapped[date | None]
    provider: Mapped[str | None] = mapped_column(comment="NULL for templates that no model wrote")
    model: Mapped[str | None]
    reason: Mapped[str | None]
    problem_code: Mapped[str | None]
    problem_facts: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'"))
    fans: Mapped[int | None] = mapped_column(comment="In the segment when it was filled")
    skipped: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=text("'{}'"), comment="Fans left out, by why")
    created_at: Mapped[datetime] = stamped()
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]


class Message(Base):
    """One text for one fan, in the queue of a person: nothing is ever sent from here.

    `authorship`: person, ai (as the model's template and the record gave it) or ai_edited; `edited_characters` says
    how much. `text_key` is the SHA-256 of the folded text, so that nobody is given the same text twice.
    """

    __tablename__ = "messages"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "campaign_id"],
            ["message_campaigns.workspace_id", "message_campaigns.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(["workspace_id", "fan_id"], ["fans.workspace_id", "fans.id"], ondelete="CASCADE"),
        CheckConstraint("status IN ('queued', 'approved', 'sent', 'dropped')", name="status"),
        CheckConstraint(
            "authorship IN ('person', 'ai', 'ai_edited', 'template', 'template_edited')", name="authorship"
        ),
        Index("messages_text_key_key", "workspace_id", "fan_id", "text_key", unique=True),
        Index("messages_status_idx", "workspace_id", "status", "created_at"),
        Index("messages_campaign_id_key", "workspace_id", "campaign_id", "fan_id", unique=True),
    )

    workspace_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = new_id()
    campaign_id: Mapped[UUID | None]
    fan_id: Mapped[UUID]
    variant: Mapped[int] = mapped_column(server_default=text("0"))
    body: Mapped[str]
    text_key: Mapped[bytes]
    authorship: Mapped[str]
    edited_characters: Mapped[int] = mapped_column(server_default=text("0"))
    status: Mapped[str] = mapped_column(server_default="queued")
    created_at: Mapped[datetime] = stamped()
    updated_at: Mapped[datetime] = stamped()
    flags: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), comment="What a person should look at before they approve"
    )
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    sent_by: Mapped[UUID | None]
    sent_at: Mapped[datetime | None] = mapped_column(comment="When a person said that they had sent it")


class MessageOptOut(Base):
    """A fan who is not to be written to, by what the statements call them: it outlives the fan's row."""

    __tablename__ = "message_opt_outs"

    workspace_id: Mapped[UUID] = _workspace()
    platform: Mapped[str] = mapped_column(primary_key=True)
    identity: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(server_default="")
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = stamped()


class MessageRule(Base):
    """How a workspace may be written from: quiet hours, how often, and whether facts of fans may leave to a model."""

    __tablename__ = "message_rules"
    __table_args__ = (CheckConstraint("days_between BETWEEN 0 AND 90", name="days"),)

    workspace_id: Mapped[UUID] = _workspace()
    days_between: Mapped[int] = mapped_column(server_default=text("3"))
    fan_facts_may_leave: Mapped[bool] = mapped_column(server_default=text("false"))
    updated_by: Mapped[UUID]
    updated_at: Mapped[datetime] = stamped()
