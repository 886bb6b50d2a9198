"""Billing: the inbox of Stripe's events, what to ask Stripe about, and what it said"""

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import AMONG, IN_ACCOUNT, keep_within_account

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

IN_SCOPE = "id = " + AMONG.format("workspace_ids")
COUNTING = "current_setting('app.counting', true) = 'on'"


def upgrade() -> None:
    _inbox()
    _facts()
    _intents()
    keep_within_account("subscriptions", "subscription_changes", "billing_intents")
    # A plan limits an account's creators: counting them, and nothing else, looks past the workspaces in scope.
    op.execute(f"ALTER POLICY tenant ON workspaces USING ({IN_SCOPE} OR ({IN_ACCOUNT} AND {COUNTING}))")


def _text(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=nullable, comment=comment)


def _at(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _count(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False)


def _account(table: str) -> tuple[sa.Column[object], sa.ForeignKeyConstraint]:
    return (
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f(f"{table}_account_id_fkey"), ondelete="CASCADE"
        ),
    )


def _inbox() -> None:
    op.create_table(
        "stripe_events",
        _text("id"),
        _text("dedupe", comment="The snapshot event's id: its thin twin names it too, and the two are one event"),
        _text("type"),
        _text("api_version", nullable=True),
        _instant("created", nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        _text("sync_key", nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        _at("received_at"),
        _instant("processed_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("stripe_events_pkey")),
        sa.UniqueConstraint("dedupe", name=op.f("stripe_events_dedupe_key")),
    )
    op.create_index(
        "stripe_events_waiting_idx", "stripe_events", ["sync_key"], postgresql_where=sa.text("processed_at IS NULL")
    )
    op.create_index("stripe_events_received_at_idx", "stripe_events", ["received_at"])
    op.create_table(
        "stripe_sync",
        _text("key"),
        _count("dirty"),
        _count("synced"),
        sa.Column("lease", sa.Uuid()),
        _instant("lease_until"),
        _count("attempts"),
        _at("next_at"),
        _text("last_error", nullable=True),
        _instant("dead_at"),
        sa.CheckConstraint("synced <= dirty", name=op.f("stripe_sync_synced_check")),
        sa.PrimaryKeyConstraint("key", name=op.f("stripe_sync_pkey")),
    )
    op.create_index(
        "stripe_sync_due_idx",
        "stripe_sync",
        ["next_at"],
        postgresql_where=sa.text("dirty > synced AND dead_at IS NULL"),
    )
    op.create_table(
        "stripe_customers",
        _text("stripe_id"),
        *_account("stripe_customers"),
        _at("created_at"),
        _at("ask_at"),
        sa.PrimaryKeyConstraint("stripe_id", name=op.f("stripe_customers_pkey")),
        sa.UniqueConstraint("account_id", name=op.f("stripe_customers_account_id_key")),
    )
    op.create_index("stripe_customers_ask_at_idx", "stripe_customers", ["ask_at"])
    op.create_table(
        "stripe_sweeps",
        _text("key"),
        _instant("next_at", nullable=False),
        _instant("swept_until"),
        sa.PrimaryKeyConstraint("key", name=op.f("stripe_sweeps_pkey")),
    )


def _facts() -> None:
    op.create_table(
        "subscriptions",
        *_account("subscriptions"),
        _text("stripe_id"),
        _text("customer_id"),
        _text("status"),
        _text("lookup_key", nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        _instant("created", nullable=False),
        _instant("current_period_start", nullable=False),
        _instant("current_period_end", nullable=False),
        _instant("unpaid_since"),
        _instant("trial_end"),
        _instant("cancel_at"),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        _text("price_id", nullable=True),
        _at("fetched_at"),
        sa.CheckConstraint("quantity >= 0", name=op.f("subscriptions_quantity_check")),
        sa.PrimaryKeyConstraint("account_id", "stripe_id", name=op.f("subscriptions_pkey")),
    )
    op.create_table(
        "subscription_changes",
        *_account("subscription_changes"),
        _id(),
        _text("stripe_id"),
        _text("status"),
        _text("lookup_key", nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        _instant("current_period_end", nullable=False),
        _instant("trial_end"),
        _instant("cancel_at"),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        _at("noticed_at"),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("subscription_changes_pkey")),
    )
    op.create_index("subscription_changes_stripe_id_idx", "subscription_changes", ["account_id", "stripe_id", "id"])


def _intents() -> None:
    op.create_table(
        "billing_intents",
        *_account("billing_intents"),
        _id(),
        _text("kind"),
        _text("params_hash"),
        _text("stripe_id", nullable=True),
        _text("url", nullable=True),
        _at("created_at"),
        _instant("expires_at", nullable=False),
        _instant("closed_at"),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("billing_intents_pkey")),
    )
    op.create_index(
        "billing_intents_open_key",
        "billing_intents",
        ["account_id", "kind"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def downgrade() -> None:
    op.execute(f"ALTER POLICY tenant ON workspaces USING ({IN_SCOPE})")
    for table in (
        "billing_intents",
        "subscription_changes",
        "subscriptions",
        "stripe_sweeps",
        "stripe_customers",
        "stripe_sync",
        "stripe_events",
    ):
        op.drop_table(table)
