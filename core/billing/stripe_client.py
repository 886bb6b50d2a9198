"""The one way to Stripe: its SDK's client, and its errors as ours. The only module that imports the SDK's code.

stripe-python 16.1, API version 2026-10-28.endive as the SDK pins it. Its client retries nothing and waits 80 s unless
told otherwise. It is imported when something is asked of Stripe, and not before.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from core.errors import Conflict, NotConfigured, NotFound, Unavailable
from core.settings import settings

if TYPE_CHECKING:
    import stripe

PATIENT = ((3.0, 10.0), 2)
"""Seconds to connect and to read, and how many retries: for work that nobody watches or that must be done once."""
QUICK = ((1.0, 4.0), 0)
"""For a person who looks at the page meanwhile: an answer within 5 s, or none."""

Patience = tuple[tuple[float, float], int]


def is_configured() -> bool:
    return settings().stripe_secret_key is not None


def expects_livemode() -> bool | None:
    """Whether the key is of live mode; None without a key."""
    key = settings().stripe_secret_key
    return None if key is None else "_live_" in key.get_secret_value()[:10]


def client(patience: Patience = PATIENT) -> "stripe.StripeClient":
    """One a process for each patience. Raises NotConfigured without a key."""
    key = settings().stripe_secret_key
    if key is None:
        raise NotConfigured("billing.no_key")
    return _madeclient(key.get_secret_value(), settings().stripe_api_base, patience)


@cache
def _madeclient(key: str, api_base: str | None, patience: Patience) -> "stripe.StripeClient":
    import stripe

    logging.getLogger("stripe").setLevel(logging.WARNING)  # at INFO it writes customers' ids with each request
    timeout, retries = patience
    return stripe.StripeClient(
        key,
        base_addresses={"api": api_base} if api_base else {},
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


@contextmanager
def refusals() -> Iterator[None]:
    """Stripe's errors as ours, for whatever is asked within.

    NotConfigured for a key that is refused, Unavailable when Stripe does not answer, NotFound for an object that
    Stripe does not know, and Conflict with Stripe's own words when it refuses a request.
    """
    import stripe

    try:
        yield
    except (stripe.AuthenticationError, stripe.PermissionError):
        raise NotConfigured("billing.key_refused") from None
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        raise Unavailable("billing.stripe_unavailable") from error
    except stripe.StripeError as error:
        if error.code == "resource_missing":
            raise NotFound("billing.stripe_unknown") from error
        raise Conflict("billing.stripe_refused", reason=error.user_message or error.code or "") from error
