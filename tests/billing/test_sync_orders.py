"""In any order, as often as it rings: the end is what Stripe holds."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

from core.access import Role
from core.billing import sync
from tests.billing.asking import SYNC, movements, run_all, subscribed, sums_of, worth_at
from tests.billing.conftest import Deliver, at_stripe, rows, stored
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_world import World, twin
from tests.people import Made, make_person


def test_all_orders_of_five_events_with_twins_and_repeats_end_alike(stripe: StripeServer, deliver: Deliver, ada: Made):
    """I3, I11: each order is lived through by an account of its own, and is answered for now and then on the way."""
    world, luck = stripe.world, random.Random(1)
    orders = list(itertools.permutations(range(5)))
    assert len(orders) == 120
    for number, order in enumerate(orders):
        made = make_person(f"Ada {number}", Role.CREATOR)
        customer, subscription = subscribed(stripe, made)
        deeds, history = _five_deeds(world, customer, subscription), list[dict[str, Any]]()
        for position in order:
            while len(history) <= position:
                next(deeds)
                history.append(world.events[-1])
            for _ in range(luck.randint(1, 2)):
                deliver(twin(history[position]) if luck.random() < 0.2 else history[position])
            if luck.random() < 0.2:
                sync.run_once()
        run_all()
        assert len({each["created"] for each in history}) <= 2
        assert stored(made.scope) == at_stripe(stripe, customer)
        assert sums_of(movements(made)) == worth_at(world, customer) == {"USD": 82_50}
    assert rows("SELECT count(*), count(processed_at) FROM stripe_events") == [(600, 600)]


def _five_deeds(world: World, customer: str, subscription: str) -> Iterator[None]:
    yield world.switch(subscription, "enterprise_yearly")
    world.declining.add(customer)
    yield world.renew(subscription)
    world.declining.discard(customer)
    yield world.settle(subscription)
    yield world.refund(world.every("charge")[0]["id"], 5_00)
    yield world.change(subscription, cancel_at_period_end=True)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_interleaves_the_end_is_stripes(ada: Made, stripe: StripeServer, deliver: Deliver, seed: int):
    """I3, I4: life at Stripe, bells late and doubled, and work go on at once; when it is quiet both sides agree."""
    luck = random.Random(seed)
    customer, subscription = subscribed(stripe, ada)
    waiting: list[dict[str, Any]] = list(stripe.world.events)
    told = len(waiting)
    for _ in range(40):
        deed = luck.random()
        if deed < 0.35:
            _live(stripe, luck, customer, subscription)
            waiting += [each for each in stripe.world.events[told:] for _ in range(luck.randint(1, 2))]
            told = len(stripe.world.events)
        elif deed < 0.75 and waiting:
            deliver(waiting.pop(luck.randrange(len(waiting))))
        else:
            sync.run_once()
    luck.shuffle(waiting)
    for each in waiting:
        deliver(each)
    run_all()
    assert stored(ada.scope) == at_stripe(stripe, customer)
    assert sums_of(movements(ada)) == worth_at(stripe.world, customer)
    assert {row[1] - row[2] for row in rows(SYNC)} == {0}


def _live(stripe: StripeServer, luck: random.Random, customer: str, subscription: str) -> None:
    world = stripe.world
    if world.find("subscription", subscription)["status"] == "canceled":
        world.subscribe(customer, world.price_of("pro_monthly")["id"])
        return
    charges = [each for each in world.every("charge") if each["status"] == "succeeded" and not each["refunded"]]
    owed = world.find("invoice", world.find("subscription", subscription)["latest_invoice"])["status"] == "open"
    deeds = {
        "switch": lambda: world.switch(subscription, luck.choice(["pro_yearly", "enterprise_monthly"])),
        "unpaid month": lambda: (world.declining.add(customer), world.renew(subscription), world.declining.clear()),
        "settle": lambda: world.settle(subscription) if owed else None,
        "schedule": lambda: world.change(subscription, cancel_at_period_end=luck.random() < 0.5),
        "refund": lambda: world.refund(luck.choice(charges)["id"], 1_00) if charges else None,
        "card": lambda: world.add_card(customer, last4=f"{luck.randrange(10_000):04d}"),
        "cancel": lambda: world.cancel(subscription),
    }
    deeds[luck.choices(list(deeds), [3, 3, 3, 3, 3, 2, 1])[0]]()
