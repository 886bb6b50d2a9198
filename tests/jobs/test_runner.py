"""Whatever a handler does, its job comes to an end, and nothing else stops with it."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

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
from core.queue import Claimed
from core.settings import settings
from core.use_case import use_case
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
