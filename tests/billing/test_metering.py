"""Drafts beyond the allowance are counted at Stripe exactly once, whatever happens between here and there."""

import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
import time_machine
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access import Permission, Role, Scope
from core.ai import allowance
from core.billing import sync
from core.billing.metering import ALLOWANCE, dated
from core.billing.models import SubscriptionRecord
from core.billing.plans import Item
from core.billing.queries import subscriptions_in
from core.content import service as content
from core.content.service import request_draft
from core.errors import PlanLimit
from core.insights import metering
from core.insights.metering import usage_beyond
from core.jobs.handlers import POLLS
from core.settings import settings
from core.use_case import use_case
from tests.billing.conftest import execute, link, rows
from tests.content.test_drafts import SEA
from tests.paying import subscribe
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_world import DAY
from tests.people import Made, make_person

METERED = "enterprise_generation_monthly"


@pytest.fixture
def meter(stripe: StripeServer) -> StripeServer:
    """Stripe with the meter that stripe-setup makes."""
    assert [each["event_name"] for each in stripe.world.every("billing.meter")] == ["ai_generation"]
    return stripe


def charged(stripe: StripeServer, made: Made, *, is_metered: bool = True) -> str:
    """The account's customer; its plan charges for drafts beyond the allowance, or else refuses them."""
    customer = stripe.world.add_customer()["id"]
    link(made.account_id, customer)
    subscribe(made, "enterprise_monthly")
    charge(Scope.for_account(made.account_id), is_metered)
    return customer


@use_case(Permission.MANAGE_BILLING)
def charge(session: Session, scope: Scope, is_metered: bool) -> None:
    held = session.query(SubscriptionRecord).one()
    item = Item("si_metered", "price_metered", METERED, 0, 1, "USD", 1, is_metered=True)
    held.items = [{name: getattr(item, name) for name in item.__slots__}] if is_metered else []
    session.flush()
    assert subscriptions_in(session, scope.account_id)[0].is_metered is is_metered


@use_case(Permission.MANAGE_BILLING)
def have_used(session: Session, scope: Scope, used: int) -> None:
    """As many drafts were taken this month, nobody asks how."""
    month = allowance.month_of(datetime.now(UTC))
    asked = {"account": scope.account_id, "month": month, "kind": allowance.GENERATIONS, "used": used}
    session.execute(text("INSERT INTO usage_counters VALUES (:account, :month, :kind, :used)"), asked)


@use_case(Permission.MANAGE_BILLING)
def take(session: Session, scope: Scope, many: int = 1) -> None:
    """Places for drafts, as `request_draft` takes them."""
    for _ in range(many):
        content._place(session, scope)


@use_case(Permission.MANAGE_BILLING)
def give_back(session: Session, scope: Scope, month: date) -> None:
    allowance.give_back(session, scope.account_id, month)


@use_case(Permission.MANAGE_BILLING)
def reports(session: Session, scope: Scope) -> list[tuple[object, ...]]:
    said = "SELECT month, quantity, sent_at IS NOT NULL, last_error FROM usage_reports ORDER BY id"
    return [tuple(each) for each in session.execute(text(said))]


def owner_of(made: Made) -> Scope:
    return Scope.for_account(made.account_id)


def report_all() -> int:
    """Everybody's turn comes at once; how many had one."""
    execute("UPDATE stripe_customers SET report_at = now() WHERE report_at IS NOT NULL")
    return next(done for done in count() if not metering.report_once())


def test_only_what_is_beyond_the_allowance_is_counted(ada: Made, bob: Made, meter: StripeServer):
    customer, other = charged(meter, ada), charged(meter, bob)
    have_used(owner_of(ada), ALLOWANCE - 2)
    take(owner_of(ada), 2)
    assert report_all() == 0
    take(owner_of(ada), 3)
    take(owner_of(bob), 5)
    assert report_all() == 1
    assert (meter.world.used(customer), meter.world.used(other)) == (3, 0)
    assert report_all() == 1
    take(owner_of(ada), 4)
    assert report_all() == 1
    assert meter.world.used(customer) == 7
    month = allowance.month_of(datetime.now(UTC))
    assert reports(owner_of(ada)) == [(month, 3, True, None), (month, 4, True, None)]
    assert all(each["event_name"] == "ai_generation" for each in meter.world.meter_events)


def test_what_was_used_before_it_is_charged_stays_free(ada: Made, meter: StripeServer):
    customer = charged(meter, ada)
    have_used(owner_of(ada), ALLOWANCE + 500)
    take(owner_of(ada), 2)
    report_all()
    assert meter.world.used(customer) == 2


def test_drafts_are_noted_where_they_are_asked_for(ada: Made, meter: StripeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    settings.cache_clear()
    customer = charged(meter, ada)
    have_used(owner_of(ada), ALLOWANCE)
    request_draft(ada.scope, SEA)
    report_all()
    assert meter.world.used(customer) == 1
    charge(owner_of(ada), False)
    with pytest.raises(PlanLimit):
        request_draft(ada.scope, SEA)


def test_a_draft_given_back_before_its_report_is_not_counted(ada: Made, meter: StripeServer):
    customer = charged(meter, ada)
    have_used(owner_of(ada), ALLOWANCE)
    take(owner_of(ada), 3)
    give_back(owner_of(ada), allowance.month_of(datetime.now(UTC)))
    report_all()
    assert meter.world.used(customer) == 2


def test_one_given_back_after_its_report_is_taken_off_what_comes_next(ada: Made, meter: StripeServer):
    customer = charged(meter, ada)
    month = allowance.month_of(datetime.now(UTC))
    have_used(owner_of(ada), ALLOWANCE)
    take(owner_of(ada), 3)
    report_all()
    give_back(owner_of(ada), month)
    give_back(owner_of(ada), month)
    report_all()
    assert meter.world.used(customer) == 3, "Stripe's meter does not count backwards"
    take(owner_of(ada), 1)
    report_all()
    assert meter.world.used(customer) == 3
    take(owner_of(ada), 2)
    report_all()
    assert meter.world.used(customer) == 4


def test_the_last_minutes_of_a_month_are_that_months(ada: Made, meter: StripeServer):
    customer = charged(meter, ada)
    end = datetime(2026, 12, 1, tzinfo=UTC)
    with time_machine.travel(end - timedelta(seconds=20), tick=False):
        have_used(owner_of(ada), ALLOWANCE)
        take(owner_of(ada), 3)
        report_all()
        take(owner_of(ada), 2)
    with time_machine.travel(end + timedelta(minutes=3), tick=False):
        have_used(owner_of(ada), ALLOWANCE)
        take(owner_of(ada), 7)
        give_back(owner_of(ada), date(2026, 11, 1))
        report_all()
        give_back(owner_of(ada), date(2026, 11, 1))
        report_all()
        take(owner_of(ada), 1)
        report_all()
    seconds = int(end.timestamp())
    assert meter.world.used(customer, end=seconds) == 4
    assert meter.world.used(customer, start=seconds) == 7, "one of November is given back after its report"
    assert dated(date(2026, 11, 1), end + timedelta(minutes=3)) == end - timedelta(seconds=1)
    assert dated(date(2026, 12, 1), end) == end


def test_while_stripe_is_down_nothing_is_lost_or_doubled(ada: Made, meter: StripeServer):
    customer = charged(meter, ada)
    have_used(owner_of(ada), ALLOWANCE)
    take(owner_of(ada), 3)
    meter.faults = [503] * 3
    report_all()
    meter.faults = []
    take(owner_of(ada), 2)
    meter.lost_answers = 6
    report_all()
    report_all()
    assert [each[2:] for each in reports(owner_of(ada))] == [(True, None), (False, "billing.stripe_unavailable")]
    meter.lost_answers = 0
    report_all()
    assert meter.world.used(customer) == 5
    assert [each[1:] for each in reports(owner_of(ada))] == [(3, True, None), (2, True, None)]


def test_an_identifier_that_stripe_has_is_as_good_as_its_answer(ada: Made, meter: StripeServer):
    customer = charged(meter, ada)
    have_used(owner_of(ada), ALLOWANCE)
    take(owner_of(ada), 3)
    meter.lost_answers = 3
    report_all()
    meter._answers.clear()
    report_all()
    assert [each[1:] for each in reports(owner_of(ada))] == [(3, True, None)]
    assert meter.world.used(customer) == 3


@pytest.mark.parametrize("was_counted", [True, False])
def test_days_later_stripe_is_asked_what_it_counted(
    ada: Made, meter: StripeServer, was_counted: bool, monkeypatch: pytest.MonkeyPatch
):
    """It no longer knows the identifier then, nor the idempotency key."""
    customer = charged(meter, ada)
    now = datetime.now(UTC)
    with time_machine.travel(now - timedelta(days=2), tick=False):
        have_used(owner_of(ada), ALLOWANCE)
        take(owner_of(ada), 3)
        if was_counted:
            meter.lost_answers = 3
        else:
            meter.faults = [503] * 3
        report_all()
    meter._answers.clear()
    assert meter.world.used(customer) == 3 * was_counted
    report_all()
    assert [each[1:] for each in reports(owner_of(ada))] == [(3, True, None)]
    assert meter.world.used(customer) == 3


def test_a_meter_that_refuses_is_told_again(ada: Made, meter: StripeServer):
    customer = charged(meter, ada)
    have_used(owner_of(ada), ALLOWANCE)
    meter.world.every("billing.meter")[0]["status"] = "inactive"
    take(owner_of(ada), 3)
    report_all()
    ((_, quantity, is_sent, why),) = reports(owner_of(ada))
    assert (quantity, is_sent) == (3, False)
    assert "No active meter" in str(why)
    meter.world.every("billing.meter")[0]["status"] = "active"
    take(owner_of(ada), 1)
    report_all()
    assert meter.world.used(customer) == 4


def test_what_was_used_to_the_end_is_reported_and_then_nobody_looks(ada: Made, meter: StripeServer):
    customer = charged(meter, ada)
    have_used(owner_of(ada), ALLOWANCE)
    take(owner_of(ada), 3)
    charge(owner_of(ada), False)
    assert report_all() == 1
    assert meter.world.used(customer) == 3
    assert report_all() == 0
    charge(owner_of(ada), True)
    take(owner_of(ada), 2)
    assert report_all() == 1
    assert meter.world.used(customer) == 5


@pytest.mark.parametrize("step", ["u_stored", "u_sent"])
def test_a_worker_killed_between_two_steps_counts_nothing_twice(
    committed: str, meter: StripeServer, step: str, monkeypatch: pytest.MonkeyPatch
):
    ada = make_person("Ada", Role.CREATOR)
    customer = charged(meter, ada)
    have_used(owner_of(ada), ALLOWANCE)
    for number in range(1, 4):
        take(owner_of(ada), number)
        execute("UPDATE stripe_customers SET report_at = now()")
        monkeypatch.setenv("HUNTAZE_FAILPOINT", step)
        code = "from core.insights.metering import report_once; report_once()"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
        assert meter.world.used(customer) == (
            number * (number + 1) // 2 if step == "u_sent" else (number - 1) * number // 2
        )
        monkeypatch.delenv("HUNTAZE_FAILPOINT")
        assert [each[2] for each in reports(owner_of(ada))] == [True] * (number - 1) + [False]
        report_all()
        assert meter.world.used(customer) == number * (number + 1) // 2
    assert all(each[2] for each in reports(owner_of(ada)))


def test_many_workers_and_drafts_at_once_come_to_the_same_sum(committed: str, meter: StripeServer):
    ada = make_person("Ada", Role.CREATOR)
    customer = charged(meter, ada)
    have_used(owner_of(ada), ALLOWANCE)
    start = threading.Barrier(6)

    def draft() -> None:
        start.wait()
        for _ in range(15):
            take(owner_of(ada))

    def work() -> None:
        start.wait()
        for _ in range(10):
            execute("UPDATE stripe_customers SET report_at = now() WHERE report_at IS NOT NULL")
            metering.report_once()

    threads = [threading.Thread(target=each) for each in (draft, draft, work, work, work, work)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    report_all()
    assert meter.world.used(customer) == 30
    assert sum(int(str(each[1])) for each in reports(owner_of(ada))) == 30
    assert all(each[2] for each in reports(owner_of(ada)))


def test_people_see_what_is_charged(ada: Made, meter: StripeServer):
    charged(meter, ada)
    assert usage_beyond(ada.scope) == metering.UsageBeyond(0, 0, 1, "USD")
    have_used(owner_of(ada), ALLOWANCE)
    take(owner_of(ada), 3)
    assert usage_beyond(ada.scope) == metering.UsageBeyond(3, 0, 1, "USD")
    report_all()
    take(owner_of(ada), 1)
    assert usage_beyond(ada.scope) == metering.UsageBeyond(4, 3, 1, "USD")


def test_nothing_is_charged_without_the_item(ada: Made, meter: StripeServer):
    charged(meter, ada, is_metered=False)
    have_used(owner_of(ada), ALLOWANCE)
    with pytest.raises(PlanLimit):
        take(owner_of(ada))
    assert usage_beyond(ada.scope) == metering.UsageBeyond(0, 0, None, None)
    assert rows("SELECT count(report_at) FROM stripe_customers") == [(0,)]


def test_the_worker_reports(ada: Made):
    assert metering.report_once in POLLS


def test_without_a_key_nothing_is_reported(ada: Made, no_stripe: None):
    assert not metering.report_once()


def test_what_was_used_is_on_the_next_invoice(ada: Made, meter: StripeServer):
    """From the subscription at Stripe to its bill: the plan, and each draft beyond it at its price."""
    world = meter.world
    customer = world.add_customer(metadata={"account_id": str(ada.account_id)})["id"]
    link(ada.account_id, customer)
    items = {"0": {"price": world.price_of("enterprise_monthly")["id"]}, "1": {"price": world.price_of(METERED)["id"]}}
    subscription = world.start(customer, items)
    while sync.run_once():
        pass
    have_used(owner_of(ada), ALLOWANCE)
    take(owner_of(ada), 12)
    report_all()
    world.advance(32 * DAY)
    bill = world.find("invoice", world.find("subscription", subscription["id"])["latest_invoice"])
    assert bill["total"] == 99_00 + 12 * 1
