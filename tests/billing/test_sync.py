"""What Stripe says is what we hold, and whoever it is about."""

from core.billing import sync
from core.billing.plans import PlanName
from core.billing.service import entitlement_of
from core.db import transaction
from tests.billing.asking import SYNC, changes, plan_of, run_all, subscribed
from tests.billing.conftest import Deliver, at_stripe, event, link, rows, stored
from tests.peers.stripe_server import StripeServer
from tests.people import Made


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
    events = list(stripe.world.events)
    for each in events:
        deliver(each)
    assert run_all() == 1
    assert rows(SYNC)[0][1:6] == (len(events), 0, 0, True, "unlinked")
    assert rows("SELECT count(processed_at) FROM stripe_events") == [(0,)]
    deliver(events[-1] | {"id": "evt_news"})
    assert rows(SYNC)[0][1:6] == (len(events) + 1, 0, 0, True, "unlinked"), "news does not say whose it is"
    assert run_all() == 0
    link(ada.account_id, customer)
    run_all()
    assert plan_of(ada) is PlanName.PRO
    assert rows(SYNC)[0][1:6] == (len(events) + 2, len(events) + 2, 0, False, None)
    assert rows("SELECT count(processed_at) FROM stripe_events") == [(len(events) + 1,)]


def test_a_neighbour_sees_nothing_of_it(ada: Made, bob: Made, stripe: StripeServer):
    subscribed(stripe, ada, "enterprise_monthly")
    run_all()
    assert plan_of(ada) is PlanName.ENTERPRISE
    assert (plan_of(bob), stored(bob.scope)) == (PlanName.FREE, {})
    with transaction(bob.scope) as session:
        assert entitlement_of(session, ada.account_id).plan is PlanName.FREE
        for table in ("subscriptions", "subscription_changes", "billing_intents"):
            assert session.connection().exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0


def test_events_that_say_nothing_of_customers_wake_nobody(ada: Made, stripe: StripeServer, deliver: Deliver):
    deliver(event(type="product.created", data={"object": {"id": "prod_1", "object": "product"}}))
    assert not sync.run_once()
