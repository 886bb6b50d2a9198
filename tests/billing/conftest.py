"""A Stripe of our own for the tests of billing, and the settings that point to it."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.access import Scope
from core.billing.events import link_customer, receive_event
from core.billing.models import PlanGrant, SubscriptionRecord
from core.billing.plans import PlanName
from core.db import transaction
from core.settings import settings
from core.use_case import unscoped
from tests.pages.conftest import open_page
from tests.peers.stripe_bells import body_of, signed
from tests.peers.stripe_server import KEY, SECRET, StripeServer
from tests.people import Made

__all__ = ["open_page"]


@pytest.fixture
def stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeServer]:
    """Stripe at the wire; the product is set up to use it."""
    with StripeServer() as server:
        monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", SECRET)
        monkeypatch.setenv("STRIPE_API_BASE", server.url)
        settings.cache_clear()
        yield server
    settings.cache_clear()


@pytest.fixture
def no_stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The product without any Stripe setting."""
    for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "STRIPE_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


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


def stored(scope: Scope) -> dict[str, tuple[object, ...]]:
    """What we hold of an account's subscriptions, by id."""
    with transaction(Scope.for_account(scope.account_id)) as session:
        return {
            each.stripe_id: (
                each.status,
                each.lookup_key,
                each.quantity,
                int(each.current_period_end.timestamp()),
                each.cancel_at_period_end,
            )
            for each in session.scalars(select(SubscriptionRecord))
        }


def at_stripe(server: StripeServer, customer_id: str) -> dict[str, tuple[object, ...]]:
    """The same of Stripe's own."""
    return {
        each["id"]: (
            each["status"],
            (item := each["items"]["data"][0])["price"]["lookup_key"],
            item["quantity"],
            item["current_period_end"],
            each["cancel_at_period_end"],
        )
        for each in server.world.every("subscription")
        if each["customer"] == customer_id
    }


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
