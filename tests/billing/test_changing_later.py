"""Less of a plan, its end and its pauses: what is paid for is had to its end, and taken back until then."""

from uuid import uuid4

import pytest

from core.access import Scope
from core.audit import entries
from core.billing import service, stripe_changes
from core.billing.changing import LONGEST_COMMENT, Feedback, cancel, change_plan, keep, pause, preview_change, resume
from core.billing.farewell import request_deletion
from core.billing.plans import Item, PlanName
from core.billing.service import PlanView
from core.errors import BadInput, Conflict
from tests.billing.changes import DAY, asked, change, held, invoices, subscribed
from tests.peers.stripe_server import StripeServer
from tests.people import Made
from tests.workspaces.test_api_keys import proved

ENTERPRISE = {"enterprise_monthly": 1, "enterprise_seat_monthly": 3, "enterprise_generation_monthly": None}


def deeds(scope: Scope) -> list[str]:
    return [each.deed for each in entries(scope) if each.deed.startswith(("plan_", "seats_"))]


def later(stripe: StripeServer, made: Made, days: int) -> PlanView:
    stripe.world.advance(days * DAY)
    return service.refresh(made.scope)


@pytest.mark.parametrize(
    ("held_items", "wanted", "seats"),
    [
        (ENTERPRISE, "pro_monthly", 0),
        (ENTERPRISE, "enterprise_monthly", 1),
        (ENTERPRISE, "enterprise_monthly", 0),
        (ENTERPRISE, "pro_yearly", 0),
        ({"pro_yearly": 1}, "pro_monthly", 0),
        (
            {"enterprise_yearly": 1, "enterprise_seat_yearly": 2, "enterprise_generation_yearly": None},
            "enterprise_monthly",
            9,
        ),
    ],
)
def test_less_is_had_from_the_periods_end_on(
    ada: Made, stripe: StripeServer, held_items: dict[str, int | None], wanted: str, seats: int
):
    subscription = subscribed(stripe, ada, held_items, days_ago=5)
    preview = preview_change(ada.scope, wanted, seats)
    before = service.plan(ada.scope)
    ends = before.subscription.current_period_end
    assert (preview.is_now, preview.due_now, preview.prorated_at) == (False, 0, None)
    assert preview.takes_effect_at == preview.next_at == ends
    view = change_plan(ada.scope, uuid4(), preview)
    assert view.entitlement == before.entitlement, "what is paid for is had to its end"
    assert (view.subscription.next_lookup_key, view.subscription.next_at) == (wanted, ends)
    assert held(subscription) == held_items
    stripe.world.advance(int(ends.timestamp()) - stripe.world.now() + DAY)
    view = service.refresh(ada.scope)
    assert (view.lookup_key, view.subscription.seats) == (wanted, seats)
    assert invoices(stripe, subscription)[0]["amount_paid"] == preview.next_amount
    assert len(invoices(stripe, subscription)) == 2
    stripe.world.advance(400 * DAY)
    view = service.refresh(ada.scope)
    assert (view.lookup_key, view.entitlement.status, view.subscription.schedule_id) == (wanted, "active", None)


def test_a_second_choice_of_less_takes_the_place_of_the_first(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, ENTERPRISE, days_ago=5)
    change(ada.scope, "pro_monthly")
    view = change(ada.scope, "enterprise_monthly", 1)
    assert view.subscription.next_lookup_key == "enterprise_monthly"
    assert len(stripe.world.every("subscription_schedule")) == 1
    view = later(stripe, ada, 31)
    assert held(subscription) == {**ENTERPRISE, "enterprise_seat_monthly": 1}
    assert view.subscription.seats == 1


def test_more_takes_the_place_of_less_that_waits(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, ENTERPRISE, days_ago=5)
    change(ada.scope, "pro_monthly")
    view = change(ada.scope, "enterprise_monthly", 8)
    assert (view.subscription.seats, view.subscription.schedule_id) == (8, None)
    later(stripe, ada, 31)
    assert held(subscription) == {**ENTERPRISE, "enterprise_seat_monthly": 8}


def test_less_for_later_leaves_a_trial_as_long_as_it_was(ada: Made, stripe: StripeServer):
    """Stripe replaces the phase under way with the one that it is sent: one without a trial ends it."""
    subscription = subscribed(stripe, ada, {"enterprise_monthly": 1}, days_ago=4, trial_days=14)
    less = Item("", stripe.world.price_of("pro_monthly")["id"], "pro_monthly", 1, 29_00, "USD", 1)
    stripe_changes.change_at_period_end(subscription["id"], None, [less], 1, str(uuid4()))
    assert (subscription["status"], len(invoices(stripe, subscription))) == ("trialing", 1)
    view = later(stripe, ada, 11)
    assert (view.lookup_key, view.entitlement.status) == ("pro_monthly", "active")
    assert [each["total"] for each in invoices(stripe, subscription)] == [29_00, 0]


def test_a_discount_for_ever_outlives_the_change(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, ENTERPRISE, days_ago=5)
    coupon = stripe.world.add_coupon(percent_off=50, duration="forever")
    stripe.world.apply(subscription["id"], {"discounts": {"0": {"coupon": coupon["id"]}}})
    preview = preview_change(ada.scope, "pro_monthly")
    assert preview.next_amount == 14_50
    change_plan(ada.scope, uuid4(), preview)
    later(stripe, ada, 31)
    assert invoices(stripe, subscription)[0]["amount_paid"] == 14_50
    later(stripe, ada, 31)
    assert invoices(stripe, subscription)[0]["amount_paid"] == 14_50


def test_less_that_waits_is_taken_back(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, ENTERPRISE, days_ago=5)
    change(ada.scope, "pro_monthly")
    view = keep(ada.scope, uuid4())
    assert (view.subscription.schedule_id, view.subscription.next_lookup_key) == (None, None)
    later(stripe, ada, 31)
    assert held(subscription) == ENTERPRISE
    assert deeds(ada.scope) == ["plan_kept", "plan_changed"]


def test_an_end_says_why_and_comes_with_the_period(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=5)
    view = cancel(ada.scope, uuid4(), Feedback.TOO_EXPENSIVE, "  Perhaps next year. ")
    assert view.entitlement.plan is PlanName.PRO
    assert view.subscription.ends_at == view.subscription.current_period_end
    assert subscription["cancellation_details"] == {
        "comment": "Perhaps next year.",
        "feedback": "too_expensive",
        "reason": "cancellation_requested",
    }
    assert request_deletion(proved(ada).scope), "what ends by itself does not hold anybody"
    view = later(stripe, ada, 31)
    assert (view.entitlement.plan, view.subscription) == (PlanName.FREE, None)


def test_an_end_is_taken_back_however_it_was_scheduled(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=5)
    cancel(ada.scope, uuid4(), Feedback.UNUSED)
    assert keep(ada.scope, uuid4()).subscription.ends_at is None
    ends = subscription["items"]["data"][0]["current_period_end"]
    stripe.world.change(subscription["id"], cancel_at=ends, cancel_at_period_end=False)
    assert service.refresh(ada.scope).subscription.ends_at is not None
    assert keep(ada.scope, uuid4()).subscription.ends_at is None
    assert later(stripe, ada, 31).entitlement.plan is PlanName.PRO
    assert deeds(ada.scope) == ["plan_kept", "plan_kept", "plan_cancelled"]


def test_an_end_takes_the_place_of_less_that_waits(ada: Made, stripe: StripeServer):
    subscribed(stripe, ada, ENTERPRISE, days_ago=5)
    change(ada.scope, "pro_monthly")
    view = cancel(ada.scope, uuid4(), Feedback.OTHER)
    assert view.subscription.ends_at is not None
    assert later(stripe, ada, 31).entitlement.plan is PlanName.FREE


def test_who_leaves_keeps_the_plan_first_to_change_it(ada: Made, stripe: StripeServer):
    subscribed(stripe, ada, {"pro_monthly": 1})
    cancel(ada.scope, uuid4(), Feedback.OTHER)
    with pytest.raises(Conflict) as refused:
        preview_change(ada.scope, "enterprise_monthly")
    assert refused.value.code == "billing.keep_first"


def test_what_is_not_paid_for_ends_at_once(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=29)
    stripe.world.declining.add(subscription["customer"])
    assert later(stripe, ada, 5).entitlement.status == "past_due"
    view = cancel(ada.scope, uuid4(), Feedback.TOO_COMPLEX, "no")
    assert (view.subscription, view.entitlement.status) == (None, "canceled")
    assert subscription["cancellation_details"]["feedback"] == "too_complex"
    assert [verb for verb, _, _, _ in stripe.requests].count("delete") == 1


def test_what_has_happened_already_is_done(ada: Made, stripe: StripeServer):
    """Stripe takes no key for an end at once, and refuses what was done before."""
    subscription = subscribed(stripe, ada, ENTERPRISE)
    schedule = change(ada.scope, "pro_monthly").subscription.schedule_id
    for _ in range(2):
        stripe_changes.release(schedule, str(uuid4()))
        stripe_changes.cancel_now(subscription["id"], Feedback.OTHER, "")
    assert (subscription["status"], subscription["schedule"]) == ("canceled", None)
    stripe_changes.release("sub_sched_unheard_of", str(uuid4()))
    stripe_changes.cancel_now("sub_unheard_of", Feedback.OTHER, "")
    with pytest.raises(Conflict) as nothing:
        cancel(ada.scope, uuid4(), Feedback.OTHER)
    assert nothing.value.code == "billing.no_subscription"


def test_a_first_payment_that_never_came_can_be_given_up(ada: Made, stripe: StripeServer):
    customer = service._customer(ada.scope)
    stripe.world.declining.add(customer)
    price = stripe.world.price_of("pro_monthly")["id"]
    made = stripe.world.start(customer, {"0": {"price": price, "quantity": "1"}})
    assert service.refresh(ada.scope).entitlement.status == "incomplete"
    cancel(ada.scope, uuid4(), Feedback.OTHER)
    assert made["status"] in ("canceled", "incomplete_expired")


def test_a_comment_is_short_and_storable(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1})
    for comment, code in (
        ("x" * (LONGEST_COMMENT + 1), "billing.comment_too_long"),
        ("a\x00b", "billing.comment_unsafe"),
        ("\ud800", "billing.comment_unsafe"),
    ):
        with pytest.raises(BadInput) as refused:
            cancel(ada.scope, uuid4(), Feedback.OTHER, comment)
        assert refused.value.code == code
    assert asked(stripe, subscription) == []
    cancel(ada.scope, uuid4(), Feedback.OTHER, "x" * LONGEST_COMMENT)
    assert len(subscription["cancellation_details"]["comment"]) == LONGEST_COMMENT


def test_a_pause_makes_the_account_free_and_gives_the_rest_back_later(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=10)
    view = pause(ada.scope, uuid4())
    assert (view.entitlement.plan, view.entitlement.status, view.lookup_key) == (PlanName.FREE, "paused", "pro_monthly")
    view = later(stripe, ada, 60)
    assert view.entitlement.status == "paused"
    assert len(invoices(stripe, subscription)) == 1, "nothing is charged meanwhile"
    assert pause(ada.scope, uuid4()).entitlement.status == "paused"
    with pytest.raises(Conflict) as refused:
        preview_change(ada.scope, "enterprise_monthly")
    assert refused.value.code == "billing.resume_first"
    view = resume(ada.scope, uuid4())
    assert (view.entitlement.plan, view.entitlement.status) == (PlanName.PRO, "active")
    paid = invoices(stripe, subscription)[0]["amount_paid"]
    assert 0 < paid < 15_00, "two thirds of the month before are given back"
    assert deeds(ada.scope) == ["plan_resumed", "plan_paused"]


def test_what_cannot_be_paid_stays_paused_and_leads_to_the_payment(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=10)
    pause(ada.scope, uuid4())
    stripe.world.declining.add(subscription["customer"])
    for _ in range(2):
        with pytest.raises(Conflict) as refused:
            resume(ada.scope, uuid4())
        assert refused.value.code == "billing.payment_needed"
    assert [each["status"] for each in invoices(stripe, subscription)] == ["open", "paid"]
    view = service.plan(ada.scope)
    assert (view.entitlement.status, view.pay_url) == (
        "paused",
        invoices(stripe, subscription)[0]["hosted_invoice_url"],
    )
    stripe.world.declining.clear()
    stripe.world.pay_invoice(invoices(stripe, subscription)[0])
    assert service.refresh(ada.scope).entitlement.plan is PlanName.PRO


def test_what_cannot_be_paused_or_resumed_says_so(ada: Made, stripe: StripeServer):
    subscribed(stripe, ada, ENTERPRISE, days_ago=3)
    assert resume(ada.scope, uuid4()).entitlement.status == "active", "it runs already"
    change(ada.scope, "pro_monthly")
    with pytest.raises(Conflict) as waiting:
        pause(ada.scope, uuid4())
    assert waiting.value.code == "billing.keep_first"
    keep(ada.scope, uuid4())
    cancel(ada.scope, uuid4(), Feedback.OTHER)
    with pytest.raises(Conflict) as ending:
        pause(ada.scope, uuid4())
    assert ending.value.code == "billing.keep_first"


def test_a_trial_is_not_paused(ada: Made, stripe: StripeServer):
    subscribed(stripe, ada, {"pro_monthly": 1}, trial_days=14)
    for deed, code in ((pause, "billing.cannot_pause"), (resume, "billing.not_paused")):
        with pytest.raises(Conflict) as refused:
            deed(ada.scope, uuid4())
        assert refused.value.code == code


def test_nothing_to_take_back_is_no_deed(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1})
    assert keep(ada.scope, uuid4()).lookup_key == "pro_monthly"
    assert asked(stripe, subscription) == []
    assert deeds(ada.scope) == []
