"""The ledger of monthly recurring revenue: what an account's movements sum to is what it is worth. Append only.

Of each currency an account has movements of their own, so a change of currency is revenue lost in one and won in the
other.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing.metrics import Kind, currency_of, monthly_value, movement
from core.billing.models import MrrMovement, SubscriptionRecord
from core.billing.plans import OFFERS, Subscription
from core.billing.queries import facts, subscriptions_in
from core.use_case import use_case


@dataclass(frozen=True, slots=True)
class Drift:
    """An account whose movements do not sum to what its subscriptions are worth, in minor units of the currency."""

    account_id: UUID
    currency: str
    of_ledger: int
    of_subscriptions: int


def worth(subscriptions: Iterable[Subscription], at: datetime) -> dict[str, int]:
    """Minor units a month by currency, of all the subscriptions of one account; what is worth nothing is left out."""
    return _sums((currency_of(each), monthly_value(each, at)) for each in subscriptions)


def keep_movement(session: Session, account_id: UUID, now: datetime) -> None:
    """Room: append what the account's revenue changed by since its last movement, nothing when it did not.

    To be called in the transaction that stored Stripe's answer, by the one who holds the customer's key: the account's
    movements then sum to what its subscriptions are worth at `now`.
    """
    subscriptions = subscriptions_in(session, account_id)
    former = session.scalars(
        select(MrrMovement).where(MrrMovement.account_id == account_id).order_by(MrrMovement.at, MrrMovement.id)
    ).all()
    had = _sums((each.currency, each.amount) for each in former)
    has = worth(subscriptions, now)
    earliest = max((each.at for each in former), default=None)
    changed = [code for code in had.keys() | has.keys() if had.get(code, 0) != has.get(code, 0)]
    for currency in sorted(changed, key=lambda code: (has.get(code, 0) > 0, code)):
        of_currency = [each for each in former if each.currency == currency]
        before, after = had.get(currency, 0), has.get(currency, 0)
        kind = movement(before, after, had_before=bool(of_currency))
        if kind is None:
            continue
        theirs = [each for each in subscriptions if currency_of(each) == currency]
        at = _effective(kind, theirs, now)
        at = earliest = min(now, at if earliest is None else max(earliest, at))
        session.add(
            MrrMovement(
                account_id=account_id,
                at=at,
                kind=kind,
                currency=currency,
                amount=after - before,
                mrr=after,
                lookup_key=_plan_since(theirs, now) or (of_currency[-1].lookup_key if of_currency else None),
            )
        )
    session.flush()


@use_case(Permission.SEE_REVENUE)
def check(session: Session, _scope: Scope) -> tuple[Drift, ...]:
    """The accounts whose ledger differs from their subscriptions, each as of Stripe's last answer. None should."""
    of_ledger: Counter[tuple[UUID, str]] = Counter()
    summed = select(MrrMovement.account_id, MrrMovement.currency, func.sum(MrrMovement.amount))
    for account_id, currency, amount in session.execute(summed.group_by(MrrMovement.account_id, MrrMovement.currency)):
        of_ledger[account_id, currency] = int(amount)
    of_subscriptions: Counter[tuple[UUID, str]] = Counter()
    for record in session.scalars(select(SubscriptionRecord)):
        for currency, value in worth([facts(record)], record.fetched_at).items():
            of_subscriptions[record.account_id, currency] += value
    return tuple(
        Drift(*key, of_ledger[key], of_subscriptions[key])
        for key in sorted(of_ledger.keys() | of_subscriptions.keys())
        if of_ledger[key] != of_subscriptions[key]
    )


def _sums(amounts: Iterable[tuple[str | None, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for currency, amount in amounts:
        if currency is not None:
            sums[currency] += amount
    return {currency: amount for currency, amount in sums.items() if amount}


def _effective(kind: Kind, theirs: Iterable[Subscription], now: datetime) -> datetime:
    """When revenue came or went, as far as Stripe says; else it is when we were told.

    What is new began with its subscription, or when its trial was over. What is lost ended with the last of them, where
    all have ended: one that is paused or unpaid is lost without an end, and another's end is not its.
    """
    if kind is Kind.CHURNED:
        ends = [each.ended_at for each in theirs]
        return max((end for end in ends if end is not None), default=now) if None not in ends else now
    if kind is Kind.NEW:
        return min((_began(each) for each in theirs if monthly_value(each, now)), default=now)
    return now


def _began(subscription: Subscription) -> datetime:
    return max(filter(None, (subscription.trial_end, subscription.started_at)), default=subscription.created)


def _plan_since(theirs: Iterable[Subscription], now: datetime) -> str | None:
    """The plan that brings most of it."""
    values: Mapping[str, int] = {
        each.lookup_key: monthly_value(each, now) for each in theirs if each.lookup_key in OFFERS and each.lookup_key
    }
    paid = {key: value for key, value in values.items() if value}
    return max(paid, key=lambda key: (paid[key], key), default=None)
