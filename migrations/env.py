"""One migrator at a time, short lock waits, one transaction a migration.

The advisory lock is polled, with a commit between tries: a blocked waiter would hold a snapshot that
CREATE INDEX CONCURRENTLY waits for, and the two would deadlock.
"""

import time
from importlib import import_module

from alembic import context
from sqlalchemy import Connection, text

from core.db import Base

LOCK = 4_851_966_310_217
WAIT_SECONDS = 120

for owner in (
    "queue",
    "audit",
    "limits",
    "mail.outbox",
    "identity.models",
    "workspaces.models",
    "earnings.models",
    "ai.models",
    "content.models",
    "publishing.models",
    "messages.models",
    "billing.models",
):
    import_module(f"core.{owner}")


def run() -> None:
    connection: Connection = context.config.attributes["connection"]
    _take_lock(connection)
    try:
        connection.execute(text("SET lock_timeout = '3s'"))
        connection.execute(text("SET statement_timeout = '15min'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        _refuse_invalid_indexes(connection)
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
        connection.commit()


def _take_lock(connection: Connection) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while True:
        held = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}).scalar_one()
        connection.commit()
        if held:
            return
        if time.monotonic() > until:
            raise TimeoutError("another process has been migrating this database for two minutes")
        time.sleep(0.25)


def _refuse_invalid_indexes(connection: Connection) -> None:
    """A concurrent index that failed half-way is skipped by IF NOT EXISTS for ever; say so at once."""
    left = (
        connection.execute(text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")).scalars().all()
    )
    if left:
        raise RuntimeError(f"invalid indexes left behind: {', '.join(left)}")


run()
