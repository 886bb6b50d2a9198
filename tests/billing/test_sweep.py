"""Webhooks get lost: what never rang is found, once for all processes, and nothing is forgotten by a failure."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from core.access import Role
from core.billing import sweep, sync
from core.billing.plans import PlanName
from core.jobs.handlers import POLLS
from tests.billing.conftest import Deliver, at_stripe, execute, link, rows, stored
from tests.billing.test_sync import plan_of, run_all, subscribed
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_world import DAY, twin
from tests.people import Made, make_person

TURN = "UPDATE stripe_sweeps SET next_at = now()"


def listed_since(stripe: StripeServer) -> list[int]:
    """From which seconds on events were asked for, page by page."""
    return [int(params["created"]["gte"]) for _, path, params, _ in stripe.requests if path == "/v1/events"]


def test_a_day_without_webhooks_is_made_good_by_one_sweep(ada: Made, bob: Made, stripe: StripeServer):
    world = stripe.world
    customer, subscription = subscribed(stripe, ada)
    neighbour, cancelled = subscribed(stripe, bob, "enterprise_monthly")
    run_all()
    assert sweep.sweep_once()
    run_all()
    before = {ada.user_id: stored(ada.scope), bob.user_id: stored(bob.scope)}
    world.advance(DAY // 2)
    world.switch(subscription, "enterprise_yearly", 26)
    world.cancel(cancelled)
    world.subscribe(neighbour, world.price_of("pro_yearly")["id"])
    world.advance(DAY // 2)
    world.change(subscription, cancel_at_period_end=True)
    assert run_all() == 0
    assert {ada.user_id: stored(ada.scope), bob.user_id: stored(bob.scope)} == before, "nothing rang"
    execute(TURN)
    assert sweep.sweep_once()
    run_all()
    assert stored(ada.scope) == at_stripe(stripe, customer)
    assert stored(bob.scope) == at_stripe(stripe, neighbour)
    assert (plan_of(ada), plan_of(bob)) == (PlanName.ENTERPRISE, PlanName.PRO)
    assert rows("SELECT count(*), count(DISTINCT dedupe) FROM stripe_events") == [(len(world.events),) * 2]
    assert rows("SELECT count(*) FROM stripe_events WHERE processed_at IS NULL") == [(0,)]


def test_what_rang_is_not_kept_twice_and_rings_no_more(ada: Made, stripe: StripeServer, deliver: Deliver):
    subscribed(stripe, ada)
    for number, each in enumerate(stripe.world.events):
        deliver(twin(each) if number % 2 else each)
    run_all()
    execute("UPDATE stripe_customers SET ask_at = now() + interval '1 day'")
    before = rows("SELECT key, dirty FROM stripe_sync ORDER BY key")
    assert sweep.sweep_once()
    assert rows("SELECT count(*) FROM stripe_events") == [(len(stripe.world.events),)]
    assert rows("SELECT key, dirty FROM stripe_sync ORDER BY key") == before
    assert run_all() == 0


def test_more_events_than_a_page_holds(ada: Made, stripe: StripeServer):
    _, subscription = subscribed(stripe, ada)
    for number in range(230):
        stripe.world.change(subscription, metadata={"number": str(number)})
    assert sweep.sweep_once()
    assert len(listed_since(stripe)) == 3
    kept = rows("SELECT id, payload FROM stripe_events ORDER BY id")
    assert [row[0] for row in kept] == sorted(each["id"] for each in stripe.world.events)
    assert all(json.loads(payload) == stripe.world.find("event", stripe_id) for stripe_id, payload in kept)


def test_each_sweep_looks_back_an_hour_before_the_last_that_succeeded(ada: Made, stripe: StripeServer):
    start = datetime.now(UTC)
    assert sweep.sweep_once()
    (first,) = listed_since(stripe)
    assert datetime.fromtimestamp(first, UTC) < start - timedelta(days=29)
    ((until,),) = rows("SELECT swept_until FROM stripe_sweeps")
    execute(TURN)
    stripe.faults = [503] * 3
    assert sweep.sweep_once()
    assert rows("SELECT swept_until FROM stripe_sweeps") == [(until,)], "what was not listed is not swept"
    stripe.faults = []
    execute(TURN)
    assert sweep.sweep_once()
    assert listed_since(stripe)[-1] == int((until - timedelta(hours=1)).timestamp())
    assert rows("SELECT swept_until FROM stripe_sweeps WHERE next_at = swept_until + interval '5 minutes'")


def test_an_event_that_cannot_be_read_stops_no_sweep(ada: Made, stripe: StripeServer):
    subscribed(stripe, ada)
    stripe.world.events[-1]["type"] = "\u0000"
    assert sweep.sweep_once()
    assert rows("SELECT count(*) FROM stripe_events") == [(len(stripe.world.events) - 1,)]
    assert rows("SELECT count(swept_until) FROM stripe_sweeps") == [(1,)]


def test_customers_are_asked_about_though_stripe_lists_no_event(ada: Made, stripe: StripeServer):
    customer, subscription = subscribed(stripe, ada)
    run_all()
    stripe.world.cancel(subscription)
    stripe.world._kept["event"].clear()
    assert sweep.sweep_once()
    assert run_all() == 0, "it was asked about within the day"
    execute("UPDATE stripe_customers SET ask_at = now()")
    execute(TURN)
    assert sweep.sweep_once()
    assert run_all() == 1
    assert stored(ada.scope) == at_stripe(stripe, customer)
    assert plan_of(ada) is PlanName.FREE


@pytest.mark.parametrize(("lasts", "waits"), [(7_200, 7_200), (30 * DAY, DAY), (-60, DAY)])
def test_a_customer_is_asked_about_when_a_period_ends_or_after_a_day(
    ada: Made, stripe: StripeServer, lasts: int, waits: int
):
    _, subscription = subscribed(stripe, ada)
    item = stripe.world.find("subscription", subscription)["items"]["data"][0]
    item["current_period_end"] = stripe.world.now() + lasts
    begun = datetime.now(UTC)
    run_all()
    ((ask_at,),) = rows("SELECT ask_at FROM stripe_customers")
    assert timedelta(seconds=-2) <= ask_at - begun - timedelta(seconds=waits) <= datetime.now(UTC) - begun


def test_one_whose_answer_fails_is_not_rung_for_with_every_sweep(ada: Made, stripe: StripeServer):
    link(ada.account_id, "cus_unknown")
    assert sweep.sweep_once()
    bells = rows("SELECT dirty FROM stripe_sync")
    run_all()
    execute(TURN)
    assert sweep.sweep_once()
    assert rows("SELECT dirty FROM stripe_sync") == bells


def test_of_many_processes_one_sweeps_in_five_minutes(committed: str, stripe: StripeServer):
    make_person("Ada", Role.CREATOR)
    start = threading.Barrier(8)
    swept: list[bool] = []

    def try_it() -> None:
        start.wait()
        swept.append(sweep.sweep_once())

    for _ in range(2):
        threads = [threading.Thread(target=try_it) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sorted(swept) == [False] * 7 + [True]
        assert not sweep.sweep_once()
        swept.clear()
        execute(TURN)
    assert len(listed_since(stripe)) == 2


def test_the_worker_sweeps(ada: Made, stripe: StripeServer):
    customer, _ = subscribed(stripe, ada)
    execute("DELETE FROM stripe_sync")
    while True in [poll() for poll in POLLS]:
        pass
    assert stored(ada.scope) == at_stripe(stripe, customer)


def test_without_a_key_nothing_is_swept(ada: Made, no_stripe: None):
    assert not sweep.sweep_once()
    assert rows("SELECT count(*) FROM stripe_sweeps") == [(0,)]
    assert sync.ASK_AFTER < sweep.STRIPE_KEEPS
