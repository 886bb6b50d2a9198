"""One model server and one client of each kind for all tests here: building a client is what costs."""

from collections.abc import Iterator

import pytest

from core.ai.anthropic_gateway import AnthropicGateway
from core.ai.openai_gateway import OpenAIGateway
from core.ai.protocol import Provider
from tests.peers.model_server import ModelServer

PROVIDERS = ("openai", "azure", "legacy", "compatible", "anthropic")


@pytest.fixture(scope="session")
def _server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
def server(_server: ModelServer) -> ModelServer:
    _server.play()
    return _server


@pytest.fixture(scope="session")
def clients(_server: ModelServer) -> dict[str, Provider]:
    return {
        "openai": OpenAIGateway("openai", api_key="k", base_url=f"{_server.url}/v1"),
        "azure": OpenAIGateway("azure", api_key="k", base_url=f"{_server.url}/openai/v1/"),
        "legacy": OpenAIGateway("azure", api_key="k", base_url=_server.url, azure_version="2024-10-21"),
        "compatible": OpenAIGateway("compatible", api_key=None, base_url=f"{_server.url}/v1", limit_name="max_tokens"),
        "anthropic": AnthropicGateway(api_key="k", base_url=_server.url),
    }


@pytest.fixture(params=PROVIDERS)
def client(request: pytest.FixtureRequest, clients: dict[str, Provider]) -> Provider:
    return clients[request.param]
