"""The real SDK against our Stripe at the wire: what is made of its answers, and of its failures."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from core.billing import stripe_client
from core.billing import stripe_gateway as gateway
from core.billing import stripe_reading as reading
from core.billing.deliveries import RESOLVABLE
from core.errors import Conflict, NotConfigured, NotFound, Refusal, Unavailable
from core.settings import settings
from tests.billing.test_stripe_gateway import checkout, subscribed
from tests.peers.stripe_server import StripeServer


def test_a_subscription_is_read_with_the_period_of_its_items(stripe: StripeServer):
    customer, made = subscribed(stripe, "enterprise_yearly", quantity=30, trial_days=14)
    (got,) = reading.customer_state(customer).subscriptions
    item = stripe.world.find("subscription", made)["items"]["data"][0]
    assert (got.stripe_id, got.customer_id, got.status) == (made, customer, "trialing")
    assert (got.lookup_key, got.quantity) == ("enterprise_yearly", 30)
    assert got.current_period_start == datetime.fromtimestamp(item["current_period_start"], UTC)
    assert got.current_period_end == got.trial_end == datetime.fromtimestamp(item["current_period_end"], UTC)
    assert (got.cancel_at, got.cancel_at_period_end, got.unpaid_since) == (None, False, None)
    stripe.world.change(made, cancel_at=item["current_period_end"])
    assert reading.customer_state(customer).subscriptions[0].ends_at == got.current_period_end


def test_past_due_carries_when_its_invoice_was_made(stripe: StripeServer):
    customer, made = subscribed(stripe)
    stripe.world.declining.add(customer)
    stripe.world.advance(40 * 86_400)
    (got,) = reading.customer_state(customer).subscriptions
    invoice = stripe.world.find("invoice", stripe.world.find("subscription", made)["latest_invoice"])
    assert got.status == "past_due"
    assert got.unpaid_since == datetime.fromtimestamp(invoice["created"], UTC)
    stripe.world.settle(made)
    assert reading.customer_state(customer).subscriptions[0].unpaid_since is None


def test_every_subscription_is_read_page_by_page_canceled_ones_too(stripe: StripeServer):
    customer = stripe.world.add_customer()["id"]
    price = stripe.world.price_of("pro_monthly")["id"]
    made = [stripe.world.subscribe(customer, price)["id"] for _ in range(205)]
    stripe.world.cancel(made[7])
    subscribed(stripe)
    state = reading.customer_state(customer)
    got = state.subscriptions
    assert sorted(each.stripe_id for each in got) == sorted(made)
    assert [each.stripe_id for each in got if each.status == "canceled"] == [made[7]]
    assert len(state.invoices) == len(made)
    assert [stripe.count("get", path) for path in ("/v1/subscriptions", "/v1/invoices", "/v1/charges")] == [3, 3, 3]


def test_the_customer_behind_each_kind_of_object(stripe: StripeServer):
    """A dispute or a refund names no customer: its charge does. The payment of an invoice names the invoice."""
    world = stripe.world
    customer, subscription = subscribed(stripe)
    page = gateway.open_checkout(checkout(customer), "intent-1")
    charge = world.every("charge")[0]["id"]
    ids = {
        "subscription": subscription,
        "subscription_schedule": world.schedule_from(subscription)["id"],
        "invoice": world.every("invoice")[0]["id"],
        "invoice_payment": world.every("invoice_payment")[0]["id"],
        "charge": charge,
        "checkout.session": page.stripe_id,
        "payment_intent": world.every("payment_intent")[0]["id"],
        "payment_method": world.add_card(customer)["id"],
        "refund": world.refund(charge, 1_00)["id"],
        "dispute": world.dispute(charge)["id"],
    }
    assert set(ids) == RESOLVABLE
    assert {reading.customer_of(kind, stripe_id) for kind, stripe_id in ids.items()} == {customer}
    assert reading.customer_of("payment_method", world.make_card()["id"]) is None
    with pytest.raises(NotFound):
        reading.customer_of("charge", "ch_unknown")


@pytest.mark.parametrize(
    ("status", "refusal", "code"),
    [
        (401, NotConfigured, "billing.key_refused"),
        (403, NotConfigured, "billing.key_refused"),
        (429, Unavailable, "billing.stripe_unavailable"),
        (500, Unavailable, "billing.stripe_unavailable"),
        (503, Unavailable, "billing.stripe_unavailable"),
        (400, Conflict, "billing.stripe_refused"),
    ],
)
def test_failures_are_refusals_with_a_sentence(stripe: StripeServer, status: int, refusal: type[Refusal], code: str):
    stripe.faults = [status] * 9
    with pytest.raises(refusal) as caught:
        reading.customer_state("cus_1", stripe_client.QUICK)
    assert caught.value.code == code
    assert all(caught.value.sentence(language) for language in ("en", "fr"))


def test_patience_retries_and_haste_does_not(stripe: StripeServer):
    customer, _ = subscribed(stripe)
    stripe.faults = [500, 500]
    assert len(reading.customer_state(customer).subscriptions) == 1
    stripe.faults = [500]
    with pytest.raises(Unavailable):
        reading.customer_state(customer, stripe_client.QUICK)


def test_nobody_at_the_address(stripe: StripeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(Unavailable):
        reading.customer_state("cus_1", stripe_client.QUICK)


def test_without_a_key_it_says_what_to_set(no_stripe: None):
    assert not stripe_client.is_configured()
    assert stripe_client.expects_livemode() is None
    with pytest.raises(NotConfigured, match="STRIPE_SECRET_KEY"):
        reading.customer_state("cus_1")


def test_an_unknown_customer_is_not_found(stripe: StripeServer):
    with pytest.raises(NotFound):
        reading.customer_state(f"cus_{uuid4().hex}")
