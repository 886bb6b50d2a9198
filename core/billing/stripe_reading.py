"""What is read from Stripe to know what a customer has: subscriptions, invoices, and what pays them.

The lists of one answer are not of one instant. A change between two of them rings after the question was asked, so the
next answer is whole. Every function raises NotConfigured without a usable key, and what `stripe_client.refusals`
raises. Discounts of single items are passed over: none are given, and the log names them.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from core.billing.invoices import Invoice, PaymentMethod, unpaid_since
from core.billing.plans import CATALOGUE, LIVING, OFFERS, Discount, Item, Status, Subscription, plan_item
from core.billing.stripe_client import PATIENT, Asking, Patience
from core.billing.stripe_invoices import instant, invoices_of, method, name_of, optional_instant
from core.errors import NotFound

if TYPE_CHECKING:
    import stripe

log = logging.getLogger("huntaze.billing")


@dataclass(frozen=True, slots=True)
class CustomerState:
    """What Stripe said of a customer. One that was deleted there has nothing any more, and never will again."""

    subscriptions: tuple[Subscription, ...]
    invoices: tuple[Invoice, ...]
    method: PaymentMethod | None
    is_deleted: bool = False


def customer_state(customer_id: str, patience: Patience = PATIENT) -> CustomerState:
    """All that the customer has and ever had, canceled subscriptions too, as of now."""
    asking = Asking(patience)
    customer = asking.one(lambda v1: v1.customers.retrieve(customer_id))
    if getattr(customer, "deleted", False):
        return CustomerState((), (), None, is_deleted=True)
    listed = list(_listed(asking, customer_id))
    invoices = invoices_of(asking, customer_id)
    return CustomerState(
        subscriptions=tuple(owing_since(_subscription(asking, each), invoices) for each in listed),
        invoices=invoices,
        method=_method(asking, customer, listed),
    )


def _method(
    asking: Asking, customer: "stripe.Customer", listed: Iterable["stripe.Subscription"]
) -> PaymentMethod | None:
    """What the newest living subscription is paid with, else what the customer pays with by default."""
    living = sorted((each for each in listed if each.status in LIVING), key=lambda each: -each.created)
    of_subscriptions = [each.default_payment_method for each in living if each.default_payment_method is not None]
    of_customer = customer.invoice_settings.default_payment_method if customer.invoice_settings else None
    named = of_subscriptions[0] if of_subscriptions else of_customer
    if named is None:
        return None
    return method(asking.one(lambda v1: v1.payment_methods.retrieve(named)) if isinstance(named, str) else named)


def owing_since(told: Subscription, invoices: tuple[Invoice, ...]) -> Subscription:
    """With the instant up to which it is paid, while it is past due."""
    is_owing = told.status == Status.PAST_DUE
    return replace(told, unpaid_since=unpaid_since(told.stripe_id, invoices) if is_owing else None)


def every_subscription() -> Iterator[Subscription]:
    """Every subscription that anybody ever had, canceled ones too, page by page. Since when one owes is not asked."""
    asking = Asking()
    return (_subscription(asking, each) for each in _listed(asking))


def _listed(asking: Asking, customer_id: str | None = None) -> Iterator["stripe.Subscription"]:
    expanded = ["data.default_payment_method", "data.discounts.source.coupon"]
    whose = {} if customer_id is None else {"customer": customer_id}
    return asking.every(
        lambda v1, params: v1.subscriptions.list(params), {**whose, "status": "all", "expand": expanded}
    )


def subscription(stripe_id: str, patience: Patience = PATIENT) -> Subscription | None:
    """One subscription as of now, None when Stripe does not know it. Since when it owes is not asked."""
    asking = Asking(patience)
    try:
        found = asking.one(lambda v1: v1.subscriptions.retrieve(stripe_id, {"expand": ["discounts.source.coupon"]}))
    except NotFound:
        return None
    return _subscription(asking, found)


def customer_of(kind: str, stripe_id: str) -> str | None:
    """The customer behind an object that an event names; `kind` is one of `deliveries.RESOLVABLE`.

    A dispute or a refund leads there through its charge, the payment of an invoice through the invoice.
    """
    asking = Asking()
    found = asking.one(lambda v1: _RETRIEVE[kind](v1, stripe_id))
    customer = getattr(found, "customer", None)
    if customer is not None:
        return name_of(customer)
    through = next((one for one in _THROUGH if getattr(found, one, None) is not None), None)
    return None if through is None else customer_of(through, name_of(getattr(found, through)))


_THROUGH = ("charge", "payment_intent", "invoice")
_RETRIEVE: Mapping[str, Callable[["stripe.V1Services", str], object]] = {
    "subscription": lambda v1, stripe_id: v1.subscriptions.retrieve(stripe_id),
    "subscription_schedule": lambda v1, stripe_id: v1.subscription_schedules.retrieve(stripe_id),
    "invoice": lambda v1, stripe_id: v1.invoices.retrieve(stripe_id),
    "invoice_payment": lambda v1, stripe_id: v1.invoice_payments.retrieve(stripe_id),
    "charge": lambda v1, stripe_id: v1.charges.retrieve(stripe_id),
    "checkout.session": lambda v1, stripe_id: v1.checkout.sessions.retrieve(stripe_id),
    "dispute": lambda v1, stripe_id: v1.disputes.retrieve(stripe_id),
    "refund": lambda v1, stripe_id: v1.refunds.retrieve(stripe_id),
    "payment_intent": lambda v1, stripe_id: v1.payment_intents.retrieve(stripe_id),
    "payment_method": lambda v1, stripe_id: v1.payment_methods.retrieve(stripe_id),
}


def events_since(since: datetime) -> Iterator[bytes]:
    """The events of the last 30 days that are not older than that, the newest first, each as JSON."""
    created = {"gte": int(since.timestamp())}
    for each in Asking().every(lambda v1, params: v1.events.list(params), {"created": created}):
        yield json.dumps(each.to_dict(for_json=True)).encode()


def _subscription(asking: Asking, told: "stripe.Subscription") -> Subscription:
    sold = told.items.data
    if any(each.discounts for each in sold):
        log.warning("subscription %s has discounts of single items, which are not counted", told.id)
    items = tuple(_item(each) for each in sold)
    plan = plan_item(items)
    next_key, next_at = _next(asking, told)
    reason = told.cancellation_details.reason if told.cancellation_details else None
    return Subscription(
        stripe_id=told.id,
        customer_id=name_of(told.customer),
        status=told.status,
        lookup_key=plan.lookup_key if plan else None,
        quantity=plan.quantity if plan else 0,
        created=instant(told.created),
        current_period_start=instant(max((each.current_period_start for each in sold), default=told.start_date)),
        current_period_end=instant(max((each.current_period_end for each in sold), default=told.start_date)),
        trial_end=optional_instant(told.trial_end),
        cancel_at=optional_instant(told.cancel_at),
        cancel_at_period_end=told.cancel_at_period_end,
        price_id=plan.price_id if plan else None,
        items=items,
        discounts=tuple(found for each in told.discounts if (found := _discount(each))),
        started_at=instant(told.start_date),
        ended_at=optional_instant(told.ended_at),
        cancel_reason=reason,
        schedule_id=name_of(told.schedule) if told.schedule else None,
        next_lookup_key=next_key,
        next_at=next_at,
    )


def _item(told: "stripe.SubscriptionItem") -> Item:
    price, recurring = told.price, told.price.recurring
    months = {"month": 1, "year": 12}.get(recurring.interval) if recurring else None
    is_metered = recurring is not None and recurring.usage_type == "metered"
    return Item(
        stripe_id=told.id,
        price_id=price.id,
        lookup_key=_sold_as(price),
        quantity=(getattr(told, "quantity", None) or 0) if is_metered else _quantity(told),
        unit_amount=price.unit_amount,
        currency=price.currency.upper(),
        months=months * recurring.interval_count if months and recurring else None,
        is_metered=is_metered,
    )


def _quantity(told: "stripe.SubscriptionItem") -> int:
    return 1 if told.quantity is None else told.quantity


def _sold_as(price: "stripe.Price") -> str | None:
    """The key that it has, or had when it was made: a key moves to the price that takes its place."""
    if price.lookup_key in CATALOGUE:
        return price.lookup_key
    noted = price.metadata.to_dict().get("lookup_key")
    return noted if noted in CATALOGUE else price.lookup_key


def _discount(told: "str | stripe.Discount") -> Discount | None:
    """None for what is taken off a single invoice: it is no part of the price that recurs."""
    coupon = None if isinstance(told, str) else told.source.coupon
    if isinstance(told, str) or coupon is None or isinstance(coupon, str) or coupon.duration == "once":
        return None
    return Discount(
        percent_off=None if coupon.percent_off is None else Decimal(str(coupon.percent_off)),
        amount_off=coupon.amount_off,
        currency=coupon.currency.upper() if coupon.currency else None,
        ends_at=optional_instant(told.end),
    )


def _next(asking: Asking, told: "stripe.Subscription") -> tuple[str | None, datetime | None]:
    """To which plan a schedule changes the subscription after its present phase, and when."""
    if told.schedule is None or told.status not in LIVING:
        return None, None
    schedule_id = name_of(told.schedule)
    schedule = asking.one(
        lambda v1: v1.subscription_schedules.retrieve(schedule_id, {"expand": ["phases.items.price"]})
    )
    if schedule.status != "active" or schedule.current_phase is None:
        return None, None
    over = schedule.current_phase.end_date
    later = [each for each in schedule.phases if each.start_date >= over]
    if not later:
        return None, None
    after = min(later, key=lambda each: each.start_date)
    keys = [_sold_as(each.price) for each in after.items if not isinstance(each.price, str)]
    return next((key for key in keys if key in OFFERS), None), instant(after.start_date)
