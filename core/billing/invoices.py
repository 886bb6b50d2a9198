"""Invoices and the payment method of an account: what Stripe said of them, kept, and shown to those who pay."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing.models import InvoiceRecord, PaymentMethodRecord
from core.use_case import use_case

OPEN, PAID, UNCOLLECTIBLE, VOID = "open", "paid", "uncollectible", "void"
"""As Stripe spells an invoice's states. Drafts are not kept: they can vanish, and nobody owes them."""

_OF_PERIODS = frozenset({"subscription_create", "subscription_cycle"})


@dataclass(frozen=True, slots=True)
class Invoice:
    """What Stripe said about one invoice, amounts in minor units of `currency`. Instants are aware UTC."""

    stripe_id: str
    customer_id: str
    subscription_id: str | None
    number: str | None
    status: str
    reason: str | None
    """Why it was made, as Stripe spells it: `subscription_cycle`, `subscription_update` or another."""
    currency: str
    total: int
    tax: int
    amount_due: int
    amount_paid: int
    amount_remaining: int
    amount_refunded: int
    amount_disputed: int
    """What cardholders' banks took back or hold back."""
    charge_id: str | None
    """What paid it, and can be refunded."""
    attempts: int
    created: datetime
    period_start: datetime | None
    period_end: datetime | None
    next_attempt_at: datetime | None
    failed_at: datetime | None
    """When a payment of it first failed; with `paid_at` as well, it was recovered."""
    paid_at: datetime | None
    hosted_url: str | None
    pdf_url: str | None


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """What is charged by default. The card's facts are None for what is no card."""

    stripe_id: str
    kind: str
    brand: str | None
    last4: str | None
    expires_month: int | None
    expires_year: int | None


_FACTS = tuple(field.name for field in fields(Invoice))
_METHOD = tuple(field.name for field in fields(PaymentMethod))


def unpaid_since(subscription_id: str, invoices: Iterable[Invoice]) -> datetime | None:
    """When the oldest invoice of the subscription was made that waits for its payment since a period was last paid.

    One that was left open before that is still owed, and is no part of what is used now. Where none waits, the latest
    counts when it was given up as uncollectible.
    """
    its = sorted(
        (each for each in invoices if each.subscription_id == subscription_id),
        key=lambda each: (each.created, each.stripe_id),
    )
    paid = [each.created for each in its if each.status == PAID and each.reason in _OF_PERIODS]
    waiting = [each.created for each in its if each.status == OPEN and each.amount_remaining > 0]
    since = [created for created in waiting if not paid or created >= paid[-1]]
    if since:
        return since[0]
    return its[-1].created if its and its[-1].status == UNCOLLECTIBLE else None


@use_case(Permission.MANAGE_BILLING)
def invoices(session: Session, scope: Scope) -> tuple[Invoice, ...]:
    """Every invoice of the one account in view, the newest first."""
    return invoices_in(session, scope.account_id)


def invoices_in(session: Session, account_id: UUID) -> tuple[Invoice, ...]:
    """Room: every invoice that Stripe ever told us of for the account, the newest first."""
    found = session.scalars(
        select(InvoiceRecord)
        .where(InvoiceRecord.account_id == account_id)
        .order_by(InvoiceRecord.created.desc(), InvoiceRecord.stripe_id.desc())
    )
    return tuple(_facts(each) for each in found)


def method_in(session: Session, account_id: UUID) -> PaymentMethod | None:
    """Room: what the account pays with by default, None when Stripe knows of nothing."""
    record = session.get(PaymentMethodRecord, account_id, populate_existing=True)
    return None if record is None else PaymentMethod(**{name: getattr(record, name) for name in _METHOD})


def keep_invoices(session: Session, account_id: UUID, told: Iterable[Invoice]) -> None:
    """Room: store Stripe's answer about an account's invoices.

    What the answer lacks stays as it is. Paid and void are for ever at Stripe, so an answer that would undo them is an
    old one and is passed over. The instant of a first failure is kept as it was first told.
    """
    ordered = sorted(told, key=lambda each: each.stripe_id)
    kept = {
        record.stripe_id: record
        for record in session.scalars(
            select(InvoiceRecord)
            .where(InvoiceRecord.account_id == account_id)
            .where(InvoiceRecord.stripe_id.in_([each.stripe_id for each in ordered]))
            .with_for_update()
        )
    }
    for each in ordered:
        record = kept.get(each.stripe_id)
        if record is None:
            session.add(InvoiceRecord(account_id=account_id, **{name: getattr(each, name) for name in _FACTS}))
        elif record.status not in (PAID, VOID) or record.status == each.status:
            _keep(record, each)
    session.flush()


def keep_method(session: Session, account_id: UUID, method: PaymentMethod | None) -> None:
    """Room: store what the account pays with by default; None when there is nothing any more."""
    if method is None:
        record = session.get(PaymentMethodRecord, account_id)
        if record is not None:
            session.delete(record)
            session.flush()
        return
    facts = {name: getattr(method, name) for name in _METHOD} | {"fetched_at": func.now()}
    session.execute(
        insert(PaymentMethodRecord)
        .values(account_id=account_id, **facts)
        .on_conflict_do_update(index_elements=[PaymentMethodRecord.account_id], set_=facts)
    )


def _keep(record: InvoiceRecord, told: Invoice) -> None:
    failed_at = record.failed_at or told.failed_at
    for name in _FACTS:
        setattr(record, name, getattr(told, name))
    record.failed_at = failed_at
    record.fetched_at = func.now()


def _facts(record: InvoiceRecord) -> Invoice:
    return Invoice(**{name: getattr(record, name) for name in _FACTS})
