"""Kill a durable server in every way, again and again, under writers who remember what they were promised."""

import random
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from core.embedded import SUPERUSER, Embedded

WAYS = ("postmaster", "everything at once", "a backend", "a background process")


class Writers:
    """Threads that insert as a repeated delivery would: the same number twice is one row and one step of a counter."""

    def __init__(self, url: str, count: int = 4) -> None:
        self._url = url
        self._next = iter(range(10**9))
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(count)]
        self.acknowledged: list[int] = []

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int) -> None:
        """Until so many more were acknowledged."""
        enough, patience = len(self.acknowledged) + count, time.monotonic() + 60
        while len(self.acknowledged) < enough:
            assert time.monotonic() < patience, "the writers got no answer for a minute"
            time.sleep(0.01)

    def _write(self) -> None:
        number = self._take()
        while not self._over.is_set():
            with suppress(psycopg.Error), psycopg.connect(self._url, connect_timeout=3) as connection:
                while not self._over.is_set():
                    self._deliver(connection, number)
                    with self._lock:
                        self.acknowledged.append(number)
                    number = self._take()
            time.sleep(0.02)

    def _take(self) -> int:
        with self._lock:
            return next(self._next)

    def _deliver(self, connection: psycopg.Connection[Any], number: int) -> None:
        with connection.transaction():
            note = "x" * (number * 37 % 800)
            done = connection.execute("INSERT INTO events VALUES (%s, %s) ON CONFLICT DO NOTHING", (number, note))
            if done.rowcount:
                connection.execute("UPDATE counter SET n = n + 1")


def torture(root: Path, rounds: int) -> None:
    """Fails when an acknowledged row is lost, a delivery counted twice, or a page damaged."""
    chance = random.Random(7)
    with Embedded(root) as server:
        url = server.url(SUPERUSER, "postgres").replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE events (id bigint PRIMARY KEY, note text NOT NULL)")
            connection.execute("CREATE TABLE counter AS SELECT 0::bigint AS n")
        with Writers(url) as writers:
            for number in range(rounds):
                writers.wait_for(chance.randint(1, 60))
                _kill(server, WAYS[number % len(WAYS)], chance)
                server.start()
        with psycopg.connect(url) as connection:
            kept = {row[0] for row in connection.execute("SELECT id FROM events")}
            counted = connection.execute("SELECT n FROM counter").fetchone()
            damaged = connection.execute("SELECT sum(checksum_failures) FROM pg_stat_database").fetchone()
    assert len(writers.acknowledged) >= rounds
    assert set(writers.acknowledged) <= kept
    assert counted == (len(kept),)
    assert damaged == (0,)


def _kill(server: Embedded, way: str, chance: random.Random) -> None:
    postmaster, *others = server.processes()
    victims = {
        "postmaster": [postmaster],
        "everything at once": [postmaster, *others],
        "a backend": [process for process in others if "[local]" in _title(process)],
        "a background process": [process for process in others if "[local]" not in _title(process)],
    }[way]
    if way.startswith("a b"):
        victims = [chance.choice(victims)]
    if postmaster in victims and len(victims) > 1:
        postmaster.suspend()  # so that it cannot tidy up after the others
    for victim in reversed(victims):
        with suppress(psutil.Error):
            victim.kill()


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
