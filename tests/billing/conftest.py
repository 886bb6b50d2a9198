"""A Stripe of our own for the tests of billing, and the settings that point to it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import astuple
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, text
from sqlalchemy.orm import Session

from core.access import Scope
from core.billing.events import link_customer, receive_event
from core.billing.invoices import Invoice, invoices_in, method_in
from core.billing.models import PlanGrant
from core.billing.plans import LIVING, OFFERS, PlanName, Subscription
from core.billing.queries import subscriptions_in
from core.db import transaction
from core.settings import settings
from core.use_case import unscoped
from tests.pages.conftest import open_page
from tests.peers.stripe_bells import body_of, signed
from tests.peers.stripe_server import KEY, SECRET, StripeServer
from tests.peers.stripe_store import Json
from tests.peers.stripe_world import World
from tests.people import Made

__all__ = ["open_page"]


@pytest.fixture
def stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeServer]:
    """Stripe at the wire; the product is set up to use it. A request outside the contract fails the test at its end."""
    with StripeServer() as server:
        monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", SECRET)
        monkeypatch.setenv("STRIPE_API_BASE", server.url)
        settings.cache_clear()
        yield server
    settings.cache_clear()
    assert server.outside == [], "asked of Stripe, and not part of its API at this version"


@pytest.fixture
def no_stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The product without any Stripe setting."""
    for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "STRIPE_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


PERIODS = ("subscription_create", "subscription_cycle")
Held = dict[str, tuple[object, ...]]
Deliver = Callable[[dict[str, Any]], bool]


@pytest.fixture
def deliver() -> Deliver:
    """Hand an event over, signed, as the webhook does. False when it was here before."""

    def hand_over(event: dict[str, Any]) -> bool:
        raw = body_of(event)
        return receive_event(raw, signed(raw, SECRET))

    return hand_over


@unscoped("test data")
def link(session: Session, account_id: UUID, customer_id: str) -> None:
    link_customer(session, account_id, customer_id)


def give_plan(made: Made, plan: PlanName, days: int = 30) -> datetime:
    """A plan given by staff from now on; until when."""
    with transaction(Scope.for_account(made.account_id), as_staff=True) as session:
        grant = PlanGrant(
            account_id=made.account_id,
            plan=plan,
            reason="a test",
            granted_by=made.user_id,
            ends_at=func.now() + timedelta(days=days),
        )
        session.add(grant)
        session.flush()
        return grant.ends_at


@unscoped("what the tests look at")
def rows(session: Session, statement: str) -> list[tuple[Any, ...]]:
    """Rows of the plain tables."""
    return [tuple(row) for row in session.execute(text(statement))]


@unscoped("what the tests change")
def execute(session: Session, statement: str) -> None:
    session.execute(text(statement))


def stored(scope: Scope) -> Held:
    """What we hold of an account: of each subscription and invoice the facts by id, and the payment method."""
    account_id = scope.account_id
    with transaction(Scope.for_account(account_id)) as session:
        held: Held = {each.stripe_id: _subscription(each) for each in subscriptions_in(session, account_id)}
        held |= {each.stripe_id: _facts_of(each) for each in invoices_in(session, account_id)}
        method = method_in(session, account_id)
    return held | ({"method": astuple(method)} if method else {})


def _subscription(held: Subscription) -> tuple[object, ...]:
    return (
        held.status,
        held.lookup_key,
        held.quantity,
        _seconds(held.current_period_end),
        held.cancel_at_period_end,
        _seconds(held.cancel_at),
        _seconds(held.trial_end),
        _seconds(held.started_at),
        _seconds(held.ended_at),
        _seconds(held.unpaid_since),
        held.cancel_reason,
        held.schedule_id,
        sorted((each.stripe_id, each.price_id, each.lookup_key, each.quantity) for each in held.items),
        [(each.percent_off, each.amount_off, _seconds(each.ends_at)) for each in held.discounts],
    )


def _facts_of(held: Invoice) -> tuple[object, ...]:
    return tuple(_seconds(fact) if isinstance(fact, datetime) else fact for fact in astuple(held))


def _seconds(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp())


def at_stripe(server: StripeServer, customer_id: str) -> Held:
    """The same of Stripe's own, in its state and not in its answers."""
    world = server.world
    customer = world.find("customer", customer_id)
    subscriptions = [each for each in world.every("subscription") if each["customer"] == customer_id]
    invoices = [each for each in world.every("invoice") if each["customer"] == customer_id]
    held: Held = {each["id"]: _subscription_at(world, each, invoices) for each in subscriptions}
    held |= {each["id"]: _invoice_at(world, each) for each in invoices if each["status"] != "draft"}
    living = [each for each in subscriptions if each["status"] in LIVING]
    methods = [each["default_payment_method"] for each in living if each["default_payment_method"]]
    methods.append(customer["invoice_settings"]["default_payment_method"])
    if methods[0] is None:
        return held
    method = world.find("payment_method", methods[0])
    card = [method["card"][name] for name in ("brand", "last4", "exp_month", "exp_year")]
    return held | {"method": (method["id"], method["type"], *card)}


def _subscription_at(world: World, told: Json, invoices: list[Json]) -> tuple[object, ...]:
    items = told["items"]["data"]
    sold = {each["id"]: each["price"]["lookup_key"] or each["price"]["metadata"].get("lookup_key") for each in items}
    plan = next((each for each in items if sold[each["id"]] in OFFERS), items[0])
    its = [each for each in reversed(invoices) if _subscription_of(each) == told["id"]]
    paid = [each["created"] for each in its if each["status"] == "paid" and each["billing_reason"] in PERIODS]
    open_since = [
        each["created"] for each in its if each["status"] == "open" and each["created"] >= max(paid, default=0)
    ]
    coupons = [world.find("coupon", world.find("discount", each)["source"]["coupon"]) for each in told["discounts"]]
    ends = [world.find("discount", each)["end"] for each in told["discounts"]]
    return (
        told["status"],
        sold[plan["id"]],
        plan["quantity"],
        max(each["current_period_end"] for each in items),
        told["cancel_at_period_end"],
        told["cancel_at"],
        told["trial_end"],
        told["start_date"],
        told["ended_at"],
        min(open_since) if open_since and told["status"] == "past_due" else None,
        told["cancellation_details"]["reason"],
        told["schedule"],
        sorted((each["id"], each["price"]["id"], sold[each["id"]], each.get("quantity") or 0) for each in items),
        [
            (None if each["percent_off"] is None else Decimal(str(each["percent_off"])), each["amount_off"], end)
            for each, end in zip(coupons, ends, strict=True)
            if each["duration"] != "once"
        ],
    )


def _subscription_of(invoice: Json) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details")
    return details["subscription"] if details else None


def _invoice_at(world: World, told: Json) -> tuple[object, ...]:
    intents = {
        each["payment"]["payment_intent"] for each in world.every("invoice_payment") if each["invoice"] == told["id"]
    }
    charges = [each for each in reversed(world.every("charge")) if each["payment_intent"] in intents]
    paid = [each for each in charges if each["status"] == "succeeded"]
    failed = [each["created"] for each in charges if each["status"] == "failed"]
    lost = [each for each in world.every("dispute") if each["charge"] in [one["id"] for one in paid]]
    was_refused = told["attempt_count"] > (1 if told["status"] == "paid" else 0)
    return (
        told["id"],
        told["customer"],
        _subscription_of(told),
        told["number"],
        told["status"],
        told["billing_reason"],
        told["currency"].upper(),
        told["total"],
        sum(each["amount"] for each in told["total_taxes"]),
        told["amount_due"],
        told["amount_paid"],
        told["amount_remaining"],
        sum(each["amount_refunded"] for each in paid),
        sum(each["amount"] for each in lost if each["status"] in ("needs_response", "under_review", "lost")),
        paid[-1]["id"] if paid else None,
        told["attempt_count"],
        told["created"],
        told["period_start"],
        told["period_end"],
        told["next_payment_attempt"],
        failed[0] if failed else told["status_transitions"]["finalized_at"] if was_refused else None,
        told["status_transitions"]["paid_at"],
        told["hosted_invoice_url"],
        told["invoice_pdf"],
    )


def event(**changed: object) -> dict[str, Any]:
    """A small snapshot event; `...` leaves a field out."""
    plain = {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_795_000_000,
        "livemode": False,
        "type": "customer.subscription.updated",
        "data": {"object": {"id": "sub_1", "object": "subscription", "customer": "cus_1"}},
    }
    return {name: value for name, value in (plain | changed).items() if value is not ...}


def raw(changed: object) -> bytes:
    return json.dumps(changed).encode()
