"""Changing a plan at once: what it costs is shown to the cent first, and it counts when it is paid."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import Connection

from core.access import Role, Scope
from core.audit import entries
from core.billing import service
from core.billing.changing import Feedback, cancel, change_plan, keep, pause, preview_change, resume
from core.billing.plans import PlanName
from core.db import transaction
from core.errors import BadInput, Conflict, NotAllowed, NotConfigured
from core.workspaces.service import open_scope
from tests.billing.changes import DAY, asked, change, held, invoices, subscribed
from tests.billing.conftest import give_plan
from tests.billing.test_choosing import let_in
from tests.peers.stripe_server import StripeServer
from tests.people import Made, make_person

ENTERPRISE = {"enterprise_monthly": 1, "enterprise_seat_monthly": 3, "enterprise_generation_monthly": None}


def deeds(scope: Scope) -> list[tuple[str, object, object]]:
    return [(each.deed, each.before, each.after) for each in entries(scope)]


def test_an_upgrade_costs_what_was_shown_to_the_cent(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=11)
    preview = preview_change(ada.scope, "enterprise_monthly", 2)
    assert invoices(stripe, subscription) == invoices(stripe, subscription)[-1:], "a preview makes nothing"
    assert preview.is_now
    assert preview.credit > 0 < preview.charge
    assert (
        preview.due_now == preview.charge - preview.credit + preview.tax == sum(each.amount for each in preview.lines)
    )
    assert preview.next_amount == 99_00 + 2 * 4_00
    assert preview.next_at == service.plan(ada.scope).subscription.current_period_end
    view = change_plan(ada.scope, uuid4(), preview)
    made = invoices(stripe, subscription)[0]
    assert (made["total"], made["amount_paid"], made["status"]) == (preview.due_now, preview.due_now, "paid")
    assert held(subscription) == {
        "enterprise_monthly": 1,
        "enterprise_seat_monthly": 2,
        "enterprise_generation_monthly": None,
    }
    assert (view.entitlement.plan, view.entitlement.seats, view.lookup_key) == (
        PlanName.ENTERPRISE,
        2,
        "enterprise_monthly",
    )
    assert view.entitlement.is_metered


def test_what_is_asked_is_frozen_with_the_preview(ada: Made, stripe: StripeServer):
    """The update says the same items, the same instant, and that it counts only once it is paid."""
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=11)
    preview = preview_change(ada.scope, "enterprise_monthly")
    shown = next(params for _, path, params, _ in stripe.requests if path == "/v1/invoices/create_preview")
    wish = uuid4()
    change_plan(ada.scope, wish, preview)
    ((sent, key),) = asked(stripe, subscription)
    assert key == str(wish)
    assert sent["payment_behavior"] == "pending_if_incomplete"
    details = shown["subscription_details"]
    assert {name: sent[name] for name in details} == details
    assert details["proration_behavior"] == "always_invoice"
    assert details["proration_date"] == str(int(preview.prorated_at.timestamp()))
    assert set(sent) == {*details, "payment_behavior"}, "Stripe takes nothing else of an update that may wait"


@pytest.mark.parametrize(
    ("held_items", "wanted", "seats", "months"),
    [
        ({"pro_monthly": 1}, "pro_yearly", 0, 12),
        ({"pro_monthly": 1}, "enterprise_yearly", 4, 12),
        ({"pro_yearly": 1}, "enterprise_monthly", 0, 1),
        (ENTERPRISE, "enterprise_yearly", 3, 12),
        (ENTERPRISE, "enterprise_yearly", 0, 12),
    ],
)
def test_another_interval_begins_a_new_period_now(
    ada: Made, stripe: StripeServer, held_items: dict[str, int | None], wanted: str, seats: int, months: int
):
    subscription = subscribed(stripe, ada, held_items, days_ago=9)
    preview = preview_change(ada.scope, wanted, seats)
    assert preview.is_now
    assert preview.resets_anchor
    view = change_plan(ada.scope, uuid4(), preview)
    made = invoices(stripe, subscription)[0]
    assert made["total"] == preview.charge - preview.credit + preview.tax
    assert made["amount_due"] == preview.due_now
    assert preview.charge == preview.next_amount
    assert asked(stripe, subscription)[0][0]["billing_cycle_anchor"] == {"type": "now"}
    begun = view.subscription.current_period_start
    assert abs(preview.next_at - view.subscription.current_period_end) < timedelta(minutes=1)
    assert (view.subscription.current_period_end - begun).days in ((365, 366) if months == 12 else (28, 29, 30, 31))
    assert (view.lookup_key, view.subscription.seats) == (wanted, seats)


def test_more_seats_are_charged_for_the_rest_of_the_period(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, ENTERPRISE, days_ago=15)
    preview = preview_change(ada.scope, "enterprise_monthly", 10)
    assert preview.is_now
    assert 7 * 4_00 * 14 // 31 <= preview.due_now <= 7 * 4_00 * 17 // 28
    view = change_plan(ada.scope, uuid4(), preview)
    assert (view.subscription.seats, view.entitlement.most_creators) == (10, 35)
    assert invoices(stripe, subscription)[0]["amount_paid"] == preview.due_now
    assert deeds(ada.scope)[0] == (
        "seats_changed",
        {"plan": "enterprise_monthly", "seats": 3},
        {"plan": "enterprise_monthly", "seats": 10},
    )


def test_a_discount_and_tax_are_in_what_is_shown(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=11)
    coupon = stripe.world.add_coupon(percent_off=25, duration="forever")
    stripe.world.apply(subscription["id"], {"discounts": {"0": {"coupon": coupon["id"]}}})
    subscription["automatic_tax"] = subscription["automatic_tax"] | {"enabled": True}
    preview = preview_change(ada.scope, "enterprise_monthly", 1)
    assert preview.tax > 0
    assert preview.due_now == preview.charge - preview.credit + preview.tax
    assert preview.next_amount == 99_00 - 24_75 + 4_00 - 1_00
    change_plan(ada.scope, uuid4(), preview)
    assert invoices(stripe, subscription)[0]["amount_paid"] == preview.due_now
    stripe.world.advance(40 * DAY)
    renewed = invoices(stripe, subscription)[0]
    assert renewed["total_excluding_tax"] == preview.next_amount


def test_in_a_trial_everything_is_now_and_costs_nothing_yet(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, ENTERPRISE, trial_days=14)
    ends = service.plan(ada.scope).subscription.trial_end
    for wanted, seats in (("pro_monthly", 0), ("enterprise_yearly", 5)):
        preview = preview_change(ada.scope, wanted, seats)
        assert (preview.is_now, preview.due_now, preview.prorated_at, preview.lines) == (True, 0, None, ())
        assert preview.next_at == ends
        view = change_plan(ada.scope, uuid4(), preview)
        assert (view.lookup_key, view.subscription.seats, view.subscription.trial_end) == (wanted, seats, ends)
    assert [each["amount_due"] for each in invoices(stripe, subscription)] == [0]
    assert {params["proration_behavior"] for params, _ in asked(stripe, subscription)} == {"none"}
    stripe.world.advance(15 * DAY)
    assert invoices(stripe, subscription)[0]["amount_paid"] == preview.next_amount == 990_00 + 5 * 40_00


def test_an_upgrade_that_is_not_paid_changes_nothing_and_leads_to_the_payment(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=11)
    stripe.world.declining.add(subscription["customer"])
    view = change(ada.scope, "enterprise_monthly", 2)
    assert (view.lookup_key, view.entitlement.plan, view.entitlement.status) == ("pro_monthly", PlanName.PRO, "active")
    assert view.pay_url == invoices(stripe, subscription)[0]["hosted_invoice_url"]
    assert deeds(ada.scope)[0][0] == "payment_awaited"
    stripe.world.declining.clear()
    stripe.world.pay_invoice(invoices(stripe, subscription)[0])
    view = service.refresh(ada.scope)
    assert (view.lookup_key, view.subscription.seats, view.pay_url) == ("enterprise_monthly", 2, None)


def test_who_is_billed_is_told_where_to_pay_what_is_open(ada: Made, bob: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=29)
    assert service.plan(ada.scope).pay_url is None
    stripe.world.declining.add(subscription["customer"])
    stripe.world.advance(5 * DAY)
    view = service.refresh(ada.scope)
    assert view.pay_url == invoices(stripe, subscription)[0]["hosted_invoice_url"]
    assert view.method is not None
    with pytest.raises(Conflict) as refused:
        preview_change(ada.scope, "enterprise_monthly")
    assert refused.value.code == "billing.pay_first"
    assert service.plan(bob.scope).pay_url is None


def test_a_preview_that_is_old_or_of_something_else_is_looked_at_again(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=3)
    preview = preview_change(ada.scope, "enterprise_monthly")
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10, seconds=1)), pytest.raises(Conflict) as old:
        change_plan(ada.scope, uuid4(), preview)
    assert old.value.code == "billing.look_again"
    change(ada.scope, "enterprise_monthly", 1)
    with pytest.raises(Conflict) as changed:
        change_plan(ada.scope, uuid4(), preview)
    assert changed.value.code == "billing.look_again"
    assert len(asked(stripe, subscription)) == 1


def test_what_cannot_be_asked_for(ada: Made, stripe: StripeServer):
    with pytest.raises(Conflict) as nothing:
        preview_change(ada.scope, "pro_monthly")
    assert nothing.value.code == "billing.no_subscription"
    subscribed(stripe, ada, {"pro_monthly": 1})
    for lookup_key, seats, code in (
        ("platinum", 0, "billing.unknown_offer"),
        ("pro_monthly", 1, "billing.no_seats"),
        ("enterprise_monthly", -1, "billing.bad_seats"),
        ("enterprise_monthly", 976, "billing.bad_seats"),
    ):
        with pytest.raises(BadInput) as refused:
            preview_change(ada.scope, lookup_key, seats)
        assert refused.value.code == code
    with pytest.raises(Conflict) as same:
        preview_change(ada.scope, "pro_monthly")
    assert same.value.code == "billing.nothing_changes"
    stripe.world.price_of("enterprise_seat_monthly")["active"] = False
    with pytest.raises(NotConfigured, match="enterprise_seat_monthly"):
        preview_change(ada.scope, "enterprise_monthly", 1)


def test_without_a_price_for_drafts_the_plan_is_sold_without_the_meter(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1})
    stripe.world.price_of("enterprise_generation_monthly")["active"] = False
    view = change(ada.scope, "enterprise_monthly")
    assert held(subscription) == {"enterprise_monthly": 1}
    assert not view.entitlement.is_metered


def test_whoever_bought_at_another_price_keeps_it_with_more_seats(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, ENTERPRISE, days_ago=3)
    bought = [each["price"]["id"] for each in subscription["items"]["data"]]
    stripe.world.move_lookup_key("enterprise_monthly", 149_00)
    stripe.world.move_lookup_key("enterprise_seat_monthly", 9_00)
    preview = preview_change(ada.scope, "enterprise_monthly", 5)
    assert preview.next_amount == 99_00 + 5 * 4_00
    change_plan(ada.scope, uuid4(), preview)
    assert [each["price"]["id"] for each in subscription["items"]["data"]] == bought


def test_fewer_seats_than_creators_are_allowed_and_said(database: Connection, stripe: StripeServer):
    agency = make_person("Mona", Role.MANAGER, creators=7)
    one = agency.scope.narrowed_to(agency.workspace_ids[0])
    subscribed(stripe, Made(agency.user_id, agency.account_id, agency.workspace_ids, one, agency.email), ENTERPRISE)
    assert preview_change(one, "enterprise_monthly", 0).over_by == 0
    preview = preview_change(one, "pro_monthly")
    assert (preview.over_by, preview.is_now) == (2, False)


def test_only_the_owner_changes(ada: Made, bob: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1})
    preview = preview_change(ada.scope, "enterprise_monthly")
    let_in(ada.scope, bob.user_id)
    guest = open_scope(bob.user_id).narrowed_to(ada.workspace_id)
    for deed in (
        lambda: preview_change(guest, "enterprise_monthly"),
        lambda: change_plan(guest, uuid4(), preview),
        lambda: cancel(guest, uuid4(), Feedback.OTHER),
        lambda: keep(guest, uuid4()),
        lambda: pause(guest, uuid4()),
        lambda: resume(guest, uuid4()),
    ):
        with pytest.raises(NotAllowed):
            deed()
    view = service.plan(guest)
    assert (view.method, view.pay_url, view.lookup_key) == (None, None, "pro_monthly")
    assert asked(stripe, subscription) == []


def test_a_given_plan_can_be_bought_all_the_same(ada: Made, stripe: StripeServer):
    give_plan(ada, PlanName.PRO)
    assert service.plan(ada.scope).lookup_key is None
    page = service.choose_plan(ada.scope, "pro_monthly").rsplit("/", 1)[-1]
    stripe.world.pay(page)
    view = service.refresh(ada.scope)
    assert (view.lookup_key, view.entitlement.granted_until) == ("pro_monthly", None)


def test_a_database_of_another_zone_tells_of_the_same_subscription(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=3)
    coupon = stripe.world.add_coupon(percent_off=12.5, duration="repeating", duration_in_months=3)
    stripe.world.apply(subscription["id"], {"discounts": {"0": {"coupon": coupon["id"]}}})
    with transaction(ada.scope) as session:
        session.connection().exec_driver_sql("SET TIME ZONE 'Asia/Tokyo'")
    try:
        preview = preview_change(ada.scope, "enterprise_monthly")
        assert change_plan(ada.scope, uuid4(), preview).lookup_key == "enterprise_monthly"
    finally:
        with transaction(ada.scope) as session:
            session.connection().exec_driver_sql("RESET TIME ZONE")


def test_a_clock_that_is_slow_asks_for_no_time_before_the_period(ada: Made, stripe: StripeServer):
    stripe.world.ahead += 120
    subscription = subscribed(stripe, ada, {"pro_monthly": 1})
    preview = preview_change(ada.scope, "enterprise_monthly")
    assert int(preview.prorated_at.timestamp()) == subscription["items"]["data"][0]["current_period_start"]
    change_plan(ada.scope, uuid4(), preview)
    assert preview.due_now == invoices(stripe, subscription)[0]["total"] == 70_00
