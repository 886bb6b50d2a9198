"""Drafts while other things happen: somebody looks, somebody stops, a worker dies, everybody asks at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.orm import Session

from core.access import Permission, Role, Scope
from core.ai import allowance
from core.content.briefs import Brief, Length, Task, Tone
from core.content.kinds import GenerationStatus
from core.content.platforms import Platform
from core.content.service import MOST_OPEN, cancel_generation, drafts_left, generation, request_draft
from core.content.views import GenerationView
from core.errors import PlanLimit, TooManyTries
from core.jobs.runner import run_once, work
from core.use_case import use_case
from core.workspaces.service import remove_demo
from tests.conftest import libpq
from tests.content.demos import demo_of
from tests.peers.model_server import ModelServer, Turn
from tests.people import Made, make_person

SEA = Brief(Task.CAPTION, Platform.ONLYFANS, Tone.WARM, "en", Length.MEDIUM, "my new set by the sea", variants=1)
SLOW = Turn(text=" ".join(f"word{number}" for number in range(30)), pause=0.08)
PATIENCE = 60.0


@pytest.fixture
def ada_alone(committed: str) -> Made:
    return make_person("Ada", Role.CREATOR)


@pytest.fixture
def alone(ada_alone: Made, model: ModelServer) -> Scope:
    return ada_alone.scope


@contextmanager
def worker() -> Iterator[None]:
    """The real loop, in threads of this process."""
    stop = threading.Event()
    loop = threading.Thread(target=work, args=(stop, 2))
    loop.start()
    try:
        yield
    finally:
        stop.set()
        loop.join()


def once(scope: Scope, wanted: UUID, is_so: Callable[[GenerationView], bool]) -> GenerationView:
    """The draft as soon as something is so, looked at as a page does."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        view = generation(scope, wanted)
        if is_so(view):
            return view
        time.sleep(0.05)
    raise AssertionError(generation(scope, wanted))


def ledger(committed: str) -> list[tuple[int, str, int | None]]:
    """run, outcome and cost of every attempt, past all rules of tenancy."""
    with psycopg.connect(libpq(committed), autocommit=True) as connection:
        workspaces = connection.execute("SELECT string_agg(DISTINCT workspace_id::text, ',') FROM jobs").fetchone()
        connection.execute("SELECT set_config('app.workspace_ids', %s, false)", workspaces)
        rows = connection.execute(
            "SELECT run, outcome, cost_nano_usd FROM ai_attempts WHERE purpose <> 'moderation' ORDER BY run, position"
        )
        return [(row[0], row[1], row[2]) for row in rows.fetchall()]


def test_the_text_grows_while_it_is_written_and_nobody_need_look(alone: Scope, model: ModelServer) -> None:
    model.play(SLOW)
    wanted = request_draft(alone, SEA)
    with worker():
        first = once(alone, wanted, lambda view: bool(view.text))
        later = once(alone, wanted, lambda view: len(view.text) > len(first.text))
        assert later.text.startswith(first.text)
        done = once(alone, wanted, lambda view: not view.is_open)
    assert (first.status, done.status) == (GenerationStatus.RUNNING, GenerationStatus.DONE)
    assert done.text == SLOW.text
    assert (first.provider, first.model) == ("openai", "gpt-6-luna")


def test_stopping_keeps_what_was_written_and_counts_it(alone: Scope, model: ModelServer, committed: str) -> None:
    model.play(SLOW)
    wanted = request_draft(alone, SEA)
    with worker():
        once(alone, wanted, lambda view: bool(view.text))
        stopped = cancel_generation(alone, wanted)
    after = generation(alone, wanted)
    assert (after.status, after.text) == (GenerationStatus.CANCELLED, stopped.text)
    assert len(after.text) < len(str(SLOW.text))
    assert drafts_left(alone).used == 1
    assert after.is_estimated
    assert after.cost is not None
    assert after.cost > 0
    assert [outcome for _, outcome, _ in ledger(committed)] == ["cancelled"]


def test_stopping_before_the_first_word_counts_once_a_model_was_asked(alone: Scope, model: ModelServer) -> None:
    model.play(Turn(text="word " * 8, pause=0.5))
    wanted = request_draft(alone, SEA)
    with worker():
        once(alone, wanted, lambda view: view.provider is not None)
        stopped = cancel_generation(alone, wanted)
        assert stopped.text == ""
        assert drafts_left(alone).used == 1
    assert drafts_left(alone).used == 1


def test_removing_a_demo_does_not_make_a_call_free(ada_alone: Made, model: ModelServer, committed: str) -> None:
    demo = demo_of(ada_alone)
    model.play(SLOW)
    wanted = request_draft(demo, SEA)
    with worker():
        once(demo, wanted, lambda view: bool(view.text))
        remove_demo(demo)
    assert not run_once()
    assert drafts_left(ada_alone.scope).used == 1
    with psycopg.connect(libpq(committed), autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM jobs WHERE failed_at IS NOT NULL").fetchone() == (1,)


def test_a_rule_broken_on_the_way_ends_the_call_and_counts(alone: Scope, model: ModelServer, committed: str) -> None:
    seen: set[str] = set()
    model.play(Turn(text="first some words and then book me tonight " + "and more words " * 40, pause=0.05))
    wanted = request_draft(alone, SEA)
    with worker():
        ended = once(alone, wanted, lambda view: seen.add(view.text) or not view.is_open)  # type: ignore[func-returns-value]
    assert (ended.status, ended.text, ended.problem_code) == (GenerationStatus.FAILED, "", "moderation.meeting")
    assert not any("book me" in text for text in seen)
    assert drafts_left(alone).used == 1
    assert [outcome for _, outcome, _ in ledger(committed)] == ["cancelled"]


def test_a_worker_that_was_killed_costs_one_place_and_leaves_one_draft(
    alone: Scope, model: ModelServer, committed: str, repository: Path
) -> None:
    model.play(SLOW, Turn(text="the sea at last"))
    wanted = request_draft(alone, SEA)
    killed = subprocess.Popen(
        [sys.executable, "-m", "core.jobs", "work", "--threads", "1"], cwd=repository, stderr=subprocess.DEVNULL
    )
    try:
        once(alone, wanted, lambda view: bool(view.text))
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    with psycopg.connect(libpq(committed), autocommit=True) as connection:
        connection.execute("UPDATE jobs SET lease_until = now() - interval '1 second'")
    assert run_once()
    done = generation(alone, wanted)
    assert (done.status, done.text) == (GenerationStatus.DONE, "the sea at last")
    assert drafts_left(alone).used == 1
    assert done.cost is None, "nobody knows what the lost call cost"
    assert [(run, outcome, cost is None) for run, outcome, cost in ledger(committed)] == [
        (1, "lost", True),
        (2, "ok", False),
    ]
    assert not run_once()


def test_a_worker_killed_between_two_variants_leaves_nothing_of_its_own(
    alone: Scope, model: ModelServer, committed: str, repository: Path
) -> None:
    wish = replace(SEA, variants=3)
    model.play(
        Turn(text="Old one.\n===\n" + "old two " * 60, pause=0.05),
        Turn(text="New one.\n===\nNew two.\n===\nNew three."),
    )
    wanted = request_draft(alone, wish)
    killed = subprocess.Popen(
        [sys.executable, "-m", "core.jobs", "work", "--threads", "1"], cwd=repository, stderr=subprocess.DEVNULL
    )
    try:
        growing = once(alone, wanted, lambda view: bool(view.others))
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    assert (growing.text, growing.failed) == ("Old one.", ())
    with psycopg.connect(libpq(committed), autocommit=True) as connection:
        connection.execute("UPDATE jobs SET lease_until = now() - interval '1 second'")
    assert run_once()
    done = generation(alone, wanted)
    assert (done.status, done.texts) == (GenerationStatus.DONE, ("New one.", "New two.", "New three."))
    assert drafts_left(alone).used == 1
    assert [(run, outcome) for run, outcome, _ in ledger(committed)] == [(1, "lost"), (2, "ok")]


def test_a_draft_killed_between_two_variants_for_the_last_time_gives_its_place_back(
    alone: Scope, model: ModelServer, committed: str, repository: Path
) -> None:
    model.play(Turn(text="Old one.\n===\n" + "old two " * 60, pause=0.05))
    wanted = request_draft(alone, replace(SEA, variants=3))
    killed = subprocess.Popen(
        [sys.executable, "-m", "core.jobs", "work", "--threads", "1"], cwd=repository, stderr=subprocess.DEVNULL
    )
    try:
        once(alone, wanted, lambda view: bool(view.others))
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    with psycopg.connect(libpq(committed), autocommit=True) as connection:
        connection.execute("UPDATE jobs SET lease_until = now() - interval '1 second', attempts = 3")
    assert run_once()
    view = generation(alone, wanted)
    assert (view.status, view.texts, view.problem_code) == (GenerationStatus.FAILED, (), "content.draft_broke")
    assert "nothing was counted" in (view.problem("en") or "")
    assert drafts_left(alone).used == 0


def test_a_draft_that_kills_its_workers_is_given_up(alone: Scope, model: ModelServer, committed: str) -> None:
    wanted = request_draft(alone, SEA)
    with psycopg.connect(libpq(committed), autocommit=True) as connection:
        connection.execute("UPDATE jobs SET attempts = 3")
    assert run_once()
    view = generation(alone, wanted)
    assert (view.status, view.problem_code) == (GenerationStatus.FAILED, "content.draft_broke")
    assert drafts_left(alone).used == 0
    assert model.seen == []
    assert not run_once()


def test_a_worker_that_was_thought_dead_changes_nothing(alone: Scope, model: ModelServer, committed: str) -> None:
    second = " ".join(f"sea{number}" for number in range(12))
    model.play(SLOW, Turn(text=second, pause=0.08))
    wanted = request_draft(alone, SEA)
    workers = [threading.Thread(target=run_once) for _ in range(2)]
    workers[0].start()
    once(alone, wanted, lambda view: bool(view.text))
    with psycopg.connect(libpq(committed), autocommit=True) as connection:
        connection.execute("UPDATE jobs SET lease_until = now() - interval '1 second'")
    workers[1].start()
    shown = [once(alone, wanted, lambda view: view.text.startswith("sea")).text]
    once(alone, wanted, lambda view: shown.append(view.text) or not view.is_open)  # type: ignore[func-returns-value]
    for worker in workers:
        worker.join()
    assert all(second.startswith(text.strip()) for text in shown)
    done = generation(alone, wanted)
    assert (done.status, done.text) == (GenerationStatus.DONE, second)
    assert drafts_left(alone).used == 1
    assert sorted(ledger(committed))[-1][:2] == (2, "ok")
    assert [outcome for run, outcome, _ in ledger(committed) if run == 1] != ["ok"]


@use_case(Permission.WRITE_CONTENT)
def use_up(session: Session, scope: Scope, places: int) -> None:
    for _ in range(places):
        allowance.take_place(session, scope.account_id, allowance.month_of(datetime.now(UTC)), None)


def granted_of_forty(scope: Scope) -> int:
    """Forty wishes at once."""

    def ask(_: int) -> bool:
        try:
            request_draft(scope, SEA)
        except (PlanLimit, TooManyTries):
            return False
        return True

    with ThreadPoolExecutor(12) as crowd:
        return list(crowd.map(ask, range(40))).count(True)


def test_forty_at_once_on_ten_places_get_ten_and_failures_give_theirs_back(alone: Scope, model: ModelServer) -> None:
    use_up(alone, 40)
    assert granted_of_forty(alone) == 10
    assert drafts_left(alone).used == 50
    model.play(*[Turn(finish="refusal")] * 3)
    done = 0
    while run_once():
        done += 1
    assert done == 10
    assert len(model.seen) == 10
    assert drafts_left(alone).used == 47


def test_forty_at_once_are_no_more_in_the_queue_than_may_be_open(alone: Scope) -> None:
    assert granted_of_forty(alone) == MOST_OPEN
    assert drafts_left(alone).used == MOST_OPEN


def test_creators_of_one_account_share_its_allowance(committed: str, model: ModelServer) -> None:
    agency = make_person("Mona", Role.MANAGER, creators=2)
    one, other = (agency.scope.narrowed_to(each) for each in agency.workspace_ids)
    use_up(one, 49)
    request_draft(one, SEA)
    with pytest.raises(PlanLimit):
        request_draft(other, SEA)
    assert drafts_left(other).used == 50
