"""What a creator was paid: the ledger, what each import saw of it, and the sums kept beside it.

Every key carries the workspace, and nothing here relies on triggers, so that the tables can be spread over several
servers by workspace. Amounts are minor units of the row's currency.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from core.db import Base, new_id, stamped


class _Owned:
    """A row of one workspace, gone with it."""

    @declared_attr
    @classmethod
    def workspace_id(cls) -> Mapped[UUID]:
        return mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True, sort_order=-1)


class Import(_Owned, Base):
    """One file brought in: by whom, when, and what came of it. `number` counts within the workspace."""

    __tablename__ = "imports"
    __table_args__ = (UniqueConstraint("workspace_id", "number"),)

    id: Mapped[UUID] = new_id()
    number: Mapped[int]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    platform: Mapped[str]
    filename: Mapped[str]
    sha256: Mapped[bytes]
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB)
    rows: Mapped[int]
    new_rows: Mapped[int]
    changed_rows: Mapped[int]
    unchanged_rows: Mapped[int]
    rejected_rows: Mapped[int]
    blank_rows: Mapped[int]
    unknown_rows: Mapped[int]
    created_at: Mapped[datetime] = stamped()
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class ColumnChoice(_Owned, Base):
    """How a person last had files with these columns read."""

    __tablename__ = "column_mappings"

    signature: Mapped[str] = mapped_column(primary_key=True)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB)
    updated_at: Mapped[datetime] = stamped()


class Fan(_Owned, Base):
    """Somebody who paid. `identity` is `id:…`, `@handle` or `name:…`, the best that the statements gave."""

    __tablename__ = "fans"
    __table_args__ = (UniqueConstraint("workspace_id", "platform", "identity"),)

    id: Mapped[UUID] = new_id()
    platform: Mapped[str]
    identity: Mapped[str]
    handle: Mapped[str | None]
    name: Mapped[str | None]
    created_at: Mapped[datetime] = stamped()


class Transaction(_Owned, Base):
    """One payment or reversal, as the latest import that holds it says.

    `net_minor` is gross − fee where both are known; `stated_net_minor` is set where the platform states another net.
    `stated_day` is set where the platform gives no time: the row is then of that day in every zone.
    """

    __tablename__ = "transactions"
    __table_args__ = (
        UniqueConstraint("workspace_id", "platform", "fingerprint"),
        ForeignKeyConstraint(["workspace_id", "fan_id"], ["fans.workspace_id", "fans.id"]),
        CheckConstraint("status IN ('done', 'loading', 'undo', 'pending_return')", name="status"),
        CheckConstraint("gross_minor IS NOT NULL OR net_minor IS NOT NULL", name="amount"),
        CheckConstraint(
            "(fee_minor IS NULL) = (gross_minor IS NULL OR net_minor IS NULL) "
            "AND (fee_minor IS NULL OR net_minor = gross_minor - fee_minor)",
            name="net",
        ),
        Index("transactions_workspace_id_occurred_at_idx", "workspace_id", "occurred_at"),
        Index("transactions_workspace_id_fan_id_idx", "workspace_id", "fan_id", "occurred_at"),
    )

    id: Mapped[UUID] = new_id()
    platform: Mapped[str]
    fingerprint: Mapped[bytes]
    provider_id: Mapped[str | None]
    occurred_at: Mapped[datetime]
    stated_day: Mapped[date | None]
    kind: Mapped[str]
    status: Mapped[str]
    gross_minor: Mapped[int | None]
    fee_minor: Mapped[int | None]
    net_minor: Mapped[int | None]
    stated_net_minor: Mapped[int | None]
    currency: Mapped[str]
    fan_id: Mapped[UUID | None]
    description: Mapped[str]
    post_id: Mapped[str | None]


class Sighting(_Owned, Base):
    """A transaction seen in an import: its row there, and what it was before where that import changed it.

    A transaction lives as long as one import that saw it. The chain of sightings is also the history of its status.
    """

    __tablename__ = "sightings"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "transaction_id"], ["transactions.workspace_id", "transactions.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["workspace_id", "import_number"], ["imports.workspace_id", "imports.number"], ondelete="CASCADE"
        ),
        Index("sightings_workspace_id_import_number_idx", "workspace_id", "import_number"),
        Index("sightings_changed_idx", "workspace_id", "transaction_id", postgresql_where=text("previous IS NOT NULL")),
    )

    transaction_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_number: Mapped[int] = mapped_column(primary_key=True)
    source_row: Mapped[int]
    previous: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class _Sums:
    """What `core.earnings.rollups.measures` makes of each transaction, summed. Unknown amounts are counted apart."""

    currency: Mapped[str] = mapped_column(primary_key=True)
    gross_minor: Mapped[int]
    fee_minor: Mapped[int]
    refunds_minor: Mapped[int]
    chargebacks_minor: Mapped[int]
    net_minor: Mapped[int]
    pending_minor: Mapped[int]
    gross_unknown: Mapped[int]
    net_unknown: Mapped[int]
    transactions: Mapped[int]


class DailyRevenue(_Owned, _Sums, Base):
    """Sums of a day in the workspace's time zone."""

    __tablename__ = "daily_revenue"

    day: Mapped[date] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)


class FanTotal(_Owned, _Sums, Base):
    """Sums of a fan, over all time."""

    __tablename__ = "fan_totals"
    __table_args__ = (
        ForeignKeyConstraint(["workspace_id", "fan_id"], ["fans.workspace_id", "fans.id"], ondelete="CASCADE"),
    )

    fan_id: Mapped[UUID] = mapped_column(primary_key=True)


class RevenueCalendar(_Owned, Base):
    """The time zone in whose days `daily_revenue` is kept; where it is not the workspace's, the days are recounted."""

    __tablename__ = "revenue_calendars"

    time_zone: Mapped[str]
