"""Keeping what Stripe said of an account's subscriptions, with each change that it made."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.billing.models import SubscriptionChange, SubscriptionRecord
from core.billing.plans import CATALOGUE, Item, Status, Subscription, plan_item
from core.billing.queries import columns, facts, subscriptions_in

_TOLD = ("status", "lookup_key", "quantity", "current_period_end", "trial_end", "cancel_at", "cancel_at_period_end")
"""What a change is made of."""


def keep_subscriptions(
    session: Session, account_id: UUID, customer_id: str, subscriptions: Iterable[Subscription]
) -> tuple[Subscription, ...]:
    """Room: store Stripe's answer about one customer; what is now held of it.

    What the answer lacks stays as it is: a list can lag behind. Canceled is for ever at Stripe, so an answer that
    would revive one is an old one and is passed over.
    """
    kept = {
        record.stripe_id: record
        for record in session.scalars(
            select(SubscriptionRecord)
            .where(SubscriptionRecord.account_id == account_id, SubscriptionRecord.customer_id == customer_id)
            .with_for_update()
        )
    }
    ordered = sorted(subscriptions, key=lambda one: one.stripe_id)
    held = tuple(_keep(session, account_id, kept.get(each.stripe_id), each) for each in ordered)
    session.flush()
    return held


def differing(
    session: Session, account_id: UUID, customer_id: str, listed: Iterable[Subscription]
) -> tuple[Subscription, ...]:
    """Room: those of a customer's subscriptions whose facts, as a list of Stripe's has them, are not what is held.

    One that the list lacks is among them as it is held. Since when one owes is no part of a list.
    """
    held = {each.stripe_id: each for each in subscriptions_in(session, account_id) if each.customer_id == customer_id}
    told = {each.stripe_id: each for each in listed}
    return (
        *(each for each in told.values() if _is_news(held.get(each.stripe_id), each)),
        *(each for name, each in held.items() if name not in told and each.status not in _OVER),
    )


_OVER = (Status.CANCELED, Status.GONE)


def _is_news(before: Subscription | None, told: Subscription) -> bool:
    if before is None:
        return True
    if before.status == Status.CANCELED != told.status:
        return False
    return _digest(before) != _digest(_as_sold(before, told))


def _digest(facts: Subscription) -> str:
    said = columns(replace(facts, unpaid_since=None))
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _keep(session: Session, account_id: UUID, record: SubscriptionRecord | None, told: Subscription) -> Subscription:
    if record is None:
        session.add(SubscriptionRecord(account_id=account_id, **columns(told)))
        _note(session, account_id, told)
        return told
    if record.status == Status.CANCELED != told.status:
        return facts(record)
    before = facts(record)
    told = _as_sold(before, told)
    for name, value in columns(told).items():
        setattr(record, name, value)
    record.fetched_at = func.now()
    if any(getattr(before, name) != getattr(told, name) for name in _TOLD):
        _note(session, account_id, told)
    return told


def _as_sold(before: Subscription, told: Subscription) -> Subscription:
    """Who pays the same price has the same plan: a lookup key can be moved to a new price while people pay the old."""
    known = {each.price_id: each.lookup_key for each in before.items} | {before.price_id: before.lookup_key}
    items = tuple(_named(each, known) for each in told.items)
    plan = plan_item(items)
    if plan is None:
        return told
    return replace(told, items=items, lookup_key=plan.lookup_key, quantity=plan.quantity, price_id=plan.price_id)


def _named(item: Item, known: Mapping[str | None, str | None]) -> Item:
    former = known.get(item.price_id)
    is_moved = item.lookup_key not in CATALOGUE and former in CATALOGUE
    return replace(item, lookup_key=former) if is_moved else item


def _note(session: Session, account_id: UUID, told: Subscription) -> None:
    changed = {name: getattr(told, name) for name in _TOLD}
    session.add(SubscriptionChange(account_id=account_id, stripe_id=told.stripe_id, **changed))
