"""What subscriptions hold, invoices, revenue, notices and usage"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.columns import at, instant, new_id
from migrations.tenancy import IN_ACCOUNT, STAFF, keep_within, keep_within_account

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APP_ROLE = "huntaze_app"
SUBSCRIPTION = (
    ("started_at", sa.DateTime(timezone=True)),
    ("ended_at", sa.DateTime(timezone=True)),
    ("cancel_reason", sa.String()),
    ("schedule_id", sa.String()),
    ("next_lookup_key", sa.String()),
    ("next_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    for name in ("items", "discounts"):
        op.add_column("subscriptions", sa.Column(name, postgresql.JSONB(), server_default="[]", nullable=False))
    for name, kind in SUBSCRIPTION:
        op.add_column("subscriptions", sa.Column(name, kind))
    _invoices()
    _revenue()
    _notices()
    _usage()
    _sweeps()
    # staff change subscriptions, and what is asked of Stripe is stored first
    op.execute(
        f"ALTER POLICY tenant ON billing_intents USING ({IN_ACCOUNT} OR {STAFF}) WITH CHECK ({IN_ACCOUNT} OR {STAFF})"
    )
    op.execute(f"ALTER POLICY tenant ON subscription_changes USING ({IN_ACCOUNT} OR {STAFF})")


def _text(name: str, *, required: bool = False, comment: str | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=not required, comment=comment)


def _whole(
    name: str, default: str | None = None, *, required: bool = True, comment: str | None = None
) -> sa.Column[object]:
    return sa.Column(
        name,
        sa.BigInteger(),
        server_default=None if default is None else sa.text(default),
        nullable=not required,
        comment=comment,
    )


def _account(table: str) -> tuple[sa.Column[object], sa.ForeignKeyConstraint]:
    return (
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f(f"{table}_account_id_fkey"), ondelete="CASCADE"
        ),
    )


def _invoices() -> None:
    op.create_table(
        "invoices",
        *_account("invoices"),
        _text("stripe_id", required=True),
        _text("customer_id", required=True),
        _text("subscription_id"),
        _text("number"),
        _text("status", required=True),
        _text("reason", comment="Stripe's billing_reason"),
        _text("currency", required=True),
        _whole("total"),
        _whole("tax", "0"),
        _whole("amount_due"),
        _whole("amount_paid"),
        _whole("amount_remaining"),
        _whole("amount_refunded", "0"),
        _whole("amount_disputed", "0"),
        _text("charge_id", comment="What paid it, and can be refunded"),
        _whole("attempts", "0"),
        instant("created", required=True),
        instant("period_start"),
        instant("period_end"),
        instant("next_attempt_at"),
        instant("failed_at"),
        instant("paid_at"),
        _text("hosted_url"),
        _text("pdf_url"),
        at("fetched_at"),
        sa.PrimaryKeyConstraint("account_id", "stripe_id", name=op.f("invoices_pkey")),
    )
    op.create_index("invoices_created_idx", "invoices", ["account_id", "created"])
    op.create_table(
        "payment_methods",
        *_account("payment_methods"),
        _text("stripe_id", required=True),
        _text("kind", required=True),
        _text("brand"),
        _text("last4"),
        _whole("expires_month", required=False),
        _whole("expires_year", required=False),
        at("fetched_at"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("payment_methods_pkey")),
    )
    for table in ("invoices", "payment_methods"):
        keep_within(table, f"{IN_ACCOUNT} OR {STAFF}", IN_ACCOUNT)


def _revenue() -> None:
    op.create_table(
        "mrr_movements",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        new_id(),
        instant("at", required=True),
        _text("kind", required=True),
        _text("currency", required=True),
        _whole("amount", comment="Signed: what the account's revenue changed by"),
        _whole("mrr", comment="What it is since"),
        _text("lookup_key", comment="The plan since; at a churn the last one"),
        at("noticed_at"),
        sa.CheckConstraint(
            "kind IN ('new', 'expansion', 'contraction', 'churned', 'reactivated')",
            name=op.f("mrr_movements_kind_check"),
        ),
        sa.CheckConstraint("amount <> 0", name=op.f("mrr_movements_amount_check")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("mrr_movements_pkey")),
    )
    op.create_index("mrr_movements_at_idx", "mrr_movements", ["at"])
    op.execute(f"REVOKE UPDATE, DELETE ON mrr_movements FROM {APP_ROLE}")
    keep_within("mrr_movements", f"{IN_ACCOUNT} OR {STAFF}", IN_ACCOUNT)


def _notices() -> None:
    op.create_table(
        "billing_notices",
        *_account("billing_notices"),
        _text("key", required=True, comment="The kind of letter and what caused it"),
        at("created_at"),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("billing_notices_pkey")),
    )
    keep_within_account("billing_notices")


def _usage() -> None:
    op.add_column("stripe_customers", sa.Column("report_at", sa.DateTime(timezone=True)))
    op.create_index(
        "stripe_customers_report_at_idx",
        "stripe_customers",
        ["report_at"],
        postgresql_where=sa.text("report_at IS NOT NULL"),
    )
    op.create_table(
        "usage_meters",
        *_account("usage_meters"),
        sa.Column("month", sa.Date(), nullable=False),
        _whole("baseline", comment="Drafts beyond the allowance before that: nobody pays for them"),
        sa.CheckConstraint("baseline >= 0", name=op.f("usage_meters_baseline_check")),
        sa.PrimaryKeyConstraint("account_id", "month", name=op.f("usage_meters_pkey")),
    )
    keep_within_account("usage_meters")
    op.create_table(
        "usage_reports",
        *_account("usage_reports"),
        new_id(),
        sa.Column("month", sa.Date(), nullable=False),
        _whole("quantity"),
        _text("customer_id", required=True),
        at("made_at"),
        instant("sent_at"),
        _text("last_error"),
        sa.CheckConstraint("quantity > 0", name=op.f("usage_reports_quantity_check")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("usage_reports_pkey")),
    )
    op.create_index(
        "usage_reports_open_idx", "usage_reports", ["account_id", "id"], postgresql_where=sa.text("sent_at IS NULL")
    )
    keep_within("usage_reports", f"{IN_ACCOUNT} OR {STAFF}", IN_ACCOUNT)


def _sweeps() -> None:
    op.create_table(
        "stripe_sweep_reports",
        new_id(),
        instant("began_at", required=True),
        instant("ended_at", required=True),
        _whole("events_listed"),
        _whole("events_missed"),
        _whole("customers_asked"),
        _whole("subscriptions_differing", required=False, comment="NULL when they were not compared"),
        _text("last_error"),
        sa.PrimaryKeyConstraint("id", name=op.f("stripe_sweep_reports_pkey")),
    )


def downgrade() -> None:
    op.execute(f"ALTER POLICY tenant ON subscription_changes USING ({IN_ACCOUNT})")
    op.execute(f"ALTER POLICY tenant ON billing_intents USING ({IN_ACCOUNT}) WITH CHECK ({IN_ACCOUNT})")
    for table in (
        "stripe_sweep_reports",
        "usage_reports",
        "usage_meters",
        "billing_notices",
        "mrr_movements",
        "payment_methods",
        "invoices",
    ):
        op.drop_table(table)
    op.drop_column("stripe_customers", "report_at")
    for name in ("items", "discounts", *(name for name, _ in SUBSCRIPTION)):
        op.drop_column("subscriptions", name)
