"""`python3 -m dashboard` as a person runs it: what starts, what is said, and that all of it ends."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from core.embedded import APP_ROLE, OWNER_ROLE, Embedded

READY = re.compile(r"Huntaze is ready at (http://\S+) \(the start took \d+\.\d s\)\. Ctrl-C stops it\.")
PATIENCE = 60.0


class Running:
    """A dashboard under way. `said` is what it has printed."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_for(self, what: str, happened: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < until, f"no {what} within {PATIENCE:.0f} s:\n{self.said}"
            time.sleep(0.05)

    def address(self) -> str:
        self.wait_for("word that it is ready", lambda: READY.search(self.said) or self.process.poll() is not None)
        found = READY.search(self.said)
        assert found is not None, self.said
        return found[1]

    def worker(self, but: int = 0) -> psutil.Process:
        """The living worker, once there is one with another number than `but`."""
        found: list[psutil.Process] = []

        def look() -> bool:
            for child in psutil.Process(self.process.pid).children():
                with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    if child.pid != but and "core.jobs" in child.cmdline():
                        found.append(child)
            return bool(found)

        self.wait_for("worker", look)
        return found[0]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def is_living(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def environment(folder: Path, **more: str) -> dict[str, str]:
    ours = ("DATABASE_URL", "DATABASE_OWNER_URL", "PUBLIC_URL")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "HUNTAZE_NO_VENV": "1", "DATA_DIR": str(folder / "data"), **more}


@contextmanager
def dashboard(folder: Path, *words: str, python: tuple[str, ...] = (), **more: str) -> Iterator[Running]:
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *python, "-m", "dashboard", "--port", "0", *words],
            cwd=Path(__file__).resolve().parents[2],
            env=environment(folder, **more),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield Running(process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE)
        Embedded(folder / "data" / "postgres").stop()


def status(address: str, path: str) -> int:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def said_by(folder: Path, *words: str, **more: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "dashboard", *words],
        cwd=Path(__file__).resolve().parents[2],
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_and_loses_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with dashboard(tmp_path) as running:
        address = running.address()
        assert status(address, "/readyz") == 200
        worker, server = running.worker(), Embedded(tmp_path / "data" / "postgres")
        assert server.answers()
        assert running.end(number) == 0
        assert not is_living(worker)
        assert server.processes() == []
        with pytest.raises(ConnectionRefusedError):
            status(address, "/readyz")
        assert running.said.splitlines()[1:] == ["Stopped."], "after the address nothing else is said"
    assert "received fast shutdown request" in server.log.read_text(), "PostgreSQL was stopped in order"


def test_data_outlive_the_process_even_when_it_is_killed(tmp_path: Path) -> None:
    with dashboard(tmp_path) as running:
        running.address()
        worker, server = running.worker(), Embedded(tmp_path / "data" / "postgres")
        with psycopg.connect(server.url(OWNER_ROLE, "huntaze").replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        running.process.kill()
        running.process.wait()
        running.wait_for("end of the worker", lambda: not is_living(worker))
    with dashboard(tmp_path) as again:
        assert status(again.address(), "/readyz") == 200
        with psycopg.connect(server.url(OWNER_ROLE, "huntaze").replace("+psycopg", "")) as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
        assert again.end() == 0


def test_a_fallen_worker_is_started_again(tmp_path: Path) -> None:
    with dashboard(tmp_path) as running:
        running.address()
        first = running.worker()
        first.kill()
        running.worker(but=first.pid)
        assert "the worker ended with code -9" in running.said
        assert running.end() == 0


def test_a_signal_while_it_starts_ends_it_too(tmp_path: Path) -> None:
    with dashboard(tmp_path) as running:
        running.wait_for("cluster", (tmp_path / "data" / "postgres" / "data" / "PG_VERSION").exists)
        assert running.end(signal.SIGINT) == 0
        assert Embedded(tmp_path / "data" / "postgres").processes() == []
        assert "Traceback" not in running.said


def test_two_share_one_database_server(tmp_path: Path) -> None:
    with dashboard(tmp_path) as one:
        one.address()
        server = Embedded(tmp_path / "data" / "postgres")
        (tmp_path / "two").mkdir()
        with dashboard(tmp_path / "two", DATA_DIR=str(tmp_path / "data")) as two:
            other = two.address()
            assert one.end() == 0
            assert status(other, "/readyz") == 200
            assert two.end() == 0
        assert server.processes() == []


def test_with_a_database_url_the_embedded_server_is_not_even_imported(
    tmp_path: Path, server: Embedded, clone: Callable[[], str]
) -> None:
    name = clone()
    urls = {"DATABASE_URL": server.url(APP_ROLE, name), "DATABASE_OWNER_URL": server.url(OWNER_ROLE, name)}
    with dashboard(tmp_path, python=("-X", "importtime"), **urls) as running:
        assert status(running.address(), "/readyz") == 200
        assert running.end() == 0
        assert "core.settings" in running.said
        assert "core.embedded" not in running.said
    assert not (tmp_path / "data" / "postgres" / "data").exists()


def test_the_demo_is_made_once(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        with dashboard(tmp_path, "--demo") as running:
            running.address()
            *sentences, ready = running.said.splitlines()
            assert sentences, "who may sign in is said before the address"
            assert READY.fullmatch(ready)
            with psycopg.connect(
                Embedded(tmp_path / "data" / "postgres").url("postgres", "huntaze").replace("+psycopg", "")
            ) as connection:
                seen.append(connection.execute("SELECT count(*), max(created_at) FROM workspaces").fetchone())
            assert running.end() == 0
    assert seen[0] == seen[1]
    assert seen[0] is not None
    assert seen[0][0] > 0


# What it says when it cannot start


def test_help(tmp_path: Path) -> None:
    code, said = said_by(tmp_path, "--help")
    assert code == 0
    assert {"--port", "--host", "--demo", "DATABASE_URL", "DATA_DIR", "PUBLIC_URL"} <= set(re.findall(r"[\w-]+", said))
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert said_by(tmp_path, "--port", str(port)) == (
            2,
            f"Port {port} is in use by another program. End that, or choose another port with --port.\n",
        )
    assert not (tmp_path / "data").exists(), "nothing was started for it"


@pytest.mark.parametrize("port", ["65536", "-1", "http", "８５０１", "1.5"])
def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    code, said = said_by(tmp_path, f"--port={port}")
    assert (code, said.splitlines()[-1].rpartition(": ")[2]) == (
        2,
        f"{port} is not a port; give a number from 0 to 65535",
    )


@pytest.mark.parametrize("host", ["203.0.113.9", "no.such.host.invalid"])
def test_a_host_that_is_not_here(tmp_path: Path, host: str) -> None:
    assert said_by(tmp_path, "--port", "0", "--host", host) == (
        2,
        f"{host} is not an address of this machine. Leave --host out, or give one that is.\n",
    )


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    code, said = said_by(tmp_path, "--port", "0", DATABASE_URL="postgresql://ada:hidden@127.0.0.1:1/huntaze")
    assert code == 1
    assert said.startswith("The database at DATABASE_URL cannot be used: ")
    assert len(said.splitlines()) == 1
    assert "hidden" not in said


def test_a_folder_that_cannot_hold_data(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    code, said = said_by(tmp_path, "--port", "0")
    assert code == 1
    assert len(said.splitlines()) == 1
    assert "DATA_DIR" in said
