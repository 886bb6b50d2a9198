"""A subscription at our Stripe lives through trials, renewals, refused cards, pauses and its end, as at Stripe."""

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


def period_end(subscription: sdk.Subscription) -> int:
    return int(subscription.items.data[0].current_period_end)


def test_renewals_come_at_their_instants_however_far_the_clock_is_moved(desk: Desk):
    made = desk.buy(pro_monthly=1)
    desk.world.advance(400 * DAY)
    invoices = desk.invoices(made)
    assert len(invoices) == 14
    assert all(invoice.amount_paid == 2900 and invoice.status == "paid" for invoice in invoices)
    assert [invoice.billing_reason for invoice in invoices] == ["subscription_cycle"] * 13 + ["subscription_create"]
    times = [event["created"] for event in desk.world.events]
    assert times == sorted(times)
    ends = [invoice.lines.data[0].period.end for invoice in invoices]
    starts = [invoice.lines.data[0].period.start for invoice in invoices]
    assert ends[1:] == starts[:-1], "each period begins where the one before it ends"
    assert all(abs(invoice.created - start) <= 1 for invoice, start in zip(invoices, starts, strict=True))


def test_the_31st_comes_back_after_february(desk: Desk):
    january = 1_801_353_600  # 2027-01-31
    desk.go_to(january)
    made = desk.buy(pro_monthly=1)
    desk.world.advance(100 * DAY)
    starts = [invoice.lines.data[0].period.start for invoice in desk.invoices(made)]
    days = [(start - made.start_date) // DAY for start in reversed(starts)]
    assert days == [0, 28, 59, 89], "31 January, 28 February, 31 March, 30 April"


def test_a_trial_warns_three_days_before_and_then_bills(desk: Desk):
    made = desk.buy(pro_monthly=1, asked={"trial_period_days": 14})
    assert (made.status, desk.invoices(made)[0].amount_due) == ("trialing", 0)
    desk.world.advance(11 * DAY - 60)
    assert "customer.subscription.trial_will_end" not in desk.told("customer.")
    desk.world.advance(120)
    assert desk.told("customer.subscription.trial").count("customer.subscription.trial_will_end") == 1
    desk.world.advance(4 * DAY)
    after = desk.now(made)
    assert (after.status, after.billing_cycle_anchor) == ("active", made.trial_end)
    assert [invoice.amount_paid for invoice in desk.invoices(made)] == [2900, 0]


def test_a_trial_can_be_extended_and_ended(desk: Desk):
    made = desk.buy(pro_monthly=1, asked={"trial_period_days": 14})
    longer = desk.v1.subscriptions.update(made.id, {"trial_end": made.trial_end + 10 * DAY})
    assert (longer.trial_end, period_end(longer)) == (made.trial_end + 10 * DAY,) * 2
    desk.world.advance(20 * DAY)
    assert desk.now(made).status == "trialing"
    ended = desk.v1.subscriptions.update(made.id, {"trial_end": "now"})
    assert (ended.status, desk.invoices(made)[0].amount_paid) == ("active", 2900)
    with pytest.raises(sdk.InvalidRequestError):
        desk.v1.subscriptions.update(made.id, {"trial_end": 1_000_000})


@pytest.mark.parametrize(
    ("wanted", "status"), [("pause", "paused"), ("cancel", "canceled"), ("create_invoice", "past_due")]
)
def test_a_trial_that_ends_without_a_card(desk: Desk, wanted: str, status: str):
    desk.world.without_card.add(desk.customer)
    asked = {"trial_period_days": 14, "trial_settings": {"end_behavior": {"missing_payment_method": wanted}}}
    made = desk.buy(pro_monthly=1, asked=asked)
    desk.world.advance(15 * DAY)
    after = desk.now(made)
    assert after.status == status
    if wanted == "pause":
        assert after.status_details.paused.subscription.type == "trial_end_without_payment_method"
        desk.world.add_card(desk.customer)
        assert desk.v1.subscriptions.resume(made.id, {}).status == "active"
        assert desk.invoices(made)[0].amount_paid == 2900


@pytest.mark.parametrize("end", ["canceled", "unpaid", "past_due"])
def test_a_refused_card_is_tried_again_and_given_up(desk: Desk, end: str):
    desk.world.when_given_up = end
    made = desk.buy(pro_monthly=1)
    desk.world.declining.add(desk.customer)
    desk.go_to(period_end(made))
    invoice = desk.invoices(made)[0]
    assert (desk.now(made).status, invoice.status, invoice.attempt_count) == ("past_due", "open", 1)
    tries = [invoice.next_payment_attempt - period_end(made)]
    for count in (2, 3, 4):
        desk.go_to(desk.invoices(made)[0].next_payment_attempt)
        invoice = desk.invoices(made)[0]
        assert invoice.attempt_count == count
        tries.append((invoice.next_payment_attempt or 0) and invoice.next_payment_attempt - period_end(made))
    assert tries == [3 * DAY, 8 * DAY, 15 * DAY, 0]
    after = desk.now(made)
    assert after.status == end
    assert after.cancellation_details.reason == ("payment_failed" if end == "canceled" else None)
    assert desk.told("invoice.payment_failed") == ["invoice.payment_failed"] * 4


def test_an_open_invoice_is_settled_by_retry_or_by_paying_it(desk: Desk):
    made = desk.buy(pro_monthly=1)
    desk.world.declining.add(desk.customer)
    desk.go_to(period_end(made))
    with pytest.raises(sdk.CardError) as refused:
        desk.v1.invoices.pay(desk.invoices(made)[0].id)
    assert refused.value.code == "card_declined"
    desk.world.declining.clear()
    paid = desk.v1.invoices.pay(desk.invoices(made)[0].id)
    assert (paid.status, paid.amount_remaining, desk.now(made).status) == ("paid", 0, "active")
    with pytest.raises(sdk.InvalidRequestError, match="already paid"):
        desk.v1.invoices.pay(paid.id)
    desk.world.declining.add(desk.customer)
    desk.go_to(period_end(desk.now(made)))
    desk.world.declining.clear()
    desk.world.advance(4 * DAY)
    assert desk.now(made).status == "active"


def test_a_first_payment_that_never_comes_expires(desk: Desk):
    desk.world.declining.add(desk.customer)
    made = desk.buy(pro_monthly=1)
    assert made.status == "incomplete"
    with pytest.raises(sdk.InvalidRequestError):
        desk.v1.subscriptions.update(made.id, {"items": [{"id": made.items.data[0].id, "quantity": 2}]})
    desk.world.advance(DAY)
    assert desk.now(made).status == "incomplete_expired"
    assert desk.invoices(made)[0].status == "void"
    with pytest.raises(sdk.CardError):
        desk.buy(pro_monthly=1, asked={"payment_behavior": "error_if_incomplete"})


def upgrade(desk: Desk, made: sdk.Subscription, behavior: str) -> sdk.Subscription:
    changed: sdk.Subscription = desk.v1.subscriptions.update(
        made.id,
        {
            "items": [{"id": made.items.data[0].id, "price": desk.price("enterprise_monthly")}],
            "proration_behavior": "always_invoice",
            "payment_behavior": behavior,
        },
    )
    return changed


def test_an_update_waits_for_its_payment(desk: Desk):
    made = desk.buy(pro_monthly=1)
    desk.world.declining.add(desk.customer)
    waiting = upgrade(desk, made, "pending_if_incomplete")
    assert (waiting.status, waiting.items.data[0].price.lookup_key) == ("active", "pro_monthly")
    assert waiting.pending_update.subscription_items[0].price.lookup_key == "enterprise_monthly"
    desk.world.declining.clear()
    desk.v1.invoices.pay(waiting.latest_invoice)
    after = desk.now(made)
    assert (after.pending_update, after.items.data[0].price.lookup_key) == (None, "enterprise_monthly")


def test_an_update_that_is_not_paid_in_time_is_dropped(desk: Desk):
    made = desk.buy(pro_monthly=1)
    desk.world.declining.add(desk.customer)
    invoice = upgrade(desk, made, "pending_if_incomplete").latest_invoice
    desk.world.advance(DAY)
    after = desk.now(made)
    assert (after.pending_update, after.items.data[0].price.lookup_key) == (None, "pro_monthly")
    assert desk.v1.invoices.retrieve(invoice).status == "void"
    assert "customer.subscription.pending_update_expired" in desk.told("customer.")
    with pytest.raises(sdk.InvalidRequestError, match="does not support"):
        desk.v1.subscriptions.update(made.id, {"payment_behavior": "pending_if_incomplete", "description": "x"})


def test_other_ways_to_update_with_a_refused_card(desk: Desk):
    made = desk.buy(pro_monthly=1)
    desk.world.declining.add(desk.customer)
    with pytest.raises(sdk.CardError):
        upgrade(desk, made, "error_if_incomplete")
    assert desk.now(made).to_dict() == made.to_dict() | {"latest_invoice": made.latest_invoice}
    assert upgrade(desk, made, "allow_incomplete").status == "past_due"


def test_pause_credits_the_rest_and_resume_begins_anew(desk: Desk):
    made = desk.buy(pro_monthly=1)
    desk.go_to((made.items.data[0].current_period_start + period_end(made)) // 2)
    paused = desk.v1.subscriptions.pause(made.id, {"type": "subscription"})
    assert (paused.status, paused.status_details.paused.subscription.type) == ("paused", "pause_requested")
    desk.world.advance(90 * DAY)
    assert len(desk.invoices(made)) == 1, "nothing is charged meanwhile"
    with pytest.raises(sdk.InvalidRequestError):
        desk.v1.subscriptions.pause(made.id)
    resumed = desk.v1.subscriptions.resume(made.id, {"billing_cycle_anchor": {"type": "now"}})
    assert (resumed.status, resumed.status_details) == ("active", None)
    assert [line.amount for line in desk.invoices(made)[0].lines.data] == [-1450, 2900]
    assert resumed.items.data[0].current_period_start >= desk.world.now() - 5
    assert desk.told("customer.subscription.paused", "customer.subscription.resumed") == [
        "customer.subscription.paused",
        "customer.subscription.resumed",
    ]
    with pytest.raises(sdk.InvalidRequestError):
        desk.v1.subscriptions.resume(made.id)


def test_resuming_may_wait_for_the_payment(desk: Desk):
    made = desk.buy(pro_monthly=1)
    desk.v1.subscriptions.pause(made.id, {"bill_for": {"unused_time_from": {"type": "none"}}})
    desk.world.declining.add(desk.customer)
    waiting = desk.v1.subscriptions.resume(made.id, {"payment_behavior": "resume_on_payment_success"})
    assert waiting.status == "paused"
    desk.world.declining.clear()
    desk.v1.invoices.pay(waiting.latest_invoice)
    assert desk.now(made).status == "active"


def test_cancel_with_a_reason_at_once_or_later_and_undone(desk: Desk):
    made = desk.buy(pro_monthly=1)
    said = {"feedback": "too_expensive", "comment": "Peut-être plus tard"}
    ending = desk.v1.subscriptions.update(made.id, {"cancel_at_period_end": True, "cancellation_details": said})
    assert (ending.cancel_at, ending.cancel_at_period_end) == (period_end(made), True)
    assert ending.cancellation_details.to_dict() == said | {"reason": "cancellation_requested"}
    kept = desk.v1.subscriptions.update(made.id, {"cancel_at_period_end": False})
    assert (kept.cancel_at, kept.canceled_at, kept.cancellation_details.reason) == (None, None, None)
    desk.world.cancel_in_portal(made.id)
    assert (desk.now(made).cancel_at, desk.now(made).cancel_at_period_end) == (period_end(made), False)
    desk.go_to(period_end(made))
    assert (desk.now(made).status, desk.now(made).ended_at) == ("canceled", period_end(made))
    other = desk.buy(pro_yearly=1)
    gone = desk.v1.subscriptions.cancel(other.id, {"cancellation_details": said})
    assert (gone.status, gone.cancellation_details.feedback) == ("canceled", "too_expensive")
    with pytest.raises(sdk.InvalidRequestError):
        desk.v1.subscriptions.cancel(other.id)


def test_canceling_may_credit_the_rest(desk: Desk):
    made = desk.buy(pro_monthly=1)
    desk.go_to((made.items.data[0].current_period_start + period_end(made)) // 2)
    desk.v1.subscriptions.cancel(made.id, {"prorate": True, "invoice_now": True})
    assert desk.invoices(made)[0].total == -1450
    assert desk.v1.customers.retrieve(desk.customer).balance == -1450


def used(desk: Desk, count: int) -> None:
    payload = {"stripe_customer_id": desk.customer, "value": str(count)}
    desk.v1.billing.meter_events.create({"event_name": "ai_generation", "payload": payload})


def test_usage_is_billed_at_the_end_of_the_period_it_was_used_in(desk: Desk):
    made = desk.buy(enterprise_monthly=1, enterprise_generation_monthly=None)
    assert [line.amount for line in desk.invoices(made)[0].lines.data] == [9900]
    desk.world.advance(5 * DAY)
    used(desk, 120)
    used(desk, 30)
    shown: Any = desk.v1.invoices.create_preview({"subscription": made.id})
    assert sorted(line.amount for line in shown.lines.data) == [150, 9900]
    desk.go_to(period_end(made))
    renewal = desk.invoices(made)[0]
    usage = next(line for line in renewal.lines.data if line.quantity == 150)
    assert (usage.amount, usage.period.end, renewal.total) == (150, period_end(made), 10050)
    desk.world.advance(DAY)
    used(desk, 7)
    desk.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    desk.world.advance(40 * DAY)
    assert (desk.now(made).status, desk.invoices(made)[0].total) == ("canceled", 7)
