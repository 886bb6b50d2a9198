"""How a Stripe account must be set up for us: the customer portal and the webhook, each found by a mark of ours.

Every function raises NotConfigured without a usable key, and what `stripe_client.refusals` raises.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.billing.stripe_catalogue import Facts, Found, differing, marked, once
from core.billing.stripe_client import client, refusals

if TYPE_CHECKING:
    from stripe.params import WebhookEndpointCreateParams, WebhookEndpointUpdateParams
    from stripe.params.billing_portal import (
        ConfigurationCreateParams,
        ConfigurationCreateParamsFeatures,
        ConfigurationUpdateParams,
    )

MARK = {"huntaze": "default"}
"""Metadata by which we know a portal configuration and a webhook endpoint as ours."""
EVENTS = (
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.refunded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.deleted",
    "customer.discount.created",
    "customer.discount.deleted",
    "customer.discount.updated",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.created",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.updated",
    "invoice.voided",
    "payment_method.attached",
    "payment_method.automatically_updated",
    "payment_method.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "subscription_schedule.canceled",
    "subscription_schedule.completed",
    "subscription_schedule.created",
    "subscription_schedule.released",
    "subscription_schedule.updated",
)
"""The webhook's events: whatever can change what we hold of a customer."""

_FEATURES: "ConfigurationCreateParamsFeatures" = {
    "customer_update": {"enabled": True, "allowed_updates": ["address", "email", "name", "tax_id"]},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {
        "enabled": True,
        "mode": "at_period_end",
        "proration_behavior": "none",
        "cancellation_reason": {
            "enabled": True,
            "options": [
                "customer_service",
                "low_quality",
                "missing_features",
                "other",
                "switched_service",
                "too_complex",
                "too_expensive",
                "unused",
            ],
        },
    },
    "subscription_update": {"enabled": False},
}
"""Plans are changed on our own page, which shows first what that costs."""


@dataclass(frozen=True, slots=True)
class PortalPiece:
    """How Stripe's own pages for customers are set up."""

    return_url: str
    title = "portal configuration"

    @property
    def wanted(self) -> Facts:
        return {"active": True, "return_url": self.return_url, **_flat(_FEATURES)}

    def look(self) -> Found | None:
        with refusals():
            every = client().v1.billing_portal.configurations.list({"limit": 100}).auto_paging_iter()
            ours = [each for each in every if _is_ours(each.metadata)]
        if not ours:
            return None
        found = next((each for each in ours if each.active), ours[0])
        features = _flat(found.features.to_dict(for_json=True))
        facts = {name: features.get(name) for name in _flat(_FEATURES)}
        return Found(found.id, {"active": found.active, "return_url": found.default_return_url, **facts})

    def make(self, number: int) -> None:
        asked: ConfigurationCreateParams = {
            "features": _FEATURES,
            "default_return_url": self.return_url,
            "metadata": MARK,
        }
        with refusals():
            client().v1.billing_portal.configurations.create(asked, once(number, asked))

    def mend(self, found: Found, number: int) -> bool:
        features: Any = _FEATURES  # the same as when it is made, under another name of the SDK's
        asked: ConfigurationUpdateParams = {
            "active": True,
            "features": features,
            "default_return_url": self.return_url,
        }
        with refusals():
            client().v1.billing_portal.configurations.update(found.stripe_id, asked, once(number, asked, found))
        return True


@dataclass(frozen=True, slots=True)
class EndpointPiece:
    """Where Stripe sends its events, in the shapes of the version that the SDK pins."""

    url: str
    title = "webhook endpoint"

    @property
    def wanted(self) -> Facts:
        import stripe

        return {"url": self.url, "events": EVENTS, "enabled": True, "api_version": stripe.api_version}

    def look(self) -> Found | None:
        with refusals():
            every = list(client().v1.webhook_endpoints.list({"limit": 100}).auto_paging_iter())
        ours = [each for each in every if _is_ours(each.metadata)] or [each for each in every if each.url == self.url]
        if not ours:
            return None
        found = ours[0]
        return Found(
            found.id,
            {
                "url": found.url,
                "events": tuple(sorted(found.enabled_events)),
                "enabled": found.status == "enabled",
                "api_version": found.api_version,
            },
        )

    def make(self, number: int) -> str | None:
        import stripe

        version: Any = stripe.api_version
        asked: WebhookEndpointCreateParams = {
            "url": self.url,
            "enabled_events": _listed(),
            "api_version": version,
            "metadata": MARK,
        }
        with refusals():
            return client().v1.webhook_endpoints.create(asked, once(number, asked)).secret

    def mend(self, found: Found, number: int) -> bool:
        if "api_version" in differing(self.wanted, found):
            return False
        asked: WebhookEndpointUpdateParams = {
            "url": self.url,
            "enabled_events": _listed(),
            "disabled": False,
            "metadata": MARK,
        }
        with refusals():
            client().v1.webhook_endpoints.update(found.stripe_id, asked, once(number, asked, found))
        return True


def _listed() -> Any:
    """The SDK names each type of event in its own types."""
    return list(EVENTS)


def _is_ours(metadata: object) -> bool:
    return MARK.items() <= marked(metadata).items()


def _flat(nested: Mapping[str, Any], above: str = "") -> dict[str, object]:
    """`{"a": {"b": [2, 1]}}` as `{"a.b": (1, 2)}`."""
    flat: dict[str, object] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{above}{name}.")
        else:
            flat[f"{above}{name}"] = tuple(sorted(value)) if isinstance(value, list) else value
    return flat
