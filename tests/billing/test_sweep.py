"""Webhooks get lost: what never rang is found, once for all processes, and nothing is forgotten by a failure."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from core.access import Role
from core.billing import sweep, sync
from core.billing.ledger import check
from core.billing.plans import PlanName
from core.jobs.command import main
from core.jobs.handlers import POLLS
from tests.billing.asking import movements, plan_of, run_all, subscribed, sums_of, worth_at
from tests.billing.conftest import Deliver, at_stripe, execute, link, rows, stored
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_world import DAY, twin
from tests.people import Made, make_person

TURN = "UPDATE stripe_sweeps SET next_at = now()"
SWEPT = "SELECT swept_until FROM stripe_sweeps WHERE key = 'events'"
REPORTS = (
    "SELECT events_listed, events_missed, customers_asked, subscriptions_differing, last_error "
    "FROM stripe_sweep_reports ORDER BY began_at, id"
)


def listed_since(stripe: StripeServer) -> list[int]:
    """From which seconds on events were asked for, page by page."""
    return [int(params["created"]["gte"]) for _, path, params, _ in stripe.requests if path == "/v1/events"]


def test_a_day_without_webhooks_is_made_good_by_one_sweep(ada: Made, bob: Made, stripe: StripeServer):
    """I10, for subscriptions, invoices, what pays them, and revenue."""
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
    world.declining.add(customer)
    world.renew(subscription)
    world.refund(world.every("charge")[-1]["id"], 4_00)
    world.add_card(neighbour, last4="0005")
    world.advance(DAY // 2)
    world.change(subscription, cancel_at_period_end=True)
    assert run_all() == 0
    assert {ada.user_id: stored(ada.scope), bob.user_id: stored(bob.scope)} == before, "nothing rang"
    execute(TURN)
    assert sweep.sweep_once()
    run_all()
    assert stored(ada.scope) == at_stripe(stripe, customer)
    assert stored(bob.scope) == at_stripe(stripe, neighbour)
    for made, its in ((ada, customer), (bob, neighbour)):
        assert sums_of(movements(made)) == worth_at(world, its) != {}
    assert check(make_person("Sam", Role.ADMIN).scope) == ()
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
    ((until,),) = rows(SWEPT)
    execute(TURN)
    stripe.faults = [503] * 3
    assert sweep.sweep_once()
    assert rows(SWEPT) == [(until,)], "what was not listed is not swept"
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
    assert rows(SWEPT) != [(None,)]


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


def test_the_report_says_exactly_what_was_missed(ada: Made, bob: Made, stripe: StripeServer, deliver: Deliver):
    world = stripe.world
    _, subscription = subscribed(stripe, ada)
    _, cancelled = subscribed(stripe, bob, "enterprise_monthly")
    carol = make_person("Carol", Role.CREATOR)
    _, same = subscribed(stripe, carol)
    for each in world.events:
        deliver(each)
    run_all()
    before = len(world.events)
    quiet = sweep.sweep_now()
    assert (quiet.events_listed, quiet.events_missed, quiet.subscriptions_differing) == (before, 0, 0)
    world.change(subscription, cancel_at_period_end=True)
    world.cancel(cancelled)
    world.change(same, metadata={"looked": "at"})
    lost = len(world.events) - before
    assert lost == 3
    for each in world.events[-3:]:
        world._kept["event"].pop(each["id"])
    found = sweep.sweep_now()
    assert (found.events_listed, found.events_missed, found.subscriptions_differing) == (before, 0, 2)
    for each in world.events[-3:]:
        world._kept["event"][each["id"]] = each
    found = sweep.sweep_now()
    assert (found.events_listed, found.events_missed, found.subscriptions_differing) == (before + 3, 3, 2)
    run_all()
    found = sweep.sweep_now()
    assert (found.events_missed, found.subscriptions_differing, found.error) == (0, 0, None)
    assert not found.is_something
    assert run_all() == 0
    assert [row[1:4:2] for row in rows(REPORTS)] == [(0, 0), (0, 2), (3, 2), (0, 0)]


def test_a_night_compares_all_subscriptions_though_stripe_forgot_their_events(ada: Made, stripe: StripeServer):
    customer, subscription = subscribed(stripe, ada)
    run_all()
    assert sweep.sweep_once()
    run_all()
    stripe.world.cancel(subscription)
    stripe.world._kept["event"].clear()
    execute(f"{TURN} WHERE key = 'events'")
    assert sweep.sweep_once()
    assert run_all() == 0, "it is not night"
    execute(TURN)
    assert sweep.sweep_once()
    assert run_all() == 1
    assert stored(ada.scope) == at_stripe(stripe, customer)
    execute(f"{TURN} WHERE key = 'events'")
    listings = stripe.count("get", "/v1/subscriptions")
    assert sweep.sweep_once()
    assert stripe.count("get", "/v1/subscriptions") == listings, "once a night"


def test_more_subscriptions_than_a_page_holds(ada: Made, stripe: StripeServer):
    price = stripe.world.price_of("pro_monthly")["id"]
    for _ in range(230):
        stripe.world.subscribe(stripe.world.add_customer()["id"], price)
    stripe.world._kept["event"].clear()
    assert sweep.sweep_now().subscriptions_differing == 230
    assert stripe.count("get", "/v1/subscriptions") == 3


def test_a_customer_of_nobody_is_found_once(ada: Made, stripe: StripeServer):
    world = stripe.world
    world.subscribe(world.add_customer()["id"], world.price_of("pro_monthly")["id"])
    world._kept["event"].clear()
    assert sweep.sweep_now().subscriptions_differing == 1
    run_all()
    assert sweep.sweep_now().subscriptions_differing == 0
    assert run_all() == 0
    assert rows("SELECT last_error, dead_at IS NOT NULL FROM stripe_sync") == [("unlinked", True)]


def test_a_sweep_that_fails_says_so_and_one_a_day_that_finds_nothing(ada: Made, stripe: StripeServer):
    assert sweep.sweep_once()
    assert rows(REPORTS) == [(0, 0, 0, None, None)]
    execute(TURN)
    stripe.faults = [503] * 6
    assert sweep.sweep_once()
    stripe.faults = []
    assert rows(REPORTS)[1:] == [(0, 0, 0, None, "billing.stripe_unavailable")]
    for _ in range(3):
        execute(f"{TURN} WHERE key = 'events'")
        assert sweep.sweep_once()
    assert len(rows(REPORTS)) == 2
    assert rows("SELECT swept_until IS NOT NULL FROM stripe_sweeps WHERE key = 'subscriptions'") == [(True,)]
    execute("UPDATE stripe_sweep_reports SET began_at = began_at - interval '25 hours'")
    execute(f"{TURN} WHERE key = 'events'")
    assert sweep.sweep_once()
    assert len(rows(REPORTS)) == 3


def test_reconcile_by_hand(committed: str, stripe: StripeServer, capsys: pytest.CaptureFixture[str]):
    ada = make_person("Ada", Role.CREATOR)
    subscribed(stripe, ada)
    run_all()
    stripe.world.cancel(stripe.world.every("subscription")[0]["id"])
    assert main(["reconcile"]) == 0
    said = capsys.readouterr().out
    assert f"events that Stripe lists: {len(stripe.world.events)}\n" in said
    assert "subscriptions that differ: 1\n" in said
    assert "Run this again" in said
    run_all()
    assert main(["reconcile"]) == 0
    assert "subscriptions that differ: 0\n" in (said := capsys.readouterr().out)
    assert "Run this again" not in said
    stripe.faults = [503] * 6
    assert main(["reconcile"]) == 1
    assert "Stripe does not answer" in capsys.readouterr().err


def test_reconcile_without_a_key_says_what_to_set(committed: str, no_stripe: None, capsys: pytest.CaptureFixture[str]):
    assert main(["reconcile"]) == 1
    assert "Set STRIPE_SECRET_KEY" in capsys.readouterr().err
