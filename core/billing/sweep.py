"""Finds what never rang: each customer is asked about in time, and Stripe's list of events is searched for lost ones.

However many webhooks were lost, one sweep and the work that it rings for make what we hold what Stripe holds.
"""

import json
import logging
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.billing import stripe_client
from core.billing import stripe_gateway as gateway
from core.billing.events import keep_listed, ring
from core.billing.models import StripeCustomer, StripeSweep
from core.billing.signature import BadDelivery
from core.billing.sync import ASK_AFTER
from core.errors import Refusal
from core.use_case import unscoped

log = logging.getLogger("huntaze.billing")

EVERY = timedelta(minutes=5)
OVERLAP = timedelta(hours=1)
"""How far before the last sweep the next one looks: Stripe's clock is another, and its list may lag behind."""
STRIPE_KEEPS = timedelta(days=30)
MOST = 1_000
"""Customers that one sweep rings for; the others wait for the next."""

_EVENTS = "events"


def sweep_once() -> bool:
    """Sweep, unless any process did within EVERY. False when it was not time."""
    if not stripe_client.is_configured():
        return False
    turn = _take_turn()
    if turn is None:
        return False
    since, began = turn
    _ring_customers()
    try:
        for raw in gateway.events_since(since):
            _keep(raw)
    except Refusal as refusal:
        log.warning("Stripe's events since %s could not be listed: %s", since, refusal.code)
    else:
        _swept(began)
    return True


def _keep(raw: bytes) -> None:
    try:
        keep_listed(raw)
    except BadDelivery:
        log.warning("Stripe lists an event that cannot be read: %s", json.loads(raw).get("id"))


@unscoped("whose turn it is, is nobody's data")
def _take_turn(session: Session) -> tuple[datetime, datetime] | None:
    """From when events are to be listed, and the present instant. None when it is not time."""
    mark = StripeSweep.key == _EVENTS
    is_due = session.scalar(select(StripeSweep.next_at <= func.now()).where(mark))
    if is_due is None:
        session.execute(insert(StripeSweep).values(key=_EVENTS, next_at=func.now()).on_conflict_do_nothing())
    elif not is_due:
        return None
    taken = session.execute(
        update(StripeSweep)
        .where(mark, StripeSweep.next_at <= func.now())
        .values(next_at=func.now() + EVERY)
        .returning(StripeSweep.swept_until, func.now())
    ).one_or_none()
    if taken is None:
        return None
    swept_until, now = taken
    return (now - STRIPE_KEEPS if swept_until is None else swept_until - OVERLAP), now


@unscoped("customers are ids here; whose they are, is asked when Stripe's answer is applied")
def _ring_customers(session: Session) -> None:
    """Ring for those that it is time to ask about, the longest waiting first."""
    due = session.scalars(
        select(StripeCustomer.stripe_id)
        .where(StripeCustomer.ask_at <= func.now())
        .order_by(StripeCustomer.ask_at)
        .limit(MOST)
    ).all()
    for customer_id in sorted(due):  # the bell before the customer, as where an answer is applied: no deadlock
        ring(session, f"customer:{customer_id}")
    session.execute(
        update(StripeCustomer).where(StripeCustomer.stripe_id.in_(due)).values(ask_at=func.now() + ASK_AFTER)
    )


@unscoped("up to when Stripe's events were listed")
def _swept(session: Session, until: datetime) -> None:
    session.execute(update(StripeSweep).where(StripeSweep.key == _EVENTS).values(swept_until=until))
