"""What our Stripe sells on its pages and takes off: Checkout, codes, discounts, tax, the portal, and how it lists."""

import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import stripe as sdk

from tests.billing.stripe_desk import DAY, Desk, desk_of
from tests.peers.stripe_server import StripeServer


@pytest.fixture
def desk() -> Iterator[Desk]:
    with StripeServer() as server:
        yield desk_of(server)


def pressed(url: str | None, do: str, **fields: str) -> str:
    """The page after a button."""
    data = urllib.parse.urlencode({"do": do, **fields}).encode()
    with urllib.request.urlopen(urllib.request.Request(str(url), data)) as answer:
        return str(answer.read().decode())


def offered(desk: Desk, *lines: dict[str, Any], **more: Any) -> sdk.checkout.Session:
    session: sdk.checkout.Session = desk.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": desk.customer,
            "line_items": list(lines) or [{"price": desk.price("pro_monthly"), "quantity": 1}],
            "success_url": desk.server.url + "/portal/none",
            "cancel_url": desk.server.url + "/portal/none",
            **more,
        }
    )
    return session


def bought(desk: Desk, session: sdk.checkout.Session) -> sdk.Subscription:
    done = desk.v1.checkout.sessions.retrieve(session.id)
    assert done.status == "complete"
    found: sdk.Subscription = desk.v1.subscriptions.retrieve(done.subscription, {"expand": ["discounts"]})
    return found


def test_a_page_sells_a_plan_with_seats_a_meter_and_a_trial(desk: Desk):
    lines = [
        {"price": desk.price("enterprise_monthly"), "quantity": 1},
        {"price": desk.price("enterprise_seat_monthly"), "quantity": 2},
        {"price": desk.price("enterprise_generation_monthly")},
    ]
    session = offered(desk, *lines, subscription_data={"trial_period_days": 14, "metadata": {"account_id": "a"}})
    assert (session.amount_total, session.payment_status) == (0, "unpaid")
    assert [line.quantity for line in desk.v1.checkout.sessions.line_items.list(session.id).data] == [1, 2, None]
    pressed(session.url, "pay")
    made = bought(desk, session)
    assert (made.status, len(made.items.data), made.metadata.to_dict()) == ("trialing", 3, {"account_id": "a"})
    method = desk.v1.payment_methods.retrieve(made.default_payment_method)
    assert method.customer == desk.customer


def test_a_declined_card_leaves_the_page_open(desk: Desk):
    session = offered(desk)
    assert "declined" in pressed(session.url, "decline")
    desk.world.declining.add(desk.customer)
    assert "declined" in pressed(session.url, "pay")
    assert desk.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert desk.world.every("subscription") == []
    desk.world.advance(2 * DAY)
    assert desk.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_codes_and_tax_ids_are_typed_into_the_page(desk: Desk):
    coupon = desk.v1.coupons.create({"percent_off": 25, "duration": "repeating", "duration_in_months": 3})
    code = desk.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SPRING", "max_redemptions": 1}
    )
    asked = {"allow_promotion_codes": True, "tax_id_collection": {"enabled": True}, "automatic_tax": {"enabled": True}}
    with pytest.raises(sdk.InvalidRequestError, match="customer_update"):
        offered(desk, **asked)
    session = offered(desk, **asked, customer_update={"name": "auto", "address": "auto"})
    assert session.amount_total == 3480
    assert "invalid" in pressed(session.url, "pay", promotion_code="AUTUMN")
    pressed(session.url, "pay", promotion_code="spring", tax_id_type="eu_vat", tax_id="FR12345678901")
    made = bought(desk, session)
    discount = made.discounts[0]
    assert (discount.source.coupon, discount.promotion_code) == (coupon.id, code.id)
    assert desk.invoices(made)[0].total == 2175 + 435
    assert desk.v1.customers.tax_ids.list(desk.customer).data[0].value == "FR12345678901"
    assert desk.v1.promotion_codes.retrieve(code.id).times_redeemed == 1
    again = offered(desk, allow_promotion_codes=True)
    assert "used up" in pressed(again.url, "pay", promotion_code="SPRING")
    desk.world.advance(125 * DAY)
    assert [invoice.total for invoice in desk.invoices(made)] == [3480, 3480, 2610, 2610, 2610]
    assert desk.now(made).discounts == []


@pytest.mark.parametrize(
    ("coupon", "totals"),
    [
        ({"percent_off": 50, "duration": "once"}, [2900, 2900, 1450]),
        ({"percent_off": 33.3, "duration": "forever"}, [1934, 1934, 1934]),
        ({"amount_off": 900, "currency": "usd", "duration": "repeating", "duration_in_months": 2}, [2900, 2000, 2000]),
        ({"amount_off": 9900, "currency": "usd", "duration": "once"}, [2900, 2900, 0]),
    ],
)
def test_how_long_a_discount_lasts(desk: Desk, coupon: dict[str, Any], totals: list[int]):
    made = desk.buy(pro_monthly=1, asked={"discounts": [{"coupon": desk.v1.coupons.create(coupon).id}]})
    desk.world.advance(63 * DAY)
    assert [invoice.total for invoice in desk.invoices(made)] == totals


def test_a_discount_can_be_given_later_and_taken_away(desk: Desk):
    made = desk.buy(pro_monthly=1)
    coupon = desk.v1.coupons.create({"amount_off": 1000, "currency": "usd", "duration": "forever"})
    desk.v1.subscriptions.update(made.id, {"discounts": [{"coupon": coupon.id}]})
    found = desk.v1.subscriptions.retrieve(made.id, {"expand": ["discounts.source.coupon"]})
    assert found.discounts[0].source.coupon.amount_off == 1000
    assert desk.v1.invoices.create_preview({"subscription": made.id}).total == 1900
    assert desk.v1.subscriptions.update(made.id, {"discounts": ""}).discounts == []
    assert desk.v1.invoices.create_preview({"subscription": made.id}).total == 2900
    desk.v1.coupons.delete(coupon.id)
    with pytest.raises(sdk.InvalidRequestError, match="No such coupon"):
        desk.v1.subscriptions.update(made.id, {"discounts": [{"coupon": coupon.id}]})


def test_the_portal_cancels_at_the_periods_end_where_it_is_set_up_so(desk: Desk):
    features = {"subscription_cancel": {"enabled": True, "mode": "at_period_end"}}
    configuration = desk.v1.billing_portal.configurations.create({"features": features})
    made = desk.buy(pro_monthly=1)
    portal = desk.v1.billing_portal.sessions.create(
        {"customer": desk.customer, "configuration": configuration.id, "return_url": desk.server.url}
    )
    pressed(portal.url, "cancel", feedback="unused")
    ending = desk.now(made)
    assert (ending.cancel_at, ending.cancel_at_period_end) == (made.items.data[0].current_period_end, False)
    assert ending.cancellation_details.feedback == "unused"
    assert "Keep subscription" in pressed(portal.url, "nothing")
    pressed(portal.url, "keep")
    assert desk.now(made).cancel_at is None
    desk.world.declining.add(desk.customer)
    pressed(portal.url, "card")
    assert desk.now(made).default_payment_method
    assert desk.invoices(made)[0].number in pressed(portal.url, "nothing")


def test_an_invoice_can_be_paid_on_its_page(desk: Desk):
    made = desk.buy(pro_monthly=1)
    desk.world.declining.add(desk.customer)
    desk.go_to(made.items.data[0].current_period_end)
    invoice = desk.invoices(made)[0]
    assert "declined" in pressed(invoice.hosted_invoice_url, "pay")
    desk.world.declining.clear()
    assert "paid" in pressed(invoice.hosted_invoice_url, "pay")
    assert desk.now(made).status == "active"
    with urllib.request.urlopen(str(invoice.invoice_pdf)) as paper:
        assert "2900" in paper.read().decode()


def test_lists_page_filter_and_expand(desk: Desk):
    made = desk.buy(pro_monthly=1)
    desk.world.advance(320 * DAY)
    every = desk.invoices(made)
    paged = list(desk.v1.invoices.list({"customer": desk.customer, "limit": 3}).auto_paging_iter())
    assert [each.id for each in paged] == [each.id for each in every]
    assert len({each.number for each in every}) == len(every) == 11
    back = desk.v1.invoices.list({"customer": desk.customer, "limit": 2, "ending_before": every[5].id})
    assert ([each.id for each in back.data], back.has_more) == ([each.id for each in every[3:5]], True)
    since = desk.v1.invoices.list({"created": {"gte": every[1].created}, "status": "paid"})
    assert [each.id for each in since.data] == [each.id for each in every[:2]]
    with pytest.raises(sdk.InvalidRequestError, match="cannot be expanded"):
        desk.v1.invoices.retrieve(every[0].id, {"expand": ["subscription"]})
    with pytest.raises(sdk.InvalidRequestError, match="more than 4 levels"):
        desk.v1.invoices.retrieve(every[0].id, {"expand": ["a.b.c.d.e"]})
    payments = desk.v1.invoices.retrieve(every[0].id, {"expand": ["payments.data.payment.payment_intent"]}).payments
    assert payments.data[0].payment.payment_intent.amount_received == 2900
    gone = desk.v1.customers.delete(desk.customer)
    assert gone.deleted
    assert desk.now(made).status == "canceled"
    assert desk.v1.customers.retrieve(desk.customer).deleted


def test_a_test_clock_moves_the_time(desk: Desk):
    made = desk.buy(pro_monthly=1)
    clock = desk.v1.test_helpers.test_clocks.create({"frozen_time": desk.world.now() + 10})
    target = made.items.data[0].current_period_end + 60
    desk.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": target})
    assert desk.v1.test_helpers.test_clocks.retrieve(clock.id).status == "ready"
    assert len(desk.invoices(made)) == 2
    with pytest.raises(sdk.InvalidRequestError, match="advanced"):
        desk.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": target - DAY})
