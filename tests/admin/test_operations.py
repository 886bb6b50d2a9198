"""What waits, what failed, what is set going again, and what letters say to whom."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, func

from core.audit import entries, own_entries
from core.billing.models import StripeCustomer, StripeEvent, StripeSync
from core.db import transaction
from core.errors import Conflict, NotAllowed, NotFound
from core.insights.health import counts, health
from core.insights.letters import letter, letters
from core.insights.operations import State, events, jobs, keys, replay, retry_job
from core.mail.outbox import post, send_one
from core.queue import Job
from core.settings import settings
from migrations.run import head
from tests.people import Made

LINK = "Confirm: https://example.com/account/verify?token=abc"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Letters become files here."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.delenv("SMTP_URL", raising=False)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def _job(made: Made, **state: object) -> UUID:
    with transaction(None) as session:
        job = Job(kind="a.kind", account_id=made.account_id, workspace_id=made.workspace_id, attempts=3, **state)
        session.add(job)
        session.flush()
        return job.id


def _event(name: str, key: str | None, **more: object) -> None:
    with transaction(None) as session:
        session.add(
            StripeEvent(
                id=name,
                dedupe=name,
                type="customer.subscription.updated",
                created=datetime(2026, 11, 1, tzinfo=UTC),
                livemode=False,
                sync_key=key,
                payload=b"{}",
                **more,
            )
        )


def _dead_key(made: Made, customer: str) -> str:
    key = f"customer:{customer}"
    with transaction(None) as session:
        session.add(StripeCustomer(stripe_id=customer, account_id=made.account_id))
        session.add(StripeSync(key=key, dirty=2, attempts=8, last_error="Boom", dead_at=func.now()))
    return key


def test_jobs_are_seen_by_how_far_they_came(staff: Made, ada: Made) -> None:
    waiting = _job(ada)
    done = _job(ada, finished_at=func.now())
    failed = _job(ada, failed_at=func.now(), last_error="Boom")
    seen = {state: [one.id for one in jobs(staff.scope, state=state)] for state in State}
    assert seen == {State.OPEN: [waiting], State.DONE: [done], State.FAILED: [failed]}
    (one,) = jobs(staff.scope, state=State.FAILED)
    assert (one.account, one.attempts, one.last_error) == ("Ada", 3, "Boom")


def test_a_failed_job_is_tried_again_and_the_owner_reads_it(staff: Made, ada: Made, bob: Made) -> None:
    failed = _job(ada, failed_at=func.now(), last_error="Boom")
    retry_job(staff.scope, failed)
    (again,) = jobs(staff.scope)
    assert (again.id, again.attempts) == (failed, 0)
    with pytest.raises(Conflict, match="has not failed"):
        retry_job(staff.scope, failed)
    with pytest.raises(NotFound):
        retry_job(staff.scope, uuid4())
    (entry,) = entries(ada.scope)
    assert (entry.deed, entry.subject, entry.workspace_id) == ("job_retried", "a.kind", ada.workspace_id)
    assert entry.before == {"attempts": 3, "error": "Boom"}
    assert entries(bob.scope) == ()


def test_events_are_seen_by_how_far_they_came(staff: Made, ada: Made) -> None:
    dead = _dead_key(ada, "cus_dead")
    _event("evt_open", "customer:cus_other")
    _event("evt_dead", dead)
    _event("evt_done", dead, processed_at=func.now())
    seen = {state: {one.id for one in events(staff.scope, state=state)} for state in State}
    assert seen == {State.OPEN: {"evt_open"}, State.FAILED: {"evt_dead"}, State.DONE: {"evt_done"}}
    assert {one.id for one in events(staff.scope)} == {"evt_open", "evt_dead", "evt_done"}


def test_a_customer_given_up_is_asked_about_again_and_the_owner_reads_it(staff: Made, ada: Made, bob: Made) -> None:
    key = _dead_key(ada, "cus_dead")
    (seen,) = keys(staff.scope)
    assert (seen.key, seen.account, seen.waiting, seen.last_error, seen.state) == (key, "Ada", 2, "Boom", State.FAILED)
    replay(staff.scope, key)
    (seen,) = keys(staff.scope)
    assert (seen.state, seen.attempts, seen.waiting) == (State.OPEN, 0, 3)
    assert [(one.deed, one.subject) for one in entries(ada.scope)] == [("stripe_replayed", key)]
    assert entries(bob.scope) == ()
    with pytest.raises(NotFound):
        replay(staff.scope, "customer:cus_unknown")


def test_a_letter_is_opened_where_no_server_sends_it(staff: Made, folder: Path, database: Connection) -> None:
    with transaction(None) as session:
        post(session, "new@example.com", "verify", "Confirm", LINK)
    (seen,) = letters(staff.scope)
    assert (seen.to_address, seen.state) == ("new@example.com", State.OPEN)
    assert letter(staff.scope, seen.id) == LINK
    assert send_one()
    (seen,) = letters(staff.scope, state=State.DONE)
    assert letter(staff.scope, seen.id).strip() == LINK, "once sent it is read from its file"
    assert [(one.deed, one.after) for one in own_entries(staff.scope)] == [
        ("letter_opened", {"to": "new@example.com"})
    ] * 2
    (folder / "mail" / f"{seen.id}.eml").unlink()
    with pytest.raises(NotFound, match="no longer kept"):
        letter(staff.scope, seen.id)
    with pytest.raises(NotFound):
        letter(staff.scope, uuid4())


def test_a_letter_that_a_server_sends_is_nobodys_business(
    staff: Made, folder: Path, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(None) as session:
        post(session, "new@example.com", "verify", "Confirm", LINK)
    monkeypatch.setenv("SMTP_URL", "smtp://localhost:2525")
    settings.cache_clear()
    (seen,) = letters(staff.scope)
    assert LINK not in repr(seen)
    for asked in (seen.id, uuid4()):
        with pytest.raises(NotAllowed, match="for their readers only"):
            letter(staff.scope, asked)
    assert own_entries(staff.scope) == ()


def test_health_says_what_runs(staff: Made, ada: Made) -> None:
    now = health(staff.scope)
    assert now.is_migrated
    assert now.revision == head()
    assert now.postgres.startswith("18")
    assert (now.finished_at, now.waiting_since) == (None, None)
    _job(ada)
    _job(ada, finished_at=func.now())
    now = health(staff.scope)
    assert now.finished_at is not None
    assert now.waiting_since is not None


def test_counts_leave_the_demo_and_what_is_settled_aside(staff: Made, ada: Made) -> None:
    before = counts(staff.scope)
    _job(ada)
    _job(ada, finished_at=func.now())
    _job(ada, failed_at=func.now())
    _event("evt_open", _dead_key(ada, "cus_dead"))
    _event("evt_nobodys", None)
    after = counts(staff.scope)
    assert (before.users, before.accounts, before.creators) == (2, 1, 1)
    assert (after.jobs_open, after.jobs_failed) == (1, 1)
    assert (after.events_open, after.keys_failed) == (1, 1)


def test_only_staff_look_behind_the_scenes(ada: Made) -> None:
    questions = (counts, health, events, keys, jobs, letters)
    deeds = (lambda scope: replay(scope, "k"), lambda scope: retry_job(scope, uuid4()), lambda s: letter(s, uuid4()))
    for ask in (*questions, *deeds):
        with pytest.raises(NotAllowed):
            ask(ada.scope)  # type: ignore[operator]
