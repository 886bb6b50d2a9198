"""The one way to Stripe: its SDK's client, and its errors as ours. The only module that imports the SDK's code.

stripe-python 16.1, API version 2026-10-28.endive as the SDK pins it. Its client retries nothing and waits 80 s unless
told otherwise. It is imported when something is asked of Stripe, and not before.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import Conflict, NotConfigured, NotFound, Unavailable
from core.settings import settings

if TYPE_CHECKING:
    import stripe

T = TypeVar("T")
S = TypeVar("S", bound="stripe.StripeObject")

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


class Asking:
    """Several requests that make one answer. Without retries all of them take no longer than one may.

    Each raises Unavailable when the time is over, and what `refusals` raises.
    """

    def __init__(self, patience: Patience = PATIENT) -> None:
        (connect, read), retries = self._patience = patience
        self._ends = None if retries else time.monotonic() + connect + read

    def one(self, ask: Callable[["stripe.V1Services"], T]) -> T:
        """What a single request answers."""
        with refusals():
            return ask(client(self._left()).v1)

    def every(
        self, ask: Callable[["stripe.V1Services", Any], "stripe.ListObject[S]"], params: Mapping[str, object]
    ) -> Iterator[S]:
        """All that a list holds, page by page; `ask` is called with the parameters of each page."""
        wanted = {"limit": 100, **params}
        while True:
            page = self.one(lambda v1: ask(v1, dict(wanted)))
            yield from page.data
            if not page.has_more or not page.data:
                return
            wanted["starting_after"] = page.data[-1]["id"]

    def _left(self) -> Patience:
        """Half seconds, so that there are few clients: each keeps connections of its own."""
        if self._ends is None:
            return self._patience
        (connect, read), retries = self._patience
        left = int(2 * (self._ends - time.monotonic() - connect / 2)) / 2
        if left < 0.5:
            raise Unavailable("billing.stripe_unavailable")
        return (connect / 2, min(read, left)), retries


@contextmanager
def refusals() -> Iterator[None]:
    """Stripe's errors as ours, for whatever is asked within.

    NotConfigured for a key that is refused, Unavailable when Stripe does not answer, or not yet, NotFound for an object
    that Stripe does not know, and Conflict with Stripe's own words when it refuses a request.
    """
    import stripe

    try:
        yield
    except (stripe.AuthenticationError, stripe.PermissionError):
        raise NotConfigured("billing.key_refused") from None
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        is_asked_already = error.http_status == HTTPStatus.CONFLICT  # under the same key, a moment ago
        raise Unavailable("billing.under_way" if is_asked_already else "billing.stripe_unavailable") from error
    except stripe.StripeError as error:
        if error.code == "resource_missing":
            raise NotFound("billing.stripe_unknown") from error
        raise Conflict("billing.stripe_refused", reason=error.user_message or error.code or "") from error
