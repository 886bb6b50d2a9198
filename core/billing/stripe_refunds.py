"""Giving money back through Stripe, and giving more time to try.

Every function raises NotConfigured without a usable key, and what `stripe_client.refusals` raises. Each write says in
the object's metadata which wish it was for, so that one whose answer was lost is found again, however late.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.billing.stripe_client import QUICK, client, refusals
from core.errors import Unavailable

WISH = "staff_wish"


class RefundReason(StrEnum):
    """Why money is given back, as Stripe spells it."""

    REQUESTED_BY_CUSTOMER = "requested_by_customer"
    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """`amount` minor units of a charge's own currency."""

    account_id: UUID
    charge_id: str
    amount: int
    reason: RefundReason


def refund(request: RefundRequest, wish_id: UUID) -> str:
    """Give money back; the refund's id. The wish's id is the idempotency key."""
    with refusals(), _still_asked():
        made = client().v1.refunds.create(
            {
                "charge": request.charge_id,
                "amount": request.amount,
                "reason": request.reason.value,
                "metadata": {WISH: str(wish_id), "account_id": str(request.account_id)},
            },
            {"idempotency_key": str(wish_id)},
        )
    return made.id


def refund_of(charge_id: str, wish_id: UUID) -> str | None:
    """The refund that was made for a wish, if one was."""
    with refusals():
        listed = client(QUICK).v1.refunds.list({"charge": charge_id, "limit": 100})
        made = (each.id for each in listed.auto_paging_iter() if getattr(each.metadata, WISH, None) == str(wish_id))
        return next(made, None)


def extend_trial(subscription_id: str, until: datetime, wish_id: UUID) -> str:
    """Let a trial end at `until`; the subscription's id."""
    with refusals(), _still_asked():
        client().v1.subscriptions.update(
            subscription_id,
            {
                "trial_end": int(until.timestamp()),
                "proration_behavior": "none",
                "metadata": {WISH: str(wish_id)},
            },
            {"idempotency_key": str(wish_id)},
        )
    return subscription_id


def was_extended(subscription_id: str, wish_id: UUID) -> bool:
    """Whether the last time that a trial was extended was for that wish."""
    with refusals():
        told = client(QUICK).v1.subscriptions.retrieve(subscription_id)
    return getattr(told.metadata, WISH, None) == str(wish_id)


@contextmanager
def _still_asked() -> Iterator[None]:
    """The same wish that is being asked by another click is neither done nor refused yet."""
    import stripe

    try:
        yield
    except stripe.IdempotencyError as error:
        raise Unavailable("desk.still_asked") from error
