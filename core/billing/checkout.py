"""One open Checkout page an account, however often it is asked for: the wish is stored before Stripe is asked."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing.models import BillingIntent
from core.billing.plans import LIVING, OFFERS, PLANS, SEATS, Offer, beside
from core.billing.queries import has_tried, subscriptions_in
from core.billing.stripe_gateway import HostedPage
from core.errors import BadInput, Conflict
from core.use_case import use_case

KIND = "checkout"
LASTS = timedelta(hours=23)
"""A little less than a page at Stripe, and than Stripe remembers an idempotency key."""


MOST_SEATS = 975
"""A thousand creators, with those that the plan includes; who looks after more is talked to."""


def offer_of(lookup_key: str, seats: int) -> Offer:
    """What is asked for. Raises BadInput for a plan that we do not sell, and for seats that it does not have."""
    offer = OFFERS.get(lookup_key)
    if offer is None:
        raise BadInput("billing.unknown_offer")
    if seats and beside(offer, SEATS) is None:
        raise BadInput("billing.no_seats")
    if not 0 <= seats <= MOST_SEATS:
        raise BadInput("billing.bad_seats", most=MOST_SEATS)
    return offer


@dataclass(frozen=True, slots=True)
class Wish:
    """The account's open intent.

    `url` is None until Stripe answered. `is_same` when it is for what is now asked and not too old for it: one with a
    page that is not must be closed at Stripe first, where its page may still be paid.
    """

    intent_id: UUID
    trial_days: int
    is_same: bool
    stripe_id: str
    url: str | None


@use_case(Permission.MANAGE_BILLING)
def reserve_checkout(
    session: Session, scope: Scope, offer: Offer, seats: int, customer_id: str, *, is_taxed: bool
) -> Wish:
    """Store what is wanted, or find it stored. Raises Conflict when a living subscription is there to be changed."""
    account_id = scope.account_id
    if any(each.status in LIVING for each in subscriptions_in(session, account_id)):
        raise Conflict("billing.already_subscribed")
    trial_days = 0 if has_tried(session, account_id) else PLANS[offer.plan].trial_days
    asked = hashlib.sha256(f"{customer_id} {offer.lookup_key} {seats} {trial_days} {is_taxed}".encode()).hexdigest()
    found = _open(session, account_id)
    is_same = found is not None and _is_same(session, found, asked)
    if found is not None and not is_same and found.url is None:  # nobody was ever led to a page of it
        found.closed_at = func.now()
        session.flush()
        found = None
    if found is None:
        session.execute(
            insert(BillingIntent)
            .values(account_id=account_id, kind=KIND, params_hash=asked, expires_at=func.now() + LASTS)
            .on_conflict_do_nothing()
        )
        found = _open(session, account_id)
        is_same = found is not None and _is_same(session, found, asked)
    if found is None or not (is_same or found.url):
        raise Conflict("billing.chosen_elsewhere")  # somebody was faster, and asks Stripe for something else just now
    return Wish(found.id, trial_days, is_same, found.stripe_id or "", found.url)


def _open(session: Session, account_id: UUID) -> BillingIntent | None:
    return session.scalar(
        select(BillingIntent)
        .where(BillingIntent.account_id == account_id, BillingIntent.kind == KIND, BillingIntent.closed_at.is_(None))
        .with_for_update()
    )


def _is_same(session: Session, intent: BillingIntent, asked: str) -> bool:
    """For what is now asked, and young enough to be asked again under its key."""
    return intent.params_hash == asked and bool(session.scalar(select(func.now() < intent.expires_at)))


@use_case(Permission.MANAGE_BILLING)
def settle_checkout(session: Session, scope: Scope, intent_id: UUID, page: HostedPage) -> bool:
    """Keep the page that Stripe made. False when the intent was closed meanwhile: the page must not be used."""
    kept = session.execute(
        update(BillingIntent)
        .where(
            BillingIntent.account_id == scope.account_id,
            BillingIntent.id == intent_id,
            BillingIntent.closed_at.is_(None),
        )
        .values(stripe_id=page.stripe_id, url=page.url)
        .returning(BillingIntent.id)
    )
    return kept.one_or_none() is not None


@use_case(Permission.MANAGE_BILLING)
def close_intent(session: Session, scope: Scope, intent_id: UUID) -> None:
    session.execute(
        update(BillingIntent)
        .where(BillingIntent.account_id == scope.account_id, BillingIntent.id == intent_id)
        .values(closed_at=func.now())
    )
