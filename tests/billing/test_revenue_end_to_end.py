"""A quarter at our Stripe, told by its bells, against figures worked out by hand."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import Connection

from core.access import Role
from core.billing import ledger
from core.billing.metrics import Cohort, Conversion, Failed, Month, Returned
from core.billing.revenue import Window, revenue
from tests.billing.asking import run_all
from tests.billing.conftest import Deliver, link
from tests.billing.test_notices import posted
from tests.peers.stripe_server import StripeServer
from tests.people import Made, make_person

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Quarter:
    """Both clocks together, and every bell rung as soon as it can be, and then once more."""

    def __init__(self, stripe: StripeServer, deliver: Deliver, clock: time_machine.Traveller) -> None:
        self.world, self.deliver, self.clock = stripe.world, deliver, clock
        self.heard = 0

    def customer(self, made: Made) -> str:
        customer: str = self.world.add_customer()["id"]
        self.world.add_card(customer)
        link(made.account_id, customer)
        return customer

    def subscribe(self, customer: str, lookup_key: str, trial_days: int = 0, **asked: object) -> str:
        trial_end = self.world.now() + trial_days * 86_400 if trial_days else None
        items = {"0": {"price": self.world.price_of(lookup_key)["id"], "quantity": 1}}
        subscription: str = self.world.start(customer, items, trial_end=trial_end, **asked)["id"]
        return subscription

    def until(self, month: int, day: int, *, unheard: bool = False) -> None:
        """Day by day, so that what is due is heard of on its day."""
        end = datetime(2026, month, day, 9, tzinfo=UTC)
        while datetime.now(UTC) < end:
            if not unheard:
                self.listen()
            self.world.advance(86_400)
            self.clock.shift(86_400)
            self.world.ahead -= 86_400
        if not unheard:
            self.listen()

    def listen(self) -> None:
        news, self.heard = self.world.events[self.heard :], len(self.world.events)
        for each in news:
            self.deliver(each)
        run_all()
        for each in reversed(news):
            self.deliver(each | {"id": f"{each['id']}_again"})
        run_all()


@pytest.fixture
def people(database: Connection) -> dict[str, Made]:
    return {name: make_person(name, Role.CREATOR) for name in ("Ada", "Bob", "Cy", "Dee")}


def test_a_quarter_adds_up_to_the_cent(people: dict[str, Made], stripe: StripeServer, deliver: Deliver) -> None:
    with time_machine.travel(BEGIN, tick=False) as clock:
        run = Quarter(stripe, deliver, clock)
        ada, bob, cy, dee = (run.customer(each) for each in people.values())
        monthly = run.subscribe(ada, "pro_monthly")
        run.subscribe(bob, "enterprise_monthly", trial_days=14)
        coupon = run.world.add_coupon(percent_off=20, duration="forever")["id"]
        run.subscribe(cy, "pro_yearly", discounts={"0": {"coupon": coupon}})
        run.until(2, 10)
        run.world.switch(monthly, "enterprise_yearly")
        run.until(2, 18)
        run.world.declining.add(bob)
        run.until(2, 21)
        run.world.settle(run.world.living_subscriptions(bob)[0]["id"])
        run.world.declining.discard(bob)
        run.until(3, 3)
        run.world.cancel(monthly)
        trial = run.subscribe(dee, "pro_monthly", trial_days=14)
        charge = next(each for each in run.world.every("charge") if each["customer"] == cy)
        run.world.refund(charge["id"], 100_00)
        run.until(3, 10)
        run.world.cancel(trial)
        run.until(3, 20)
        run.subscribe(ada, "pro_monthly")
        run.until(3, 31)
        staff = make_person("Stefan", Role.ADMIN)
        found = revenue(staff.scope, Window(date(2026, 1, 1), date(2026, 3, 31)))
        march = revenue(staff.scope, Window(date(2026, 3, 1), date(2026, 3, 31)))
        assert ledger.check(staff.scope) == ()
    assert found.months == (
        Month(date(2026, 1, 1), 0, new=29_00 + 99_00 + 19_33),
        Month(date(2026, 2, 1), 147_33, expansion=82_50 - 29_00),
        Month(date(2026, 3, 1), 200_83, churned=-82_50, reactivated=29_00),
    )
    assert (found.mrr, found.arr, found.subscribers) == (147_33, 12 * 147_33, 3)
    assert found.trials == Conversion(2, 1)
    assert found.failed == Failed(1, 99_00, 1, 99_00, 0, 0)
    received = 3 * 29_00 + 3 * 99_00 + 232_00
    assert found.returned == Returned(received, refunded=100_00, refunds=1)
    assert march.cohort == Cohort(
        200_83, expansion=0, contraction=82_50 - 29_00, churned=0, accounts=3, accounts_churned=0
    )
    assert {name: Counter(one.kind for one in posted(made.email)) for name, made in people.items()} == {
        "Ada": Counter({"paying.plan_changed": 1, "paying.ended": 1}),
        "Bob": Counter({"paying.trial_ending": 1, "paying.payment_failed": 1, "paying.payment_recovered": 1}),
        "Cy": Counter(),
        "Dee": Counter({"paying.ended": 1}),
    }


def test_a_customer_who_comes_with_a_history_gets_no_flood_of_letters(
    people: dict[str, Made], stripe: StripeServer, deliver: Deliver
) -> None:
    with time_machine.travel(BEGIN, tick=False) as clock:
        run = Quarter(stripe, deliver, clock)
        customer = run.customer(people["Ada"])
        first = run.subscribe(customer, "pro_monthly", trial_days=14)
        run.until(3, 1, unheard=True)
        run.world.declining.add(customer)
        run.until(3, 24, unheard=True)
        run.world.settle(first)
        run.world.declining.discard(customer)
        run.until(5, 1, unheard=True)
        run.world.cancel(first)
        second = run.subscribe(customer, "enterprise_monthly")
        run.until(8, 1, unheard=True)
        run.listen()
        assert [each.kind for each in posted(people["Ada"].email)] == []
        run.world.cancel(second)
        run.listen()
    assert [each.kind for each in posted(people["Ada"].email)] == ["paying.ended"]
