"""The faults that the design excludes are noticed: each is planted in our own code, and something here fails."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from core.access import Role
from core.billing import events, sync
from core.settings import settings
from tests.billing.conftest import Deliver, at_stripe, execute, link, stored
from tests.billing.planted import FAULTS
from tests.billing.storm import LEASE, Storm
from tests.peers.stripe_server import StripeServer
from tests.people import Made, make_person

ROUNDS = 12
"""Of a storm, until it must have noticed."""
NOTICED_BY = {"no_fence": "a late answer", "mark_after_commit": "a death at a step", "dirty_read_late": "a late bell"}


class Died(BaseException):
    """The process ended here, for all that the code around can do about it."""


@pytest.fixture
def ada(committed: str) -> Made:
    return make_person("Ada", Role.CREATOR)


@pytest.fixture
def customer(ada: Made, stripe: StripeServer) -> str:
    """Pays, as both sides know."""
    customer = str(stripe.world.add_customer(metadata={"account_id": str(ada.account_id)})["id"])
    stripe.world.subscribe(customer, stripe.world.price_of("pro_monthly")["id"])
    link(ada.account_id, customer)
    work()
    return customer


def work() -> None:
    while sync.run_once():
        pass


def change(stripe: StripeServer, customer: str, lookup_key: str) -> dict[str, object]:
    """Another price. Returns the last event about it."""
    (subscription,) = (each for each in stripe.world.every("subscription") if each["customer"] == customer)
    stripe.world.switch(subscription["id"], lookup_key)
    return next(each for each in reversed(stripe.world.events) if each["type"] == "customer.subscription.updated")


def once_at(patch: pytest.MonkeyPatch, step: str, deed: Callable[[], object]) -> None:
    """Have something happen when a worker first reaches the step."""
    waiting = [deed]

    def reach(reached: str) -> None:
        if reached == step and waiting:
            waiting.pop()()

    patch.setattr(sync, "reach", reach)


def a_late_answer(ada: Made, stripe: StripeServer, customer: str, deliver: Deliver) -> None:
    """A worker sleeps between Stripe's answer and writing it, longer than its lease; another one is done meanwhile."""
    deliver(change(stripe, customer, "pro_yearly"))

    def meanwhile() -> None:
        deliver(change(stripe, customer, "enterprise_monthly"))
        assert sync.run_once()

    with pytest.MonkeyPatch.context() as patch:
        once_at(patch, "w_fetched", meanwhile)
        assert sync.run_once(lease=timedelta(0))
    work()


def a_late_bell(ada: Made, stripe: StripeServer, customer: str, deliver: Deliver) -> None:
    """Something changes, and rings, after Stripe was asked and before its answer is written."""
    deliver(change(stripe, customer, "pro_yearly"))
    with pytest.MonkeyPatch.context() as patch:
        once_at(patch, "w_fetched", lambda: deliver(change(stripe, customer, "enterprise_monthly")))
        assert sync.run_once()
    work()


def a_death_at_a_step(ada: Made, stripe: StripeServer, customer: str, deliver: Deliver) -> None:
    """The webhook dies once it has kept the event, and Stripe, which was not answered, rings again."""
    news = change(stripe, customer, "pro_yearly")

    def die(reached: str) -> None:
        if reached == "i_committed":
            raise Died

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "reach", die)
        patch.setattr("tests.billing.planted.reach", die)
        with pytest.raises(Died):
            deliver(news)
    deliver(news)
    work()


INTERLEAVINGS = {
    "a late answer": a_late_answer,
    "a late bell": a_late_bell,
    "a death at a step": a_death_at_a_step,
}


def plant(patch: pytest.MonkeyPatch, fault: str) -> None:
    for (where, name), spoiled in FAULTS[fault]().items():
        patch.setattr(where, name, spoiled)


@pytest.mark.parametrize("interleaving", INTERLEAVINGS)
def test_without_a_fault_both_sides_agree(
    ada: Made, stripe: StripeServer, customer: str, deliver: Deliver, interleaving: str
):
    INTERLEAVINGS[interleaving](ada, stripe, customer, deliver)
    assert stored(ada.scope) == at_stripe(stripe, customer)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_leaves_the_sides_apart(
    ada: Made, stripe: StripeServer, customer: str, deliver: Deliver, fault: str, monkeypatch: pytest.MonkeyPatch
):
    plant(monkeypatch, fault)
    INTERLEAVINGS[NOTICED_BY[fault]](ada, stripe, customer, deliver)
    execute("UPDATE stripe_sync SET next_at = now()")
    work()
    assert stored(ada.scope) != at_stripe(stripe, customer), "nothing that rings later would heal it"


@pytest.mark.heavy
@pytest.mark.parametrize("fault", FAULTS)
def test_a_storm_notices_each_fault(
    committed: str, stripe: StripeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
):
    monkeypatch.setenv("STRIPE_LEASE_SECONDS", str(LEASE))
    settings.cache_clear()
    launcher = ("-m", "tests.billing.planted", fault)
    with Storm(stripe, tmp_path, random.Random(), launcher=launcher) as storm:
        for number in range(ROUNDS):
            storm.sparse() if number % 3 == 2 else storm.slow()
            if storm.toll.wrong:
                break
    assert storm.toll.wrong, storm.toll
