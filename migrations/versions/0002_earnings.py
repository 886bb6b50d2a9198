"""Earnings: the ledger, what each import saw of it, and the sums kept beside it"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import keep_within_workspace

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "imports",
    "column_mappings",
    "fans",
    "transactions",
    "sightings",
    "daily_revenue",
    "fan_totals",
    "revenue_calendars",
)


def upgrade() -> None:
    _imports()
    _ledger()
    _sums()
    keep_within_workspace(*TABLES)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False)


def _uuid(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _count(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _at(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def _workspace(table: str) -> tuple[sa.Column[object], sa.ForeignKeyConstraint]:
    return _uuid("workspace_id"), sa.ForeignKeyConstraint(
        ["workspace_id"], ["workspaces.id"], name=op.f(f"{table}_workspace_id_fkey"), ondelete="CASCADE"
    )


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("workspace_id", *columns, name=op.f(f"{table}_pkey"))


def _person(name: str) -> tuple[sa.Column[object], sa.ForeignKeyConstraint]:
    return _uuid(name, nullable=True), sa.ForeignKeyConstraint(
        [name], ["users.id"], name=op.f(f"imports_{name}_fkey"), ondelete="SET NULL"
    )


def _imports() -> None:
    op.create_table(
        "imports",
        *_workspace("imports"),
        _id(),
        _count("number"),
        *_person("user_id"),
        _text("platform"),
        _text("filename"),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("mapping", postgresql.JSONB(), nullable=False),
        _count("rows"),
        _count("new_rows"),
        _count("changed_rows"),
        _count("unchanged_rows"),
        _count("rejected_rows"),
        _count("blank_rows"),
        _count("unknown_rows"),
        _at("created_at"),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        *_person("undone_by"),
        _key("imports", "id"),
        sa.UniqueConstraint("workspace_id", "number", name=op.f("imports_workspace_id_number_key")),
    )
    op.create_table(
        "column_mappings",
        *_workspace("column_mappings"),
        _text("signature"),
        sa.Column("mapping", postgresql.JSONB(), nullable=False),
        _at("updated_at"),
        _key("column_mappings", "signature"),
    )


def _ledger() -> None:
    op.create_table(
        "fans",
        *_workspace("fans"),
        _id(),
        _text("platform"),
        _text("identity"),
        _text("handle", nullable=True),
        _text("name", nullable=True),
        _at("created_at"),
        _key("fans", "id"),
        sa.UniqueConstraint(
            "workspace_id", "platform", "identity", name=op.f("fans_workspace_id_platform_identity_key")
        ),
    )
    op.create_table(
        "transactions",
        *_workspace("transactions"),
        _id(),
        _text("platform"),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        _text("provider_id", nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stated_day", sa.Date()),
        _text("kind"),
        _text("status"),
        _count("gross_minor", nullable=True),
        _count("fee_minor", nullable=True),
        _count("net_minor", nullable=True),
        _count("stated_net_minor", nullable=True),
        _text("currency"),
        _uuid("fan_id", nullable=True),
        _text("description"),
        _text("post_id", nullable=True),
        _key("transactions", "id"),
        sa.UniqueConstraint(
            "workspace_id", "platform", "fingerprint", name=op.f("transactions_workspace_id_platform_fingerprint_key")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "fan_id"],
            ["fans.workspace_id", "fans.id"],
            name=op.f("transactions_workspace_id_fan_id_fkey"),
        ),
        sa.CheckConstraint(
            "status IN ('done', 'loading', 'undo', 'pending_return')", name=op.f("transactions_status_check")
        ),
        sa.CheckConstraint("gross_minor IS NOT NULL OR net_minor IS NOT NULL", name=op.f("transactions_amount_check")),
        sa.CheckConstraint(
            "(fee_minor IS NULL) = (gross_minor IS NULL OR net_minor IS NULL) "
            "AND (fee_minor IS NULL OR net_minor = gross_minor - fee_minor)",
            name=op.f("transactions_net_check"),
        ),
    )
    op.create_index("transactions_workspace_id_occurred_at_idx", "transactions", ["workspace_id", "occurred_at"])
    op.create_index("transactions_workspace_id_fan_id_idx", "transactions", ["workspace_id", "fan_id", "occurred_at"])
    _sightings()


def _sightings() -> None:
    op.create_table(
        "sightings",
        *_workspace("sightings"),
        _uuid("transaction_id"),
        _count("import_number"),
        _count("source_row"),
        sa.Column("previous", postgresql.JSONB()),
        _key("sightings", "transaction_id", "import_number"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "transaction_id"],
            ["transactions.workspace_id", "transactions.id"],
            name=op.f("sightings_workspace_id_transaction_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "import_number"],
            ["imports.workspace_id", "imports.number"],
            name=op.f("sightings_workspace_id_import_number_fkey"),
            ondelete="CASCADE",
        ),
    )
    op.create_index("sightings_workspace_id_import_number_idx", "sightings", ["workspace_id", "import_number"])
    op.create_index(
        "sightings_changed_idx",
        "sightings",
        ["workspace_id", "transaction_id"],
        postgresql_where=sa.text("previous IS NOT NULL"),
    )


def _summed() -> tuple[sa.Column[object], ...]:
    return (
        _text("currency"),
        _count("gross_minor"),
        _count("fee_minor"),
        _count("refunds_minor"),
        _count("chargebacks_minor"),
        _count("net_minor"),
        _count("pending_minor"),
        _count("gross_unknown"),
        _count("net_unknown"),
        _count("transactions"),
    )


def _sums() -> None:
    op.create_table(
        "daily_revenue",
        *_workspace("daily_revenue"),
        sa.Column("day", sa.Date(), nullable=False),
        _text("platform"),
        _text("kind"),
        *_summed(),
        _key("daily_revenue", "day", "platform", "kind", "currency"),
    )
    op.create_table(
        "fan_totals",
        *_workspace("fan_totals"),
        _uuid("fan_id"),
        *_summed(),
        _key("fan_totals", "fan_id", "currency"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "fan_id"],
            ["fans.workspace_id", "fans.id"],
            name=op.f("fan_totals_workspace_id_fan_id_fkey"),
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "revenue_calendars", *_workspace("revenue_calendars"), _text("time_zone"), _key("revenue_calendars")
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
