"""How our Stripe takes money, gives it back and loses it again, seen through the real SDK."""

from collections.abc import Iterator

import pytest
import stripe as sdk

from core.billing.deliveries import read
from tests.peers.stripe_bells import body_of
from tests.peers.stripe_server import KEY, StripeServer
from tests.peers.stripe_store import Json
from tests.peers.stripe_world import World

PRICE = 29_00


@pytest.fixture
def server() -> Iterator[StripeServer]:
    with StripeServer() as running:
        yield running


@pytest.fixture
def world(server: StripeServer) -> World:
    return server.world


@pytest.fixture
def v1(server: StripeServer) -> sdk.V1Services:
    return sdk.StripeClient(KEY, base_addresses={"api": server.url}).v1


def _subscribed(world: World) -> Json:
    customer = world.add_customer(email="ada@example.com")
    world.add_card(customer["id"])
    return world.subscribe(customer["id"], world.price_of("pro_monthly")["id"])


def _charge(world: World) -> Json:
    return world.every("charge")[0]


def test_an_invoice_leads_to_its_charge_through_its_payment(world: World, v1: sdk.V1Services):
    subscription = _subscribed(world)
    expand = ["data.payment.payment_intent.latest_charge"]
    (payment,) = v1.invoice_payments.list({"invoice": subscription["latest_invoice"], "expand": expand}).data
    assert (payment.status, payment.amount_paid, payment.amount_requested) == ("paid", PRICE, PRICE)
    intent = payment.payment.payment_intent
    assert isinstance(intent, sdk.PaymentIntent)
    charge = intent.latest_charge
    assert isinstance(charge, sdk.Charge)
    assert (charge.amount, charge.amount_refunded, charge.payment_intent) == (PRICE, 0, intent.id)
    assert "invoice" not in charge, "gone since API version 2025-03-31"
    assert v1.invoice_payments.list({"invoice": "in_of_nobody"}).data == []
    back = v1.invoice_payments.list({"payment": {"type": "payment_intent", "payment_intent": intent.id}})
    assert [each.invoice for each in back.data] == [subscription["latest_invoice"]]


def test_a_refused_card_leaves_a_charge_with_its_reason(world: World, v1: sdk.V1Services):
    subscription = _subscribed(world)
    world.declining.add(subscription["customer"])
    invoice = world.find("invoice", subscription["latest_invoice"]) | {"id": "in_next", "amount_remaining": PRICE}
    assert not world.take(invoice)
    (intent,) = [each for each in v1.payment_intents.list().data if each.status == "requires_payment_method"]
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.decline_code == "insufficient_funds"
    charge = v1.charges.retrieve(str(intent.latest_charge))
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, "card_declined")
    world.declining.clear()
    assert world.take(invoice)
    tries = v1.charges.list({"payment_intent": intent.id}).data
    assert [each.status for each in tries] == ["succeeded", "failed"]
    assert len(v1.invoice_payments.list({"invoice": "in_next"}).data) == 1
    with pytest.raises(sdk.InvalidRequestError, match="has not been paid"):
        v1.refunds.create({"charge": tries[1].id})


def test_a_charge_is_given_back_in_parts_and_never_above_what_is_left(world: World, v1: sdk.V1Services):
    _subscribed(world)
    charge = _charge(world)
    first = v1.refunds.create({"charge": charge["id"], "amount": 10_00, "reason": "duplicate", "metadata": {"a": "b"}})
    assert (first.status, first.amount, first.reason) == ("succeeded", 10_00, "duplicate")
    assert first.metadata is not None
    assert first.metadata["a"] == "b"
    with pytest.raises(sdk.InvalidRequestError, match="greater than unrefunded amount"):
        v1.refunds.create({"charge": charge["id"], "amount": 19_01})
    with pytest.raises(sdk.InvalidRequestError):
        v1.refunds.create({"charge": charge["id"], "amount": 0})
    rest = v1.refunds.create({"payment_intent": charge["payment_intent"]})
    assert rest.amount == 19_00
    now = v1.charges.retrieve(charge["id"])
    assert (now.amount_refunded, now.refunded) == (PRICE, True)
    with pytest.raises(sdk.InvalidRequestError, match="already been refunded") as refused:
        v1.refunds.create({"charge": charge["id"]})
    assert refused.value.code == "charge_already_refunded"
    assert [each.id for each in v1.refunds.list({"charge": charge["id"]}).data] == [rest.id, first.id]
    expanded = v1.charges.retrieve(charge["id"], {"expand": ["refunds"]})
    assert expanded.refunds is not None
    assert len(expanded.refunds.data) == 2


def test_a_refund_that_the_bank_sends_back_leaves_it_to_be_given_again(world: World, v1: sdk.V1Services):
    _subscribed(world)
    refund = v1.refunds.create({"charge": _charge(world)["id"]})
    world.fail_refund(refund.id)
    again = v1.refunds.retrieve(refund.id)
    assert (again.status, again.failure_reason) == ("failed", "lost_or_stolen_card")
    assert v1.charges.retrieve(_charge(world)["id"]).amount_refunded == 0
    assert v1.refunds.create({"charge": _charge(world)["id"]}).amount == PRICE


@pytest.mark.parametrize("reason", ["because", ""])
def test_a_refund_takes_one_of_the_reasons(world: World, v1: sdk.V1Services, reason: str):
    _subscribed(world)
    with pytest.raises(sdk.InvalidRequestError, match="reason"):
        v1.refunds.create({"charge": _charge(world)["id"], "reason": reason or "none"})  # type: ignore[typeddict-item]


def test_what_is_disputed_cannot_be_given_back_unless_it_was_won(world: World, v1: sdk.V1Services):
    _subscribed(world)
    charge = _charge(world)
    dispute = world.dispute(charge["id"], 5_00)
    assert v1.charges.retrieve(charge["id"]).disputed
    with pytest.raises(sdk.InvalidRequestError, match="charged back"):
        v1.refunds.create({"charge": charge["id"]})
    world.close_dispute(dispute["id"], won=True)
    (told,) = v1.disputes.list({"charge": charge["id"]}).data
    assert (told.status, told.amount) == ("won", 5_00)
    assert v1.refunds.create({"charge": charge["id"]}).amount == PRICE


def test_events_about_disputes_and_refunds_name_a_charge_and_no_customer(world: World):
    _subscribed(world)
    charge, before = _charge(world), len(world.events)
    refund = world.refund(charge["id"], 5_00)
    world.fail_refund(refund["id"])
    world.close_dispute(world.dispute(charge["id"])["id"], won=False)
    told = [(each["type"], read(body_of(each)).sync_key) for each in world.events[before:]]
    to_charge, to_customer = f"charge:{charge['id']}", f"customer:{charge['customer']}"
    assert told == [
        ("refund.created", to_charge),
        ("charge.refunded", to_customer),
        ("refund.failed", to_charge),
        ("refund.updated", to_charge),
        ("charge.updated", to_customer),
        ("charge.dispute.created", to_charge),
        ("charge.dispute.closed", to_charge),
    ]


def test_a_customer_pays_with_the_card_given_last(world: World, v1: sdk.V1Services):
    customer = world.add_customer(email="ada@example.com")["id"]
    world.add_card(customer)
    other = world.add_card(customer, brand="mastercard", last4="4444", month=1, year=2027)
    method = v1.customers.retrieve(customer, {"expand": ["invoice_settings.default_payment_method"]})
    assert method.invoice_settings is not None
    default = method.invoice_settings.default_payment_method
    assert isinstance(default, sdk.PaymentMethod)
    assert default.card is not None
    assert (default.card.brand, default.card.last4, default.card.exp_year) == ("mastercard", "4444", 2027)
    world.expire_card(other["id"], 12, 2026)
    assert v1.payment_methods.retrieve(other["id"]).card["exp_year"] == 2026  # type: ignore[index]
    assert len(v1.customers.payment_methods.list(customer).data) == 2
    world.subscribe(customer, world.price_of("pro_monthly")["id"])
    assert _charge(world)["payment_method"] == other["id"]
    with pytest.raises(sdk.InvalidRequestError, match="already been attached"):
        v1.payment_methods.attach(other["id"], {"customer": world.add_customer(email="bob@example.com")["id"]})
