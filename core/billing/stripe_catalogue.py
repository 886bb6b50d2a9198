"""What we sell, as a Stripe account must hold it: how each piece is found, made and put right.

A piece is found by an id, a key or a mark of ours, never by an id of Stripe's. Every function raises NotConfigured
without a usable key, and what `stripe_client.refusals` raises.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from core.billing.plans import METERED, SEATS, Offer
from core.billing.stripe_client import client, refusals
from core.errors import NotFound

if TYPE_CHECKING:
    from stripe import RequestOptions
    from stripe.params import (
        PriceCreateParams,
        PriceCreateParamsRecurring,
        PriceUpdateParams,
        ProductCreateParams,
        ProductUpdateParams,
    )
    from stripe.params.billing import MeterCreateParams

METER = "ai_generation"
"""The event name of the meter that counts model drafts."""
Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Found:
    """A piece as it is at Stripe, with the facts that we compare."""

    stripe_id: str
    facts: Facts


def differing(wanted: Facts, found: Found) -> set[str]:
    """The names of the facts that are not as wanted."""
    return {name for name in wanted if found.facts[name] != wanted[name]}


def once(number: int, asked: Mapping[str, Any], found: Found | None = None) -> "RequestOptions":
    """The idempotency key of a write: of what is asked, of what it changes, and of the try that it is."""
    said = json.dumps([asked, found and found.stripe_id, number], sort_keys=True)
    return {"idempotency_key": f"setup-{hashlib.sha256(said.encode()).hexdigest()[:32]}"}


class Piece(Protocol):
    """One thing that Stripe must hold. `wanted` are the facts that it must have."""

    @property
    def title(self) -> str: ...
    @property
    def wanted(self) -> Facts: ...
    def look(self) -> Found | None:
        """None when there is none."""

    def make(self, number: int) -> str | None:
        """Make it, in a run's try of that `number`. Returns a secret that is told only now, where there is one."""

    def mend(self, found: Found, number: int) -> bool:
        """Put what differs right. False when Stripe lets nobody change them."""


@dataclass(frozen=True, slots=True)
class ProductPiece:
    """What is named on an invoice. Its id at Stripe is ours."""

    stripe_id: str
    name: str

    @property
    def title(self) -> str:
        return f"product {self.stripe_id}"

    @property
    def wanted(self) -> Facts:
        return {"name": self.name, "active": True}

    def look(self) -> Found | None:
        try:
            with refusals():
                found = client().v1.products.retrieve(self.stripe_id)
        except NotFound:
            return None
        if getattr(found, "deleted", None):
            return None
        return Found(found.id, {"name": found.name, "active": found.active})

    def make(self, number: int) -> None:
        asked: ProductCreateParams = {"id": self.stripe_id, "name": self.name}
        with refusals():
            client().v1.products.create(asked, once(number, asked))

    def mend(self, found: Found, number: int) -> bool:
        asked: ProductUpdateParams = {"name": self.name, "active": True}
        with refusals():
            client().v1.products.update(found.stripe_id, asked, once(number, asked, found))
        return True


@dataclass(frozen=True, slots=True)
class MeterPiece:
    """Counts model drafts by customer."""

    title = f"meter {METER}"
    wanted = {"active": True, "formula": "sum", "customer": "stripe_customer_id", "value": "value"}  # noqa: RUF012

    def look(self) -> Found | None:
        with refusals():
            every = client().v1.billing.meters.list({"limit": 100}).auto_paging_iter()
            ours = [each for each in every if each.event_name == METER]
        if not ours:
            return None
        found = next((each for each in ours if each.status == "active"), ours[0])
        return Found(
            found.id,
            {
                "active": found.status == "active",
                "formula": found.default_aggregation.formula,
                "customer": found.customer_mapping.event_payload_key,
                "value": found.value_settings.event_payload_key,
            },
        )

    def make(self, number: int) -> None:
        asked: MeterCreateParams = {
            "display_name": "Model drafts beyond the plan",
            "event_name": METER,
            "default_aggregation": {"formula": "sum"},
            "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
            "value_settings": {"event_payload_key": "value"},
        }
        with refusals():
            client().v1.billing.meters.create(asked, once(number, asked))

    def mend(self, found: Found, number: int) -> bool:
        if differing(self.wanted, found) != {"active"}:
            return False
        with refusals():
            client().v1.billing.meters.reactivate(found.stripe_id, {}, once(number, {}, found))
        return True


def product_of(offer: Offer) -> ProductPiece:
    """The product that an offer's price is of: one for a plan, one for its seats, one for its metered drafts."""
    plan = offer.plan.value
    if offer.lookup_key in SEATS:
        return ProductPiece(f"huntaze_{plan}_seat", f"Huntaze {plan.title()}: one more creator")
    if offer.lookup_key in METERED:
        return ProductPiece(f"huntaze_{plan}_generation", f"Huntaze {plan.title()}: model drafts beyond the plan")
    return ProductPiece(f"huntaze_{plan}", f"Huntaze {plan.title()}")


@dataclass(frozen=True, slots=True)
class PricePiece:
    """The price under an offer's lookup key. Stripe lets nobody change an amount: another price takes the key over."""

    offer: Offer

    @property
    def title(self) -> str:
        return f"price {self.offer.lookup_key}"

    @property
    def wanted(self) -> Facts:
        is_metered = self.offer.lookup_key in METERED
        return {
            "amount": self.offer.list_amount,
            "currency": self.offer.currency,
            "months": self.offer.months,
            "product": product_of(self.offer).stripe_id,
            "metered": is_metered,
            "meter": METER if is_metered else None,
            "active": True,
            "metadata": self.offer.lookup_key,
        }

    def look(self) -> Found | None:
        with refusals():
            listed = client().v1.prices.list({"lookup_keys": [self.offer.lookup_key], "limit": 100})
            prices = sorted(listed.auto_paging_iter(), key=lambda each: each.active)
        if not prices:
            return None
        price, every = prices[-1], prices[-1].recurring
        months = {"month": 1, "year": 12}.get(every.interval, 0) * every.interval_count if every else 0
        meter = MeterPiece().look() if every and every.meter else None
        is_ours = meter is not None and every is not None and every.meter == meter.stripe_id
        return Found(
            price.id,
            {
                "amount": price.unit_amount,
                "currency": price.currency.upper(),
                "months": months,
                "product": price.product if isinstance(price.product, str) else price.product.id,
                "metered": every is not None and every.usage_type == "metered",
                "meter": METER if is_ours else every and every.meter,
                "active": price.active,
                "metadata": marked(price.metadata).get("lookup_key"),
            },
        )

    def make(self, number: int) -> None:
        recurring: PriceCreateParamsRecurring = {
            "interval": "year" if self.offer.months == 12 else "month",
            "usage_type": "licensed",
        }
        if self.offer.lookup_key in METERED:
            meter = MeterPiece().look()
            if meter is None:
                raise NotFound("billing.stripe_unknown")
            recurring |= {"usage_type": "metered", "meter": meter.stripe_id}
        asked: PriceCreateParams = {
            "product": product_of(self.offer).stripe_id,
            "currency": self.offer.currency.lower(),
            "unit_amount": self.offer.list_amount,
            "recurring": recurring,
            "lookup_key": self.offer.lookup_key,
            "transfer_lookup_key": True,
            "metadata": {"lookup_key": self.offer.lookup_key},
        }
        with refusals():
            client().v1.prices.create(asked, once(number, asked))

    def mend(self, found: Found, number: int) -> bool:
        if differing(self.wanted, found) <= {"active", "metadata"}:
            asked: PriceUpdateParams = {"active": True, "metadata": {"lookup_key": self.offer.lookup_key}}
            with refusals():
                client().v1.prices.update(found.stripe_id, asked, once(number, asked, found))
        else:
            self.make(number)
        return True


def marked(metadata: Any) -> dict[str, str]:
    """An object's metadata, none of it when it has none."""
    return metadata.to_dict() if metadata is not None else {}
