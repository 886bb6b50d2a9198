"""Another try, later each time, and no event is ever thrown away."""

from datetime import timedelta

from core.billing import stripe_client, sync
from core.billing.plans import PlanName
from tests.billing.asking import SYNC, plan_of, run_all, subscribed
from tests.billing.conftest import Deliver, execute, link, rows
from tests.peers.stripe_server import StripeServer
from tests.people import Made


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
