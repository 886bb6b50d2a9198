"""Used by migrations: put a table under a tenancy rule, and let the app role use it."""

from alembic import op

# Migrations freeze their own text: these say what the rule was when the table was made.
AMONG = "ANY ((SELECT string_to_array(NULLIF(current_setting('app.{}', true), ''), ',')::uuid[])::uuid[])"
IN_WORKSPACE = "workspace_id = " + AMONG.format("workspace_ids")
IN_ACCOUNT = "account_id = " + AMONG.format("account_ids")
STAFF = "(SELECT current_setting('app.is_staff', true)) = 'on'"
OWN = "user_id = (SELECT NULLIF(current_setting('app.user_id', true), '')::uuid)"


def keep_within(table: str, shown: str, written: str | None = None) -> None:
    """Rows outside the rule neither show nor can be written, not even by the table's owner."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({shown}) WITH CHECK ({written or shown})")


def keep_within_workspace(*tables: str) -> None:
    for table in tables:
        keep_within(table, IN_WORKSPACE)


def keep_within_account(*tables: str) -> None:
    for table in tables:
        keep_within(table, IN_ACCOUNT)
