"""One real PostgreSQL a run, one migrated template, one transaction a test that is always rolled back.

`database` and what builds on it are for tests in one thread. `committed` gives a database of its own, for what needs
several connections: workers, webhooks, kills.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from core import db
from core.access import Role, Scope
from core.db import psycopg_url
from core.embedded import Embedded
from core.settings import settings
from migrations.run import upgrade
from tests.people import Made, make_person

pytest_plugins = ["tests.web.serving"]
TEMPLATE = "huntaze_template"


def libpq(url: str) -> str:
    """The same address for psycopg itself."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with Embedded(tmp_path_factory.mktemp("pg"), durable=False) as running:
        running.ensure(TEMPLATE)
        upgrade(running.url("huntaze_owner", TEMPLATE))
        yield running


@pytest.fixture(scope="session")
def clone(server: Embedded) -> Iterator[Callable[[], str]]:
    """Makes a fresh copy of the migrated template and returns its name."""
    made: list[str] = []
    with psycopg.connect(libpq(server.url("postgres", "postgres")), autocommit=True) as admin:

        def make() -> str:
            name = f"clone_{os.getpid()}_{len(made)}"
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")  # type: ignore[arg-type]
            made.append(name)
            return name

        yield make
        for name in made:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def app_engine(server: Embedded, clone: Callable[[], str]) -> Iterator[Engine]:
    engine = create_engine(psycopg_url(server.url("huntaze_app", clone())))
    yield engine
    engine.dispose()


@pytest.fixture
def database(app_engine: Engine) -> Iterator[Connection]:
    """Doors commit for real inside the test, and nothing is left after it. The login is the app's."""
    with app_engine.connect() as connection:
        outer = connection.begin()
        db.sessions.configure(bind=connection, join_transaction_mode="create_savepoint")
        yield connection
        db.sessions.configure(bind=None)
        outer.rollback()


@pytest.fixture
def committed(server: Embedded, clone: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database of this test's own, with real commits from any thread or process. Returns the app's URL.

    DATABASE_URL and DATABASE_OWNER_URL point to it, so child processes find it too.
    """
    name = clone()
    monkeypatch.setenv("DATABASE_URL", server.url("huntaze_app", name))
    monkeypatch.setenv("DATABASE_OWNER_URL", server.url("huntaze_owner", name))
    settings.cache_clear()
    db.engine.cache_clear()
    yield server.url("huntaze_app", name)
    db.engine().dispose()
    settings.cache_clear()
    db.engine.cache_clear()


@pytest.fixture
def owner(server: Embedded, app_engine: Engine) -> Iterator[Connection]:
    """The role that migrates, on the same database as `database`, for looking at the catalogue."""
    url = make_url(server.url("huntaze_owner", str(app_engine.url.database)))
    engine = create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def make_creator(database: Connection) -> Callable[..., Made]:
    """A solo creator: `make_creator("Ada")` → their user, scope, workspace and account."""

    def make(name: str = "Ada", **more: object) -> Made:
        return make_person(name, Role.CREATOR, **more)

    return make


@pytest.fixture
def ada(make_creator: Callable[..., Made]) -> Made:
    return make_creator("Ada")


@pytest.fixture
def bob(make_creator: Callable[..., Made]) -> Made:
    return make_creator("Bob")


@pytest.fixture
def scope(ada: Made) -> Scope:
    return ada.scope


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).resolve().parent.parent
