"""What is asked of Stripe to sell a plan.

Every function raises NotConfigured without a usable key, and what `stripe_client.refusals` raises.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from core.billing.plans import METERED, OFFERS
from core.billing.proration import sold_together
from core.billing.stripe_client import client, refusals
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
    """The id of the account's customer at Stripe. Asked twice with the same facts, Stripe makes one.

    Stripe goes on answering a key with what it made then, though that was deleted since: then another key is used.
    """
    facts = hashlib.sha256(f"{email}\0{name}".encode()).hexdigest()[:16]
    key = f"customer-{account_id}-{facts}"
    while True:
        with refusals():
            made = client().v1.customers.create(
                {"email": email, "name": name, "metadata": {"account_id": str(account_id)}}, {"idempotency_key": key}
            )
            if not getattr(client().v1.customers.retrieve(made.id), "deleted", False):
                return made.id
        key = f"customer-{account_id}-after-{made.id}"


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
