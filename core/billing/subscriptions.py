"""Keeping what Stripe said of an account's subscriptions, with each change that it made."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.billing.models import SubscriptionChange, SubscriptionRecord
from core.billing.plans import Status, Subscription
from core.billing.queries import columns, facts

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


def _keep(session: Session, account_id: UUID, record: SubscriptionRecord | None, told: Subscription) -> Subscription:
    if record is None:
        session.add(SubscriptionRecord(account_id=account_id, **columns(told)))
        _note(session, account_id, told)
        return told
    if record.status == Status.CANCELED != told.status:
        return facts(record)
    before = facts(record)
    told = _unpaid_as_long(before, _as_sold(before, told))
    for name, value in columns(told).items():
        setattr(record, name, value)
    record.fetched_at = func.now()
    if any(getattr(before, name) != getattr(told, name) for name in _TOLD):
        _note(session, account_id, told)
    return told


def _as_sold(before: Subscription, told: Subscription) -> Subscription:
    """Who pays the same price has the same plan: a lookup key can be moved to a new price while people pay the old."""
    is_moved = told.plan is None and before.plan is not None and told.price_id == before.price_id
    return replace(told, lookup_key=before.lookup_key) if is_moved else told


def _unpaid_as_long(before: Subscription, told: Subscription) -> Subscription:
    """Another unpaid period is no new grace: Stripe tells of its latest invoice only, and we hold an earlier one."""
    if before.unpaid_since is None or not before.status == told.status == Status.PAST_DUE:
        return told
    return replace(told, unpaid_since=min(before.unpaid_since, told.unpaid_since or before.unpaid_since))


def _note(session: Session, account_id: UUID, told: Subscription) -> None:
    changed = {name: getattr(told, name) for name in _TOLD}
    session.add(SubscriptionChange(account_id=account_id, stripe_id=told.stripe_id, **changed))
