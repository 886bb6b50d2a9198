"""What calls to models were made and cost, and how much of each account's allowance is used."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id, stamped


class AiAttempt(Base):
    """One call to one deployment, however it ended. Counts are NULL where nobody can know them, and so is the cost.

    `outcome`: ok, cancelled, skipped (the deployment was resting), lost (the worker died), or an error kind.
    """

    __tablename__ = "ai_attempts"
    __table_args__ = (
        Index("ai_attempts_run_key", "workspace_id", "generation_id", "run", "position", unique=True),
        CheckConstraint("cost_nano_usd >= 0", name="cost"),
    )

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = new_id()
    generation_id: Mapped[UUID]
    run: Mapped[int] = mapped_column(comment="Which time the job was taken up; above 1 after a worker died")
    position: Mapped[int]
    provider: Mapped[str]
    model: Mapped[str]
    served_model: Mapped[str | None]
    outcome: Mapped[str]
    status: Mapped[int | None]
    request_id: Mapped[str | None]
    input_tokens: Mapped[int | None]
    cache_read_tokens: Mapped[int | None]
    cache_write_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    reasoning_tokens: Mapped[int | None]
    is_estimated: Mapped[bool] = mapped_column(server_default=text("false"))
    cost_nano_usd: Mapped[int | None] = mapped_column(comment="Billionths of a US dollar")
    milliseconds: Mapped[int]
    created_at: Mapped[datetime] = stamped()
    purpose: Mapped[str] = mapped_column(
        server_default="draft", comment="draft, repair, escalation, shadow or moderation"
    )
    tier: Mapped[str | None]


class AiRequest(Base):
    """One thing asked of models, by whom and for what, with what its attempts are compared with and what became of it.

    `id` is that of what it was for: a generation, a message campaign. Baselines are what the same request would have
    cost on `baseline_model`, at least and at most, in billionths of a US dollar; NULL where nobody can know.
    """

    __tablename__ = "ai_requests"
    __table_args__ = (
        CheckConstraint("outcome IN ('unedited', 'edited', 'dismissed')", name="outcome"),
        Index("ai_requests_created_at_idx", "workspace_id", "created_at"),
    )

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    user_id: Mapped[UUID | None]
    task: Mapped[str]
    tier: Mapped[str]
    reason: Mapped[str]
    prompt_version: Mapped[str | None]
    baseline_model: Mapped[str | None]
    baseline_low_nano: Mapped[int | None]
    baseline_high_nano: Mapped[int | None]
    failed_checks: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    was_repaired: Mapped[bool] = mapped_column(server_default=text("false"))
    was_escalated: Mapped[bool] = mapped_column(server_default=text("false"))
    outcome: Mapped[str | None]
    characters: Mapped[int | None] = mapped_column(comment="Of what the model wrote")
    edited_characters: Mapped[int | None] = mapped_column(comment="Changed before it was kept or sent")
    created_at: Mapped[datetime] = stamped()


class AiRoute(Base):
    """The tier that a workspace has chosen for a task, in place of the table's."""

    __tablename__ = "ai_routes"
    __table_args__ = (CheckConstraint("tier IN ('small', 'large')", name="tier"),)

    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    tier: Mapped[str]
    updated_by: Mapped[UUID]
    updated_at: Mapped[datetime] = stamped()


class AiBudget(Base):
    """What an account wants to spend on models a month, in billionths of a US dollar; NULL is no limit of its own.

    The shadow sample asks the large model as well for `shadow_per_mille` of the requests, within its own budget.
    """

    __tablename__ = "ai_budgets"
    __table_args__ = (
        CheckConstraint("monthly_nano >= 0 AND shadow_monthly_nano >= 0", name="nano"),
        CheckConstraint("shadow_per_mille BETWEEN 0 AND 20", name="shadow"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    monthly_nano: Mapped[int | None]
    shadow_per_mille: Mapped[int] = mapped_column(server_default=text("0"))
    shadow_monthly_nano: Mapped[int] = mapped_column(server_default=text("0"))
    updated_at: Mapped[datetime] = stamped()


class AiSpending(Base):
    """What an account spent on models in a month (UTC), and what is held back for calls that run."""

    __tablename__ = "ai_spending"
    __table_args__ = (CheckConstraint("reserved_nano >= 0 AND spent_nano >= 0", name="nano"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True, comment="work or shadow")
    reserved_nano: Mapped[int] = mapped_column(server_default=text("0"))
    spent_nano: Mapped[int] = mapped_column(server_default=text("0"))


class AiReservation(Base):
    """Money held back for one call; gone when the call is settled. One whose worker died is released by its `until`."""

    __tablename__ = "ai_reservations"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = new_id()
    month: Mapped[date]
    purpose: Mapped[str]
    nano: Mapped[int]
    until: Mapped[datetime]


class UsageCounter(Base):
    """How much an account has used of something in one month (UTC), reservations included.

    It is the account's own sum, because no session sees all workspaces of an account.
    """

    __tablename__ = "usage_counters"
    __table_args__ = (CheckConstraint("used >= 0", name="used"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    used: Mapped[int] = mapped_column(server_default=text("0"))
