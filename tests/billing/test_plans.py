"""The plans table and what subscriptions entitle to, instant by instant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.billing.plans import (
    ALARMS,
    GRACE,
    NOTHING_PAID,
    OFFERS,
    PLANS,
    GrantedPlan,
    Notice,
    PlanName,
    Status,
    Subscription,
    counting,
    entitlement,
)

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
TICK = timedelta(seconds=1)
FREE, PRO, ENTERPRISE = PlanName.FREE, PlanName.PRO, PlanName.ENTERPRISE


def subscription(status: str = "active", lookup_key: str | None = "pro_monthly", **facts: object) -> Subscription:
    plain = Subscription("sub_1", "cus_1", status, lookup_key, 1, START, START, END)
    return replace(plain, **facts)  # type: ignore[arg-type]


def test_the_table_is_the_one_agreed():
    rows = {
        name: (
            plan.creators,
            plan.creators_included,
            plan.generations,
            plan.generations_metered,
            plan.history_days,
            plan.alerts_by_mail,
            plan.scheduled_reports,
            plan.api_keys,
            plan.team_members,
            plan.trial_days,
        )
        for name, plan in PLANS.items()
    }
    assert rows == {
        FREE: (1, 1, 50, False, 90, False, False, False, 1, 0),
        PRO: (5, 5, 2_000, False, 730, True, True, True, 5, 14),
        ENTERPRISE: (None, 25, 20_000, True, None, True, True, True, None, 14),
    }
    assert {key: (each.plan, each.months, each.list_amount, each.currency) for key, each in OFFERS.items()} == {
        "pro_monthly": (PRO, 1, 2900, "USD"),
        "pro_yearly": (PRO, 12, 29000, "USD"),
        "enterprise_monthly": (ENTERPRISE, 1, 9900, "USD"),
        "enterprise_yearly": (ENTERPRISE, 12, 99000, "USD"),
    }


def test_each_offer_is_on_the_plan_that_names_it():
    assert {key for plan in PLANS.values() for key in plan.lookup_keys} == set(OFFERS)
    assert all(key in PLANS[offer.plan].lookup_keys for key, offer in OFFERS.items())
    assert all(name == plan.name for name, plan in PLANS.items())
    assert [name.rank for name in (FREE, PRO, ENTERPRISE)] == [0, 1, 2]


def test_without_a_subscription_the_plan_is_free():
    assert entitlement([], START) == NOTHING_PAID
    assert (NOTHING_PAID.plan, NOTHING_PAID.status, NOTHING_PAID.limits) == (FREE, "none", PLANS[FREE])


@pytest.mark.parametrize("status", ["active", "trialing"])
def test_paid_and_trial_entitle_to_the_period_end_and_a_late_renewal_is_waited_for(status: str):
    facts = [subscription(status)]
    now = entitlement(facts, START)
    assert (now.plan, now.status, now.until, now.grace_until, now.notice) == (PRO, status, END, None, None)
    assert entitlement(facts, END + GRACE - TICK).plan is PRO
    after = entitlement(facts, END + GRACE)
    assert (after.plan, after.notice, after.status) == (FREE, Notice.STALE, status)


@pytest.mark.parametrize("scheduled", [{"cancel_at_period_end": True}, {"cancel_at": END}])
def test_a_scheduled_cancellation_ends_at_its_instant(scheduled: dict[str, object]):
    facts = [subscription(**scheduled)]
    before = entitlement(facts, END - TICK)
    assert (before.plan, before.until, before.notice) == (PRO, END, Notice.ENDING)
    after = entitlement(facts, END)
    assert (after.plan, after.notice) == (FREE, None)


def test_a_cancellation_inside_the_period_comes_first_and_one_beyond_it_changes_nothing_yet():
    inside = entitlement([subscription(cancel_at=END - timedelta(days=3))], END - timedelta(days=3))
    assert (inside.plan, inside.until) == (FREE, END - timedelta(days=3))
    beyond = entitlement([subscription(cancel_at=END + timedelta(days=30))], END)
    assert (beyond.plan, beyond.until, beyond.notice) == (PRO, END, None)


def test_past_due_has_seven_days_from_the_last_paid_instant():
    """Stripe moves the period on before the card is refused: grace must not count from the unpaid period's end."""
    facts = [subscription("past_due")]
    now = entitlement(facts, START + GRACE - TICK)
    assert (now.plan, now.notice, now.until, now.grace_until) == (PRO, Notice.PAST_DUE, START, START + GRACE)
    over = entitlement(facts, START + GRACE)
    assert (over.plan, over.notice, over.grace_until) == (FREE, Notice.GRACE_OVER, START + GRACE)


def test_past_due_in_mid_period_counts_from_the_unpaid_invoice():
    since = START + timedelta(days=20)
    now = entitlement([subscription("past_due", unpaid_since=since)], since + timedelta(days=6))
    assert (now.plan, now.until, now.grace_until) == (PRO, since, since + GRACE)


def test_grace_does_not_outlive_a_cancellation():
    at = START + timedelta(days=2)
    facts = [subscription("past_due", cancel_at=at)]
    assert entitlement(facts, at - TICK).plan is PRO
    assert (entitlement(facts, at).plan, entitlement(facts, at).grace_until) == (FREE, at)


@pytest.mark.parametrize(
    ("status", "notice"),
    [
        ("paused", Notice.PAUSED),
        ("unpaid", Notice.UNPAID),
        ("incomplete", Notice.INCOMPLETE),
        ("incomplete_expired", None),
        ("canceled", None),
        ("gone", None),
        ("appealing", Notice.UNKNOWN_STATUS),
        ("", Notice.UNKNOWN_STATUS),
    ],
)
def test_other_statuses_entitle_to_nothing_and_say_why(status: str, notice: Notice | None):
    got = entitlement([subscription(status)], START)
    assert (got.plan, got.status, got.notice, got.until) == (FREE, status, notice, None)
    assert (notice in ALARMS) == (notice is Notice.UNKNOWN_STATUS)


def test_every_status_of_stripe_is_decided():
    for status in Status:
        assert entitlement([subscription(status)], START).notice is not Notice.UNKNOWN_STATUS


@pytest.mark.parametrize("key", [None, "gold_monthly"])
def test_a_price_that_is_not_ours_entitles_to_nothing_and_alarms(key: str | None):
    got = entitlement([subscription(lookup_key=key)], START)
    assert (got.plan, got.notice) == (FREE, Notice.UNKNOWN_PRICE)
    assert got.notice in ALARMS


def test_of_several_the_highest_plan_that_entitles_wins_in_any_order():
    pro = subscription()
    late = subscription("past_due", "enterprise_yearly", stripe_id="sub_2", unpaid_since=START)
    dead = subscription("canceled", "enterprise_monthly", stripe_id="sub_3", created=END)
    for facts in ([pro, late, dead], [dead, late, pro], [late, pro, dead]):
        assert entitlement(facts, START).plan is ENTERPRISE
        assert entitlement(facts, START + GRACE).plan is PRO


def test_of_two_alike_the_one_that_lasts_longer_wins():
    year = subscription(lookup_key="pro_yearly", stripe_id="sub_2", current_period_end=END + timedelta(days=300))
    assert entitlement([year, subscription()], START).until == year.current_period_end
    assert entitlement([subscription(), year], START).until == year.current_period_end


def test_when_none_entitles_the_newest_with_a_reason_speaks():
    old = subscription("unpaid", created=START)
    new = subscription("incomplete", stripe_id="sub_2", created=END)
    newest = subscription("canceled", stripe_id="sub_3", created=END + TICK)
    assert entitlement([newest, new, old], END).notice is Notice.INCOMPLETE
    assert entitlement([newest, old], END).notice is Notice.UNPAID
    assert entitlement([newest], END).status == "canceled"


def test_a_subscription_knows_its_plan_and_its_end():
    assert subscription(lookup_key="enterprise_yearly").plan is ENTERPRISE
    assert subscription(lookup_key="unheard_of").plan is None
    assert subscription().ends_at is None
    assert subscription(cancel_at_period_end=True).ends_at == END
    assert subscription(cancel_at=START, cancel_at_period_end=True).ends_at == START


def granted(plan: PlanName = PRO, **facts: object) -> GrantedPlan:
    return replace(GrantedPlan(plan, START, END), **facts)  # type: ignore[arg-type]


def test_a_given_plan_counts_from_its_start_to_before_its_end():
    assert entitlement([], START - TICK, [granted()]) == NOTHING_PAID
    for instant in (START, END - TICK):
        got = entitlement([], instant, [granted()])
        assert (got.plan, got.status, got.granted_until, got.until) == (PRO, "none", END, None)
    assert entitlement([], END, [granted()]) == NOTHING_PAID


def test_a_plan_that_was_taken_back_counts_no_more():
    assert entitlement([], START, [granted(revoked_at=START)]) == NOTHING_PAID


def test_the_highest_of_what_is_paid_and_given_wins_and_paid_when_alike():
    paid = subscription()
    for grants in ([granted(), granted(ENTERPRISE)], [granted(ENTERPRISE), granted()]):
        assert entitlement([paid], START, grants).plan is ENTERPRISE
    alone = entitlement([paid], START)
    assert entitlement([paid], START, [granted(ends_at=END + GRACE)]) == alone
    assert entitlement([subscription(lookup_key="enterprise_monthly")], START, [granted()]).granted_until is None


def test_of_two_given_alike_the_longer_says_until_when():
    later = granted(ends_at=END + TICK)
    for grants in ([granted(), later], [later, granted()]):
        assert entitlement([], START, grants).granted_until == later.ends_at


def test_a_given_plan_leaves_what_the_subscription_says():
    """Staff must still see that a price is unknown, and that the payment failed."""
    over = entitlement([subscription("past_due")], START + GRACE, [granted()])
    assert (over.plan, over.status, over.notice) == (PRO, "past_due", Notice.GRACE_OVER)
    assert entitlement([subscription(lookup_key=None)], START, [granted()]).notice in ALARMS


def test_the_subscription_that_is_changed_is_the_one_that_counts():
    early, late = START - TICK, START + TICK
    pro = subscription(stripe_id="sub_pro", created=early)
    enterprise = subscription(lookup_key="enterprise_monthly", stripe_id="sub_big")
    paused = subscription("paused", stripe_id="sub_paused", created=late)
    longer = subscription(stripe_id="sub_longer", current_period_end=END + TICK)
    owing = subscription("past_due", "enterprise_monthly", stripe_id="sub_owing", unpaid_since=START)
    for each, counts in (
        ((), None),
        ((subscription("canceled"), subscription("incomplete"), subscription("gone")), None),
        ((pro,), "sub_pro"),
        ((pro, enterprise), "sub_big"),
        ((enterprise, paused), "sub_big"),
        ((pro, longer, paused), "sub_longer"),
        ((pro, owing, paused), "sub_owing"),
        ((paused, subscription("unpaid", stripe_id="sub_unpaid")), "sub_paused"),
        ((subscription("unpaid", stripe_id="sub_a"), subscription("paused", stripe_id="sub_b")), "sub_b"),
        ((subscription(lookup_key=None, stripe_id="sub_unknown", created=late), pro), "sub_pro"),
    ):
        for order in (each, each[::-1]):
            found = counting(order, START + TICK)
            assert (found.stripe_id if found else None) == counts
    grace_over = START + GRACE
    found = counting((pro, owing), grace_over)
    assert found is not None
    assert found.stripe_id == "sub_pro", "what entitles to nothing any more does not count before what does"
