"""What is read from Stripe of invoices, of the charges that paid or failed to pay them, and of payment methods."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.billing.invoices import OPEN, UNCOLLECTIBLE, Invoice, PaymentMethod
from core.billing.stripe_client import Asking

if TYPE_CHECKING:
    import stripe

TAKEN_BACK = frozenset({"needs_response", "under_review", "lost", "appeal_needs_response", "appeal_under_review"})
"""States of a dispute in which the amount is not ours. An early warning takes nothing yet."""


@dataclass(frozen=True, slots=True)
class _Paid:
    """What the charges of an invoice come to."""

    charge_id: str | None = None
    refunded: int = 0
    disputed: int = 0
    failed_at: int | None = None


def invoices_of(asking: Asking, customer_id: str) -> tuple[Invoice, ...]:
    """Every invoice of the customer but drafts, canceled and given up ones too."""
    told = [
        each
        for each in asking.every(
            lambda v1, params: v1.invoices.list(params), {"customer": customer_id, "expand": ["data.payments"]}
        )
        if each.status not in (None, "draft")
    ]
    if not any(each.attempt_count or each.amount_paid for each in told):
        return tuple(_invoice(each, _Paid()) for each in told)
    charges = _charges_of(asking, customer_id)
    return tuple(_invoice(each, _paid_by(asking, each, charges)) for each in told)


def _charges_of(asking: Asking, customer_id: str) -> Mapping[str, list["stripe.Charge"]]:
    """The customer's charges by the payment intent that they are a try of, and each by its own id."""
    found: dict[str, list[stripe.Charge]] = defaultdict(list)
    for each in asking.every(lambda v1, params: v1.charges.list(params), {"customer": customer_id}):
        found[each.id].append(each)
        if each.payment_intent is not None:
            found[name_of(each.payment_intent)].append(each)
    return found


def _paid_by(asking: Asking, invoice: "stripe.Invoice", charges: Mapping[str, list["stripe.Charge"]]) -> _Paid:
    named = [each.payment for each in invoice.payments.data] if invoice.payments else []
    by = [name_of(one) for each in named for one in (each.payment_intent or getattr(each, "charge", None),) if one]
    its = sorted((charge for name in by for charge in charges.get(name, ())), key=lambda each: (each.created, each.id))
    taken = [each for each in its if each.status == "succeeded"]
    return _Paid(
        charge_id=taken[-1].id if taken else None,
        refunded=sum(each.amount_refunded for each in taken),
        disputed=sum(_disputed(asking, each.id) for each in taken if each.disputed),
        failed_at=next((each.created for each in its if each.status == "failed"), None),
    )


def _disputed(asking: Asking, charge_id: str) -> int:
    disputes = asking.every(lambda v1, params: v1.disputes.list(params), {"charge": charge_id})
    return sum(each.amount for each in disputes if each.status in TAKEN_BACK)


def _invoice(told: "stripe.Invoice", paid: _Paid) -> Invoice:
    of_subscription = told.parent.subscription_details if told.parent else None
    return Invoice(
        stripe_id=told.id,
        customer_id=name_of(told.customer) if told.customer else "",
        subscription_id=name_of(of_subscription.subscription) if of_subscription else None,
        number=told.number,
        status=told.status or "",
        reason=told.billing_reason,
        currency=told.currency.upper(),
        total=told.total,
        tax=sum(each.amount for each in told.total_taxes or ()),
        amount_due=told.amount_due,
        amount_paid=told.amount_paid,
        amount_remaining=told.amount_remaining,
        amount_refunded=paid.refunded,
        amount_disputed=paid.disputed,
        charge_id=paid.charge_id,
        attempts=told.attempt_count,
        created=instant(told.created),
        period_start=instant(told.period_start),
        period_end=instant(told.period_end),
        next_attempt_at=optional_instant(told.next_payment_attempt),
        failed_at=_failed_at(told, paid),
        paid_at=optional_instant(told.status_transitions.paid_at),
        hosted_url=told.hosted_invoice_url,
        pdf_url=told.invoice_pdf,
    )


def _failed_at(told: "stripe.Invoice", paid: _Paid) -> datetime | None:
    """When the first charge failed. A try without a card leaves no charge: then it is when the invoice was final."""
    is_owed = told.status in (OPEN, UNCOLLECTIBLE) and told.attempted and told.amount_remaining > 0
    if paid.failed_at is not None:
        return instant(paid.failed_at)
    if told.attempt_count > 1 or (is_owed and told.attempt_count):
        return instant(told.status_transitions.finalized_at or told.created)
    return None


def method(told: "stripe.PaymentMethod") -> PaymentMethod:
    card = told.card if told.type == "card" else None
    return PaymentMethod(
        stripe_id=told.id,
        kind=told.type,
        brand=card.brand if card else None,
        last4=card.last4 if card else None,
        expires_month=card.exp_month if card else None,
        expires_year=card.exp_year if card else None,
    )


def name_of(about: object) -> str:
    """The id of something that Stripe answers with as an id or, asked to expand it, whole."""
    return about if isinstance(about, str) else str(about.id)  # type: ignore[attr-defined]


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def optional_instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else instant(seconds)
