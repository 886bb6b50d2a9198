"""Events that the webhook accepts, beside the least that a webhook can be, and whether slow applying slows it down."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import NamedTuple

import psutil

from bench.rows import Row
from bench.served import database, serving
from core.access import Role
from core.billing.events import link_customer
from core.settings import ROOT
from core.use_case import unscoped
from tests.peers.stripe_server import KEY, SECRET, StripeServer
from tests.people import make_person

SECONDS = 4
"""Of a round, unless `--size` says otherwise."""
ROUNDS = 5
CUSTOMERS = 50
SLOW = 30.0
"""Seconds that Stripe takes to answer while applying is slow."""
PATIENCE = 60.0
"""Seconds that a worker may take to its first question."""
ROUTE = "/webhooks/stripe"
GOAL = 1 / 0.85

HOW = (
    "16 connections that stay open, from a process of its own; bodies of Stripe's sizes, a tenth of them repeated, "
    "each freshly signed; the same server settings and durable database. Medians of {rounds} rounds of {seconds} s, "
    "taking turns. The floor verifies, inserts one row and answers; it marks no customer."
)

_ring = unscoped("data for the bench")(link_customer)


class Told(NamedTuple):
    """Events accepted a second, the 99th percentile of what an answer took, and the server's processor time an event.

    Both in ms.
    """

    accepted: float
    p99: float
    processor: float


class Server(NamedTuple):
    address: str
    process: psutil.Process


def run(size: int | None) -> list[Row]:
    seconds = size or SECONDS
    with ExitStack() as stack:
        stripe = stack.enter_context(StripeServer())
        os.environ |= {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRETS": SECRET, "STRIPE_API_BASE": stripe.url}
        stack.enter_context(database(durable=True))
        customers = [_customer(stripe, number) for number in range(CUSTOMERS)]
        floor = Server(*stack.enter_context(serving("bench.floor.webhook:app")))
        ours = Server(*stack.enter_context(serving("core.sidecar.app:app")))
        told = _rounds(
            {
                "floor": lambda seed: _rung(floor, seed, seconds, customers),
                "ours": lambda seed: _rung(ours, seed, seconds, customers),
            }
        )
        stripe.latency = SLOW
        waits = _rounds(
            {
                "idle": lambda seed: _rung(ours, f"idle {seed}", seconds, customers),
                "applying": lambda seed: _while_applying(stripe, ours, seed, seconds, customers),
            }
        )
    how = HOW.format(rounds=ROUNDS, seconds=seconds)
    each = {name: 1000 / median(one.accepted for one in found) for name, found in told.items()}
    processor = {name: median(one.processor for one in found) for name, found in told.items()}
    p99 = {name: median(one.p99 for one in found) for name, found in {**told, **waits}.items()}
    return [
        Row("an event accepted", each["ours"], each["floor"], "ms", GOAL, how),
        Row("processor time of an event", processor["ours"], processor["floor"], "ms", None, how),
        Row("p99 of answers", p99["ours"], p99["floor"], "ms", None, how),
        Row(f"p99 while applying takes {SLOW:.0f} s, beside idle", p99["applying"], p99["idle"], "ms", None, how),
    ]


def _customer(stripe: StripeServer, number: int) -> str:
    """Somebody whom both sides know, so that a worker asks about them."""
    made = make_person(f"Bench {number}", Role.CREATOR)
    customer = str(stripe.world.add_customer()["id"])
    _ring(made.account_id, customer)
    return customer


def _rounds(ways: dict[str, Callable[[str], Told]]) -> dict[str, list[Told]]:
    """Taking turns, after one that is not counted, so that a busy moment of the machine falls on all of them."""
    told: dict[str, list[Told]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):
        for name, ring in ways.items():
            found = ring(f"{name} {number}")
            if number:
                told[name].append(found)
    return told


def _rung(server: Server, seed: str, seconds: int, customers: list[str]) -> Told:
    address, before = f"{server.address}{ROUTE}", sum(server.process.cpu_times()[:2])
    command = [sys.executable, "-m", "bench.ringing", address, SECRET, seed, str(seconds), *customers]
    found = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    if found["others"]:
        raise RuntimeError(f"{found['others']} deliveries were not accepted")
    spent = sum(server.process.cpu_times()[:2]) - before
    return Told(found["accepted"], found["p99"], 1000 * spent / (found["accepted"] * seconds))


def _while_applying(stripe: StripeServer, server: Server, seed: str, seconds: int, customers: list[str]) -> Told:
    """From when a worker asks Stripe, which will not have answered it by the end."""
    asked = len(stripe.requests)
    with _worker():
        until = time.monotonic() + PATIENCE
        while len(stripe.requests) == asked:
            if time.monotonic() > until:
                raise RuntimeError("the worker does not ask Stripe")
            time.sleep(0.05)
        return _rung(server, seed, seconds, customers)


@contextmanager
def _worker() -> Iterator[None]:
    environment = os.environ | {"HUNTAZE_NO_VENV": "1"}
    command = [sys.executable, "-m", "core.jobs", "work"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        process.kill()  # it is in the midst of asking, and would wait for the answer
        process.wait()
