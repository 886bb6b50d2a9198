"""The real SDK against our Stripe at the wire: what we ask, what we make of the answers, and of the failures."""

import threading
from uuid import UUID

import pytest

from core.billing import stripe_client
from core.billing import stripe_gateway as gateway
from core.billing.plans import OFFERS
from core.billing.stripe_gateway import CheckoutRequest
from core.errors import NotConfigured, NotFound
from core.settings import settings
from tests.peers.stripe_server import StripeServer

ACCOUNT = UUID("018f0000-0000-7000-8000-000000000001")


def checkout(customer: str, lookup_key: str = "pro_monthly", trial_days: int = 0) -> CheckoutRequest:
    home = "http://localhost:8501/billing?checkout="
    return CheckoutRequest(customer, ACCOUNT, lookup_key, trial_days, home + "done", home + "cancelled")


def subscribed(stripe: StripeServer, lookup_key: str = "pro_monthly", **more: int) -> tuple[str, str]:
    customer = stripe.world.add_customer()["id"]
    made = stripe.world.subscribe(customer, stripe.world.price_of(lookup_key)["id"], **more)
    return customer, made["id"]


def test_a_customer_carries_the_account_and_is_made_once(stripe: StripeServer):
    made = {gateway.make_customer(ACCOUNT, "ada@example.com", "Ada") for _ in range(3)}
    assert len(made) == 1
    customer = stripe.world.find("customer", made.pop())
    assert customer["metadata"] == {"account_id": str(ACCOUNT)}
    assert (customer["email"], customer["name"]) == ("ada@example.com", "Ada")
    assert len(stripe.world.every("customer")) == 1


def test_checkout_is_one_page_a_key_with_plan_trial_and_account(stripe: StripeServer):
    customer = stripe.world.add_customer()["id"]
    first = gateway.open_checkout(checkout(customer, trial_days=14), "intent-1")
    again = gateway.open_checkout(checkout(customer, trial_days=14), "intent-1")
    assert first == again
    assert first.url.startswith(stripe.url)
    sent = next(params for verb, path, params, _ in stripe.requests if path == "/v1/checkout/sessions")
    assert sent["line_items"] == {"0": {"price": stripe.world.price_of("pro_monthly")["id"], "quantity": "1"}}
    assert sent["client_reference_id"] == str(ACCOUNT)
    assert sent["subscription_data"] == {"metadata": {"account_id": str(ACCOUNT)}, "trial_period_days": "14"}
    assert len(stripe.world.every("checkout.session")) == 1


def test_a_page_can_be_closed_and_a_paid_one_says_so(stripe: StripeServer):
    customer = stripe.world.add_customer()["id"]
    one = gateway.open_checkout(checkout(customer), "intent-1")
    two = gateway.open_checkout(checkout(customer, "pro_yearly"), "intent-2")
    assert gateway.checkout_status(one.stripe_id) == "open"
    assert gateway.close_checkout(one.stripe_id) == "expired"
    assert gateway.close_checkout(one.stripe_id) == "expired"
    stripe.world.pay(two.stripe_id)
    assert gateway.close_checkout(two.stripe_id) == "complete"


def test_the_portal(stripe: StripeServer):
    customer = stripe.world.add_customer()["id"]
    assert gateway.open_portal(customer, "http://localhost:8501/billing").url.startswith(f"{stripe.url}/portal/")
    with pytest.raises(NotFound):
        gateway.open_portal("cus_unknown", "http://localhost:8501/billing")


def test_prices_by_lookup_key(stripe: StripeServer):
    found = gateway.prices(OFFERS)
    assert {key: (each.amount, each.currency, each.months) for key, each in found.items()} == {
        key: (each.list_amount, each.currency, each.months) for key, each in OFFERS.items()
    }
    stripe.world.price_of("pro_yearly")["active"] = False
    assert set(gateway.prices(["pro_yearly", "pro_monthly", "unheard_of"])) == {"pro_monthly"}
    with pytest.raises(NotConfigured, match="pro_yearly"):
        gateway.open_checkout(checkout(stripe.world.add_customer()["id"], "pro_yearly"), "intent-1")


def test_a_lost_answer_is_asked_again_under_the_same_key(stripe: StripeServer):
    stripe.lost_answers = 1
    gateway.make_customer(ACCOUNT, "ada@example.com", "Ada")
    asked = [key for verb, path, _, key in stripe.requests if path == "/v1/customers"]
    assert len(asked) == 2
    assert len(set(asked)) == 1
    assert len(stripe.world.every("customer")) == 1


def test_two_at_once_under_one_key_make_one_customer(stripe: StripeServer):
    stripe.latency = 0.2
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(gateway.make_customer(ACCOUNT, "ada@example.com", "Ada")))
        for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made) == 4
    assert len(set(made)) == 1


@pytest.mark.parametrize(("mode", "live"), [("live", True), ("test", False)])
def test_the_mode_is_that_of_the_key(no_stripe: None, monkeypatch: pytest.MonkeyPatch, mode: str, live: bool):
    monkeypatch.setenv("STRIPE_SECRET_KEY", f"rk_{mode}_x")
    settings.cache_clear()
    assert stripe_client.expects_livemode() is live
