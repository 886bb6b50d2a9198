"""One PostgreSQL cluster: made once, started and stopped for those who use it, recovered after any crash."""

import os
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]
import psycopg
from psycopg import sql

from core.embedded.account import WINDOWS, Account, account_for, short_mark
from core.embedded.users import Users
from core.errors import Unavailable

SUPERUSER: Literal["postgres"] = "postgres"
OWNER_ROLE: Literal["huntaze_owner"] = "huntaze_owner"
"""Owns the databases and migrates them; neither a superuser nor above row-level security."""
APP_ROLE: Literal["huntaze_app"] = "huntaze_app"
"""Serves requests; owns nothing."""

_PATIENCE = 60
"""Seconds that a start or a stop may take: recovery after a crash on a slow disk takes tens of them."""

_SOCKET_FOLDER_LIMIT = 85
"""Bytes: macOS allows 103 for the folder and the file name together."""

_SETTINGS = {
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "unix_socket_permissions": "0700",
    "idle_in_transaction_session_timeout": "5min",
    "log_error_verbosity": "terse",  # the details of a violated constraint hold people's data
}
_HASTE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
_MAKING = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",  # the same order of letters on every machine
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
)


class Embedded:
    """One cluster under `root`, shared by every process that has started it; the last one to leave stops it.

    `durable=False` gives up safety against power loss for speed, for tests. `shelter` is where the data live when root
    can run the server only as another user; `root/data` then points there.
    Everything raises `Unavailable`, with a sentence, when the server cannot be had.
    """

    def __init__(self, root: Path, *, durable: bool = True, shelter: Path = Path("/var/lib/huntaze")) -> None:
        self.root = root.resolve()
        self.log = self.root / "postgres.log"
        self._durable = durable
        self._shelter = shelter
        self._users = Users(self.root)
        self._launched: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.leave()

    def start(self) -> Self:
        """Join those who use the server; make the cluster and bring it up where that is needed."""
        with self._users.alone():
            self._users.join()
            self._prepare_cluster()
            if not self.answers():
                self._bring_up()
        return self

    def leave(self) -> None:
        """Stop using the server. Whoever leaves last stops it; a process that was killed has left."""
        with self._users.alone():
            if self._users.part():
                self._bring_down()

    def stop(self) -> None:
        """Stop the server whoever else uses it. Open transactions roll back."""
        with self._users.alone():
            self._bring_down()

    def ensure(self, database: str) -> None:
        """Make the two roles and the database where they are missing. The server must be up."""
        with self._users.alone(), self._connect() as connection:
            for role in (OWNER_ROLE, APP_ROLE):
                known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
                rights = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}"
                connection.execute(
                    sql.SQL(("ALTER" if known else "CREATE") + " ROLE {} " + rights).format(
                        sql.Identifier(role), sql.Literal(self._password(role))
                    )
                )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(OWNER_ROLE))
                )

    def url(self, role: Literal["postgres", "huntaze_owner", "huntaze_app"], database: str) -> str:
        """An address for SQLAlchemy. It holds the role's password: keep it out of logs."""
        login = f"postgresql+psycopg://{role}:{quote(self._password(role), safe='')}@"
        if WINDOWS:
            return f"{login}{self._host}:{self._port}/{quote(database)}"
        return f"{login}/{quote(database)}?host={quote(self._host, safe='')}&port={self._port}"

    def answers(self) -> bool:
        """The one proof of life: a login, to a server whose data are ours."""
        try:
            with self._connect() as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError as failed:
            if "password authentication failed" in str(failed):
                raise Unavailable("database.password_lost", folder=self.root) from failed
            return False
        return row is not None and Path(str(row[0])).resolve() == self.data

    @property
    def data(self) -> Path:
        return self._account.home / "data"

    def processes(self) -> list[psutil.Process]:
        """The server's processes, its postmaster first where it lives.

        They are known by the folder that they work in, never by a number kept in a file: after a reboot that number
        may be anybody's.
        """
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.name().startswith("postgres") and Path(process.cwd()) == self.data:
                    found.append(process)
        return sorted(found, key=lambda process: not self._is_postmaster(process))

    def _is_postmaster(self, process: psutil.Process) -> bool:
        try:
            return str(self.data) in process.cmdline()
        except psutil.Error:
            return False

    @cached_property
    def _account(self) -> Account:
        return account_for(self.root, self._shelter)

    @property
    def _host(self) -> str:
        """The socket's folder, private to this user; on Windows, which lacks such sockets, the loopback address."""
        if WINDOWS:
            return "127.0.0.1"
        beside = self._account.home / "s"
        if len(os.fsencode(beside)) <= _SOCKET_FOLDER_LIMIT:
            return str(beside)
        return str(Path(tempfile.gettempdir()).resolve() / f"huntaze-{os.getuid()}-{short_mark(self.root)}")

    @property
    def _port(self) -> int:
        return int((self.root / "port").read_text(encoding="ascii")) if WINDOWS else 5432

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=self._host,
            port=self._port,
            user=SUPERUSER,
            password=self._password(SUPERUSER),
            dbname="postgres",
            connect_timeout=3,
            autocommit=True,
            options="-c statement_timeout=30000",
        )

    def _password(self, role: str) -> str:
        path = self.root / f"{role}.password"
        if not path.exists():
            _write_private(path, secrets.token_urlsafe(32))
        return path.read_text(encoding="ascii")

    def _prepare_cluster(self) -> None:
        here = self.root / "data"
        if self._account.uid is not None and not here.is_symlink():
            self._settle_in_shelter(here)
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()

    def _make_cluster(self) -> None:
        """Make it beside its place and move it there whole, so that a half-made one is never taken for one."""
        account = self._account
        fresh, handed_over = account.home / "data.new", account.home / "password.new"
        shutil.rmtree(fresh, ignore_errors=True)
        _write_private(handed_over, self._password(SUPERUSER))
        account.own(handed_over)
        haste = () if self._durable else ("--no-sync",)
        try:
            account.run("initdb", "-D", fresh, f"--pwfile={handed_over}", *_MAKING, *haste)
        except subprocess.CalledProcessError as failed:
            raise Unavailable("database.did_not_start", log=self.log, words=failed.stderr.strip()) from failed
        finally:
            handed_over.unlink(missing_ok=True)
        fresh.rename(self.data)

    def _settle_in_shelter(self, here: Path) -> None:
        """Make the home that another user can reach, and move there what a start with other rights left here."""
        home = self._account.home
        home.mkdir(mode=0o700, exist_ok=True)
        if self.data.exists():  # of a root folder that was deleted, and its passwords with it
            self.data.rename(home / f"data.{time.time_ns()}")
        if here.exists():
            shutil.move(here, self.data)
        for path in (home, *home.rglob("*")):
            self._account.own(path)
        here.symlink_to(self.data)

    def _bring_up(self) -> None:
        if self.log.exists() and self.log.stat().st_size > 10_000_000:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._prepare_address()
        deadline, attempts = time.monotonic() + _PATIENCE, 0
        while not self.answers():
            if not self._is_coming_up():
                if attempts == 3:
                    raise self._did_not_start()
                if attempts > 0:
                    self._clear_the_way()
                attempts += 1
                self._launch()
            if time.monotonic() > deadline:
                raise self._did_not_start()
            time.sleep(0.02)

    def _is_coming_up(self) -> bool:
        """Whether a postmaster lives that does not answer yet: it starts, recovers from a crash, or still stops."""
        if self._launched is not None and self._launched.poll() is None:
            return True
        around = self.processes()
        return bool(around) and self._is_postmaster(around[0])

    def _launch(self) -> None:
        address = {"listen_addresses": self._host, "port": str(self._port)}
        if not WINDOWS:
            address |= {"listen_addresses": "", "unix_socket_directories": f'"{self._host}"'}
        settings = _SETTINGS | address | ({} if self._durable else _HASTE)
        self._launched = self._account.launch(
            "postgres", "-D", self.data, *(f"--{name}={value}" for name, value in settings.items()), log=self.log
        )

    def _prepare_address(self) -> None:
        if WINDOWS:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                (self.root / "port").write_text(str(probe.getsockname()[1]), encoding="ascii")
            return
        folder = Path(self._host)
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in {os.getuid(), self._account.uid}:
            raise Unavailable("database.folder_not_ours", folder=folder)
        folder.chmod(0o700)
        self._account.own(folder)

    def _clear_the_way(self) -> None:
        """After PostgreSQL refused to start, where no postmaster lives: end its orphans, forget its number.

        Orphans in the middle of a long query do not notice; the recorded number may by now be anybody's.
        """
        orphans = self.processes()
        for orphan in orphans:
            with suppress(psutil.Error):
                orphan.kill()
        psutil.wait_procs(orphans, timeout=10)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _bring_down(self) -> None:
        around = self.processes()
        if around and self._is_postmaster(around[0]):
            try:
                self._account.run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "-t", str(_PATIENCE), "stop")
            except subprocess.CalledProcessError:
                for process in self.processes():
                    with suppress(psutil.Error):
                        process.kill()
        if self._launched is not None:
            self._launched.wait()
            self._launched = None

    def _did_not_start(self) -> Unavailable:
        with self.log.open(encoding="utf-8", errors="replace") as log:
            words = "".join(log.readlines()[-8:]).strip()
        return Unavailable("database.did_not_start", log=self.log, words=words)


def _write_private(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write(secret)
