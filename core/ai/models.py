"""What calls to models were made and cost, and how much of each account's allowance is used."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
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
