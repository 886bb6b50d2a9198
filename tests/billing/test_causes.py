"""What the owners of an account are written about, cause by cause."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.billing.causes import YOUNG, Amount, Cause, Letter, Sold, causes
from core.billing.invoices import Invoice, PaymentMethod
from core.billing.plans import GRACE, Item, Subscription

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
TICK = timedelta(seconds=1)
CARD = PaymentMethod("pm_1", "card", "visa", "4242", 12, 2030)


def subscription(status: str = "active", **facts: object) -> Subscription:
    plain = Subscription("sub_1", "cus_1", status, "pro_monthly", 1, START, START, END)
    return replace(plain, **facts)  # type: ignore[arg-type]


def seats(many: int) -> tuple[Item, ...]:
    return (
        Item("si_1", "price_1", "enterprise_monthly", 1, 99_00, "USD", 1),
        Item("si_2", "price_2", "enterprise_seat_monthly", many, 4_00, "USD", 1),
    )


def invoice(**facts: object) -> Invoice:
    plain = Invoice(
        stripe_id="in_1",
        customer_id="cus_1",
        subscription_id="sub_1",
        number="A-0001",
        status="open",
        reason="subscription_cycle",
        currency="USD",
        total=29_00,
        tax=0,
        amount_due=29_00,
        amount_paid=0,
        amount_remaining=29_00,
        amount_refunded=0,
        amount_disputed=0,
        charge_id=None,
        attempts=1,
        created=NOW - timedelta(hours=3),
        period_start=None,
        period_end=None,
        next_attempt_at=None,
        failed_at=NOW - timedelta(hours=2),
        paid_at=None,
        hosted_url="https://pay.example/in_1",
        pdf_url=None,
    )
    return replace(plain, **facts)  # type: ignore[arg-type]


def told(
    was: Subscription | None = None,
    now: Subscription | None = None,
    *invoices: Invoice,
    method: PaymentMethod | None = CARD,
    at: datetime = NOW,
) -> list[Cause]:
    return list(causes([was] if was else [], [now] if now else [], invoices, method, at))


def letters(*args: object, **options: object) -> list[Letter]:
    return [each.letter for each in told(*args, **options)]  # type: ignore[arg-type]


def test_nothing_new_is_nothing_to_tell():
    assert told(subscription(), subscription(current_period_end=END + timedelta(days=31))) == []
    assert told() == []


def test_a_trial_is_told_of_in_its_last_three_days():
    ends = NOW + timedelta(days=3)
    trial = subscription("trialing", trial_end=ends)
    (found,) = told(trial, trial)
    assert found == Cause(
        Letter.TRIAL_ENDING,
        f"trial_ending:sub_1:{int(ends.timestamp())}",
        {"plan": Sold("pro_monthly"), "when": ends},
    )
    assert letters(trial, trial, at=NOW - TICK) == []
    assert letters(trial, trial, at=ends - TICK) == [Letter.TRIAL_ENDING]
    assert letters(trial, trial, at=ends) == []
    assert letters(None, trial) == [Letter.TRIAL_ENDING]
    assert letters(trial, subscription("active", trial_end=ends)) == []
    assert letters(trial, replace(trial, trial_end=None)) == []


def test_a_trial_with_nothing_to_pay_with_is_told_of_under_the_same_key():
    trial = subscription("trialing", trial_end=NOW + timedelta(days=2))
    (paid,), (unpaid,) = told(trial, trial), told(trial, trial, method=None)
    assert (unpaid.letter, unpaid.key) == (Letter.TRIAL_ENDING_UNPAID, paid.key)


def test_a_canceled_trial_is_not_told_to_go_on():
    trial = subscription("trialing", trial_end=NOW + timedelta(days=2), cancel_at_period_end=True)
    assert letters(trial, trial) == []


def test_a_failed_payment_says_until_when_access_lasts():
    owing = subscription("past_due", unpaid_since=NOW - timedelta(hours=3))
    (found,) = told(subscription(), owing, invoice())
    assert found == Cause(
        Letter.PAYMENT_FAILED,
        "payment_failed:in_1",
        {
            "amount": Amount(29_00, "USD"),
            "number": "A-0001",
            "invoice": "https://pay.example/in_1",
            "when": NOW - timedelta(hours=3) + GRACE,
        },
    )


def test_a_failed_payment_on_which_no_access_hangs():
    over = subscription("past_due", unpaid_since=NOW - GRACE)
    for which in (subscription(), over, subscription("past_due", stripe_id="sub_2")):
        (found,) = told(which, which, invoice(hosted_url=None, number=None))
        assert (found.letter, found.key) == (Letter.PAYMENT_OPEN, "payment_failed:in_1")
        assert found.facts == {"amount": Amount(29_00, "USD"), "number": "in_1"}


@pytest.mark.parametrize(
    "facts",
    [
        {"failed_at": None},
        {"failed_at": NOW - YOUNG},
        {"status": "void"},
        {"status": "uncollectible"},
        {"amount_remaining": 0},
        {"reason": "subscription_create"},
    ],
)
def test_no_letter_about(facts: dict[str, object]):
    assert letters(subscription("past_due"), subscription("past_due"), invoice(**facts)) == []
    assert letters(None, None, invoice(**facts)) == []


def test_an_old_failure_is_told_of_where_the_subscription_turns():
    old = invoice(failed_at=NOW - timedelta(days=4))
    owing = subscription("past_due", unpaid_since=NOW - timedelta(days=4))
    assert letters(subscription(), owing, old) == [Letter.PAYMENT_FAILED]
    assert letters(None, owing, old) == letters(owing, owing, old) == []
    assert letters(subscription("paused"), owing, old) == [Letter.RESUMED]


def test_what_was_paid_after_all_is_told_of_where_the_failure_was():
    paid = invoice(status="paid", paid_at=NOW, amount_paid=29_00, amount_remaining=0)
    assert told(subscription(), subscription(), paid) == [
        Cause(
            Letter.PAYMENT_RECOVERED,
            "payment_recovered:in_1",
            {"amount": Amount(29_00, "USD"), "number": "A-0001"},
            only_after="payment_failed:in_1",
        )
    ]
    assert letters(subscription(), subscription(), replace(paid, failed_at=None)) == []


@pytest.mark.parametrize(
    ("expires", "renews", "is_told"),
    [
        ((11, 2026), END, True),  # good until 1 December, when it renews
        ((12, 2026), END, False),  # good until 1 January: 47 days
        ((12, 2026), datetime(2027, 11, 1, tzinfo=UTC), False),  # a year's renewal: it is not about to expire yet
        ((11, 2026), datetime(2027, 11, 1, tzinfo=UTC), True),
        ((10, 2026), END, True),
        ((12, 2025), END, True),
        ((1, 2027), END, False),
    ],
)
def test_a_card_that_will_not_last(expires: tuple[int, int], renews: datetime, is_told: bool):
    card = replace(CARD, expires_month=expires[0], expires_year=expires[1])
    here = subscription(current_period_end=renews)
    assert letters(here, here, method=card) == [Letter.CARD_EXPIRING] * is_told


def test_a_card_is_named_by_its_brand_and_last_digits():
    card = replace(CARD, expires_month=1, expires_year=2026)
    (found,) = told(subscription(), subscription(), method=card)
    assert found.key == "card:pm_1:01/2026"
    assert found.facts == {"card": "Visa •••• 4242", "expires": "01/2026"}
    (bare,) = told(subscription(), subscription(), method=replace(card, brand=None, last4=None))
    assert bare.facts["card"] == "Card •••• ????"


def test_a_card_is_told_of_thirty_days_before_it_ends():
    card = replace(CARD, expires_month=11, expires_year=2026)
    here = subscription(current_period_end=NOW + timedelta(days=1))
    assert letters(here, here, method=card, at=END - timedelta(days=30)) == [Letter.CARD_EXPIRING]
    assert letters(here, here, method=card, at=END - timedelta(days=30) - TICK) == []


@pytest.mark.parametrize(
    "here",
    [
        subscription("canceled"),
        subscription("paused"),
        subscription("unpaid"),
        subscription(cancel_at_period_end=True),
        subscription(cancel_at=END),
    ],
)
def test_a_card_that_nothing_needs(here: Subscription):
    assert letters(here, here, method=replace(CARD, expires_month=1, expires_year=2026)) == []


@pytest.mark.parametrize(
    "method",
    [None, replace(CARD, expires_month=None, expires_year=None), replace(CARD, expires_month=1, expires_year=None)],
)
def test_what_does_not_expire(method: PaymentMethod | None):
    assert letters(subscription(), subscription(), method=method) == []


def test_another_plan_and_other_seats():
    team = subscription(lookup_key="enterprise_monthly", items=seats(3))
    (found,) = told(subscription(), team)
    assert found == Cause(
        Letter.PLAN_CHANGED,
        "plan:sub_1:pro_monthly+0:enterprise_monthly+3:2026-11-15",
        {"plan": Sold("enterprise_monthly"), "old": Sold("pro_monthly"), "when": NOW, "seats": 3},
    )
    (more,) = told(team, replace(team, items=seats(4)))
    assert more.key == "plan:sub_1:enterprise_monthly+3:enterprise_monthly+4:2026-11-15"
    assert letters(None, team) == []
    assert letters(replace(team, lookup_key=None), team) == letters(team, replace(team, lookup_key="other")) == []
    assert letters(subscription("incomplete"), team) == []
    assert letters(subscription(), replace(team, status="canceled", ended_at=NOW)) == [Letter.ENDED]


def test_a_change_for_later():
    later = subscription(lookup_key="enterprise_monthly", schedule_id="sub_sched_1", next_lookup_key="pro_monthly")
    later = replace(later, next_at=END)
    here = subscription(lookup_key="enterprise_monthly")
    (found,) = told(here, later)
    assert found == Cause(
        Letter.CHANGE_SCHEDULED,
        f"schedule:sub_sched_1:pro_monthly:{int(END.timestamp())}",
        {"plan": Sold("enterprise_monthly"), "next": Sold("pro_monthly"), "when": END},
    )
    assert letters(later, later) == letters(later, here) == []
    assert letters(None, later) == []
    assert letters(None, replace(later, created=NOW - YOUNG + TICK)) == [Letter.CHANGE_SCHEDULED]
    assert letters(later, replace(later, next_at=END + TICK)) == [Letter.CHANGE_SCHEDULED]
    assert letters(here, replace(later, next_lookup_key="enterprise_monthly")) == [Letter.SEATS_SCHEDULED]
    assert letters(here, replace(later, next_lookup_key="other")) == []
    assert letters(here, replace(later, next_at=None)) == []
    (named,) = told(here, replace(later, schedule_id=None))
    assert named.key.startswith("schedule:sub_1:")


@pytest.mark.parametrize("ending", [{"cancel_at_period_end": True}, {"cancel_at": END}])
def test_a_scheduled_cancellation(ending: dict[str, object]):
    gone = subscription(**ending)
    (found,) = told(subscription(), gone)
    assert found == Cause(
        Letter.CANCELLATION_SCHEDULED,
        f"cancellation:sub_1:{int(END.timestamp())}:2026-11-15",
        {"plan": Sold("pro_monthly"), "when": END},
    )
    assert letters(gone, gone) == letters(gone, subscription()) == letters(None, gone) == []
    assert letters(None, replace(gone, created=NOW - YOUNG)) == []
    assert letters(None, replace(gone, created=NOW - YOUNG + TICK)) == [Letter.CANCELLATION_SCHEDULED]


def test_the_end():
    over = subscription("canceled", ended_at=NOW - timedelta(days=5), cancel_at_period_end=True)
    assert told(subscription(), over) == [
        Cause(Letter.ENDED, "ended:sub_1", {"plan": Sold("pro_monthly"), "when": NOW - timedelta(days=5)})
    ]
    (undated,) = told(subscription("unpaid"), replace(over, ended_at=None))
    assert undated.facts["when"] == NOW
    assert letters(over, over) == letters(None, over) == letters(subscription("incomplete"), over) == []
    assert letters(None, replace(over, ended_at=NOW - YOUNG)) == []
    assert letters(None, replace(over, ended_at=NOW - YOUNG + TICK)) == [Letter.ENDED]
    assert letters(subscription(), replace(over, cancel_reason="payment_failed")) == [Letter.ENDED_UNPAID]
    assert letters(subscription(), subscription("gone")) == []


def test_a_pause_and_its_end():
    still = subscription("paused")
    (paused,), (resumed,) = told(subscription(), still), told(still, subscription())
    assert (paused.letter, paused.key) == (Letter.PAUSED, "paused:sub_1:2026-11-15")
    assert (resumed.letter, resumed.key) == (Letter.RESUMED, "resumed:sub_1:2026-11-15")
    assert letters(still, still) == letters(None, still) == []
    assert letters(None, replace(still, created=NOW - YOUNG + TICK)) == [Letter.PAUSED]
    assert letters(still, subscription("canceled", ended_at=NOW)) == [Letter.ENDED]


def test_an_old_history_seen_for_the_first_time_is_not_told_of():
    old = NOW - timedelta(days=400)
    history = [
        subscription("canceled", stripe_id=f"sub_{each}", created=old, ended_at=old + timedelta(days=30 * each))
        for each in range(2, 12)
    ]
    running = subscription(created=old, cancel_at_period_end=True)
    bills = [
        invoice(stripe_id=f"in_{each}", failed_at=old + timedelta(days=30 * each), subscription_id="sub_1")
        for each in range(12)
    ]
    paid = [replace(each, stripe_id=f"p{each.stripe_id}", status="paid", paid_at=each.failed_at) for each in bills]
    found = causes([], [*history, running], [*bills, *paid], CARD, NOW)
    assert [each for each in found if each.only_after is None] == []
