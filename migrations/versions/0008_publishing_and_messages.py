"""Approval, consent, and messages to fans"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.columns import at, instant, new_id, of
from migrations.tenancy import keep_within_workspace

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OF_WORKSPACE = (
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
KINDS = "kind IN ('api_key', 'invitation'{})"


def upgrade() -> None:
    _publishing()
    _messages()
    _pointers(", 'approval'")
    keep_within_workspace(*OF_WORKSPACE)


def downgrade() -> None:
    op.execute("DELETE FROM tenant_pointers WHERE kind = 'approval'")
    _pointers("")
    for table in reversed(OF_WORKSPACE):
        op.drop_table(table)


def _pointers(more: str) -> None:
    op.drop_constraint(op.f("tenant_pointers_kind_check"), "tenant_pointers")
    op.create_check_constraint(op.f("tenant_pointers_kind_check"), "tenant_pointers", KINDS.format(more))


def _publishing() -> None:
    op.create_table(
        "approval_rules",
        of("workspace_id"),
        sa.Column("approvals", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("author_may_approve", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        of("updated_by"),
        at("updated_at"),
        sa.CheckConstraint("approvals BETWEEN 0 AND 5", name=op.f("approval_rules_approvals_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("approval_rules_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("approval_rules_pkey")),
    )
    op.create_table(
        "performers",
        of("workspace_id"),
        new_id(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("is_creator", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        instant("archived_at"),
        at("created_at"),
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
        of("workspace_id"),
        new_id(),
        of("asset_id"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("client_name", sa.String(), nullable=False),
        of("created_by"),
        at("created_at"),
        instant("expires_at", required=True),
        instant("used_at"),
        instant("revoked_at"),
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
        of("workspace_id"),
        new_id(),
        of("asset_id"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        of("user_id", required=False),
        of("link_id", required=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        at("decided_at"),
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
        of("workspace_id"),
        of("asset_id"),
        of("performer_id"),
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
        of("workspace_id"),
        new_id(),
        of("performer_id"),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("verified_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        of("verified_by"),
        at("created_at"),
        instant("withdrawn_at"),
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
        of("workspace_id"),
        new_id(),
        of("account_id", comment="Who paid for it then"),
        of("user_id"),
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
        at("created_at"),
        of("approved_by", required=False),
        instant("approved_at"),
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
        of("workspace_id"),
        sa.Column("days_between", sa.BigInteger(), server_default=sa.text("3"), nullable=False),
        sa.Column("fan_facts_may_leave", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        of("updated_by"),
        at("updated_at"),
        sa.CheckConstraint("days_between BETWEEN 0 AND 90", name=op.f("message_rules_days_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("message_rules_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("message_rules_pkey")),
    )
    op.create_table(
        "quick_replies",
        of("workspace_id"),
        new_id(),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("category", sa.String(), server_default="", nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("uses", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        instant("used_at"),
        instant("archived_at"),
        of("created_by"),
        at("created_at"),
        at("updated_at"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("quick_replies_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("quick_replies_pkey")),
    )
    op.create_table(
        "message_opt_outs",
        of("workspace_id"),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        of("created_by"),
        at("created_at"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("message_opt_outs_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "platform", "identity", name=op.f("message_opt_outs_pkey")),
    )
    op.create_table(
        "messages",
        of("workspace_id"),
        new_id(),
        of("campaign_id", required=False),
        of("fan_id"),
        sa.Column("variant", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("text_key", sa.LargeBinary(), nullable=False),
        sa.Column("authorship", sa.String(), nullable=False),
        sa.Column("edited_characters", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.String(), server_default="queued", nullable=False),
        at("created_at"),
        at("updated_at"),
        sa.Column(
            "flags",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What a person should look at before they approve",
        ),
        of("decided_by", required=False),
        instant("decided_at"),
        of("sent_by", required=False),
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
