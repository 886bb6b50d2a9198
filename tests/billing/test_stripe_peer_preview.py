"""What our Stripe shows before it happens: the next invoice, a first one, a cancellation, a resumption."""

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


def shown(desk: Desk, made: sdk.Subscription, **details: Any) -> sdk.Invoice:
    asked = {"subscription": made.id} | ({"subscription_details": details} if details else {})
    preview: sdk.Invoice = desk.v1.invoices.create_preview(asked)
    return preview


def amounts(invoice: sdk.Invoice) -> list[int]:
    return [line.amount for line in invoice.lines.data]


def middle(desk: Desk, made: sdk.Subscription) -> None:
    item = made.items.data[0]
    desk.go_to((item.current_period_start + item.current_period_end) // 2)


def test_the_next_invoice_comes_as_shown(desk: Desk):
    made = desk.buy(enterprise_monthly=1, enterprise_seat_monthly=3, asked={"trial_period_days": 14})
    preview = shown(desk, made)
    assert (amounts(preview), preview.amount_due) == ([9900, 1200], 11100)
    assert [line.period.start for line in preview.lines.data] == [made.trial_end] * 2
    assert len(desk.invoices(made)) == 1
    desk.go_to(made.trial_end)
    assert amounts(desk.invoices(made)[0]) == amounts(preview)


def test_the_first_invoice_of_somebody_new(desk: Desk):
    coupon = desk.v1.coupons.create({"percent_off": 20, "duration": "once"})
    items = [{"price": desk.price("pro_yearly"), "quantity": 1}]
    asked = {"customer": desk.customer, "subscription_details": {"items": items}, "automatic_tax": {"enabled": True}}
    preview = desk.v1.invoices.create_preview(asked | {"discounts": [{"coupon": coupon.id}]})
    assert (preview.subtotal, preview.total_taxes[0].amount, preview.total) == (29000, 4640, 27840)
    assert desk.v1.subscriptions.list({"customer": desk.customer}).data == []
    assert desk.v1.coupons.retrieve(coupon.id).times_redeemed == 0


def test_after_a_cancellation_nothing_comes(desk: Desk):
    made = desk.buy(pro_monthly=1)
    for details in ({"cancel_at_period_end": True}, {"cancel_now": True}):
        with pytest.raises(sdk.InvalidRequestError) as refused:
            shown(desk, made, **details)
        assert refused.value.code == "invoice_upcoming_none"
    middle(desk, made)
    assert amounts(shown(desk, made, cancel_now=True, proration_behavior="always_invoice")) == [-1450]
    desk.v1.subscriptions.cancel(made.id)
    with pytest.raises(sdk.InvalidRequestError, match="No upcoming"):
        shown(desk, made)


@pytest.mark.parametrize("anchor", ["now", "unchanged"])
def test_a_resumption_costs_what_was_shown(desk: Desk, anchor: str):
    made = desk.buy(pro_monthly=1)
    middle(desk, made)
    desk.v1.subscriptions.pause(made.id)
    desk.world.advance(60)
    how: dict[str, Any] = {"billing_cycle_anchor": {"type": anchor}, "proration_behavior": "always_invoice"}
    how["proration_date"] = desk.world.now()
    preview = shown(desk, made, resume_at="now", **how)
    desk.v1.subscriptions.resume(made.id, how)
    assert amounts(desk.invoices(made)[0]) == amounts(preview)
    assert amounts(preview)[0] == -1450
    assert desk.now(made).items.data[0].current_period_end >= made.items.data[0].current_period_end


def test_collection_can_be_stopped_for_a_while(desk: Desk):
    made = desk.buy(pro_monthly=1)
    until = made.items.data[0].current_period_end + DAY
    desk.v1.subscriptions.update(made.id, {"pause_collection": {"behavior": "void", "resumes_at": until}})
    desk.world.advance(70 * DAY)
    assert [invoice.status for invoice in desk.invoices(made)] == ["paid", "void", "paid"]
    assert (desk.now(made).status, desk.now(made).pause_collection) == ("active", None)


def test_which_subscriptions_a_list_has(desk: Desk):
    living = desk.buy(pro_monthly=1).id
    ended = desk.buy(pro_yearly=1).id
    desk.v1.subscriptions.cancel(ended)

    def listed(**asked: Any) -> list[str]:
        return [each.id for each in desk.v1.subscriptions.list({"customer": desk.customer, **asked}).data]

    assert listed() == [living]
    assert listed(status="all") == [ended, living]
    assert listed(status="ended") == listed(status="canceled") == [ended]
    assert listed(status="all", price=desk.price("pro_yearly")) == [ended]
    with pytest.raises(sdk.InvalidRequestError):
        desk.v1.subscriptions.list({"customer": "cus_nobody"})
