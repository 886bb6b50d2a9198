"""What models are asked and may cost, approval and consent, messages, and each workspace's own rules"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import keep_within_account, keep_within_workspace

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OF_ACCOUNT = ("ai_budgets", "ai_reservations", "ai_spending")
OF_WORKSPACE = (
    "ai_requests",
    "ai_routes",
    "moderation_lists",
    "moderation_reviews",
    "approval_rules",
    "performers",
    "approval_links",
    "asset_decisions",
    "asset_performers",
    "performer_documents",
    "message_campaigns",
    "message_rules",
    "quick_replies",
    "message_opt_outs",
    "messages",
)
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
KINDS = "kind IN ('api_key', 'invitation'{})"


def upgrade() -> None:
    _budgets()
    _requests()
    _drafts()
    _moderation()
    _publishing()
    _messages()
    _pointers(", 'approval'")
    _types(", 'ideas', 'hashtags'")
    keep_within_account(*OF_ACCOUNT)
    keep_within_workspace(*OF_WORKSPACE)


def downgrade() -> None:
    op.execute("DELETE FROM tenant_pointers WHERE kind = 'approval'")
    _pointers("")
    op.execute(
        "ALTER TABLE content_assets NO FORCE ROW LEVEL SECURITY"
    )  # else the rows of every tenant are out of view
    op.execute("UPDATE content_assets SET type = 'post' WHERE type IN ('ideas', 'hashtags')")
    op.execute("ALTER TABLE content_assets FORCE ROW LEVEL SECURITY")
    _types("")
    for table, column in COLUMNS:
        op.drop_column(table, column)
    for table in (*reversed(OF_WORKSPACE), *OF_ACCOUNT):
        op.drop_table(table)


def _pointers(more: str) -> None:
    op.drop_constraint(op.f("tenant_pointers_kind_check"), "tenant_pointers")
    op.create_check_constraint(op.f("tenant_pointers_kind_check"), "tenant_pointers", KINDS.format(more))


def _types(more: str) -> None:
    op.drop_constraint(op.f("content_assets_type_check"), "content_assets")
    op.create_check_constraint(op.f("content_assets_type_check"), "content_assets", TYPES.format(more))


def _budgets() -> None:
    op.create_table(
        "ai_budgets",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("monthly_nano", sa.BigInteger(), nullable=True),
        sa.Column("shadow_per_mille", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("shadow_monthly_nano", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("monthly_nano >= 0 AND shadow_monthly_nano >= 0", name=op.f("ai_budgets_nano_check")),
        sa.CheckConstraint("shadow_per_mille BETWEEN 0 AND 20", name=op.f("ai_budgets_shadow_check")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("ai_budgets_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("ai_budgets_pkey")),
    )
    op.create_table(
        "ai_reservations",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("nano", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("ai_reservations_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("ai_reservations_pkey")),
    )
    op.create_table(
        "ai_spending",
        sa.Column("account_id", sa.Uuid(), nullable=False),
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
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
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
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("outcome IN ('unedited', 'edited', 'dismissed')", name=op.f("ai_requests_outcome_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("ai_requests_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("ai_requests_pkey")),
    )
    op.create_index("ai_requests_created_at_idx", "ai_requests", ["workspace_id", "created_at"], unique=False)
    op.create_table(
        "ai_routes",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
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
    op.add_column("content_assets", sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("content_assets", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("content_assets", sa.Column("asked_review_by", sa.Uuid(), nullable=True))
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
        sa.Column("parent_id", sa.Uuid(), nullable=True, comment="The draft that this one is written anew from"),
    )
    op.add_column(
        "generations",
        sa.Column("plan_id", sa.Uuid(), nullable=True, comment="What several drafts were asked for together as"),
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
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("moderation_lists_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "version", name=op.f("moderation_lists_pkey")),
    )
    op.create_table(
        "moderation_reviews",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("direction", sa.String(), server_default="out", nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False, comment="draft, asset, message, campaign or pasted"),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("platform", sa.String(), nullable=True),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rules_version", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="open", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
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


def _publishing() -> None:
    op.create_table(
        "approval_rules",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("approvals", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("author_may_approve", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("approvals BETWEEN 0 AND 5", name=op.f("approval_rules_approvals_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("approval_rules_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("approval_rules_pkey")),
    )
    op.create_table(
        "performers",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("is_creator", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("performers_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("performers_pkey")),
    )
    op.create_index(
        "performers_is_creator_key",
        "performers",
        ["workspace_id"],
        unique=True,
        postgresql_where=sa.text("is_creator"),
    )
    op.create_table(
        "approval_links",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("client_name", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "asset_id"],
            ["content_assets.workspace_id", "content_assets.id"],
            name=op.f("approval_links_workspace_id_asset_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("approval_links_pkey")),
    )
    op.create_table(
        "asset_decisions",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("link_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("decision IN ('approved', 'changes_asked')", name=op.f("asset_decisions_decision_check")),
        sa.CheckConstraint("num_nonnulls(user_id, link_id) = 1", name=op.f("asset_decisions_by_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "asset_id"],
            ["content_assets.workspace_id", "content_assets.id"],
            name=op.f("asset_decisions_workspace_id_asset_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("asset_decisions_pkey")),
    )
    op.create_index(
        "asset_decisions_asset_id_idx", "asset_decisions", ["workspace_id", "asset_id", "version"], unique=False
    )
    op.create_table(
        "asset_performers",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("performer_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "asset_id"],
            ["content_assets.workspace_id", "content_assets.id"],
            name=op.f("asset_performers_workspace_id_asset_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "performer_id"],
            ["performers.workspace_id", "performers.id"],
            name=op.f("asset_performers_workspace_id_performer_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "asset_id", "performer_id", name=op.f("asset_performers_pkey")),
    )
    op.create_table(
        "performer_documents",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("performer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("verified_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("verified_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('identity', 'age', 'release')", name=op.f("performer_documents_kind_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "performer_id"],
            ["performers.workspace_id", "performers.id"],
            name=op.f("performer_documents_workspace_id_performer_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("performer_documents_pkey")),
    )


def _messages() -> None:
    op.create_table(
        "message_campaigns",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False, comment="Who paid for it then"),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column(
            "brief",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Tone, goal, offer and segment, as asked for",
        ),
        sa.Column("templates", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("status", sa.String(), server_default="drafting", nullable=False),
        sa.Column("run", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("reserved_month", sa.Date(), nullable=True),
        sa.Column("provider", sa.String(), nullable=True, comment="NULL for templates that no model wrote"),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("problem_code", sa.String(), nullable=True),
        sa.Column(
            "problem_facts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("fans", sa.BigInteger(), nullable=True, comment="In the segment when it was filled"),
        sa.Column(
            "skipped",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Fans left out, by why",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('greeting', 'upsell', 'ppv_offer', 'reactivation', 'thank_you', 'custom')",
            name=op.f("message_campaigns_kind_check"),
        ),
        sa.CheckConstraint(
            "status IN ('drafting', 'ready', 'failed', 'closed')", name=op.f("message_campaigns_status_check")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("message_campaigns_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("message_campaigns_pkey")),
    )
    op.create_index(
        "message_campaigns_created_at_idx", "message_campaigns", ["workspace_id", "created_at"], unique=False
    )
    op.create_table(
        "message_rules",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("days_between", sa.BigInteger(), server_default=sa.text("3"), nullable=False),
        sa.Column("fan_facts_may_leave", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("days_between BETWEEN 0 AND 90", name=op.f("message_rules_days_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("message_rules_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("message_rules_pkey")),
    )
    op.create_table(
        "quick_replies",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("category", sa.String(), server_default="", nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("uses", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("quick_replies_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("quick_replies_pkey")),
    )
    op.create_table(
        "message_opt_outs",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("message_opt_outs_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "platform", "identity", name=op.f("message_opt_outs_pkey")),
    )
    op.create_table(
        "messages",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("fan_id", sa.Uuid(), nullable=False),
        sa.Column("variant", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("text_key", sa.LargeBinary(), nullable=False),
        sa.Column("authorship", sa.String(), nullable=False),
        sa.Column("edited_characters", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.String(), server_default="queued", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "flags",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What a person should look at before they approve",
        ),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_by", sa.Uuid(), nullable=True),
        sa.Column(
            "sent_at", sa.DateTime(timezone=True), nullable=True, comment="When a person said that they had sent it"
        ),
        sa.CheckConstraint(
            "authorship IN ('person', 'ai', 'ai_edited', 'template', 'template_edited')",
            name=op.f("messages_authorship_check"),
        ),
        sa.CheckConstraint("status IN ('queued', 'approved', 'sent', 'dropped')", name=op.f("messages_status_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id", "campaign_id"],
            ["message_campaigns.workspace_id", "message_campaigns.id"],
            name=op.f("messages_workspace_id_campaign_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "fan_id"],
            ["fans.workspace_id", "fans.id"],
            name=op.f("messages_workspace_id_fan_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("messages_pkey")),
    )
    op.create_index("messages_campaign_id_key", "messages", ["workspace_id", "campaign_id", "fan_id"], unique=True)
    op.create_index("messages_status_idx", "messages", ["workspace_id", "status", "created_at"], unique=False)
    op.create_index("messages_text_key_key", "messages", ["workspace_id", "fan_id", "text_key"], unique=True)
