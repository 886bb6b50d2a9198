"""Whatever a handler does, its job comes to an end, and nothing else stops with it."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from core import queue
from core.access import Permission, Role, Scope
from core.errors import NotFound
from core.jobs import runner
from core.jobs.handlers import Handler
from core.jobs.runner import LAST_WORDS, run_once
from core.mail import gateway, outbox
from core.queue import Claimed
from core.settings import settings
from core.use_case import unscoped, use_case
from tests.conftest import libpq
from tests.people import make_person

KIND = "test.kind"
ENOUGH = 30
PATIENCE = 30.0


@use_case(Permission.WRITE_CONTENT)
def put(session: Session, scope: Scope) -> None:
    queue.enqueue(session, scope, KIND)


class Notes:
    """What happened to the jobs of a kind of ours."""

    def __init__(self) -> None:
        self.ran = 0
        self.given_up = 0

    def handler(
        self, run: Callable[[], None], give_up: Callable[[], None] = lambda: None, tries: int = 2
    ) -> dict[str, Handler]:
        def running(_: Claimed) -> None:
            self.ran += 1
            run()

        def giving_up(_: Claimed) -> None:
            self.given_up += 1
            give_up()

        return {KIND: Handler(running, giving_up, tries=tries)}


def crash() -> None:
    raise RuntimeError("no")


def refuse() -> None:
    raise NotFound("access.not_found")


def work_through(database: Connection) -> int:
    """Run until nothing is due, with time flying and leases running out. Returns how often there was something."""
    for count in range(ENOUGH):
        database.execute(text("UPDATE jobs SET run_at = now(), lease_until = now() - interval '1 second'"))
        if not run_once():
            return count
    raise AssertionError("the job never ends")


def ending(database: Connection) -> tuple[bool, bool, str | None]:
    """Whether it was finished, whether it was given up, and why."""
    row = database.execute(text("SELECT finished_at IS NOT NULL, failed_at IS NOT NULL, last_error FROM jobs")).one()
    return row[0], row[1], row[2]


@pytest.mark.parametrize(
    ("run", "give_up", "ran", "given_up"),
    [
        (refuse, refuse, 1, 1),
        (crash, refuse, 2, 1),
        (crash, crash, 2, 1 + LAST_WORDS),
        (refuse, crash, 2, 2 + LAST_WORDS),
    ],
)
def test_every_job_is_given_up_in_the_end(
    run: Callable[[], None],
    give_up: Callable[[], None],
    ran: int,
    given_up: int,
    scope: Scope,
    database: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notes = Notes()
    monkeypatch.setattr(runner, "HANDLERS", notes.handler(run, give_up))
    put(scope)
    work_through(database)
    assert ending(database)[:2] == (False, True)
    assert (notes.ran, notes.given_up) == (ran, given_up)


def test_a_last_word_that_fails_for_a_while_is_said_again(
    scope: Scope, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes()
    monkeypatch.setattr(runner, "HANDLERS", notes.handler(crash, lambda: crash() if notes.given_up < 3 else None))
    put(scope)
    work_through(database)
    assert ending(database) == (False, True, runner.OUT_OF_TRIES)
    assert (notes.ran, notes.given_up) == (2, 3)


def test_a_job_that_kills_its_workers_is_not_run_for_ever(
    scope: Scope, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes()
    monkeypatch.setattr(runner, "HANDLERS", notes.handler(lambda: None))
    put(scope)
    for _ in range(2):
        assert queue.claim((KIND,), runner.HANDLERS[KIND].lease)
        database.execute(text("UPDATE jobs SET lease_until = now() - interval '1 second'"))
    assert run_once()
    assert ending(database) == (False, True, runner.OUT_OF_TRIES)
    assert (notes.ran, notes.given_up) == (0, 1)


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "it never comes"
        time.sleep(0.02)


def test_a_lease_outlives_a_database_that_fails_for_a_moment(
    committed: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scope = make_person("Ada", Role.CREATOR).scope
    owner = settings().database_owner_url
    assert owner is not None
    with psycopg.connect(libpq(owner.get_secret_value()), autocommit=True) as connection:

        def lease_until() -> datetime:
            row = connection.execute("SELECT lease_until FROM jobs").fetchone()
            assert row is not None
            held: datetime = row[0]
            return held

        def run(_: Claimed) -> None:
            connection.execute("REVOKE UPDATE ON jobs FROM huntaze_app")
            until(lambda: "was not renewed" in caplog.text)
            connection.execute("GRANT UPDATE ON jobs TO huntaze_app")
            before = lease_until()
            until(lambda: lease_until() > before)

        monkeypatch.setattr(runner, "HANDLERS", {KIND: Handler(run, lease=timedelta(seconds=0.6), tries=1)})
        put(scope)
        with caplog.at_level(logging.ERROR, logger="huntaze.jobs"):
            assert run_once()
        row = connection.execute("SELECT finished_at IS NOT NULL, attempts FROM jobs").fetchone()
    assert row == (True, 1)


@contextmanager
def worker() -> Iterator[None]:
    """The real loops, in threads of this process; one for jobs."""
    stop = threading.Event()
    loop = threading.Thread(target=runner.work, args=(stop, 1))
    loop.start()
    try:
        yield
    finally:
        stop.set()
        loop.join()


def test_no_queue_waits_for_another(committed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scope = make_person("Ada", Role.CREATOR).scope
    asked, answered, done, mailed = (threading.Event() for _ in range(4))

    def slow() -> bool:
        asked.set()
        return answered.wait(PATIENCE)

    def broken() -> bool:
        raise RuntimeError("no")

    def mail() -> bool:
        mailed.set()
        return False

    monkeypatch.setattr(runner, "HANDLERS", {KIND: Handler(lambda _: done.set())})
    monkeypatch.setattr(runner, "POLLS", (slow, broken, mail))
    with worker():
        try:
            assert asked.wait(PATIENCE)
            put(scope)
            assert done.wait(PATIENCE)
            assert mailed.wait(PATIENCE)
        finally:
            answered.set()


@unscoped("test data")
def write_letter(session: Session) -> None:
    outbox.post(session, "ada@example.com", "test", "Hello", "A letter.")


def test_the_worker_sends_mail(committed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.delenv("SMTP_URL", raising=False)
    settings.cache_clear()
    write_letter()
    with worker():
        until(lambda: any(b"A letter." in file.read_bytes() for file in gateway.outbox_folder().glob("*.eml")))
