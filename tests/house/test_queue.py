"""A job is done once, by whoever holds its lease, whatever dies meanwhile."""

import threading
from collections import Counter
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy.orm import Session

from core import queue
from core.access import Permission, Role, Scope
from core.queue import Claimed
from core.use_case import use_case
from tests.conftest import libpq
from tests.people import Made, make_person

MINUTE = timedelta(minutes=1)


@use_case(Permission.WRITE_CONTENT)
def put(session: Session, scope: Scope, number: int, dedupe: str | None = None) -> None:
    queue.enqueue(session, scope, "test.kind", {"number": str(number)}, dedupe)


@pytest.fixture
def person(committed: str) -> Made:
    return make_person("Ada", Role.CREATOR)


def claim(lease: timedelta = MINUTE) -> Claimed | None:
    return queue.claim(("test.kind",), lease)


def test_a_claimed_job_is_nobody_elses(person: Made) -> None:
    put(person.scope, 1)
    job = claim()
    assert job is not None
    assert (job.payload, job.workspace_id, job.user_id, job.attempt) == (
        {"number": "1"},
        person.workspace_id,
        person.user_id,
        1,
    )
    assert claim() is None
    assert queue.finish(job)
    assert not queue.finish(job)
    assert claim() is None


def test_a_lost_lease_changes_nothing(person: Made, committed: str) -> None:
    put(person.scope, 1)
    first = claim(timedelta(0))
    second = claim()
    assert first is not None
    assert second is not None
    assert second.id == first.id
    assert second.attempt == 2
    assert not queue.finish(first)
    assert not queue.put_back(first, "late", MINUTE)
    assert not queue.extend(first, MINUTE)
    assert queue.finish(second)


def test_the_same_wish_twice_is_one_job(person: Made) -> None:
    put(person.scope, 1, "wish")
    put(person.scope, 2, "wish")
    assert claim() is not None
    assert claim() is None


def test_put_back_waits_and_given_up_stays(person: Made, committed: str) -> None:
    put(person.scope, 1)
    job = claim()
    assert job is not None
    assert queue.put_back(job, "busy", MINUTE)
    assert claim() is None
    with psycopg.connect(libpq(committed), autocommit=True) as connection:
        connection.execute("UPDATE jobs SET run_at = now()")
    again = claim()
    assert again is not None
    assert queue.give_up(again, "no hope")
    assert claim() is None


def test_many_workers_do_each_job_once(person: Made) -> None:
    for number in range(60):
        put(person.scope, number)
    done: Counter[str] = Counter()
    lock = threading.Lock()

    def loop() -> None:
        while job := claim():
            with lock:
                done[job.payload["number"]] += 1
            queue.finish(job)

    workers = [threading.Thread(target=loop) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert done == Counter({str(number): 1 for number in range(60)})


@use_case(Permission.WRITE_CONTENT)
def put_all(session: Session, scope: Scope, numbers: range) -> None:
    for number in numbers:
        queue.enqueue(session, scope, "test.kind", {"number": str(number)}, None)


def test_what_is_asked_for_together_is_done_in_its_order(person: Made, committed: str) -> None:
    put_all(person.scope, range(20))
    with psycopg.connect(libpq(committed), autocommit=True) as connection:
        connection.execute("UPDATE jobs SET attempts = 1 WHERE payload ->> 'number' = '0'")
    taken = [job.payload["number"] for _ in range(20) if (job := claim())]
    assert taken == [str(number) for number in range(20)]
