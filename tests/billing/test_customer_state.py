"""All that Stripe holds of a customer is read, kept and told apart: items, discounts, schedules, invoices and cards."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.access import Scope
from core.billing import stripe_client
from core.billing import stripe_reading as reading
from core.billing.invoices import invoices
from core.billing.plans import PlanName, Subscription
from core.billing.queries import subscriptions_in
from core.billing.service import choose_plan
from core.db import transaction
from core.errors import Unavailable
from tests.billing.asking import again, movements, plan_of, run_all, subscribed, sums_of
from tests.billing.conftest import Deliver, at_stripe, rows, stored
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_world import DAY
from tests.people import Made


def held(made: Made) -> Subscription:
    with transaction(Scope.for_account(made.account_id)) as session:
        return subscriptions_in(session, made.account_id)[-1]


def bought(stripe: StripeServer, made: Made, *keys: str, **more: object) -> tuple[str, str]:
    customer = stripe.world.add_customer()["id"]
    items = {str(n): {"price": stripe.world.price_of(key)["id"]} for n, key in enumerate(keys)}
    subscription = stripe.world.start(customer, items, **more)["id"]
    again(made, customer)
    return customer, subscription


def test_a_plan_with_seats_and_a_meter_is_one_subscription_of_three_items(ada: Made, stripe: StripeServer):
    keys = ("enterprise_generation_monthly", "enterprise_seat_monthly", "enterprise_monthly")
    customer, _ = bought(stripe, ada, *keys)
    now = held(ada)
    assert (now.lookup_key, now.quantity, now.seats, now.is_metered) == ("enterprise_monthly", 1, 1, True)
    assert {each.lookup_key: each.unit_amount for each in now.items if not each.is_metered} == {
        "enterprise_monthly": 99_00,
        "enterprise_seat_monthly": 4_00,
    }
    assert sums_of(movements(ada)) == {"USD": 103_00}
    assert stored(ada.scope) == at_stripe(stripe, customer)


def test_every_item_stays_what_it_was_sold_as(ada: Made, stripe: StripeServer):
    customer, _ = bought(stripe, ada, "enterprise_monthly", "enterprise_seat_monthly")
    for key in ("enterprise_monthly", "enterprise_seat_monthly"):
        stripe.world.move_lookup_key(key, 7_00)
    again(ada, customer)
    now = held(ada)
    assert (now.lookup_key, now.seats) == ("enterprise_monthly", 1)
    assert sums_of(movements(ada)) == {"USD": 103_00}


def test_a_price_that_was_never_known_says_by_itself_what_it_was_sold_as(ada: Made, stripe: StripeServer):
    world = stripe.world
    world.price_of("pro_monthly")["metadata"]["lookup_key"] = "pro_monthly"
    customer, _ = subscribed(stripe, ada)
    world.move_lookup_key("pro_monthly", 39_00)
    run_all()
    assert (plan_of(ada), held(ada).lookup_key) == (PlanName.PRO, "pro_monthly")
    assert customer


def test_discounts_that_last_count_and_one_for_a_single_invoice_does_not(ada: Made, stripe: StripeServer):
    world = stripe.world
    lasting = world.add_coupon(percent_off="12.5", duration="repeating", duration_in_months=3)["id"]
    once = world.add_coupon(amount_off=5_00, currency="usd", duration="once")["id"]
    asked = {"0": {"coupon": lasting}, "1": {"coupon": once}}
    customer, _ = bought(stripe, ada, "pro_monthly", discounts=asked)
    (discount,) = held(ada).discounts
    assert (discount.percent_off, discount.amount_off) == (Decimal("12.5"), None)
    assert discount.ends_at is not None
    assert sums_of(movements(ada)) == {"USD": round(29_00 * 7 / 8)}
    assert stored(ada.scope) == at_stripe(stripe, customer)


def test_a_subscription_without_items_stops_nothing(ada: Made, stripe: StripeServer):
    customer, subscription = subscribed(stripe, ada)
    stripe.world.find("subscription", subscription)["items"]["data"].clear()
    again(ada, customer)
    now = held(ada)
    assert (now.items, now.quantity, now.lookup_key, plan_of(ada)) == ((), 0, None, PlanName.FREE)


def test_why_and_when_it_ended(ada: Made, stripe: StripeServer):
    customer, subscription = subscribed(stripe, ada)
    stripe.world.cancel(subscription, reason="payment_disputed")
    again(ada, customer)
    now = held(ada)
    assert now.cancel_reason == "payment_disputed"
    assert now.ended_at == datetime.fromtimestamp(stripe.world.find("subscription", subscription)["ended_at"], UTC)


def test_a_refused_payment_that_comes_after_all_was_recovered(ada: Made, stripe: StripeServer):
    world = stripe.world
    customer, subscription = subscribed(stripe, ada)
    world.declining.add(customer)
    world.advance(32 * DAY)
    again(ada, customer)
    owed = invoices(ada.scope)[0]
    failed = next(each for each in world.every("charge") if each["status"] == "failed")
    assert (owed.status, owed.paid_at, owed.charge_id) == ("open", None, None)
    assert owed.failed_at == datetime.fromtimestamp(min(each["created"] for each in [failed]), UTC)
    assert held(ada).unpaid_since == owed.created
    world.declining.clear()
    world.settle(subscription)
    again(ada, customer)
    paid = invoices(ada.scope)[0]
    assert (paid.status, paid.failed_at, paid.amount_paid) == ("paid", owed.failed_at, 29_00)
    assert paid.paid_at is not None
    assert held(ada).unpaid_since is None
    assert stored(ada.scope) == at_stripe(stripe, customer)


def test_what_was_given_back_and_what_a_bank_took_stand_at_the_invoice(
    ada: Made, stripe: StripeServer, deliver: Deliver
):
    """I6: what is given back is never more than what was paid."""
    world = stripe.world
    subscribed(stripe, ada)
    run_all()
    charge = world.every("charge")[0]["id"]
    world.refund(charge, 9_00)
    deliver(world.events[-2])
    run_all()
    assert [(each.amount_paid, each.amount_refunded) for each in invoices(ada.scope)] == [(29_00, 9_00)]
    dispute = world.dispute(charge, 20_00)["id"]
    deliver(world.events[-1])
    run_all()
    assert [(each.charge_id, each.amount_disputed) for each in invoices(ada.scope)] == [(charge, 20_00)]
    world.close_dispute(dispute, won=True)
    for each in world.events[-2:]:
        deliver(each)
    run_all()
    assert [each.amount_disputed for each in invoices(ada.scope)] == [0]
    assert rows("SELECT count(*) FROM stripe_sync WHERE dirty > synced") == [(0,)]


def test_the_card_of_the_subscription_is_charged_before_the_customers(ada: Made, stripe: StripeServer):
    world = stripe.world
    customer, subscription = subscribed(stripe, ada)
    world.add_card(customer, brand="mastercard", last4="0001")
    again(ada, customer)
    assert stored(ada.scope)["method"][2:4] == ("mastercard", "0001")
    other = world.attach(world.make_card(last4="0002", month=3, year=2031)["id"], customer)
    world.change(subscription, default_payment_method=other["id"])
    again(ada, customer)
    assert stored(ada.scope)["method"] == (other["id"], "card", "visa", "0002", 3, 2031)
    world.cancel(subscription)
    again(ada, customer)
    assert stored(ada.scope) == at_stripe(stripe, customer)


def test_an_answer_in_haste_comes_in_time_however_many_questions_it_takes(stripe: StripeServer, ada: Made):
    customer, _ = subscribed(stripe, ada)
    stripe.latency = 1.8
    with pytest.raises(Unavailable):
        reading.customer_state(customer, stripe_client.QUICK)
    asked = [path for verb, path, _, _ in stripe.requests if verb == "get"]
    assert 1 < len(asked) < 4, "it went on asking"
    stripe.latency = 0.0
    assert reading.customer_state(customer, stripe_client.QUICK).invoices


def test_invoices_are_for_those_who_pay(ada: Made, bob: Made, stripe: StripeServer):
    customer, _ = subscribed(stripe, ada)
    stripe.world.subscribe(customer, stripe.world.price_of("enterprise_monthly")["id"])
    run_all()
    assert [each.total for each in invoices(ada.scope)] == [99_00, 29_00]
    assert invoices(bob.scope) == ()


def test_a_customer_deleted_at_stripe_ends_its_plan_and_another_can_be_chosen(ada: Made, stripe: StripeServer):
    """Stripe answers the old request for a customer with the one that it deleted: the new one has another key."""
    world = stripe.world
    page = choose_plan(ada.scope, "pro_monthly")
    world.pay(page.rsplit("/", 1)[-1])
    ((first,),) = rows("SELECT stripe_id FROM stripe_customers")
    again(ada, first)
    assert plan_of(ada) is PlanName.PRO
    world.forget_customer(first)
    url = choose_plan(ada.scope, "enterprise_monthly")
    ((second,),) = rows("SELECT stripe_id FROM stripe_customers")
    assert second != first
    assert (plan_of(ada), sums_of(movements(ada))) == (PlanName.FREE, {})
    world.pay(url.rsplit("/", 1)[-1])
    again(ada, second)
    assert plan_of(ada) is PlanName.ENTERPRISE
    assert sums_of(movements(ada)) == {"USD": 99_00}, "the one trial was had"


def test_one_that_stripe_still_calls_alive_is_gone_with_its_customer(ada: Made, stripe: StripeServer):
    customer, subscription = subscribed(stripe, ada)
    run_all()
    alive = dict(stripe.world.find("subscription", subscription))
    stripe.world.forget_customer(customer)
    stripe.world._kept["subscription"][subscription] = alive
    again(ada, customer)
    assert held(ada).status == "gone"
    assert "method" not in stored(ada.scope)


def test_a_schedule_says_what_comes_after_the_period(ada: Made, stripe: StripeServer):
    world = stripe.world
    customer, subscription = bought(stripe, ada, "enterprise_monthly")
    schedule = world.schedule_from(subscription)
    now = {"items": {"0": {"price": world.price_of("enterprise_monthly")["id"], "quantity": "1"}}}
    end = world.find("subscription", subscription)["items"]["data"][0]["current_period_end"]
    then = {"items": {"0": {"price": world.price_of("pro_monthly")["id"], "quantity": "1"}}}
    start = schedule["phases"][0]["start_date"]
    phases = {"0": now | {"start_date": str(start), "end_date": str(end)}, "1": then}
    world.change_schedule(schedule["id"], {"phases": phases})
    again(ada, customer)
    assert held(ada).schedule_id == schedule["id"]
    assert (held(ada).next_lookup_key, held(ada).next_at) == ("pro_monthly", datetime.fromtimestamp(end, UTC))
    world.release(schedule["id"])
    again(ada, customer)
    assert (held(ada).schedule_id, held(ada).next_lookup_key, held(ada).next_at) == (None, None, None)
