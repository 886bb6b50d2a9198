"""Content: voices, drafts, the calls to models that made them, and the texts that were kept"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import keep_within_account, keep_within_workspace

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OF_WORKSPACE = ("voices", "generations", "ai_attempts", "content_assets", "content_asset_versions")


def upgrade() -> None:
    _voices()
    _generations()
    _models()
    _assets()
    keep_within_workspace(*OF_WORKSPACE)
    keep_within_account("usage_counters")


def downgrade() -> None:
    for table in ("usage_counters", *reversed(OF_WORKSPACE)):
        op.drop_table(table)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False)


def _uuid(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=nullable, comment=comment)


def _text(
    name: str, *, nullable: bool = False, default: str | None = None, comment: str | None = None
) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=nullable, server_default=default, comment=comment)


def _words(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)


def _facts(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)


def _count(
    name: str, *, nullable: bool = False, default: str | None = None, comment: str | None = None
) -> sa.Column[object]:
    start = sa.text(default) if default is not None else None
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=start, comment=comment)


def _at(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def _instant(name: str, comment: str | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), comment=comment)


def _workspace(table: str) -> tuple[sa.Column[object], sa.ForeignKeyConstraint]:
    return _uuid("workspace_id"), sa.ForeignKeyConstraint(
        ["workspace_id"], ["workspaces.id"], name=op.f(f"{table}_workspace_id_fkey"), ondelete="CASCADE"
    )


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"{table}_pkey"))


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"{table}_{name}_check"))


def _tokens() -> tuple[sa.Column[object], ...]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    return (
        *(_count(name, nullable=True) for name in names),
        sa.Column("is_estimated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def _voices() -> None:
    op.create_table(
        "voices",
        *_workspace("voices"),
        _text("tone"),
        *(_words(name) for name in ("traits", "sample_lines", "words_to_use", "words_to_avoid", "languages", "emojis")),
        _at("updated_at"),
        _key("voices", "workspace_id"),
    )


def _generations() -> None:
    op.create_table(
        "generations",
        *_workspace("generations"),
        _id(),
        _uuid("account_id", comment="Who paid for it then"),
        _uuid("user_id"),
        sa.Column("brief", postgresql.JSONB(), nullable=False),
        _text("task"),
        _text("platform"),
        _text("language"),
        _text("status", default="queued"),
        sa.Column("reserved_month", sa.Date()),
        _count("run", default="0"),
        _text("draft", default=""),
        _text("prompt_version", nullable=True),
        _text("provider", nullable=True, comment="NULL for a template draft"),
        _text("model", nullable=True),
        _text("tier", nullable=True),
        _text("reason", nullable=True),
        *_tokens(),
        _count("cost_nano_usd", nullable=True, comment="Of all attempts; NULL when one of them is unknown"),
        _text("problem_code", nullable=True),
        _facts("problem_facts"),
        _at("created_at"),
        _instant("started_at"),
        _instant("finished_at"),
        _instant("put_away_at", "Saved or dismissed by the person"),
        _check("generations", "status", "status IN ('queued', 'running', 'done', 'failed', 'cancelled')"),
        _check("generations", "run", "run >= 0"),
        _key("generations", "workspace_id", "id"),
    )
    op.create_index("generations_user_idx", "generations", ["workspace_id", "user_id", "created_at"])


def _models() -> None:
    op.create_table(
        "ai_attempts",
        *_workspace("ai_attempts"),
        _id(),
        _uuid("generation_id"),
        _count("run", comment="Which time the job was taken up; above 1 after a worker died"),
        _count("position"),
        _text("provider"),
        _text("model"),
        _text("served_model", nullable=True),
        _text("outcome"),
        _count("status", nullable=True),
        _text("request_id", nullable=True),
        *_tokens(),
        _count("cost_nano_usd", nullable=True, comment="Billionths of a US dollar"),
        _count("milliseconds"),
        _at("created_at"),
        _check("ai_attempts", "cost", "cost_nano_usd >= 0"),
        _key("ai_attempts", "workspace_id", "id"),
    )
    op.create_index(
        "ai_attempts_run_key", "ai_attempts", ["workspace_id", "generation_id", "run", "position"], unique=True
    )
    op.create_table(
        "usage_counters",
        _uuid("account_id"),
        sa.Column("month", sa.Date(), nullable=False),
        _text("kind"),
        _count("used", default="0"),
        _check("usage_counters", "used", "used >= 0"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("usage_counters_account_id_fkey"), ondelete="CASCADE"
        ),
        _key("usage_counters", "account_id", "month", "kind"),
    )


def _assets() -> None:
    op.create_table(
        "content_assets",
        *_workspace("content_assets"),
        _id(),
        _text("type"),
        _text("title"),
        _text("body"),
        _text("category", default=""),
        _words("tags"),
        _facts("metadata"),
        _text("status", default="draft"),
        _text("archived_from", nullable=True, comment="The status to go back to"),
        _text("platform"),
        _text("language"),
        _uuid("generation_id", nullable=True),
        _count("version", default="1"),
        _uuid("created_by"),
        _at("created_at"),
        _at("updated_at"),
        _check("content_assets", "type", "type IN ('post', 'story', 'video', 'image', 'caption')"),
        _check(
            "content_assets",
            "status",
            "status IN ('draft', 'in_review', 'approved', 'scheduled', 'published', 'archived')",
        ),
        _key("content_assets", "workspace_id", "id"),
    )
    op.create_index("content_assets_updated_at_idx", "content_assets", ["workspace_id", "updated_at"])
    op.create_index(
        "content_assets_generation_key",
        "content_assets",
        ["workspace_id", "generation_id"],
        unique=True,
        postgresql_where=sa.text("generation_id IS NOT NULL"),
    )
    op.create_table(
        "content_asset_versions",
        _uuid("workspace_id"),
        _uuid("asset_id"),
        _count("version"),
        _text("title"),
        _text("body"),
        _uuid("saved_by"),
        _at("saved_at"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "asset_id"],
            ["content_assets.workspace_id", "content_assets.id"],
            name=op.f("content_asset_versions_workspace_id_asset_id_fkey"),
            ondelete="CASCADE",
        ),
        _key("content_asset_versions", "workspace_id", "asset_id", "version"),
    )
