"""People, accounts, workspaces and the queue

Also the app role's rights: it may read and write rows, and owns nothing.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import AMONG, IN_ACCOUNT, IN_WORKSPACE, OWN, keep_within

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APP_ROLE = "huntaze_app"


def upgrade() -> None:
    op.execute(
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN "
        f"CREATE ROLE {APP_ROLE} NOLOGIN NOBYPASSRLS; END IF; "
        f"IF NOT pg_has_role(current_user, '{APP_ROLE}', 'MEMBER') AND "
        f"(SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user) THEN "
        f"EXECUTE format('GRANT {APP_ROLE} TO %I', current_user); END IF; END $$"
    )
    op.execute(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}")
    op.execute(f"GRANT SELECT ON alembic_version TO {APP_ROLE}")
    op.execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP_ROLE}"
    )
    _identity()
    _workspaces()
    _queue()


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False)


def _at(name: str = "created_at") -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _identity() -> None:
    op.create_table(
        "users",
        _id(),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), comment="argon2id, or NULL for an external identity"),
        sa.Column("language", sa.String(), server_default="en", nullable=False),
        sa.Column("time_zone", sa.String(), server_default="UTC", nullable=False),
        sa.Column("is_staff", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _at(),
        _instant("disabled_at"),
        _instant("deleted_at"),
        sa.CheckConstraint("time_zone <> ''", name=op.f("users_time_zone_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("users_pkey")),
    )
    op.create_index(
        "users_email_key",
        "users",
        [sa.text("lower(email)")],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "web_sessions",
        _id(),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _at(),
        _at("last_seen_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        _instant("revoked_at"),
        sa.Column("chosen", sa.Uuid(), comment="The creator last looked at here; a wish, not a right"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("web_sessions_user_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("web_sessions_pkey")),
        sa.UniqueConstraint("token_hash", name=op.f("web_sessions_token_hash_key")),
    )
    op.create_index(op.f("web_sessions_user_id_idx"), "web_sessions", ["user_id"])
    op.create_table(
        "sign_in_attempts",
        _id(),
        sa.Column("email_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        _at("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("sign_in_attempts_pkey")),
    )
    op.create_index("sign_in_attempts_email_hash_at_idx", "sign_in_attempts", ["email_hash", "at"])
    op.create_index("sign_in_attempts_address_at_idx", "sign_in_attempts", ["address", "at"])


def _workspaces() -> None:
    op.create_table(
        "accounts",
        _id(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), server_default="creator", nullable=False),
        sa.Column("goal", sa.String(), comment="What the person came for, from the first onboarding step"),
        _at(),
        sa.CheckConstraint("kind IN ('creator', 'agency')", name=op.f("accounts_kind_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("accounts_pkey")),
    )
    op.create_table(
        "account_members",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        _at(),
        sa.CheckConstraint("role IN ('owner', 'member')", name=op.f("account_members_role_check")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("account_members_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("account_members_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "user_id", name=op.f("account_members_pkey")),
    )
    op.create_index("account_members_user_id_idx", "account_members", ["user_id"])
    op.create_table(
        "workspaces",
        _id(),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), server_default="UTC", nullable=False),
        sa.Column("currency", sa.String(), server_default="USD", nullable=False),
        sa.Column("platforms", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("skipped_steps", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _at(),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("workspaces_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("workspaces_pkey")),
    )
    op.create_index("workspaces_account_id_idx", "workspaces", ["account_id"])
    op.create_table(
        "memberships",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        _at(),
        sa.CheckConstraint("role IN ('creator', 'manager')", name=op.f("memberships_role_check")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("memberships_workspace_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("memberships_user_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", name=op.f("memberships_pkey")),
    )
    op.create_index("memberships_user_id_idx", "memberships", ["user_id"])
    keep_within("accounts", "id = " + AMONG.format("account_ids"))
    keep_within("workspaces", "id = " + AMONG.format("workspace_ids"))
    keep_within("account_members", f"{IN_ACCOUNT} OR {OWN}", IN_ACCOUNT)
    keep_within("memberships", f"{IN_WORKSPACE} OR {OWN}", IN_WORKSPACE)


def _queue() -> None:
    op.create_table(
        "jobs",
        _id(),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("workspace_id", sa.Uuid()),
        sa.Column("account_id", sa.Uuid()),
        sa.Column("payload", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("dedupe", sa.String()),
        _at("run_at"),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease", sa.Uuid()),
        _instant("lease_until"),
        sa.Column("last_error", sa.String()),
        _at(),
        _instant("finished_at"),
        _instant("failed_at"),
        sa.CheckConstraint("attempts >= 0", name=op.f("jobs_attempts_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("jobs_pkey")),
    )
    op.create_index("jobs_dedupe_key", "jobs", ["dedupe"], unique=True, postgresql_where=sa.text("dedupe IS NOT NULL"))
    op.create_index(
        "jobs_open_idx", "jobs", ["run_at"], postgresql_where=sa.text("finished_at IS NULL AND failed_at IS NULL")
    )


def downgrade() -> None:
    for table in (
        "jobs",
        "memberships",
        "workspaces",
        "account_members",
        "accounts",
        "sign_in_attempts",
        "web_sessions",
        "users",
    ):
        op.drop_table(table)
    op.execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLES FROM {APP_ROLE}"
    )
    op.execute(f"REVOKE USAGE ON SCHEMA public FROM {APP_ROLE}")
