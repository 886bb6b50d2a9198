"""Our Stripe refuses what Stripe refuses. A peer that takes anything proves nothing."""

import json
import random
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import stripe as sdk

from core.billing.signature import verify
from tests.peers.stripe_contract import contract
from tests.peers.stripe_server import KEY, SECRET, StripeServer
from tests.peers.stripe_world import twin


@pytest.fixture
def server() -> Iterator[StripeServer]:
    with StripeServer() as running:
        yield running


@pytest.fixture
def client(server: StripeServer) -> sdk.StripeClient:
    return sdk.StripeClient(KEY, base_addresses={"api": server.url})


def test_the_contract_is_that_of_the_installed_sdk():
    assert contract()["sdk"] == sdk.VERSION
    assert contract()["api_version"] == sdk.api_version


@pytest.mark.parametrize(
    "params",
    [
        {"payment_method_types": ["card"]},
        {"mode": "subscribe"},
        {"line_items": "price_1"},
        {"line_items": [{"price": "price_1", "quantity": "one"}]},
        {"line_items": [{"prize": "price_1"}]},
        {"subscription_data": {"trial_from_plan": True}},
        {"subscription_data": "trial"},
        {"ui_mode": "hosted"},
    ],
)
def test_wrong_and_legacy_parameters_are_refused(client: sdk.StripeClient, params: dict[str, object]):
    with pytest.raises(sdk.InvalidRequestError):
        client.v1.checkout.sessions.create(params)  # type: ignore[arg-type]


def test_unknown_addresses_versions_and_keys_are_refused(server: StripeServer, client: sdk.StripeClient):
    with pytest.raises(sdk.InvalidRequestError, match="Unrecognized"):
        client.v1.quotes.list()
    assert server.outside == ["get /v1/quotes"], "and the test that asked fails at its end, whoever took the refusal"
    old = sdk.StripeClient(KEY, base_addresses={"api": server.url}, stripe_version="2024-06-20")
    with pytest.raises(sdk.InvalidRequestError, match="2024-06-20"):
        old.v1.prices.list()
    with pytest.raises(sdk.AuthenticationError):
        sdk.StripeClient("sk_test_other", base_addresses={"api": server.url}).v1.prices.list()


def test_a_key_used_again_for_something_else_is_refused(client: sdk.StripeClient):
    first = client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})
    assert client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"}).id == first.id
    with pytest.raises(sdk.IdempotencyError):
        client.v1.customers.create({"name": "Bob"}, {"idempotency_key": "one"})


def test_a_refusal_is_repeated_under_its_key(server: StripeServer, client: sdk.StripeClient):
    """As Stripe does: who pays again with a better card needs a key of its own."""
    customer = client.v1.customers.create({"name": "Ada"}).id
    server.world.declining.add(customer)
    made = server.world.subscribe(customer, server.world.price_of("pro_monthly")["id"])
    with pytest.raises(sdk.CardError):
        client.v1.invoices.pay(made["latest_invoice"], {}, {"idempotency_key": "pay"})
    server.world.declining.clear()
    with pytest.raises(sdk.CardError):
        client.v1.invoices.pay(made["latest_invoice"], {}, {"idempotency_key": "pay"})
    assert client.v1.invoices.pay(made["latest_invoice"]).status == "paid"


def test_subscriptions_live_as_stripes_do(server: StripeServer, client: sdk.StripeClient):
    customer = client.v1.customers.create({"name": "Ada"}).id
    price = server.world.price_of("pro_monthly")["id"]
    made = client.v1.subscriptions.create({"customer": customer, "items": [{"price": price}], "trial_period_days": 14})
    assert (made.status, made.items.data[0].price.lookup_key) == ("trialing", "pro_monthly")
    server.world.advance(15 * 86_400)
    assert client.v1.subscriptions.retrieve(made.id).status == "active"
    server.world.declining.add(customer)
    server.world.advance(31 * 86_400)
    assert client.v1.subscriptions.retrieve(made.id).status == "past_due"
    server.world.settle(made.id)
    client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    server.world.advance(40 * 86_400)
    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"
    with pytest.raises(sdk.InvalidRequestError):
        client.v1.subscriptions.update(made.id, {"cancel_at_period_end": False})
    assert client.v1.subscriptions.list({"customer": customer}).data == []
    assert len(client.v1.subscriptions.list({"customer": customer, "status": "all"}).data) == 1
    told = [event["type"] for event in server.world.events if event["type"].startswith("customer.sub")]
    assert [kind.removeprefix("customer.subscription.") for kind in told] == [
        "created",
        "trial_will_end",
        *["updated"] * 4,
        "deleted",
    ]
    assert [event.id for event in client.v1.events.list({"limit": 100}).auto_paging_iter()] == [
        event["id"] for event in reversed(server.world.events)
    ]


def test_an_incomplete_first_payment_and_a_seat_change(server: StripeServer, client: sdk.StripeClient):
    customer = client.v1.customers.create({"name": "Ada"}).id
    server.world.declining.add(customer)
    made = server.world.subscribe(customer, server.world.price_of("enterprise_monthly")["id"])
    assert client.v1.subscriptions.retrieve(made["id"]).status == "incomplete"
    server.world.declining.clear()
    server.world.settle(made["id"])
    item = made["items"]["data"][0]["id"]
    got = client.v1.subscriptions.update(made["id"], {"items": [{"id": item, "quantity": 30}]})
    assert (got.status, got.items.data[0].quantity) == ("active", 30)
    assert client.v1.subscriptions.cancel(made["id"]).status == "canceled"


def test_the_pages_have_buttons_that_do(server: StripeServer, client: sdk.StripeClient):
    customer = client.v1.customers.create({"name": "Ada"}).id
    done = server.url + "/portal/none?came=back"
    page = client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer,
            "line_items": [{"price": server.world.price_of("pro_yearly")["id"], "quantity": 1}],
            "success_url": done,
        }
    )
    assert "Pay" in _read(page.url)
    assert _pressed(page.url, "pay") == done
    assert client.v1.checkout.sessions.retrieve(page.id).status == "complete"
    assert "no longer open" in _read(page.url)
    portal = client.v1.billing_portal.sessions.create({"customer": customer, "return_url": done})
    assert "Cancel subscription" in _read(portal.url)
    _pressed(portal.url, "cancel")
    assert "Cancel subscription" not in _read(portal.url)
    assert [each["status"] for each in server.world.every("subscription")] == ["canceled"]


def _read(url: str | None) -> str:
    with urllib.request.urlopen(str(url)) as answer:
        return answer.read().decode()


def _pressed(url: str | None, button: str) -> str:
    data = urllib.parse.urlencode({"do": button}).encode()
    with urllib.request.urlopen(urllib.request.Request(str(url), data)) as answer:
        return str(answer.url)


def test_bells_ring_signed_repeated_shuffled_with_twins_and_again_after_a_failure(server: StripeServer):
    heard: list[tuple[bytes, str]] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((self.rfile.read(int(self.headers["Content-Length"])), self.headers["Stripe-Signature"]))
            self.send_response(500 if len(heard) == 1 else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Ear) as ear:
        Thread(target=ear.serve_forever, args=(0.05,), daemon=True).start()
        server.bells.url = f"http://127.0.0.1:{ear.server_address[1]}/webhooks/stripe"
        server.bells.repeats, server.bells.twins, server.bells.held = 2, True, True
        server.world.add_customer(name="Zoé")
        server.world.add_customer(name="Bob")
        server.bells.silence()
        assert heard == []
        server.bells.release(random.Random(7))
        server.bells.silence()
        server.bells.dropping = True
        server.world.add_customer()
        server.bells.silence()
        before = len(heard)
        server.bells.dropping, server.bells.repeats, server.bells.twins = False, 1, False
        server.bells.losing, server.bells.luck = 0.5, random.Random(7)
        for _ in range(20):
            server.world.add_customer()
        server.bells.silence()
        ear.shutdown()
    assert before == 2 * 2 * 2 + 1
    assert 0 < len(heard) - before < 20
    for raw, header in heard[:before]:
        verify(raw, header, [SECRET], server.world.now())
        sdk.WebhookSignature.verify_header(raw, header, SECRET, 300)
    ids = [json.loads(raw)["id"] for raw, _ in heard[:before]]
    assert ids[0] == ids[1]
    assert set(ids) == {name for event in server.world.events[:2] for name in (event["id"], twin(event)["id"])}
