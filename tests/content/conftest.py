"""A model for drafts: a server of ours at the wire, named by the settings as a vendor would be."""

from collections.abc import Iterator

import pytest

from core.settings import settings
from tests.peers.model_server import ModelServer


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """OpenAI, as far as the product can tell."""
    with ModelServer() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        settings.cache_clear()
        yield running
    settings.cache_clear()
