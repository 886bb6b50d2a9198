"""The thirteen invariants of keeping step with Stripe, one after the other; other tests try each of them harder."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from starlette.testclient import TestClient

from core.access import Role, Scope
from core.billing import stripe_reading as reading
from core.billing import sweep, sync
from core.billing.ledger import check
from core.billing.plans import GRACE, PlanName, Subscription, entitlement
from core.billing.queries import subscriptions_in
from core.billing.signature import BadDelivery
from core.db import transaction
from core.settings import settings
from core.sidecar.app import create_app
from tests.billing.asking import SYNC, again, movements, plan_of, run_all, subscribed, sums_of, worth_at
from tests.billing.conftest import Deliver, at_stripe, event, execute, link, rows, stored
from tests.peers.stripe_bells import body_of, signed
from tests.peers.stripe_server import SECRET, StripeServer
from tests.peers.stripe_world import twin
from tests.people import Made, make_person

HEADER = "stripe-signature"
BOOKS = "SELECT count(*) FROM stripe_events", "SELECT count(*) FROM stripe_sync"


def held(made: Made) -> tuple[Subscription, ...]:
    with transaction(Scope.for_account(made.account_id)) as session:
        return subscriptions_in(session, made.account_id)


def test_i1_an_event_is_stored_once_and_marks_its_customer(
    database: Connection, stripe: StripeServer, deliver: Deliver
):
    told = event()
    assert [deliver(told), deliver(twin(told)), deliver(told)] == [True, False, False]
    assert rows("SELECT key, dirty FROM stripe_sync") == [("customer:cus_1", 1)]


def test_i2_200_means_committed_and_bad_input_is_never_our_fault(committed: str, stripe: StripeServer):
    body = body_of(event())
    with TestClient(create_app()) as client:
        for wrong in (b"", b"[]", b"null", b"{}", b"\xff", body[:-9]):
            answer = client.post("/webhooks/stripe", content=wrong, headers={HEADER: signed(wrong, SECRET)})
            assert 400 <= answer.status_code < 500
        assert [rows(each) for each in BOOKS] == [[(0,)], [(0,)]]
        assert client.post("/webhooks/stripe", content=body, headers={HEADER: signed(body, SECRET)}).status_code == 200
        assert [rows(each) for each in BOOKS] == [[(1,)], [(1,)]]


def test_i3_when_it_is_quiet_both_sides_agree(ada: Made, stripe: StripeServer, deliver: Deliver):
    customer, subscription = subscribed(stripe, ada)
    stripe.world.switch(subscription, "enterprise_yearly")
    for each in reversed(stripe.world.events):
        deliver(each)
    run_all()
    assert stored(ada.scope) == at_stripe(stripe, customer)
    assert sums_of(movements(ada)) == worth_at(stripe.world, customer)


def test_i4_a_bell_after_the_question_waits_for_the_next(ada: Made, stripe: StripeServer, deliver: Deliver):
    customer, subscription = subscribed(stripe, ada)
    claim = sync._claim(None, timedelta(minutes=2))
    assert claim is not None
    answer = reading.customer_state(customer)
    stripe.world.cancel(subscription)
    deliver(stripe.world.events[-1])
    sync._apply(Scope.for_account(ada.account_id), claim, answer)
    ((_, dirty, synced, *_),) = rows(SYNC)
    assert (claim.dirty, synced, dirty) == (1, 1, 2)
    run_all()
    assert rows("SELECT dirty - synced FROM stripe_sync") == [(0,)]


def test_i5_only_who_holds_the_lease_writes(ada: Made, stripe: StripeServer):
    customer, subscription = subscribed(stripe, ada)
    slow = sync._claim(None, timedelta(0))
    assert slow is not None
    old = reading.customer_state(customer)
    stripe.world.switch(subscription, "enterprise_monthly")
    stripe.world.refund(stripe.world.every("charge")[0]["id"], 1_00)
    execute("UPDATE stripe_sync SET lease_until = now() - interval '1 second'")
    run_all()
    books = movements(ada)
    sync._apply(Scope.for_account(ada.account_id), slow, old)
    assert stored(ada.scope) == at_stripe(stripe, customer)
    assert movements(ada) == books


def test_i6_a_paid_invoice_counts_once_and_each_letter_is_written_once(
    ada: Made, stripe: StripeServer, deliver: Deliver
):
    customer, subscription = subscribed(stripe, ada)
    stripe.world.cancel(subscription)
    for _ in range(3):
        again(ada, customer)
    charge = stripe.world.every("charge")[0]["id"]
    stripe.world.refund(charge)
    again(ada, customer)
    with transaction(Scope.for_account(ada.account_id)) as session:
        paid = session.connection().exec_driver_sql(
            "SELECT count(*), sum(amount_paid), sum(amount_refunded) FROM invoices WHERE status = 'paid'"
        )
        assert tuple(paid.one()) == (1, 29_00, 29_00)
        told = session.connection().exec_driver_sql("SELECT count(*), count(DISTINCT key) FROM billing_notices").one()
        assert told[0] == told[1]


def test_i7_canceled_is_for_ever(ada: Made, stripe: StripeServer):
    customer, subscription = subscribed(stripe, ada)
    alive = reading.customer_state(customer)
    stripe.world.cancel(subscription)
    run_all()
    link(ada.account_id, customer)
    claim = sync._claim(None, timedelta(minutes=2))
    assert claim is not None
    sync._apply(Scope.for_account(ada.account_id), claim, alive)
    assert stored(ada.scope)[subscription][0] == "canceled"
    assert sums_of(movements(ada)) == {}


def test_i8_access_lasts_as_long_as_it_is_paid_for_and_no_longer(ada: Made, stripe: StripeServer, deliver: Deliver):
    customer, subscription = subscribed(stripe, ada)
    older = list(stripe.world.events)
    stripe.world.change(subscription, cancel_at_period_end=True)
    again(ada, customer)
    (now,) = held(ada)
    second = timedelta(seconds=1)
    assert entitlement([now], now.current_period_end - second).plan is PlanName.PRO
    assert entitlement([now], now.current_period_end).plan is PlanName.FREE
    stripe.world.change(subscription, cancel_at_period_end=False)
    stripe.world.declining.add(customer)
    stripe.world.renew(subscription)
    again(ada, customer)
    for each in older:
        deliver(each)
    run_all()
    (owing,) = held(ada)
    assert owing.unpaid_since is not None
    assert entitlement([owing], owing.unpaid_since + GRACE - second).plan is PlanName.PRO
    assert entitlement([owing], owing.unpaid_since + GRACE).plan is PlanName.FREE


def test_i9_work_that_died_is_done_by_another(ada: Made, stripe: StripeServer):
    """In one process: the lease of who died passes. `test_storm` kills processes at each step."""
    customer, _ = subscribed(stripe, ada)
    assert sync._claim(None, timedelta(0)) is not None
    execute("UPDATE stripe_sync SET lease_until = now() - interval '1 second'")
    run_all()
    assert stored(ada.scope) == at_stripe(stripe, customer)
    assert len(movements(ada)) == 1


def test_i10_every_webhook_lost_is_made_good_by_one_sweep(ada: Made, stripe: StripeServer):
    customer, subscription = subscribed(stripe, ada)
    run_all()
    stripe.world.switch(subscription, "enterprise_monthly")
    stripe.world.refund(stripe.world.every("charge")[0]["id"], 2_00)
    assert run_all() == 0
    assert sweep.sweep_once()
    run_all()
    assert stored(ada.scope) == at_stripe(stripe, customer)
    assert sums_of(movements(ada)) == {"USD": 99_00}


def test_i11_replaying_what_is_stored_changes_nothing(ada: Made, stripe: StripeServer, deliver: Deliver):
    customer, subscription = subscribed(stripe, ada)
    stripe.world.switch(subscription, "enterprise_monthly")
    for each in stripe.world.events:
        deliver(each)
    run_all()
    before = stored(ada.scope), movements(ada)
    execute("UPDATE stripe_sync SET dirty = dirty + 1")
    for each in stripe.world.events:
        assert not deliver(each)
    run_all()
    assert (stored(ada.scope), movements(ada)) == before == (at_stripe(stripe, customer), movements(ada))


def test_i12_live_and_test_never_meet(ada: Made, stripe: StripeServer, deliver: Deliver):
    _, subscription = subscribed(stripe, ada)
    run_all()
    stripe.world.cancel(subscription)
    with pytest.raises(BadDelivery):
        deliver(stripe.world.events[-1] | {"livemode": True})
    assert run_all() == 0
    assert plan_of(ada) is PlanName.PRO


def test_i13_forged_stale_and_future_requests_change_nothing(
    ada: Made, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
):
    _, subscription = subscribed(stripe, ada)
    run_all()
    stripe.world.cancel(subscription)
    body, now = body_of(stripe.world.events[-1]), time.time()
    headers = [signed(body, "whsec_other"), signed(body, SECRET, now - 301), signed(body, SECRET, now + 302), ""]
    with TestClient(create_app()) as client:
        answers = {
            client.post("/webhooks/stripe", content=body, headers={HEADER: each}).status_code for each in headers
        }
        assert answers == {400}
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_new")
        settings.cache_clear()
        late = client.post("/webhooks/stripe", content=body, headers={HEADER: signed(body, SECRET)})
        assert late.status_code == 400, "the old secret holds only while it is configured"
    assert run_all() == 0
    assert plan_of(ada) is PlanName.PRO
    assert check(make_person("Sam", Role.ADMIN).scope) == ()
