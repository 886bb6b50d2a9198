"""What models are asked and may cost, several texts of a draft, and each workspace's own rules"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.columns import at, instant, new_id, of
from migrations.tenancy import keep_within_account, keep_within_workspace

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OF_ACCOUNT = ("ai_budgets", "ai_reservations", "ai_spending")
OF_WORKSPACE = ("ai_requests", "ai_routes", "moderation_lists", "moderation_reviews")
COLUMNS = (
    ("ai_attempts", "purpose"),
    ("ai_attempts", "tier"),
    ("content_assets", "picture"),
    ("content_assets", "scheduled_at"),
    ("content_assets", "published_at"),
    ("content_assets", "asked_review_by"),
    ("content_assets", "authorship"),
    ("content_assets", "shows_nobody"),
    ("generations", "variants"),
    ("generations", "note"),
    ("generations", "parent_id"),
    ("generations", "plan_id"),
    ("generations", "failed_checks"),
    ("generations", "wants_large"),
)
TYPES = "type IN ('post', 'story', 'video', 'image', 'caption'{})"


def upgrade() -> None:
    _budgets()
    _requests()
    _drafts()
    _moderation()
    _types(", 'ideas', 'hashtags'")
    keep_within_account(*OF_ACCOUNT)
    keep_within_workspace(*OF_WORKSPACE)


def downgrade() -> None:
    # else the rows of every tenant are out of view
    op.execute("ALTER TABLE content_assets NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE content_assets SET type = 'post' WHERE type IN ('ideas', 'hashtags')")
    op.execute("ALTER TABLE content_assets FORCE ROW LEVEL SECURITY")
    _types("")
    for table, column in COLUMNS:
        op.drop_column(table, column)
    for table in (*reversed(OF_WORKSPACE), *OF_ACCOUNT):
        op.drop_table(table)


def _types(more: str) -> None:
    op.drop_constraint(op.f("content_assets_type_check"), "content_assets")
    op.create_check_constraint(op.f("content_assets_type_check"), "content_assets", TYPES.format(more))


def _budgets() -> None:
    op.create_table(
        "ai_budgets",
        of("account_id"),
        sa.Column("monthly_nano", sa.BigInteger(), nullable=True),
        sa.Column("shadow_per_mille", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("shadow_monthly_nano", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        at("updated_at"),
        sa.CheckConstraint("monthly_nano >= 0 AND shadow_monthly_nano >= 0", name=op.f("ai_budgets_nano_check")),
        sa.CheckConstraint("shadow_per_mille BETWEEN 0 AND 20", name=op.f("ai_budgets_shadow_check")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("ai_budgets_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("ai_budgets_pkey")),
    )
    op.create_table(
        "ai_reservations",
        of("account_id"),
        new_id(),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("nano", sa.BigInteger(), nullable=False),
        instant("until", required=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("ai_reservations_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("ai_reservations_pkey")),
    )
    op.create_table(
        "ai_spending",
        of("account_id"),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False, comment="work or shadow"),
        sa.Column("reserved_nano", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("spent_nano", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("reserved_nano >= 0 AND spent_nano >= 0", name=op.f("ai_spending_nano_check")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("ai_spending_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "month", "purpose", name=op.f("ai_spending_pkey")),
    )


def _requests() -> None:
    op.create_table(
        "ai_requests",
        of("workspace_id"),
        of("id"),
        of("account_id"),
        of("user_id", required=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("prompt_version", sa.String(), nullable=True),
        sa.Column("baseline_model", sa.String(), nullable=True),
        sa.Column("baseline_low_nano", sa.BigInteger(), nullable=True),
        sa.Column("baseline_high_nano", sa.BigInteger(), nullable=True),
        sa.Column("failed_checks", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("was_repaired", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("was_escalated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("characters", sa.BigInteger(), nullable=True, comment="Of what the model wrote"),
        sa.Column("edited_characters", sa.BigInteger(), nullable=True, comment="Changed before it was kept or sent"),
        at("created_at"),
        sa.CheckConstraint("outcome IN ('unedited', 'edited', 'dismissed')", name=op.f("ai_requests_outcome_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("ai_requests_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("ai_requests_pkey")),
    )
    op.create_index("ai_requests_created_at_idx", "ai_requests", ["workspace_id", "created_at"], unique=False)
    op.create_table(
        "ai_routes",
        of("workspace_id"),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        of("updated_by"),
        at("updated_at"),
        sa.CheckConstraint("tier IN ('small', 'large')", name=op.f("ai_routes_tier_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("ai_routes_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "task", name=op.f("ai_routes_pkey")),
    )
    op.add_column(
        "ai_attempts",
        sa.Column(
            "purpose",
            sa.String(),
            server_default="draft",
            nullable=False,
            comment="draft, repair, escalation, shadow or moderation",
        ),
    )
    op.add_column("ai_attempts", sa.Column("tier", sa.String(), nullable=True))


def _drafts() -> None:
    op.add_column(
        "content_assets",
        sa.Column(
            "picture",
            sa.String(),
            server_default="",
            nullable=False,
            comment="What the picture or video shows, in words",
        ),
    )
    op.add_column("content_assets", instant("scheduled_at"))
    op.add_column("content_assets", instant("published_at"))
    op.add_column("content_assets", of("asked_review_by", required=False))
    op.add_column(
        "content_assets", sa.Column("authorship", sa.String(), nullable=True, comment="person, ai or ai_edited")
    )
    op.add_column(
        "content_assets", sa.Column("shows_nobody", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "generations",
        sa.Column(
            "variants",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="The others that came with the draft",
        ),
    )
    op.add_column(
        "generations",
        sa.Column(
            "note",
            sa.String(),
            server_default="",
            nullable=False,
            comment="What the person wanted otherwise than in the parent",
        ),
    )
    op.add_column(
        "generations",
        of("parent_id", required=False, comment="The draft that this one is written anew from"),
    )
    op.add_column(
        "generations",
        of("plan_id", required=False, comment="What several drafts were asked for together as"),
    )
    op.add_column(
        "generations",
        sa.Column("failed_checks", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column(
        "generations", sa.Column("wants_large", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )


def _moderation() -> None:
    op.create_table(
        "moderation_lists",
        of("workspace_id"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        of("created_by"),
        at("created_at"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("moderation_lists_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "version", name=op.f("moderation_lists_pkey")),
    )
    op.create_table(
        "moderation_reviews",
        of("workspace_id"),
        new_id(),
        sa.Column("direction", sa.String(), server_default="out", nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False, comment="draft, asset, message, campaign or pasted"),
        of("subject_id", required=False),
        sa.Column("platform", sa.String(), nullable=True),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rules_version", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="open", nullable=False),
        of("created_by", required=False),
        at("created_at"),
        of("decided_by", required=False),
        instant("decided_at"),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.CheckConstraint("direction IN ('out', 'in')", name=op.f("moderation_reviews_direction_check")),
        sa.CheckConstraint("status IN ('open', 'allowed', 'stopped')", name=op.f("moderation_reviews_status_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("moderation_reviews_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("moderation_reviews_pkey")),
    )
    op.create_index(
        "moderation_reviews_status_idx", "moderation_reviews", ["workspace_id", "status", "created_at"], unique=False
    )
