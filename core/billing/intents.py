"""What is asked of Stripe is stored first, and its id is the idempotency key of the asking. Rooms.

A page makes a wish's id when it asks for confirmation, so that a double click, a rerun or another try after an answer
that was lost is the same wish.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.billing.models import BillingIntent
from core.errors import Conflict

LASTS = timedelta(hours=23)
"""A little less than Stripe remembers an idempotency key."""


@dataclass(frozen=True, slots=True)
class Intent:
    """`id` is the idempotency key to ask with. `is_done` when Stripe did it already: it must not be asked again."""

    id: UUID
    is_done: bool


def reserve(
    session: Session,
    account_id: UUID,
    wish_id: UUID,
    kind: str,
    asked: Mapping[str, object],
    *,
    stands: timedelta = timedelta(0),
) -> Intent:
    """Room: store a wish before Stripe is asked for it, or find it stored.

    Of each `kind` an account has one open wish. One that asks for the same and whose answer was lost is asked again
    under its own key; one that asks for something else gives way once it is as old as `stands`. Raises Conflict before
    that, for a wish that was given up, and for one that asked for something else.
    """
    wanted = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
    found = _found(session, account_id, wish_id, kind, wanted=wanted, stands=stands)
    if found is None:
        session.execute(
            insert(BillingIntent)
            .values(account_id=account_id, id=wish_id, kind=kind, params_hash=wanted, expires_at=func.now() + LASTS)
            .on_conflict_do_nothing()
        )
        found = _found(
            session, account_id, wish_id, kind, wanted=wanted, stands=stands
        )  # another click may have been faster
    if found is None:
        raise Conflict("billing.chosen_elsewhere")
    return found


def _found(
    session: Session, account_id: UUID, wish_id: UUID, kind: str, *, wanted: str, stands: timedelta
) -> Intent | None:
    """The wish as it is stored, or another click's open one for the same. An open one for something else is closed."""
    of_account = BillingIntent.account_id == account_id
    stored = session.scalar(select(BillingIntent).where(of_account, BillingIntent.id == wish_id).with_for_update())
    if stored is not None:
        is_given_up = stored.closed_at is not None and stored.stripe_id is None
        if is_given_up or stored.params_hash != wanted:
            raise Conflict("billing.chosen_elsewhere")
        return Intent(stored.id, is_done=stored.closed_at is not None)
    is_open = of_account, BillingIntent.kind == kind, BillingIntent.closed_at.is_(None)
    former = session.scalar(select(BillingIntent).where(*is_open).with_for_update())
    if former is None:
        return None
    if former.params_hash == wanted and session.scalar(select(func.now() < former.expires_at)):
        return Intent(former.id, is_done=False)
    if session.scalar(select(func.now() < former.created_at + stands)):
        raise Conflict("billing.under_way")
    former.closed_at = func.now()
    session.flush()
    return None


def settle(session: Session, account_id: UUID, intent_id: UUID, stripe_id: str | None) -> None:
    """Room: Stripe did it, to the object `stripe_id`; None when Stripe refused, and the wish is given up."""
    session.execute(
        update(BillingIntent)
        .where(BillingIntent.account_id == account_id, BillingIntent.id == intent_id)
        .values(closed_at=func.now(), stripe_id=stripe_id)
    )
