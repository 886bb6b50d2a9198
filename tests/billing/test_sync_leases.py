"""One works on a customer at a time, and whoever dies on the way loses nothing."""

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from core.access import Role, Scope
from core.billing import stripe_reading as reading
from core.billing import sync
from core.billing.plans import PlanName
from core.settings import settings
from tests.billing.asking import SYNC, changes, plan_of, run_all, subscribed
from tests.billing.conftest import Deliver, at_stripe, execute, link, rows, stored
from tests.peers.stripe_bells import body_of, signed
from tests.peers.stripe_server import SECRET, StripeServer
from tests.people import Made, make_person


def test_a_bell_during_the_question_is_settled_by_the_next(ada: Made, stripe: StripeServer, deliver: Deliver):
    customer, subscription = subscribed(stripe, ada)
    claim = sync._claim(None, timedelta(minutes=2))
    assert claim is not None
    answer = reading.customer_state(customer)
    stripe.world.cancel(subscription)
    deliver(stripe.world.events[-1])
    sync._apply(Scope.for_account(ada.account_id), claim, answer)
    assert stored(ada.scope)[subscription][0] == "active"
    assert [row[1] - row[2] for row in rows(SYNC)] == [1]
    assert rows("SELECT count(*) FROM stripe_events WHERE processed_at IS NULL") == [(1,)]
    run_all()
    assert stored(ada.scope)[subscription][0] == "canceled"


def test_whoever_lost_the_lease_writes_nothing(ada: Made, stripe: StripeServer):
    """The slow one asked first and answers last: its answer is old."""
    customer, subscription = subscribed(stripe, ada)
    slow = sync._claim(None, timedelta(0))
    assert slow is not None
    old = reading.customer_state(customer)
    stripe.world.switch(subscription, "enterprise_monthly")
    execute("UPDATE stripe_sync SET lease_until = now() - interval '1 second'")
    assert sync.run_once()
    sync._apply(Scope.for_account(ada.account_id), slow, old)
    sync._put_back(slow, "late", counts=True)
    assert stored(ada.scope) == at_stripe(stripe, customer)
    assert plan_of(ada) is PlanName.ENTERPRISE
    assert rows(SYNC)[0][3:] == (0, False, None, None)


def test_a_key_in_hand_is_not_taken_by_another(ada: Made, stripe: StripeServer):
    subscribed(stripe, ada)
    assert sync._claim(None, timedelta(minutes=2)) is not None
    assert sync._claim(None, timedelta(minutes=2)) is None
    assert not sync.run_once()


def test_an_old_answer_does_not_revive_what_was_canceled(ada: Made, stripe: StripeServer):
    customer, subscription = subscribed(stripe, ada)
    alive = reading.customer_state(customer)
    stripe.world.cancel(subscription)
    run_all()
    link(ada.account_id, customer)
    claim = sync._claim(None, timedelta(minutes=2))
    assert claim is not None
    sync._apply(Scope.for_account(ada.account_id), claim, alive)
    assert stored(ada.scope)[subscription][0] == "canceled"


CHILD = """
import sys
from datetime import timedelta
from core.billing import events, sync
raw, header = open(sys.argv[1], "rb").read(), sys.argv[2]
if raw:
    events.receive_event(raw, header)
while sync.run_once(lease=timedelta(0)):
    pass
"""
STEPS = ("i_verified", "i_committed", "w_claimed", "w_fetched", "w_applied", "w_committed")


@pytest.mark.parametrize("step", STEPS)
def test_a_death_at_any_step_loses_nothing_and_does_nothing_twice(
    committed: str, stripe: StripeServer, step: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
):
    ada = make_person("Ada", Role.CREATOR)
    customer, subscription = subscribed(stripe, ada)
    run_all()
    stripe.world.switch(subscription, "enterprise_monthly")
    body = body_of(stripe.world.events[-1])
    (tmp_path / "body").write_bytes(body)
    command = [sys.executable, "-c", CHILD, str(tmp_path / "body"), signed(body, SECRET)]
    monkeypatch.setenv("HUNTAZE_FAILPOINT", step)
    died = subprocess.run(command, check=False, capture_output=True, text=True)
    assert died.returncode == -9, died.stderr
    monkeypatch.delenv("HUNTAZE_FAILPOINT")
    settings.cache_clear()
    answered = step != "i_verified"
    assert rows("SELECT count(*) FROM stripe_events") == [(1 if answered else 0,)]
    again = subprocess.run(command, check=False, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert stored(ada.scope) == at_stripe(stripe, customer)
    assert changes(ada) == [(subscription, "active")] * 2
    assert rows("SELECT count(*), count(processed_at) FROM stripe_events") == [(1, 1)]
    assert rows("SELECT dirty - synced, lease FROM stripe_sync") == [(0, None)]
