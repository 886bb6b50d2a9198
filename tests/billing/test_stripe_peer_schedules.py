"""Schedules at our Stripe: what is to come at the period's end comes then, and not when it was taken back."""

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


def planned(desk: Desk, made: sdk.Subscription, *items: dict[str, Any], **more: Any) -> sdk.SubscriptionSchedule:
    schedule = desk.v1.subscription_schedules.create({"from_subscription": made.id})
    present = schedule.phases[0]
    held = [
        {"price": item.price} | ({} if item.quantity is None else {"quantity": item.quantity}) for item in present.items
    ]
    phases = [
        {"items": held, "start_date": present.start_date, "end_date": present.end_date},
        {"items": list(items), "proration_behavior": "none", "duration": {"interval": "month"}},
    ]
    changed: sdk.SubscriptionSchedule = desk.v1.subscription_schedules.update(schedule.id, {"phases": phases, **more})
    return changed


def held(subscription: sdk.Subscription) -> dict[str | None, int | None]:
    return {item.price.lookup_key: getattr(item, "quantity", None) for item in subscription.items.data}


def test_a_downgrade_at_the_end_of_the_period(desk: Desk):
    made = desk.buy(enterprise_monthly=1, enterprise_seat_monthly=3, enterprise_generation_monthly=None)
    schedule = planned(desk, made, {"price": desk.price("pro_monthly"), "quantity": 1}, end_behavior="release")
    assert (schedule.status, len(schedule.phases)) == ("active", 2)
    waiting = desk.v1.subscriptions.retrieve(made.id, {"expand": ["schedule"]})
    assert (waiting.schedule.id, held(waiting)["enterprise_monthly"]) == (schedule.id, 1)
    shown = desk.v1.invoices.create_preview({"subscription": made.id})
    desk.go_to(made.items.data[0].current_period_end)
    after = desk.now(made)
    assert held(after) == {"pro_monthly": 1}
    renewal = desk.invoices(made)[0]
    assert [line.amount for line in renewal.lines.data] == [0, 2900] == [line.amount for line in shown.lines.data]
    assert after.items.data[0].current_period_start == made.items.data[0].current_period_end
    desk.world.advance(32 * DAY)
    assert desk.v1.subscription_schedules.retrieve(schedule.id).status == "released"
    assert desk.now(made).schedule is None
    assert held(desk.now(made)) == {"pro_monthly": 1}
    assert desk.invoices(made)[0].total == 2900


def test_another_interval_from_the_next_period_on(desk: Desk):
    made = desk.buy(pro_yearly=1)
    planned(desk, made, {"price": desk.price("pro_monthly"), "quantity": 1})
    desk.go_to(made.items.data[0].current_period_end)
    item = desk.now(made).items.data[0]
    assert 28 * DAY <= item.current_period_end - item.current_period_start <= 31 * DAY
    assert desk.invoices(made)[0].total == 2900


def test_released_nothing_comes(desk: Desk):
    made = desk.buy(enterprise_monthly=1)
    schedule = planned(desk, made, {"price": desk.price("pro_monthly"), "quantity": 1})
    released = desk.v1.subscription_schedules.release(schedule.id)
    assert (released.status, released.released_subscription, released.subscription) == ("released", made.id, None)
    assert desk.now(made).schedule is None
    with pytest.raises(sdk.InvalidRequestError, match="released"):
        desk.v1.subscription_schedules.release(schedule.id)
    desk.go_to(made.items.data[0].current_period_end)
    assert held(desk.now(made)) == {"enterprise_monthly": 1}


def test_what_a_schedule_forbids(desk: Desk):
    made = desk.buy(enterprise_monthly=1)
    schedule = planned(desk, made, {"price": desk.price("pro_monthly"), "quantity": 1})
    with pytest.raises(sdk.InvalidRequestError, match="already attached"):
        desk.v1.subscription_schedules.create({"from_subscription": made.id})
    with pytest.raises(sdk.InvalidRequestError, match="managed by the subscription schedule"):
        desk.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    with pytest.raises(sdk.InvalidRequestError, match="cannot set"):
        desk.v1.subscription_schedules.create({"from_subscription": made.id, "end_behavior": "cancel"})
    late = [{"items": [{"price": desk.price("pro_monthly")}], "start_date": desk.world.now() + DAY}]
    with pytest.raises(sdk.InvalidRequestError, match="current phase"):
        desk.v1.subscription_schedules.update(schedule.id, {"phases": late})
    desk.v1.subscriptions.cancel(made.id)
    assert desk.v1.subscription_schedules.retrieve(schedule.id).status == "canceled"


def test_a_schedule_may_end_the_subscription(desk: Desk):
    made = desk.buy(enterprise_monthly=1)
    schedule = desk.v1.subscription_schedules.create({"from_subscription": made.id})
    desk.v1.subscription_schedules.update(schedule.id, {"end_behavior": "cancel"})
    desk.go_to(made.items.data[0].current_period_end)
    assert (desk.now(made).status, len(desk.invoices(made))) == ("canceled", 1)
    assert desk.v1.subscription_schedules.retrieve(schedule.id).status == "completed"
    assert [each.id for each in desk.v1.subscription_schedules.list({"customer": desk.customer}).data] == [schedule.id]
