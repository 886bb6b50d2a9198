"""Kill storms: the real webhook, real workers and a real database, killed at every step and at random under load.

Random kills under load alone miss bugs that later events heal: so the load is dense (few customers, many events) or
sparse (one event a customer), and there are many short rounds, each of which ends quiet and is compared with Stripe.
"""

import itertools
import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from core.access import Role, Scope
from core.billing import ledger
from core.db import transaction
from tests.billing.conftest import at_stripe, execute, link, rows, stored
from tests.billing.storm_processes import BELL_STEPS, WORK_STEPS, Kept, Post, free_port
from tests.peers.stripe_server import SECRET, StripeServer
from tests.people import Made, make_person

LEASE = 1.0
"""Seconds; a worker that sleeps is put to sleep for longer."""
PATIENCE = 90.0
DENSE, SPARSE = 4, 24
"""Customers of a round."""
_UNQUIET = "SELECT count(*) FROM stripe_sync WHERE (dirty > synced OR lease IS NOT NULL) AND dead_at IS NULL"


@dataclass
class Toll:
    """What a storm did, and what came of it. Anything `wrong` is a line a finding."""

    rounds: int = 0
    events: int = 0
    kills: int = 0
    stalls: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    divergent: list[str] = field(default_factory=list)
    slowest_next_200: float = 0.0

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.twice, *self.divergent]

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.stalls} stalls, {self.events} events, {self.rounds} rounds: {len(self.lost)} "
            f"lost, {len(self.twice)} twice, {len(self.divergent)} divergent; slowest next 200 "
            f"{self.slowest_next_200:.1f} s"
        )


class Storm:
    """Inside `with` one webhook process and `workers` workers run; `launcher` is how a module of the product starts."""

    def __init__(
        self, stripe: StripeServer, folder: Path, luck: random.Random, workers: int = 2, launcher: tuple[str, ...] = ()
    ) -> None:
        self.stripe = stripe
        self.luck = luck
        self.toll = Toll()
        port, log = free_port(), folder / "storm.log"
        start = launcher or ("-m",)
        self.web = Kept((*start, "core.sidecar", "--port", str(port)), BELL_STEPS, range(6, 30), luck, log)
        self.workers = [
            Kept((*start, "core.jobs", "work", "--threads", "1"), WORK_STEPS, range(1, 5), luck, log)
            for _ in range(workers)
        ]
        self.post = Post(f"http://127.0.0.1:{port}/webhooks/stripe", SECRET, luck)
        self._known: dict[str, Made] = {}
        self._numbers = itertools.count()
        self._staff = make_person("Staff", Role.ADMIN)

    def __enter__(self) -> Self:
        self.stripe.world.on_event = self.post.ring
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stripe.world.on_event = lambda event: None
        for each in self.kept:
            each.end()
        self.post.stop()

    @property
    def kept(self) -> list[Kept]:
        return [self.web, *self.workers]

    def dense(self, events: int = 60) -> None:
        """A few customers to whom a lot happens."""
        lives = [self._customer() for _ in range(DENSE)]
        self._blow(lambda: self._live(*self.luck.choice(lives)), events)

    def sparse(self, customers: int = SPARSE) -> None:
        """One event for each of many customers: nothing that comes later heals what went wrong."""
        waiting = [self._customer() for _ in range(customers)]

        def once() -> None:
            _, subscription = waiting.pop()
            self.stripe.world.change(subscription, cancel_at_period_end=True)

        self._blow(once, customers)

    def slow(self, customers: int = 8) -> None:
        """Two changes for each customer, and Stripe's answers take up to longer than a lease.

        What an answer says is then often older than the second change, and so is a worker that sleeps upon one.
        Nothing comes later that would heal it. Nobody dies.
        """
        self._wait_until_quiet()
        deeds: list[tuple[float, str, str]] = []
        for _ in range(customers):
            _, subscription = self._customer()
            first = self.luck.uniform(0, customers / 2)
            deeds.append((first, subscription, "pro_yearly"))
            deeds.append((first + self.luck.uniform(0.1, LEASE), subscription, "enterprise_monthly"))
        self.stripe.is_stale = True
        with self._weather(self._drag):
            began = time.monotonic()
            for at, subscription, lookup_key in sorted(deeds):
                time.sleep(max(0.0, began + at - time.monotonic()))
                self.stripe.world.switch(subscription, lookup_key)
            self.post.silence()
            time.sleep(LEASE)  # the answers to the last questions are still slow
        self._end_round()

    def _customer(self) -> tuple[str, str]:
        """Somebody who pays, as both sides already know."""
        told, self.stripe.world.on_event = self.stripe.world.on_event, lambda event: None
        made, world = make_person(f"Customer {next(self._numbers)}", Role.CREATOR), self.stripe.world
        customer = world.add_customer(metadata={"account_id": str(made.account_id)})["id"]
        subscription = world.subscribe(customer, world.price_of("pro_monthly")["id"])["id"]
        self._known[customer] = made
        link(made.account_id, customer)
        self.stripe.world.on_event = told
        return customer, subscription

    def _live(self, customer: str, subscription: str) -> None:
        world = self.stripe.world
        if world.find("subscription", subscription)["status"] == "canceled":
            world.subscribe(customer, world.price_of("pro_monthly")["id"])
            return
        deeds: dict[Callable[[], object], int] = {
            lambda: world.switch(subscription, self.luck.choice(["pro_yearly", "enterprise_monthly"])): 4,
            lambda: world.change(subscription, cancel_at_period_end=self.luck.random() < 0.5): 4,
            lambda: world.change(subscription, metadata={"seen": str(self.luck.random())}): 4,
            lambda: world.cancel(subscription): 1,
        }
        self.luck.choices(list(deeds), list(deeds.values()))[0]()

    def _blow(self, deed: Callable[[], object], times: int) -> None:
        """A round: everything happens at once, then it is quiet, then the two sides are compared."""
        self._wait_until_quiet()
        for each in self.kept:
            each.calm = False
            each.kill()  # whoever starts now may carry a death
        kills = iter(range(max(1, times // 10)))
        with self._weather(lambda: self._strike(kills)):
            for number in range(times):
                if number % 20 == 0:
                    self.post.release()
                    self.post.hold()
                deed()
                time.sleep(self.luck.uniform(0, 0.04))
            self.post.release()
            self.post.silence()
        self._end_round()

    @contextmanager
    def _weather(self, strike: Callable[[], None]) -> Iterator[None]:
        """Something strikes again and again; afterwards Stripe is quick and well again."""
        over = threading.Event()

        def blow() -> None:
            while not over.wait(self.luck.uniform(0.1, 0.4)):
                strike()

        weather = threading.Thread(target=blow, daemon=True)
        weather.start()
        try:
            yield
        finally:
            over.set()
            weather.join()
            self.stripe.latency = 0.0
            self.stripe.is_stale = False
            self.stripe.faults.clear()

    def _end_round(self) -> None:
        for each in self.kept:
            each.calm = True
        self._wait_until_quiet()
        self.toll.rounds += 1
        self._compare()

    def _waits(self) -> list[float]:
        """Seconds without an answer, of each death of the webhook."""
        deaths = [*self.web.deaths, math.inf]
        waits = (self.post.next_200_after(death, following) for death, following in itertools.pairwise(deaths))
        return [wait for wait in waits if wait is not None]

    def _strike(self, kills: Iterator[int]) -> None:
        """A kill, a worker that sleeps longer than its lease, a Stripe that is slow or fails, or none of these.

        At most so many of the first two: each start takes a second, and the round would never end.
        """
        self.stripe.latency = self.luck.choice((0.0, 0.02, 0.1))
        if self.luck.random() < 0.2:
            self.stripe.faults.append(500)
        chance = self.luck.random()
        if chance < 0.3 and next(kills, None) is not None:
            if chance < 0.15:
                self.luck.choice(self.kept).kill()
            else:
                self._stall()

    def _drag(self) -> None:
        """Answers that take long, or a worker that sleeps while another one is answered at once."""
        self.stripe.latency = self.luck.choice((0.1, 0.5 * LEASE, 1.2 * LEASE))
        if self.luck.random() < 0.5:
            self.stripe.latency = 0.0
            self._stall()

    def _stall(self) -> None:
        self.toll.stalls += 1
        self.luck.choice(self.workers).stall(LEASE * 1.5)

    def _wait_until_quiet(self) -> None:
        """Nothing is dirty and nobody holds anything. Waits that are set for failures are cut short."""
        until = time.monotonic() + PATIENCE
        while rows(_UNQUIET) != [(0,)]:
            assert time.monotonic() < until, rows("SELECT * FROM stripe_sync WHERE dirty > synced OR lease IS NOT NULL")
            execute("UPDATE stripe_sync SET next_at = now() WHERE next_at > now()")
            time.sleep(0.1)

    def _compare(self) -> None:
        toll = self.toll
        for customer, made in self._known.items():
            ours, theirs = stored(made.scope), at_stripe(self.stripe, customer)
            if ours != theirs:
                toll.divergent.append(f"round {toll.rounds}, {customer}: {ours} here, {theirs} at Stripe")
            toll.twice += [f"round {toll.rounds}, {customer}: {what}" for what in _told_twice(made)]
        toll.twice += [f"round {toll.rounds}: the ledger drifts, {drift}" for drift in ledger.check(self._staff.scope)]
        kept = Counter(dedupe for (dedupe,) in rows("SELECT dedupe FROM stripe_events"))
        toll.lost += [
            f"round {toll.rounds}: {each} was answered and is not here" for each in self.post.told - set(kept)
        ]
        toll.twice += [f"round {toll.rounds}: {each} is here {many} times" for each, many in kept.items() if many > 1]
        toll.lost += [
            f"round {toll.rounds}: {each} waits for ever"
            for (each,) in rows("SELECT id FROM stripe_events WHERE processed_at IS NULL AND sync_key IS NOT NULL")
        ]
        toll.lost += [f"{key} was given up" for (key,) in rows("SELECT key FROM stripe_sync WHERE dead_at IS NOT NULL")]
        toll.events += len(self.post.told)
        toll.kills = sum(len(each.deaths) for each in self.kept)
        toll.slowest_next_200 = max(self._waits(), default=0.0)
        execute("DELETE FROM stripe_events")
        self.post.told.clear()
        self._known.clear()


def _told_twice(made: Made) -> list[str]:
    """Changes written although nothing had changed, and letters beyond those whose cause was kept."""
    with transaction(Scope.for_account(made.account_id)) as session:
        found = session.connection().exec_driver_sql(
            "SELECT stripe_id, (status, lookup_key, quantity, current_period_end, trial_end, cancel_at, "
            "cancel_at_period_end)::text FROM subscription_changes ORDER BY stripe_id, id"
        )
        changes = [tuple(row) for row in found]
        causes = session.connection().exec_driver_sql("SELECT count(*) FROM billing_notices").scalar_one()
    ((letters,),) = rows(f"SELECT count(*) FROM mail_outbox WHERE to_address = '{made.email}'")
    posted = [f"{letters} letters of {causes} causes"] if letters != causes else []
    return posted + [f"{after} after the same" for before, after in itertools.pairwise(changes) if before == after]
