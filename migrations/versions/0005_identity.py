"""Ways in, agencies, staff, audit, mail and limits"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import AMONG, IN_ACCOUNT, IN_WORKSPACE, OWN, STAFF, keep_within

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

APP_ROLE = "huntaze_app"
NO_ACCOUNT = "account_id = '00000000-0000-0000-0000-000000000000'::uuid"
COUNTING = "current_setting('app.counting', true) = 'on'"
OWN_WORKSPACE = "id = " + AMONG.format("workspace_ids")
SHOWN = {
    "accounts": "id = " + AMONG.format("account_ids"),
    "workspaces": f"{OWN_WORKSPACE} OR ({IN_ACCOUNT} AND {COUNTING})",
    "account_members": f"{IN_ACCOUNT} OR {OWN}",
    "subscriptions": IN_ACCOUNT,
}
"""What showed until now; staff doors add who pays and what there is, and nothing of a creator's."""


def upgrade() -> None:
    for table, shown in SHOWN.items():
        op.execute(f"ALTER POLICY tenant ON {table} USING ({shown} OR {STAFF})")
    # nobody's creator can be put into an account that is not in scope
    op.execute(f"ALTER POLICY tenant ON workspaces WITH CHECK ({OWN_WORKSPACE} AND {IN_ACCOUNT})")
    _people()
    _ways_in()
    _api_clients()
    _agencies()
    _staff()
    _records()


def _id(name: str = "id") -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False)


def _at(name: str = "created_at") -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def _instant(name: str, *, required: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not required)


def _user_id() -> sa.Column[object]:
    return sa.Column("user_id", sa.Uuid(), nullable=False)


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"{table}_user_id_fkey"), ondelete="CASCADE")


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id"], ["accounts.id"], name=op.f(f"{table}_account_id_fkey"), ondelete="CASCADE"
    )


def _people() -> None:
    op.add_column("users", _instant("email_verified_at"))
    op.add_column("users", sa.Column("avatar_url", sa.String()))
    op.add_column("users", _instant("erase_after"))
    op.add_column(
        "web_sessions", sa.Column("remembered", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("web_sessions", sa.Column("address", sa.String(), server_default="", nullable=False))
    op.add_column("web_sessions", sa.Column("agent", sa.String(), server_default="", nullable=False))
    op.add_column("web_sessions", _at("proved_at"))
    op.drop_constraint(op.f("memberships_role_check"), "memberships")
    op.create_check_constraint(
        op.f("memberships_role_check"), "memberships", "role IN ('creator', 'manager', 'analyst')"
    )


def _ways_in() -> None:
    op.create_table(
        "email_tokens",
        _id(),
        _user_id(),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.String(), nullable=False, comment="The address that the link was sent to"),
        _at(),
        _instant("expires_at", required=True),
        _instant("used_at"),
        sa.CheckConstraint(
            "purpose IN ('verify', 'reset', 'change_email', 'restore')", name=op.f("email_tokens_purpose_check")
        ),
        _of_user("email_tokens"),
        sa.PrimaryKeyConstraint("id", name=op.f("email_tokens_pkey")),
        sa.UniqueConstraint("token_hash", name=op.f("email_tokens_token_hash_key")),
    )
    op.create_index(op.f("email_tokens_user_id_idx"), "email_tokens", ["user_id"])
    op.create_table(
        "second_factors",
        _user_id(),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        _at(),
        _instant("confirmed_at"),
        sa.Column("last_step", sa.BigInteger(), comment="The time step of the last code taken; none is taken twice"),
        _of_user("second_factors"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("second_factors_pkey")),
    )
    op.create_table(
        "recovery_codes",
        _id(),
        _user_id(),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        _at(),
        _instant("used_at"),
        _of_user("recovery_codes"),
        sa.PrimaryKeyConstraint("id", name=op.f("recovery_codes_pkey")),
        sa.UniqueConstraint("user_id", "code_hash", name=op.f("recovery_codes_user_id_code_hash_key")),
    )
    op.create_table(
        "external_identities",
        _id(),
        _user_id(),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("email", sa.String()),
        _at(),
        _of_user("external_identities"),
        sa.PrimaryKeyConstraint("id", name=op.f("external_identities_pkey")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("external_identities_issuer_subject_key")),
    )
    op.create_index(op.f("external_identities_user_id_idx"), "external_identities", ["user_id"])
    op.create_table(
        "known_devices",
        _id(),
        _user_id(),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _at(),
        _at("last_seen_at"),
        _of_user("known_devices"),
        sa.PrimaryKeyConstraint("id", name=op.f("known_devices_pkey")),
        sa.UniqueConstraint("token_hash", name=op.f("known_devices_token_hash_key")),
    )
    op.create_index(op.f("known_devices_user_id_idx"), "known_devices", ["user_id"])


def _api_clients() -> None:
    op.create_table(
        "refresh_tokens",
        _id("jti"),
        _user_id(),
        sa.Column("family", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _at(),
        _instant("expires_at", required=True),
        _instant("used_at"),
        _instant("revoked_at"),
        _of_user("refresh_tokens"),
        sa.PrimaryKeyConstraint("jti", name=op.f("refresh_tokens_pkey")),
        sa.UniqueConstraint("token_hash", name=op.f("refresh_tokens_token_hash_key")),
    )
    op.create_index(op.f("refresh_tokens_user_id_idx"), "refresh_tokens", ["user_id"])
    op.create_index(op.f("refresh_tokens_family_idx"), "refresh_tokens", ["family"])
    op.create_table(
        "api_keys",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _id(),
        _user_id(),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("permissions", postgresql.ARRAY(sa.Text()), nullable=False),
        _at(),
        _instant("expires_at"),
        _instant("last_used_at"),
        _instant("revoked_at"),
        _of_account("api_keys"),
        _of_user("api_keys"),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("api_keys_pkey")),
    )
    op.create_index(op.f("api_keys_user_id_idx"), "api_keys", ["user_id"])
    keep_within("api_keys", IN_ACCOUNT)
    op.create_table(
        "tenant_pointers",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        _at(),
        sa.CheckConstraint("kind IN ('api_key', 'invitation')", name=op.f("tenant_pointers_kind_check")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("tenant_pointers_pkey")),
    )


def _agencies() -> None:
    op.create_table(
        "invitations",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _id(),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("workspace_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        _at(),
        _instant("expires_at", required=True),
        _instant("accepted_at"),
        _instant("revoked_at"),
        sa.CheckConstraint("role IN ('creator', 'manager', 'analyst')", name=op.f("invitations_role_check")),
        _of_account("invitations"),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name=op.f("invitations_invited_by_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("invitations_pkey")),
    )
    keep_within("invitations", IN_ACCOUNT)
    op.create_table(
        "packs",
        _user_id(),
        _id(),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False, comment="The workspace or the person whose data it is"),
        sa.Column("name", sa.String(), nullable=False, comment="What it is called on screens and in files"),
        sa.Column("content", sa.LargeBinary()),
        _at(),
        _instant("ready_at"),
        _instant("failed_at"),
        _instant("expires_at", required=True),
        sa.CheckConstraint("kind IN ('workspace', 'person')", name=op.f("packs_kind_check")),
        _of_user("packs"),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("packs_pkey")),
    )
    keep_within("packs", OWN)


def _staff() -> None:
    op.create_table(
        "staff_visits",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        _id(),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _user_id(),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("may_write", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _at("entered_at"),
        _instant("expires_at", required=True),
        _instant("left_at"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("staff_visits_workspace_id_fkey"), ondelete="CASCADE"
        ),
        _of_user("staff_visits"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("staff_visits_pkey")),
    )
    op.create_index("staff_visits_user_id_idx", "staff_visits", ["user_id", "expires_at"])
    keep_within("staff_visits", f"{IN_WORKSPACE} OR {OWN}", f"{STAFF} AND {OWN}")
    op.create_table(
        "plan_grants",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _id(),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=False),
        _at("starts_at"),
        _instant("ends_at", required=True),
        _instant("revoked_at"),
        sa.CheckConstraint("plan IN ('pro', 'enterprise')", name=op.f("plan_grants_plan_check")),
        _of_account("plan_grants"),
        sa.ForeignKeyConstraint(["granted_by"], ["users.id"], name=op.f("plan_grants_granted_by_fkey")),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("plan_grants_pkey")),
    )
    keep_within("plan_grants", f"{IN_ACCOUNT} OR {STAFF}", STAFF)


def _records() -> None:
    op.create_table(
        "audit_log",
        sa.Column("account_id", sa.Uuid(), nullable=False, comment="The nil id for a deed that concerns no account"),
        _id(),
        sa.Column("workspace_id", sa.Uuid()),
        sa.Column("user_id", sa.Uuid(), comment="Who did it; NULL for the product itself"),
        sa.Column("session_id", sa.Uuid()),
        sa.Column("api_key_id", sa.Uuid()),
        sa.Column("deed", sa.String(), nullable=False, comment="A sentence of the catalogues: audit.<deed>"),
        sa.Column("subject", sa.String(), server_default="", nullable=False),
        sa.Column("before", postgresql.JSONB()),
        sa.Column("after", postgresql.JSONB()),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        _at("at"),
        sa.PrimaryKeyConstraint("account_id", "id", name=op.f("audit_log_pkey")),
    )
    op.create_index("audit_log_user_id_idx", "audit_log", ["user_id", "at"])
    keep_within("audit_log", f"{IN_ACCOUNT} OR {OWN} OR {STAFF}", f"{IN_ACCOUNT} OR {STAFF} OR {NO_ACCOUNT}")
    op.execute(f"REVOKE UPDATE, DELETE ON audit_log FROM {APP_ROLE}")
    op.create_table(
        "mail_outbox",
        _id(),
        sa.Column("to_address", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False, comment="Holds links that let somebody in: emptied once sent"),
        _at(),
        _at("next_at"),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("last_error", sa.String()),
        _instant("sent_at"),
        _instant("failed_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("mail_outbox_pkey")),
    )
    op.create_index(
        "mail_outbox_open_idx",
        "mail_outbox",
        ["next_at"],
        postgresql_where=sa.text("sent_at IS NULL AND failed_at IS NULL"),
    )
    op.create_table(
        "rate_limits",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False, comment="SHA-256 of who or what is limited"),
        _instant("window_start", required=True),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "subject", "window_start", name=op.f("rate_limits_pkey")),
    )
    op.create_index(op.f("rate_limits_window_start_idx"), "rate_limits", ["window_start"])


def downgrade() -> None:
    for table, shown in SHOWN.items():
        op.execute(f"ALTER POLICY tenant ON {table} USING ({shown})")
    op.execute(f"ALTER POLICY tenant ON workspaces WITH CHECK ({OWN_WORKSPACE})")
    for table in (
        "rate_limits",
        "mail_outbox",
        "audit_log",
        "plan_grants",
        "staff_visits",
        "packs",
        "invitations",
        "tenant_pointers",
        "api_keys",
        "refresh_tokens",
        "known_devices",
        "external_identities",
        "recovery_codes",
        "second_factors",
        "email_tokens",
    ):
        op.drop_table(table)
    op.drop_constraint(op.f("memberships_role_check"), "memberships")
    op.create_check_constraint(op.f("memberships_role_check"), "memberships", "role IN ('creator', 'manager')")
    for table, columns in (
        ("web_sessions", ("proved_at", "agent", "address", "remembered")),
        ("users", ("erase_after", "avatar_url", "email_verified_at")),
    ):
        for column in columns:
            op.drop_column(table, column)
