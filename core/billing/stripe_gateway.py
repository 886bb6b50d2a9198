"""What is asked of Stripe to sell a plan and to know what was bought.

Every function raises NotConfigured without a usable key, and what `stripe_client.refusals` raises.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from core.billing.plans import METERED, OFFERS, Subscription
from core.billing.proration import sold_together
from core.billing.stripe_client import PATIENT, Patience, client, refusals
from core.errors import Conflict, NotConfigured, NotFound, Unavailable

if TYPE_CHECKING:
    import stripe


@dataclass(frozen=True, slots=True)
class HostedPage:
    """A page at Stripe that the person is sent to."""

    stripe_id: str
    url: str


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    customer_id: str
    account_id: UUID
    lookup_key: str
    trial_days: int
    success_url: str
    cancel_url: str
    seats: int = 0
    is_taxed: bool = False
    """Whether Stripe reckons and adds taxes."""


@dataclass(frozen=True, slots=True)
class Price:
    """What Stripe charges under a lookup key: minor units of `currency` every `months`."""

    stripe_id: str
    lookup_key: str
    amount: int
    currency: str
    months: int


def make_customer(account_id: UUID, email: str, name: str) -> str:
    """The id of the account's customer at Stripe. Asked twice with the same facts, Stripe makes one."""
    facts = hashlib.sha256(f"{email}\0{name}".encode()).hexdigest()[:16]
    with refusals():
        customer = client().v1.customers.create(
            {"email": email, "name": name, "metadata": {"account_id": str(account_id)}},
            {"idempotency_key": f"customer-{account_id}-{facts}"},
        )
    return customer.id


def open_checkout(request: CheckoutRequest, idempotency_key: str) -> HostedPage:
    """A Checkout page that subscribes the customer. Raises NotConfigured when no price has the lookup key.

    Without a price for drafts beyond the allowance the plan is sold all the same: they are refused then.
    """
    together = dict(sold_together(OFFERS[request.lookup_key], request.seats))
    found = prices(together)
    for lookup_key in together:
        if lookup_key not in found and lookup_key not in METERED:
            raise NotConfigured("billing.price_missing", lookup_key=lookup_key)
    lines = [(found[key].stripe_id, quantity) for key, quantity in together.items() if key in found]
    with refusals():
        session = client().v1.checkout.sessions.create(
            _checkout_params(request, lines), {"idempotency_key": idempotency_key}
        )
    return _page(session.id, session.url)


def _checkout_params(
    request: CheckoutRequest, lines: Iterable[tuple[str, int | None]]
) -> "stripe.params.checkout.SessionCreateParams":
    account = {"account_id": str(request.account_id)}
    subscription: stripe.params.checkout.SessionCreateParamsSubscriptionData = {"metadata": account}
    if request.trial_days:
        subscription["trial_period_days"] = request.trial_days
    params: stripe.params.checkout.SessionCreateParams = {
        "mode": "subscription",
        "customer": request.customer_id,
        "client_reference_id": str(request.account_id),
        "line_items": [
            {"price": price} if many is None else {"price": price, "quantity": many} for price, many in lines
        ],
        "subscription_data": subscription,
        "allow_promotion_codes": True,
        "tax_id_collection": {"enabled": True},
        "customer_update": {"name": "auto", "address": "auto"},
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "metadata": account,
    }
    if request.is_taxed:
        params["automatic_tax"] = {"enabled": True}
    return params


def checkout_status(session_id: str) -> str:
    """`open`, `complete` or `expired`."""
    with refusals():
        return client().v1.checkout.sessions.retrieve(session_id).status or "open"


def close_checkout(session_id: str) -> str:
    """Make sure that nobody can pay on that page any more; the status it ended with, `expired` or `complete`."""
    try:
        with refusals():
            return client().v1.checkout.sessions.expire(session_id).status or "expired"
    except Conflict:
        return checkout_status(session_id)
    except NotFound:
        return "expired"


def open_portal(customer_id: str, return_url: str) -> HostedPage:
    """Stripe's own pages for payment methods and invoices, as `stripe-setup` made them or the account has them."""
    params: stripe.params.billing_portal.SessionCreateParams = {"customer": customer_id, "return_url": return_url}
    with refusals():
        listed = client().v1.billing_portal.configurations.list({"active": True, "limit": 100})
        for each in listed.auto_paging_iter():
            if (each.metadata.to_dict() if each.metadata else {}).get("huntaze") == "default":
                params["configuration"] = each.id
                break
        session = client().v1.billing_portal.sessions.create(params)
    return _page(session.id, session.url)


def subscriptions_of(customer_id: str, patience: Patience = PATIENT) -> tuple[Subscription, ...]:
    """Every subscription that the customer ever had, canceled ones too, as of now."""
    with refusals():
        listed = client(patience).v1.subscriptions.list(
            {"customer": customer_id, "status": "all", "limit": 100, "expand": ["data.latest_invoice"]}
        )
        return tuple(_subscription(each) for each in listed.auto_paging_iter())


def subscription(stripe_id: str, patience: Patience = PATIENT) -> Subscription | None:
    """One subscription as of now, None when Stripe does not know it."""
    try:
        with refusals():
            found = client(patience).v1.subscriptions.retrieve(stripe_id, {"expand": ["latest_invoice"]})
    except NotFound:
        return None
    return _subscription(found)


def customer_of(kind: str, stripe_id: str) -> str | None:
    """The customer behind an object that an event names; `kind` is one of `deliveries.RESOLVABLE`."""
    v1 = client().v1
    ask: Mapping[str, Callable[[str], object]] = {
        "subscription": v1.subscriptions.retrieve,
        "invoice": v1.invoices.retrieve,
        "charge": v1.charges.retrieve,
        "checkout.session": v1.checkout.sessions.retrieve,
    }
    with refusals():
        customer = getattr(ask[kind](stripe_id), "customer", None)
    return customer if customer is None or isinstance(customer, str) else customer.id


def events_since(instant: datetime) -> Iterator[bytes]:
    """The events of the last 30 days that are not older than that, the newest first, each as JSON."""
    with refusals():
        listed = client().v1.events.list({"created": {"gte": int(instant.timestamp())}, "limit": 100})
        for each in listed.auto_paging_iter():
            yield json.dumps(each.to_dict(for_json=True)).encode()


def prices(lookup_keys: Iterable[str]) -> dict[str, Price]:
    """The active prices under those keys, by key; a key that Stripe does not know is absent."""
    with refusals():
        listed = client().v1.prices.list({"lookup_keys": list(lookup_keys), "active": True, "limit": 100})
        return {price.lookup_key: price for each in listed.auto_paging_iter() if (price := _price(each))}


def _price(price: "stripe.Price") -> Price | None:
    if price.lookup_key is None or price.unit_amount is None or price.recurring is None:
        return None
    months = {"month": 1, "year": 12}.get(price.recurring.interval)
    if months is None:
        return None
    every = months * price.recurring.interval_count
    return Price(price.id, price.lookup_key, price.unit_amount, price.currency.upper(), every)


def _page(stripe_id: str, url: str | None) -> HostedPage:
    if not url:
        raise Unavailable("billing.stripe_unavailable")
    return HostedPage(stripe_id, url)


def _subscription(subscription: "stripe.Subscription") -> Subscription:
    items = subscription.items.data
    ours = next((item for item in items if item.price.lookup_key in OFFERS), items[0])
    return Subscription(
        stripe_id=subscription.id,
        customer_id=subscription.customer if isinstance(subscription.customer, str) else subscription.customer.id,
        status=subscription.status,
        lookup_key=ours.price.lookup_key,
        quantity=ours.quantity or 1,
        created=_instant(subscription.created),
        current_period_start=_instant(max(item.current_period_start for item in items)),
        current_period_end=_instant(max(item.current_period_end for item in items)),
        unpaid_since=_unpaid_since(subscription),
        trial_end=_optional_instant(subscription.trial_end),
        cancel_at=_optional_instant(subscription.cancel_at),
        cancel_at_period_end=subscription.cancel_at_period_end,
        price_id=ours.price.id,
    )


def _unpaid_since(subscription: "stripe.Subscription") -> datetime | None:
    """When the latest invoice was made, if it is unpaid. An earlier one is known to whoever kept the answer before."""
    invoice = subscription.latest_invoice
    if subscription.status != "past_due" or invoice is None or isinstance(invoice, str):
        return None
    return _instant(invoice.created) if invoice.status in ("open", "uncollectible") else None


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _optional_instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else _instant(seconds)
