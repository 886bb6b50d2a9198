"""Revenue: what an account's movements sum to is what its subscriptions are worth, whatever happened on the way."""

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import ProgrammingError

from core.access import Role, Scope
from core.billing import ledger
from core.db import transaction
from tests.billing.asking import Row, again, movements, run_all, subscribed, sums_of, worth_at
from tests.billing.conftest import Deliver
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_world import DAY, World
from tests.people import Made, make_person


def told(made: Made) -> list[tuple[str, int]]:
    return [(each.kind, each.amount) for each in movements(made)]


def test_a_life_in_movements(ada: Made, stripe: StripeServer):
    world = stripe.world
    customer, subscription = subscribed(stripe, ada)
    run_all()
    assert told(ada) == [("new", 29_00)]
    world.switch(subscription, "enterprise_yearly")
    again(ada, customer)
    assert told(ada)[1:] == [("expansion", 82_50 - 29_00)], "a year is twelve months"
    world.switch(subscription, "pro_yearly")
    again(ada, customer)
    assert told(ada)[2:] == [("contraction", 24_17 - 82_50)]
    world.cancel(subscription)
    again(ada, customer)
    assert told(ada)[3:] == [("churned", -24_17)]
    world.subscribe(customer, world.price_of("pro_monthly")["id"])
    again(ada, customer)
    assert told(ada)[4:] == [("reactivated", 29_00)]
    again(ada, customer)
    assert len(movements(ada)) == 5, "an answer that changes nothing moves nothing"
    assert [each.lookup_key for each in movements(ada)] == [
        "pro_monthly",
        "enterprise_yearly",
        "pro_yearly",
        "pro_yearly",
        "pro_monthly",
    ]


def test_a_trial_is_worth_nothing_until_it_is_over(ada: Made, stripe: StripeServer):
    world = stripe.world
    customer = world.add_customer()["id"]
    world.subscribe(customer, world.price_of("pro_monthly")["id"], trial_days=14)
    again(ada, customer)
    assert movements(ada) == []
    world.advance(15 * DAY)
    again(ada, customer)
    assert told(ada) == [("new", 29_00)]


def test_one_of_two_that_ends_is_a_contraction(ada: Made, stripe: StripeServer):
    customer, first = subscribed(stripe, ada)
    second = stripe.world.subscribe(customer, stripe.world.price_of("enterprise_monthly")["id"])["id"]
    run_all()
    assert told(ada) == [("new", 128_00)]
    stripe.world.cancel(first)
    again(ada, customer)
    assert told(ada)[1:] == [("contraction", -29_00)]
    stripe.world.cancel(second)
    again(ada, customer)
    assert told(ada)[2:] == [("churned", -99_00)]


def test_movements_are_of_the_instant_that_stripe_names(ada: Made, stripe: StripeServer):
    """Found out late: what is new began with its subscription, what is lost ended with it."""
    customer, name = subscribed(stripe, ada)
    subscription, now = stripe.world.find("subscription", name), datetime.now(UTC).replace(microsecond=0)
    subscription["start_date"] = int((now - timedelta(days=9)).timestamp())
    run_all()
    stripe.world.cancel(name)
    subscription["ended_at"] = int((now - timedelta(days=2)).timestamp())
    again(ada, customer)
    assert [each.at for each in movements(ada)] == [now - timedelta(days=9), now - timedelta(days=2)]


def test_what_is_lost_without_an_end_is_lost_now(ada: Made, stripe: StripeServer):
    """A trial that nobody paid for ended before: that is not when the other one stopped to be paid."""
    world = stripe.world
    customer, name = subscribed(stripe, ada)
    begun = datetime.now(UTC)
    world.find("subscription", name)["start_date"] -= 60 * DAY
    run_all()
    tried = world.subscribe(customer, world.price_of("pro_monthly")["id"], trial_days=14)
    world.cancel(tried["id"])
    tried["ended_at"] -= 20 * DAY
    again(ada, customer)
    world.find("subscription", name)["status"] = "unpaid"
    again(ada, customer)
    assert told(ada) == [("new", 29_00), ("churned", -29_00)]
    assert movements(ada)[1].at >= begun


def test_a_trial_that_ended_unseen_began_to_pay_at_its_end(ada: Made, stripe: StripeServer):
    customer, name = subscribed(stripe, ada)
    now = datetime.now(UTC).replace(microsecond=0)
    subscription = stripe.world.find("subscription", name)
    subscription["start_date"] = int((now - timedelta(days=20)).timestamp())
    subscription["trial_end"] = int((now - timedelta(days=6)).timestamp())
    again(ada, customer)
    assert [each.at for each in movements(ada)] == [now - timedelta(days=6)]


def test_no_movement_is_before_the_last_or_in_the_future(ada: Made, stripe: StripeServer):
    customer, name = subscribed(stripe, ada)
    begun = datetime.now(UTC)
    stripe.world.find("subscription", name)["start_date"] += 5 * DAY
    run_all()
    stripe.world.cancel(name)
    stripe.world.find("subscription", name)["ended_at"] -= 30 * DAY
    again(ada, customer)
    came, went = movements(ada)
    assert begun <= came.at <= went.at <= datetime.now(UTC)


def test_another_currency_is_lost_in_one_and_won_in_the_other(ada: Made, stripe: StripeServer):
    world = stripe.world
    customer, first = subscribed(stripe, ada)
    run_all()
    world.cancel(first)
    euros = world.add_price(world.price_of("pro_monthly")["product"], 25_00, "eur", "month", None)["id"]
    world.subscribe(customer, euros)
    again(ada, customer)
    assert [(each.kind, each.currency, each.amount) for each in movements(ada)] == [
        ("new", "USD", 29_00),
        ("churned", "USD", -29_00),
        ("new", "EUR", 25_00),
    ]


def test_what_is_written_stays_and_no_neighbour_reads_it(ada: Made, bob: Made, stripe: StripeServer):
    subscribed(stripe, ada)
    run_all()
    assert movements(bob) == []
    for statement in ("UPDATE mrr_movements SET amount = 1", "DELETE FROM mrr_movements"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction(ada.scope) as session:
            session.connection().exec_driver_sql(statement)


def test_a_ledger_that_drifted_is_found(ada: Made, stripe: StripeServer):
    subscribed(stripe, ada)
    run_all()
    staff = make_person("Sam", Role.ADMIN).scope
    assert ledger.check(staff) == ()
    with transaction(Scope.for_account(ada.account_id)) as session:
        session.connection().exec_driver_sql("UPDATE subscriptions SET status = 'unpaid'")
    assert ledger.check(staff) == (ledger.Drift(ada.account_id, "USD", 29_00, 0),)


@pytest.mark.parametrize("seed", range(10))
def test_start_and_movements_are_the_end_of_any_window(
    ada: Made, bob: Made, stripe: StripeServer, deliver: Deliver, seed: int
):
    """Two accounts, twenty deeds at Stripe of which bells come late, doubled or never; after each answer the books."""
    luck, world = random.Random(seed), stripe.world
    lives = {made.account_id: (made, subscribed(stripe, made)[0]) for made in (ada, bob)}
    told_of = 0
    for _ in range(20):
        made, customer = luck.choice(list(lives.values()))
        _live(world, luck, customer)
        for each in world.events[told_of:]:
            for _ in range(luck.randint(0, 2)):
                deliver(each)
        told_of = len(world.events)
        if luck.random() < 0.5:
            again(made, customer)
            assert sums_of(movements(made)) == worth_at(world, customer)
    for made, customer in lives.values():
        again(made, customer)
        _books_close(movements(made), worth_at(world, customer))
    assert ledger.check(make_person("Sam", Role.ADMIN).scope) == ()


def _live(world: World, luck: random.Random, customer: str) -> None:
    living = [each["id"] for each in world.living_subscriptions(customer)]
    deeds = {
        "subscribe": lambda: world.subscribe(
            customer,
            luck.choice([each for each in world.every("price") if each["recurring"]["usage_type"] == "licensed"])["id"],
            quantity=luck.randint(1, 3),
            trial_days=luck.choice([0, 14]),
        ),
        "switch": lambda: world.switch(luck.choice(living), luck.choice(["pro_yearly", "enterprise_monthly"])),
        "state": lambda: world.change(luck.choice(living), status=luck.choice(["active", "past_due", "unpaid"])),
        "cancel": lambda: world.cancel(luck.choice(living)),
    }
    deeds[luck.choice(list(deeds)) if living else "subscribe"]()


def _books_close(rows: list[Row], worth: dict[str, int]) -> None:
    assert sums_of(rows) == worth
    assert [each.at for each in rows] == sorted(each.at for each in rows)
    edges = [rows[0].at - timedelta(seconds=1), *(each.at for each in rows), datetime.now(UTC)] if rows else []
    for currency in {each.currency for each in rows}:
        own = [each for each in rows if each.currency == currency]
        for start, end in itertools.combinations(edges, 2):
            opening = next((each.mrr for each in reversed(own) if each.at < start), 0)
            closing = next((each.mrr for each in reversed(own) if each.at < end), 0)
            assert opening + sum(each.amount for each in own if start <= each.at < end) == closing
