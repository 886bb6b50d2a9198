"""What is made of an answer: what it lacks, what Stripe forgot, what it sold under another key."""

from core.access import Scope
from core.billing.plans import PlanName
from core.billing.queries import subscriptions_in
from core.db import transaction
from tests.billing.asking import changes, plan_of, run_all, subscribed
from tests.billing.conftest import Deliver, at_stripe, link, stored
from tests.peers.stripe_server import StripeServer
from tests.people import Made


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
