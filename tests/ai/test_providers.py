"""Which providers an installation uses follows from its settings, and nothing is built before it is asked."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.ai.providers import chosen_providers
from core.errors import NotConfigured
from core.settings import Settings

KEY = SecretStr("k")
AZURE = {"azure_openai_api_key": KEY, "azure_openai_endpoint": "https://r", "azure_openai_deployment": "d"}


def test_without_a_key_there_is_none() -> None:
    assert chosen_providers(Settings()) == ()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"openai_api_key": KEY}, "openai"),
        (AZURE, "azure"),
        ({"anthropic_api_key": KEY}, "anthropic"),
        ({"compatible_base_url": "http://127.0.0.1:1/v1", "ai_model": "llama"}, "compatible"),
    ],
)
def test_the_key_that_is_set_chooses(given: dict[str, object], name: str) -> None:
    assert chosen_providers(Settings.model_validate(given)) == (name,)


def test_a_second_key_is_no_fallback_until_it_is_named() -> None:
    both = Settings(openai_api_key=KEY, anthropic_api_key=KEY)
    assert chosen_providers(both) == ("openai",)
    named = both.model_copy(update={"ai_provider": "anthropic, OpenAI"})
    assert chosen_providers(named) == ("anthropic", "openai")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"ai_provider": "oracle"}, "oracle"),
        ({"ai_provider": "openai"}, "OPENAI_API_KEY"),
        ({"ai_provider": "azure", "azure_openai_api_key": KEY}, "AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_DEPLOYMENT"),
        ({"ai_provider": "compatible", "compatible_base_url": "http://127.0.0.1:1"}, "AI_MODEL"),
    ],
)
def test_half_a_setting_is_said(given: dict[str, object], says: str) -> None:
    with pytest.raises(NotConfigured) as refused:
        chosen_providers(Settings.model_validate(given))
    assert says in refused.value.sentence("en")
    assert says in refused.value.sentence("fr")


@pytest.mark.parametrize("module", ["core.jobs.handlers", "core.content.assets", "dashboard.studio", "dashboard.asgi"])
def test_no_sdk_is_loaded_before_a_draft_is_written(module: str, repository: Path) -> None:
    """Each costs seconds and makes every rerun of a page dearer."""
    program = f"import sys, {module}; print([m for m in ('openai', 'anthropic') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=repository)
    assert answer.stdout.strip() == "[]"
