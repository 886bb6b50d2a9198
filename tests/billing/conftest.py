"""A Stripe of our own for the tests of billing, and the settings that point to it."""

from collections.abc import Iterator

import pytest

from core.settings import settings
from tests.peers.stripe_server import KEY, SECRET, StripeServer


@pytest.fixture
def stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeServer]:
    """Stripe at the wire; the product is set up to use it."""
    with StripeServer() as server:
        monkeypatch.setenv("STRIPE_SECRET_KEY", KEY)
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", SECRET)
        monkeypatch.setenv("STRIPE_API_BASE", server.url)
        settings.cache_clear()
        yield server
    settings.cache_clear()


@pytest.fixture
def no_stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The product without any Stripe setting."""
    for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "STRIPE_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()
