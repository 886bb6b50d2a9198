"""Whatever our Stripe answers has the fields of the installed SDK's types, down to the last one, and no others."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe as sdk
from stripe import StripeObject

from tests.billing.stripe_desk import DAY, Desk, desk_of
from tests.peers.stripe_server import StripeServer


@pytest.fixture
def desk() -> Iterator[Desk]:
    with StripeServer() as server:
        yield desk_of(server)


def strangers(about: Any, path: str) -> Iterator[str]:
    """The fields of an answer that its type does not have."""
    if isinstance(about, list):
        for each in about:
            yield from strangers(each, path + "[]")
    elif isinstance(about, StripeObject):
        known = {name for cls in type(about).__mro__ for name in getattr(cls, "__annotations__", {})}
        typed = type(about) is not StripeObject and not isinstance(about, sdk.ListObject) and known
        for name in about.to_dict():
            if typed and name not in known and not type(about).__name__.startswith("Untyped"):
                yield f"{path}.{name}"
            yield from strangers(about[name], f"{path}.{name}")


def lived(desk: Desk) -> None:
    """A bit of everything."""
    coupon = desk.v1.coupons.create({"percent_off": 10, "duration": "repeating", "duration_in_months": 2})
    desk.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "TEN"})
    asked = {"discounts": [{"coupon": coupon.id}], "automatic_tax": {"enabled": True}}
    made = desk.buy(enterprise_monthly=1, enterprise_seat_monthly=2, enterprise_generation_monthly=None, asked=asked)
    seats = next(item for item in made.items.data if getattr(item, "quantity", None) == 2)
    desk.world.advance(3 * DAY)
    change = {"items": [{"id": seats.id, "quantity": 5}], "proration_behavior": "always_invoice"}
    desk.v1.subscriptions.update(made.id, change)
    desk.world.declining.add(desk.customer)
    bigger = {"items": [{"id": seats.id, "quantity": 9}], "proration_behavior": "always_invoice"}
    desk.v1.subscriptions.update(made.id, bigger | {"payment_behavior": "pending_if_incomplete"})
    desk.v1.subscription_schedules.create({"from_subscription": made.id})
    other = desk.buy(pro_monthly=1, asked={"trial_period_days": 14})
    desk.world.declining.clear()
    desk.v1.subscriptions.pause(other.id)
    desk.world.add_tax_id(desk.customer, "eu_vat", "FR12345678901")
    session = {"mode": "subscription", "customer": desk.customer, "success_url": desk.server.url}
    lines = [{"price": desk.price("pro_monthly"), "quantity": 1}]
    desk.world.pay(desk.v1.checkout.sessions.create(session | {"line_items": lines}).id)
    desk.world.dispute(desk.world.every("charge")[0]["id"])
    desk.world.refund(desk.world.every("charge")[-1]["id"], 100)
    desk.v1.customers.balance_transactions.create(desk.customer, {"amount": -100, "currency": "usd"})


def test_no_answer_has_a_field_that_the_sdk_does_not_know(desk: Desk):
    lived(desk)
    v1, customer = desk.v1, desk.customer
    lists = [
        v1.subscriptions.list({"status": "all", "expand": ["data.discounts", "data.schedule", "data.latest_invoice"]}),
        v1.subscription_schedules.list(),
        v1.invoices.list({"limit": 100, "expand": ["data.payments"]}),
        v1.customers.list({"expand": ["data.tax_ids", "data.subscriptions"]}),
        v1.customers.balance_transactions.list(customer),
        v1.coupons.list(),
        v1.promotion_codes.list({"expand": ["data.promotion.coupon"]}),
        v1.prices.list({"expand": ["data.product"]}),
        v1.products.list(),
        v1.charges.list({"expand": ["data.refunds", "data.payment_intent", "data.payment_method"]}),
        v1.invoice_payments.list(),
        v1.refunds.list(),
        v1.disputes.list(),
        v1.payment_methods.list({"customer": customer}),
        v1.checkout.sessions.list(),
        v1.events.list({"limit": 100}),
    ]
    found = [name for each in lists for name in strangers(list(each.auto_paging_iter()), each.url)]
    assert set(found) == set()
    assert all(each.data for each in lists), "each list has something to look at"
    shown = v1.invoices.create_preview({"subscription": v1.subscriptions.list({"status": "active"}).data[0].id})
    assert list(strangers(shown, "preview")) == []


def test_a_field_that_the_sdk_does_not_know_is_found(desk: Desk):
    desk.world.find("customer", desk.customer)["invoice_settings"]["favourite"] = "blue"
    assert list(strangers(desk.v1.customers.retrieve(desk.customer), "customer")) == [
        "customer.invoice_settings.favourite"
    ]


def test_what_is_not_built_is_refused(desk: Desk):
    made = desk.buy(pro_monthly=1)
    with pytest.raises(sdk.InvalidRequestError, match="Not built"):
        desk.v1.subscriptions.update(made.id, {"add_invoice_items": [{"price": desk.price("pro_monthly")}]})
    with pytest.raises(sdk.InvalidRequestError, match="Not built"):
        desk.v1.invoices.create_preview({"subscription": made.id, "preview_mode": "recurring"})
