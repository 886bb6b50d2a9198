"""Migrations are what the models say, run both ways, and many may start at once."""

import subprocess
import sys
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core.db import Base, policy, psycopg_url, rule_of
from core.embedded import Embedded
from migrations.run import check, current, downgrade, head, upgrade
from tests.conftest import libpq
from tests.house.schema import dump, revisions


@pytest.fixture
def empty(server: Embedded) -> str:
    name = "empty_for_migrations"
    with psycopg.connect(libpq(server.url("postgres", "postgres")), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    server.ensure(name)
    return name


def test_every_migration_goes_down_and_comes_up_the_same(server: Embedded, empty: str) -> None:
    owner = server.url("huntaze_owner", empty)
    for below, revision in revisions():
        upgrade(owner, revision)
        up = dump(server, empty)
        downgrade(owner, below)
        upgrade(owner, revision)
        assert dump(server, empty) == up, f"{revision} comes back different"
    assert current(owner) == head()
    downgrade(owner, "base")
    left = dump(server, empty)
    assert "CREATE TABLE" not in left.replace("CREATE TABLE public.alembic_version", "")
    assert "POLICY" not in left


def test_migrated_tables_are_the_models(server: Embedded, empty: str, clone: Callable[[], str]) -> None:
    """Alembic's own comparison misses checks, partial indexes, policies and more; the dump of both misses nothing."""
    check(server.url("huntaze_owner", clone()))
    engine = create_engine(psycopg_url(server.url("huntaze_owner", empty)), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("GRANT USAGE ON SCHEMA public TO huntaze_app"))
        connection.execute(
            text(
                "ALTER DEFAULT PRIVILEGES IN SCHEMA public "
                "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO huntaze_app"
            )
        )
        Base.metadata.create_all(connection)
        for table in Base.metadata.sorted_tables:
            if rule := rule_of(table):
                for statement in policy(table.name, rule):
                    connection.exec_driver_sql(statement)
    engine.dispose()
    assert dump(server, empty) == dump(server, clone())


def test_six_replicas_may_migrate_at_once(server: Embedded, empty: str) -> None:
    owner = server.url("huntaze_owner", empty)
    code = "import sys; from migrations.run import upgrade; upgrade(sys.argv[1])"
    replicas = [
        subprocess.Popen([sys.executable, "-c", code, owner], stderr=subprocess.PIPE, text=True) for _ in range(6)
    ]
    failed = [error for replica in replicas for error in [replica.communicate()[1]] if replica.returncode]
    assert failed == []
    assert current(owner) == head()


def test_there_is_one_head() -> None:
    assert [revision for _, revision in revisions()][-1] == head()
