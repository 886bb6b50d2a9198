"""What Stripe says is what we hold: in any order, as often as it rings, whoever dies on the way."""

import itertools
import random
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from core.access import Role, Scope
from core.billing import stripe_client, sync
from core.billing.plans import PlanName
from core.billing.queries import subscriptions_in
from core.billing.service import entitlement_of
from core.db import transaction
from core.settings import settings
from tests.billing.conftest import Deliver, at_stripe, event, execute, link, rows, stored
from tests.peers.stripe_bells import body_of, signed
from tests.peers.stripe_server import SECRET, StripeServer
from tests.peers.stripe_world import twin
from tests.people import Made, make_person

SYNC = "SELECT key, dirty, synced, attempts, dead_at IS NOT NULL, last_error, lease FROM stripe_sync ORDER BY key"


def run_all() -> int:
    """Work until nothing is due; how many pieces there were."""
    return next(count for count in itertools.count() if not sync.run_once())


def subscribed(stripe: StripeServer, made: Made, lookup_key: str = "pro_monthly") -> tuple[str, str]:
    """The account's customer, known to both sides, and a subscription that only Stripe knows of."""
    customer = stripe.world.add_customer(metadata={"account_id": str(made.account_id)})["id"]
    link(made.account_id, customer)
    return customer, stripe.world.subscribe(customer, stripe.world.price_of(lookup_key)["id"])["id"]


def plan_of(made: Made) -> PlanName:
    with transaction(Scope.for_account(made.account_id)) as session:
        return entitlement_of(session, made.account_id).plan


def changes(made: Made) -> list[tuple[str, str]]:
    with transaction(Scope.for_account(made.account_id)) as session:
        found = session.connection().exec_driver_sql("SELECT stripe_id, status FROM subscription_changes ORDER BY id")
        return [tuple(row) for row in found]


def test_a_bell_brings_the_plan(ada: Made, stripe: StripeServer, deliver: Deliver):
    customer, subscription = subscribed(stripe, ada)
    assert plan_of(ada) is PlanName.FREE
    for each in stripe.world.events:
        deliver(each)
    run_all()
    assert plan_of(ada) is PlanName.PRO
    assert stored(ada.scope) == at_stripe(stripe, customer)
    assert changes(ada) == [(subscription, "active")]
    assert rows("SELECT count(*) FROM stripe_events WHERE processed_at IS NULL") == [(0,)]
    key, dirty, synced, *rest = rows(SYNC)[0]
    assert (key, dirty, rest) == (f"customer:{customer}", synced, [0, False, None, None])


def test_the_payload_is_never_believed(ada: Made, stripe: StripeServer, deliver: Deliver):
    customer, subscription = subscribed(stripe, ada)
    old = stripe.world.events[-2]
    stripe.world.cancel(subscription)
    deliver(old)
    run_all()
    assert stored(ada.scope)[subscription][0] == "canceled"
    assert plan_of(ada) is PlanName.FREE
    assert old["data"]["object"]["customer"] == customer


def test_a_bell_that_changes_nothing_writes_no_history(ada: Made, stripe: StripeServer, deliver: Deliver):
    _, subscription = subscribed(stripe, ada)
    run_all()
    for number in range(3):
        deliver(stripe.world.events[-1] | {"id": f"evt_again_{number}"})
        run_all()
    assert changes(ada) == [(subscription, "active")]


def test_all_orders_of_five_events_with_twins_and_repeats_end_alike(ada: Made, stripe: StripeServer, deliver: Deliver):
    customer, subscription = subscribed(stripe, ada)
    world, before = stripe.world, len(stripe.world.events)
    world.switch(subscription, "enterprise_monthly", 26)
    world.change(subscription, status="past_due")
    world.change(subscription, status="active", cancel_at_period_end=True)
    world.change(subscription, cancel_at_period_end=False)
    world.switch(subscription, "pro_yearly")
    history = world.events[before:]
    assert len(history) == 5
    assert len({each["created"] for each in history}) <= 2
    truth, luck = at_stripe(stripe, customer), random.Random(1)
    orders = list(itertools.permutations(history))
    assert len(orders) == 120
    for order in orders:
        execute("DELETE FROM stripe_events")
        for each in order:
            for _ in range(luck.randint(1, 2)):
                deliver(twin(each) if luck.random() < 0.1 else each)
            if luck.random() < 0.1:
                sync.run_once()
        run_all()
        assert stored(ada.scope) == truth
        assert rows("SELECT count(*), count(processed_at) FROM stripe_events") == [(5, 5)]
    assert changes(ada) == [(subscription, "active")]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_interleaves_the_end_is_stripes(ada: Made, stripe: StripeServer, deliver: Deliver, seed: int):
    """Life at Stripe, deliveries late and doubled, and work go on at once; when it is quiet both sides agree."""
    luck = random.Random(seed)
    customer, subscription = subscribed(stripe, ada)
    waiting: list[dict[str, Any]] = list(stripe.world.events)
    told = len(waiting)
    for _ in range(40):
        deed = luck.random()
        if deed < 0.35:
            _live(stripe, luck, customer, subscription)
            waiting += [each for each in stripe.world.events[told:] for _ in range(luck.randint(1, 2))]
            told = len(stripe.world.events)
        elif deed < 0.75 and waiting:
            deliver(waiting.pop(luck.randrange(len(waiting))))
        else:
            sync.run_once()
    luck.shuffle(waiting)
    for each in waiting:
        deliver(each)
    run_all()
    assert stored(ada.scope) == at_stripe(stripe, customer)
    assert [row[1] - row[2] for row in rows(SYNC)] == [0]


def _live(stripe: StripeServer, luck: random.Random, customer: str, subscription: str) -> None:
    world = stripe.world
    if world.find("subscription", subscription)["status"] == "canceled":
        world.subscribe(customer, world.price_of("pro_monthly")["id"])
        return
    deeds = {
        "switch": lambda: world.switch(subscription, luck.choice(["pro_yearly", "enterprise_monthly"])),
        "past_due": lambda: world.change(subscription, status="past_due"),
        "settle": lambda: world.settle(subscription),
        "schedule": lambda: world.change(subscription, cancel_at_period_end=luck.random() < 0.5),
        "cancel": lambda: world.cancel(subscription),
    }
    deeds[luck.choices(list(deeds), [3, 3, 3, 3, 1])[0]]()


def test_a_bell_during_the_question_is_settled_by_the_next(ada: Made, stripe: StripeServer, deliver: Deliver):
    customer, subscription = subscribed(stripe, ada)
    claim = sync._claim(None, timedelta(minutes=2))
    assert claim is not None
    answer = sync.gateway.subscriptions_of(customer)
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
    old = sync.gateway.subscriptions_of(customer)
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
    alive = sync.gateway.subscriptions_of(customer)
    stripe.world.cancel(subscription)
    run_all()
    link(ada.account_id, customer)
    claim = sync._claim(None, timedelta(minutes=2))
    assert claim is not None
    sync._apply(Scope.for_account(ada.account_id), claim, alive)
    assert stored(ada.scope)[subscription][0] == "canceled"


def test_one_that_a_list_lacks_is_asked_for_by_its_id(ada: Made, stripe: StripeServer):
    customer, subscription = subscribed(stripe, ada)
    run_all()
    stripe.world.unlisted.add(subscription)
    link(ada.account_id, customer)
    run_all()
    assert plan_of(ada) is PlanName.PRO
    assert changes(ada) == [(subscription, "active")]
    stripe.world.cancel(subscription)
    link(ada.account_id, customer)
    run_all()
    assert stored(ada.scope) == at_stripe(stripe, customer)
    asked = stripe.count("get", f"/v1/subscriptions/{subscription}")
    link(ada.account_id, customer)
    run_all()
    assert stripe.count("get", f"/v1/subscriptions/{subscription}") == asked, "canceled is for ever"


def test_one_that_stripe_does_not_know_entitles_to_nothing_until_it_does_again(ada: Made, stripe: StripeServer):
    customer, subscription = subscribed(stripe, ada)
    run_all()
    lost = stripe.world._kept["subscription"].pop(subscription)
    link(ada.account_id, customer)
    run_all()
    assert (plan_of(ada), stored(ada.scope)[subscription][0]) == (PlanName.FREE, "gone")
    assert changes(ada) == [(subscription, "active"), (subscription, "gone")]
    stripe.world._kept["subscription"][subscription] = lost
    link(ada.account_id, customer)
    run_all()
    assert (plan_of(ada), stored(ada.scope)) == (PlanName.PRO, at_stripe(stripe, customer))


def test_a_lookup_key_that_moves_to_a_new_price_takes_no_plan_away(ada: Made, stripe: StripeServer, deliver: Deliver):
    _, subscription = subscribed(stripe, ada)
    run_all()
    dearer = stripe.world.move_lookup_key("pro_monthly", 39_00)
    stripe.world.change(subscription, cancel_at_period_end=True)
    deliver(stripe.world.events[-1])
    run_all()
    assert (plan_of(ada), stored(ada.scope)[subscription][1]) == (PlanName.PRO, "pro_monthly")
    stripe.world.switch(subscription, "enterprise_monthly")
    deliver(stripe.world.events[-1])
    run_all()
    assert plan_of(ada) is PlanName.ENTERPRISE
    stripe.world.move_lookup_key("pro_monthly", 49_00)
    stripe.world.find("subscription", subscription)["items"]["data"][0]["price"] = dearer
    stripe.world.change(subscription)
    deliver(stripe.world.events[-1])
    run_all()
    assert plan_of(ada) is PlanName.FREE, "a price that was never known under a key of ours"


def test_each_further_unpaid_month_gives_no_new_grace(ada: Made, stripe: StripeServer):
    customer, subscription = subscribed(stripe, ada)
    world = stripe.world
    world.declining.add(customer)
    since = []
    for month in range(3):
        world.advance(31 * 86_400)
        if month:
            world.renew(subscription)
        link(ada.account_id, customer)
        run_all()
        with transaction(Scope.for_account(ada.account_id)) as session:
            (held,) = subscriptions_in(session, ada.account_id)
        assert held.status == "past_due"
        since.append(held.unpaid_since)
    first = next(each for each in reversed(world.every("invoice")) if each["status"] == "open")
    assert [int(each.timestamp()) for each in since if each] == [first["created"]] * 3
    world.declining.clear()
    world.settle(subscription)
    link(ada.account_id, customer)
    run_all()
    world.declining.add(customer)
    world.renew(subscription)
    link(ada.account_id, customer)
    run_all()
    with transaction(Scope.for_account(ada.account_id)) as session:
        (held,) = subscriptions_in(session, ada.account_id)
    assert held.unpaid_since
    assert int(held.unpaid_since.timestamp()) == world.every("invoice")[0]["created"], "paid up, it counts anew"


def test_a_dispute_rings_for_the_customer_of_its_charge(ada: Made, stripe: StripeServer, deliver: Deliver):
    customer, _ = subscribed(stripe, ada)
    run_all()
    charge = stripe.world.every("charge")[0]["id"]
    stripe.world.dispute(charge)
    deliver(stripe.world.events[-1])
    before = stripe.count("get", "/v1/subscriptions")
    assert run_all() == 2
    assert stripe.count("get", "/v1/subscriptions") == before + 1
    assert [row[0] for row in rows(SYNC)] == [f"charge:{charge}", f"customer:{customer}"]
    assert all(row[1] == row[2] for row in rows(SYNC))


def test_a_customer_of_nobody_is_parked_and_comes_back_when_linked(ada: Made, stripe: StripeServer, deliver: Deliver):
    customer = stripe.world.add_customer()["id"]
    stripe.world.subscribe(customer, stripe.world.price_of("pro_monthly")["id"])
    for each in stripe.world.events:
        deliver(each)
    assert run_all() == 1
    assert rows(SYNC)[0][1:6] == (len(stripe.world.events), 0, 0, True, "unlinked")
    assert rows("SELECT count(processed_at) FROM stripe_events") == [(0,)]
    deliver(stripe.world.events[-1] | {"id": "evt_news"})
    assert rows(SYNC)[0][1:6] == (len(stripe.world.events) + 1, 0, 0, True, "unlinked"), "news does not say whose it is"
    assert run_all() == 0
    link(ada.account_id, customer)
    run_all()
    assert plan_of(ada) is PlanName.PRO
    assert rows(SYNC)[0][1:6] == (5, 5, 0, False, None)
    assert rows("SELECT count(processed_at) FROM stripe_events") == [(4,)]


def test_an_outage_of_stripes_never_counts(ada: Made, stripe: StripeServer):
    subscribed(stripe, ada)
    for _ in range(sync.TRIES + 2):
        stripe.faults = [503]
        assert sync.run_once(patience=stripe_client.QUICK)
        execute("UPDATE stripe_sync SET next_at = now()")
    assert rows(SYNC)[0][3:] == (0, False, "billing.stripe_unavailable", None)
    stripe.faults.clear()
    run_all()
    assert plan_of(ada) is PlanName.PRO


def test_a_failure_of_its_own_waits_longer_each_time_and_is_given_up_at_last(ada: Made, stripe: StripeServer):
    subscribed(stripe, ada)
    waits = []
    for attempt in range(1, sync.TRIES + 1):
        stripe.faults = [400]
        assert sync.run_once()
        assert not sync.run_once(), "it is tried again at once"
        assert rows(SYNC)[0][3:6] == (attempt, attempt == sync.TRIES, "billing.stripe_refused")
        waits += rows("SELECT extract(epoch FROM next_at - now())::float FROM stripe_sync")
        execute("UPDATE stripe_sync SET next_at = now()")
    assert all(30 * 2**n * 0.5 <= wait <= 30 * 2**n for n, (wait,) in enumerate(waits, start=1))
    assert not sync.run_once()
    assert plan_of(ada) is PlanName.FREE


def test_news_of_what_was_given_up_is_a_reason_to_try_again(ada: Made, stripe: StripeServer, deliver: Deliver):
    _, subscription = subscribed(stripe, ada)
    execute(f"UPDATE stripe_sync SET attempts = {sync.TRIES - 1}")
    stripe.faults = [400]
    run_all()
    assert rows(SYNC)[0][3:6] == (sync.TRIES, True, "billing.stripe_refused")
    stripe.world.change(subscription, metadata={"seen": "yes"})
    deliver(stripe.world.events[-1])
    assert rows(SYNC)[0][3:5] == (0, False)
    run_all()
    assert plan_of(ada) is PlanName.PRO


def test_a_bell_during_the_last_try_is_not_given_up_with_it(ada: Made, stripe: StripeServer, deliver: Deliver):
    subscribed(stripe, ada)
    execute(f"UPDATE stripe_sync SET attempts = {sync.TRIES - 1}")
    claim = sync._claim(None, timedelta(minutes=2))
    assert claim is not None
    deliver(stripe.world.events[-1])
    sync._put_back(claim, "billing.stripe_refused", counts=True)
    assert rows(SYNC)[0][4:6] == (False, "billing.stripe_refused")
    execute("UPDATE stripe_sync SET next_at = now()")
    run_all()
    assert plan_of(ada) is PlanName.PRO


def test_without_a_key_nothing_is_claimed(ada: Made, no_stripe: None):
    link(ada.account_id, "cus_1")
    assert not sync.run_once()
    assert rows(SYNC)[0][3:] == (0, False, None, None)


def test_a_neighbour_sees_nothing_of_it(ada: Made, bob: Made, stripe: StripeServer):
    subscribed(stripe, ada, "enterprise_monthly")
    run_all()
    assert plan_of(ada) is PlanName.ENTERPRISE
    assert (plan_of(bob), stored(bob.scope)) == (PlanName.FREE, {})
    with transaction(bob.scope) as session:
        assert entitlement_of(session, ada.account_id).plan is PlanName.FREE
        for table in ("subscriptions", "subscription_changes", "billing_intents"):
            assert session.connection().exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0


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


def test_events_that_say_nothing_of_customers_wake_nobody(ada: Made, stripe: StripeServer, deliver: Deliver):
    deliver(event(type="product.created", data={"object": {"id": "prod_1", "object": "product"}}))
    assert not sync.run_once()
