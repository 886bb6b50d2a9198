"""What Stripe said of a customer becomes what we hold: all of it in one transaction, by whoever holds its key."""

import logging
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.billing.invoices import invoices_in, keep_invoices, keep_method, method_in
from core.billing.ledger import keep_movement
from core.billing.models import StripeCustomer
from core.billing.notices import notify
from core.billing.plans import Status, Subscription
from core.billing.queries import subscriptions_in
from core.billing.stripe_reading import CustomerState
from core.billing.subscriptions import keep_subscriptions

log = logging.getLogger("huntaze.billing")


def apply_state(
    session: Session, account_id: UUID, customer_id: str, state: CustomerState, now: datetime
) -> tuple[Subscription, ...]:
    """Room: store the answer, write what it did to revenue, and tell the owners; the subscriptions now held of it.

    A customer that Stripe deleted is no more the account's: the next plan is for a new one.
    """
    before = subscriptions_in(session, account_id)
    held = keep_subscriptions(session, account_id, customer_id, state.subscriptions)
    for each in held:
        if each.status not in tuple(Status) or each.plan is None:
            log.error("subscription %s has status %s and price %s", each.stripe_id, each.status, each.price_id)
    keep_invoices(session, account_id, state.invoices)
    keep_method(session, account_id, state.method)
    if state.is_deleted:
        log.warning("the customer of account %s was deleted at Stripe", account_id)
        session.execute(delete(StripeCustomer).where(StripeCustomer.stripe_id == customer_id))
    keep_movement(session, account_id, now)
    after = subscriptions_in(session, account_id)
    notify(session, account_id, before, after, invoices_in(session, account_id), method_in(session, account_id), now)
    return held
