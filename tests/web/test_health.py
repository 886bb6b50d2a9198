"""Ready means: the database answers, is at this code's revision, and binds the app's role."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy.engine import make_url

from core import db
from core.embedded import Embedded
from core.settings import settings
from core.sidecar.health import why_not_ready
from tests.conftest import libpq
from tests.web.serving import Serve, Served
from tests.web.tab import opened


@pytest.fixture
def owner_url(committed: str, server: Embedded) -> str:
    return server.url("huntaze_owner", str(make_url(committed).database))


def test_a_migrated_database_is_ready(committed: str) -> None:
    assert why_not_ready() is None


def test_another_revision_is_not_ready(owner_url: str) -> None:
    with psycopg.connect(libpq(owner_url)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'older'")
    assert "older" in str(why_not_ready())


def test_a_database_that_was_never_migrated_is_not_ready(owner_url: str) -> None:
    with psycopg.connect(libpq(owner_url)) as connection:
        connection.execute("DROP TABLE alembic_version")
    assert "revision None" in str(why_not_ready())


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Make this process work on another database, until the test is over."""

    def start_over(url: str) -> None:
        monkeypatch.setenv("DATABASE_URL", url)
        settings.cache_clear()
        db.engine.cache_clear()

    yield start_over
    if settings().database_url is not None:
        db.engine().dispose()
    settings.cache_clear()
    db.engine.cache_clear()


def test_a_role_that_owns_tables_is_not_ready(owner_url: str, use: Callable[[str], None]) -> None:
    use(owner_url)
    assert why_not_ready() == "the database role is not bound by row-level security"


@pytest.mark.parametrize("url", ["", "postgresql://nobody@127.0.0.1:1/nothing"])
def test_no_database_is_not_ready(url: str, use: Callable[[str], None]) -> None:
    use(url)
    assert why_not_ready() == "the database does not answer"


@pytest.fixture
def closed_off(serve: Serve, server: Embedded) -> tuple[Served, "Doorkeeper"]:
    served = serve(target="tests.web.playground.serve:app", worker=False)
    return served, Doorkeeper(libpq(server.url("postgres", "postgres")), str(make_url(served.database).database))


class Doorkeeper:
    """Takes one database away while the server keeps running, and gives it back."""

    def __init__(self, admin_url: str, database: str) -> None:
        self.admin_url = admin_url
        self.database = database

    def take(self) -> None:
        self._run(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS false")
        self._run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.database}'")

    def give_back(self) -> None:
        self._run(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS true")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]


def test_without_its_database_nothing_is_let_in_and_it_comes_back(closed_off: tuple[Served, Doorkeeper]) -> None:
    served, doorkeeper = closed_off
    token = served.sign_up("ada@example.com")
    with served.client(token) as client, opened(served, token) as tab:
        tab.run()
        ran = (served.log.parent / "ran").read_text()
        doorkeeper.take()
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        for answer in (client.get("/"), client.post("/account/sign-in", data={"email": "a", "password": "b"})):
            assert answer.status_code == 503
            assert answer.json()["code"] == "web.unavailable"
        tab.send("click")
        assert tab.rest()[1] == 1013
        assert (served.log.parent / "ran").read_text() == ran
        doorkeeper.give_back()
        assert client.get("/readyz").status_code == 200
        assert client.get("/").status_code == 200
    with opened(served, token) as tab:
        assert tab.run("").texts
    assert "Traceback" not in served.log.read_text()
