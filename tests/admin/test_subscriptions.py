"""What staff find of subscriptions, and do to them: once, for a reason, on record, and as Stripe then says."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func

from core.access import Scope
from core.audit import entries
from core.billing import desk
from core.billing.desk import find_subscriptions, subscription_file
from core.billing.desk_deeds import (
    When,
    cancel_for,
    change_plan_for,
    extend_trial,
    keep_for,
    resume_for,
    would_cost,
)
from core.billing.grants import grant_plan
from core.billing.models import SubscriptionRecord
from core.billing.plans import PlanName
from core.db import transaction
from core.errors import BadInput, Conflict, NotAllowed, NotFound, Refusal, Unavailable
from tests.admin.paying import PRICE, WHY, bill, held, known, pays, refunds
from tests.billing.conftest import Deliver, deliver
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_store import Json
from tests.people import Made

__all__ = ["deliver"]
DAY = 86_400


def _deeds(made: Made) -> list[str]:
    return [one.deed for one in entries(made.scope)]


def _at_stripe(stripe: StripeServer, customer: str) -> Json:
    return next(each for each in stripe.world.every("subscription") if each["customer"] == customer)


# finding


def test_found_by_whatever_names_it(staff: Made, ada: Made, bob: Made, stripe: StripeServer):
    customer = pays(stripe, ada)
    pays(stripe, bob, "enterprise_yearly")
    subscription, invoice = _at_stripe(stripe, customer), bill(staff.scope, ada)
    named = ("ADA", "ada@exam", customer, subscription["id"], invoice.stripe_id)
    for text in (*named, str(invoice.charge_id), f"  {customer} "):
        (found,) = find_subscriptions(staff.scope, text).subscriptions
        assert (found.account, found.email, found.subscription.stripe_id) == ("Ada", ada.email, subscription["id"])
        assert (found.monthly, found.currency) == (PRICE, "USD")
    for nobody in ("Carol", "%", "_", "sub_x", "\x00", "ada@example.com'--"):
        assert find_subscriptions(staff.scope, nobody).subscriptions == ()


def test_found_by_state(staff: Made, ada: Made, bob: Made, stripe: StripeServer):
    pays(stripe, ada)
    pays(stripe, bob, trial_days=14)
    assert len(find_subscriptions(staff.scope).subscriptions) == 2
    assert [one.account for one in find_subscriptions(staff.scope, "", "trialing").subscriptions] == ["Bob"]
    assert [one.account for one in find_subscriptions(staff.scope, "a", "active").subscriptions] == ["Ada"]
    assert find_subscriptions(staff.scope, "", "unpaid").subscriptions == ()


def test_pages_hold_each_once_though_they_began_in_the_same_second(
    staff: Made, ada: Made, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(desk, "PAGE", 3)
    with transaction(Scope.for_account(ada.account_id)) as session:
        for number in range(8):
            session.add(
                SubscriptionRecord(
                    account_id=ada.account_id,
                    stripe_id=f"sub_{number}",
                    customer_id="cus_1",
                    status="canceled",
                    quantity=1,
                    created=func.now() - timedelta(seconds=number // 4),
                    current_period_start=func.now(),
                    current_period_end=func.now(),
                    cancel_at_period_end=False,
                )
            )
    seen, after = [], None
    for _ in range(3):
        page = find_subscriptions(staff.scope, "", None, after)
        seen += [one.subscription.stripe_id for one in page.subscriptions]
        after = page.more
    assert after is None
    assert seen == ["sub_3", "sub_2", "sub_1", "sub_0", "sub_7", "sub_6", "sub_5", "sub_4"]


# the file


def test_the_file_of_an_account(staff: Made, ada: Made, bob: Made, stripe: StripeServer, deliver: Deliver):
    customer, customer_of_bob = pays(stripe, ada), pays(stripe, bob)
    invoice = bill(staff.scope, ada)
    stripe.world.dispute(str(invoice.charge_id), 5_00)
    for each in stripe.world.events:
        deliver(each)
    known(customer)
    grant_plan(staff.scope, ada.account_id, PlanName.ENTERPRISE, days=7, reason=WHY)
    file = subscription_file(staff.scope, ada.account_id)
    assert (file.account, file.owners, file.customer_id) == ("Ada", ("Ada",), customer)
    assert file.entitlement.plan is PlanName.ENTERPRISE
    assert file.counts == file.subscriptions[0]
    assert [one.status for one in file.changes] == ["active"]
    assert [(one.amount_paid, one.amount_disputed) for one in file.invoices] == [(PRICE, 5_00)]
    assert file.method is not None
    assert file.method.last4 == "4242"
    assert [one.plan for one in file.grants] == [PlanName.ENTERPRISE]
    types = {one.type for one in file.events}
    assert {"customer.subscription.created", "charge.dispute.created"} <= types, "a dispute names only its charge"
    of_bob = {each["id"] for each in stripe.world.events if each["data"]["object"].get("customer") == customer_of_bob}
    assert of_bob
    assert not of_bob & {one.stripe_id for one in file.events}
    assert file.asked is not None
    assert (file.asked.waiting, file.asked.is_given_up) == (0, False)


def test_the_file_of_an_account_that_never_paid(staff: Made, ada: Made):
    file = subscription_file(staff.scope, ada.account_id)
    assert (file.customer_id, file.counts, file.asked, file.method) == (None, None, None, None)
    assert file.subscriptions == file.changes == file.invoices == file.grants == file.wishes == file.events == ()
    with pytest.raises(NotFound):
        subscription_file(staff.scope, uuid4())


# deeds


def test_a_trial_lasts_longer(staff: Made, ada: Made, stripe: StripeServer):
    customer = pays(stripe, ada, trial_days=14)
    ends = _at_stripe(stripe, customer)["trial_end"]
    wish = uuid4()
    for _ in range(2):
        extend_trial(staff.scope, ada.account_id, wish, 10, WHY)
    assert _at_stripe(stripe, customer)["trial_end"] == ends + 10 * DAY
    assert int(held(staff.scope, ada).trial_end.timestamp()) == ends + 10 * DAY  # type: ignore[union-attr]
    (entry,) = entries(ada.scope)
    assert (entry.deed, entry.reason) == ("trial_extended", WHY)
    assert entry.before is not None
    assert entry.after is not None
    assert entry.before["trial_end"] != entry.after["trial_end"]
    assert refunds(stripe) == []


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_a_trial_whose_answer_was_lost_is_not_extended_twice(
    staff: Made, ada: Made, stripe: StripeServer, *, is_forgotten: bool
):
    customer = pays(stripe, ada, trial_days=14)
    ends = _at_stripe(stripe, customer)["trial_end"]
    stripe.lost_answers = 3
    with pytest.raises(Unavailable):
        extend_trial(staff.scope, ada.account_id, uuid4(), 10, WHY)
    known(customer)
    if is_forgotten:
        stripe.forget_keys()
    extend_trial(staff.scope, ada.account_id, uuid4(), 10, WHY)
    assert _at_stripe(stripe, customer)["trial_end"] == ends + 10 * DAY
    assert _deeds(ada) == ["trial_extended"]
    extend_trial(staff.scope, ada.account_id, uuid4(), 10, WHY)
    assert _at_stripe(stripe, customer)["trial_end"] == ends + 20 * DAY, "another wish is another one"


def test_without_a_trial_a_plan_is_given_instead(staff: Made, ada: Made, bob: Made, stripe: StripeServer):
    pays(stripe, ada)
    with pytest.raises(Conflict, match="Give it the plan"):
        extend_trial(staff.scope, ada.account_id, uuid4(), 10, WHY)
    with pytest.raises(Conflict, match="Give it a plan"):
        extend_trial(staff.scope, bob.account_id, uuid4(), 10, WHY)
    for days in (0, -1, 367):
        with pytest.raises(BadInput):
            extend_trial(staff.scope, ada.account_id, uuid4(), days, WHY)
    assert _deeds(ada) == []


def test_a_plan_changed_now_is_had_at_once_and_prorates_nothing(staff: Made, ada: Made, stripe: StripeServer):
    customer = pays(stripe, ada)
    before = len(subscription_file(staff.scope, ada.account_id).invoices)
    outlook = would_cost(staff.scope, held(staff.scope, ada), "enterprise_monthly", 3)
    assert (outlook.amount, outlook.months, outlook.is_anew) == (99_00 + 3 * 4_00, 1, False)
    wish = uuid4()
    for _ in range(2):
        change_plan_for(staff.scope, ada.account_id, wish, "enterprise_monthly", 3, reason=WHY, when=When.NOW)
    now = held(staff.scope, ada)
    assert (now.lookup_key, now.seats) == ("enterprise_monthly", 3)
    assert subscription_file(staff.scope, ada.account_id).entitlement.most_creators == 28
    assert len(subscription_file(staff.scope, ada.account_id).invoices) == before
    assert not any(each["customer"] == customer for each in stripe.world.every("invoiceitem"))
    (entry,) = entries(ada.scope)
    assert (entry.deed, entry.before) == ("plan_changed_by_staff", {"plan": "pro_monthly", "seats": 0})
    assert entry.after == {"plan": "enterprise_monthly", "seats": 3, "when": "now"}
    with pytest.raises(BadInput):
        change_plan_for(staff.scope, ada.account_id, uuid4(), "pro_monthly", 3, reason=WHY, when=When.NOW)
    with pytest.raises(BadInput):
        change_plan_for(staff.scope, ada.account_id, uuid4(), "gold", 0, reason=WHY, when=When.NOW)


def test_another_length_of_time_begins_anew(staff: Made, ada: Made, stripe: StripeServer):
    pays(stripe, ada)
    assert would_cost(staff.scope, held(staff.scope, ada), "pro_yearly", 0).is_anew
    change_plan_for(staff.scope, ada.account_id, uuid4(), "pro_yearly", 0, reason=WHY, when=When.NOW)
    assert held(staff.scope, ada).lookup_key == "pro_yearly"
    newest = bill(staff.scope, ada)
    assert (newest.total, newest.status) == (290_00, "paid")


def test_a_plan_changed_for_later_stays_until_then_and_can_be_kept(staff: Made, ada: Made, stripe: StripeServer):
    pays(stripe, ada, "enterprise_monthly")
    wish = uuid4()
    for _ in range(2):
        change_plan_for(staff.scope, ada.account_id, wish, "pro_monthly", 0, reason=WHY, when=When.PERIOD_END)
    now = held(staff.scope, ada)
    assert (now.lookup_key, now.next_lookup_key) == ("enterprise_monthly", "pro_monthly")
    keep_for(staff.scope, ada.account_id, uuid4(), WHY)
    now = held(staff.scope, ada)
    assert (now.lookup_key, now.next_lookup_key, now.schedule_id) == ("enterprise_monthly", None, None)
    assert _deeds(ada) == ["plan_kept_by_staff", "plan_changed_by_staff"]


def test_a_subscription_ends_with_its_period_or_is_kept_after_all(staff: Made, ada: Made, stripe: StripeServer):
    pays(stripe, ada)
    wish = uuid4()
    for _ in range(2):
        cancel_for(staff.scope, ada.account_id, wish, at_once=False, reason=WHY)
    now = held(staff.scope, ada)
    assert (now.status, now.ends_at) == ("active", now.current_period_end)
    with pytest.raises(Conflict, match="Keep it first"):
        change_plan_for(staff.scope, ada.account_id, uuid4(), "pro_yearly", 0, reason=WHY, when=When.NOW)
    cancel_for(staff.scope, ada.account_id, uuid4(), at_once=False, reason=WHY)
    keep_for(staff.scope, ada.account_id, uuid4(), WHY)
    keep_for(staff.scope, ada.account_id, uuid4(), WHY)
    assert held(staff.scope, ada).ends_at is None
    assert _deeds(ada) == ["plan_kept_by_staff", "plan_cancelled_by_staff"]


def test_a_subscription_ends_at_once(staff: Made, ada: Made, stripe: StripeServer):
    pays(stripe, ada)
    wish = uuid4()
    for _ in range(2):
        cancel_for(staff.scope, ada.account_id, wish, at_once=True, reason=WHY)
    assert held(staff.scope, ada).status == "canceled"
    assert subscription_file(staff.scope, ada.account_id).entitlement.plan is PlanName.FREE
    assert refunds(stripe) == []
    with pytest.raises(Conflict, match="no subscription"):
        cancel_for(staff.scope, ada.account_id, uuid4(), at_once=True, reason=WHY)
    assert _deeds(ada) == ["plan_cancelled_by_staff"]


def test_a_pause_is_ended(staff: Made, ada: Made, stripe: StripeServer):
    customer = pays(stripe, ada)
    with pytest.raises(Conflict, match="not paused"):
        resume_for(staff.scope, ada.account_id, uuid4(), WHY)
    stripe.world.pause(_at_stripe(stripe, customer)["id"], {})
    known(customer)
    assert held(staff.scope, ada).status == "paused"
    resume_for(staff.scope, ada.account_id, uuid4(), WHY)
    assert held(staff.scope, ada).status == "active"
    assert _deeds(ada) == ["plan_resumed_by_staff"]


def _deed_calls(account_id: UUID, reason: str = WHY) -> tuple[Callable[[Scope], object], ...]:
    return (
        lambda scope: extend_trial(scope, account_id, uuid4(), 1, reason),
        lambda scope: change_plan_for(scope, account_id, uuid4(), "pro_yearly", 0, reason=reason, when=When.NOW),
        lambda scope: cancel_for(scope, account_id, uuid4(), at_once=True, reason=reason),
        lambda scope: keep_for(scope, account_id, uuid4(), reason),
        lambda scope: resume_for(scope, account_id, uuid4(), reason),
    )


def test_only_staff_may_and_only_for_a_reason(staff: Made, ada: Made, agency: Made, stripe: StripeServer):
    pays(stripe, ada)
    reading: tuple[Callable[[Scope], object], ...] = (
        lambda scope: find_subscriptions(scope, "a"),
        lambda scope: subscription_file(scope, ada.account_id),
        lambda scope: would_cost(scope, held(staff.scope, ada), "pro_yearly", 0),
    )
    wanted: tuple[tuple[Scope, type[Refusal], tuple[Callable[[Scope], object], ...]], ...] = (
        (ada.scope, NotAllowed, (*_deed_calls(ada.account_id), *reading)),
        (agency.scope, NotAllowed, (*_deed_calls(ada.account_id), *reading)),
        (staff.scope, BadInput, _deed_calls(ada.account_id, "short")),
        (staff.scope, NotFound, _deed_calls(uuid4())),
    )
    for scope, refusal, deeds in wanted:
        for deed in deeds:
            with pytest.raises(refusal):
                deed(scope)
    assert _deeds(ada) == []
    assert held(staff.scope, ada).status == "active"


def test_an_end_whose_answer_was_lost_and_that_was_taken_back_is_asked_for_anew(
    staff: Made, ada: Made, stripe: StripeServer
):
    """To the former key Stripe repeats that it ends, though the owner has kept it in the portal since."""
    subscription = _at_stripe(stripe, pays(stripe, ada))
    stripe.lost_answers = 3
    with pytest.raises(Unavailable):
        cancel_for(staff.scope, ada.account_id, uuid4(), at_once=False, reason=WHY)
    stripe.world.change(subscription["id"], cancel_at_period_end=False, cancel_at=None)
    cancel_for(staff.scope, ada.account_id, uuid4(), at_once=False, reason=WHY)
    assert subscription["cancel_at_period_end"]
    assert held(staff.scope, ada).ends_at is not None
    assert _deeds(ada) == ["plan_cancelled_by_staff"] * 2, "it was ended twice"
