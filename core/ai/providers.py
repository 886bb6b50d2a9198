"""The providers that this installation may use, from its settings. Nothing is built before it is first needed.

`AI_PROVIDER` names them, in the order in which they are tried (`azure,openai`); unset, it is the one whose key is set.
Nothing else is ever called: no draft goes to a vendor, or costs money at one, that was not chosen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import cast

from core.ai.chain import Breaker, Chain, Deployment
from core.ai.opinion import Moderator
from core.ai.prices import model_of
from core.ai.protocol import Provider
from core.ai.routing import Reason, Route, Tier, decide, route
from core.errors import NotConfigured
from core.settings import Settings, settings

THINKING_ROOM = 4000
"""Tokens that a model which thinks before it writes may use on top of its answer."""
CALL_SECONDS = 60.0
"""The deadline of one draft, all tries and fallbacks together."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Where one draft may go: the chain, and the route of its first deployment. `routes` is by deployment order.

    `larger` is where it goes when its checks fail: None where the same models would be asked again.
    """

    chain: Chain
    routes: tuple[Route, ...]
    larger: "Choice | None" = None


def chosen_providers(configured: Settings) -> tuple[str, ...]:
    """The providers in the order in which they are tried; none when no key is set.

    Raises NotConfigured for a name that is none, and for one whose settings are incomplete.
    """
    if configured.ai_provider:
        names = tuple(part.strip().lower() for part in configured.ai_provider.split(",") if part.strip())
        for name in names:
            if name not in _NEEDS:
                raise NotConfigured("ai.unknown_provider", name=name, known=", ".join(_NEEDS))
            if missing := [setting for setting in _NEEDS[name] if not getattr(configured, setting)]:
                raise NotConfigured("ai.incomplete", name=name, settings=", ".join(missing).upper())
        return names
    complete = (name for name, needs in _NEEDS.items() if all(getattr(configured, setting) for setting in needs))
    return tuple(complete)[:1]


def choice_for(task: str, on: date, decided: tuple[Tier, Reason] | None = None) -> Choice | None:
    """Where a draft of that task goes today; None when no provider is configured. Raises NotConfigured as above."""
    decision = decided or decide(task, chosen=None, wants_large=False, spent_per_cent=0)
    choice = _choice(task, on, decision)
    if choice is None or decision[0] is Tier.LARGE:
        return choice
    larger = _choice(task, on, (Tier.LARGE, Reason.TIER))
    asked_before = {(one.provider.name, one.model) for one in choice.chain.deployments}
    if larger is None or {(one.provider.name, one.model) for one in larger.chain.deployments} <= asked_before:
        return choice
    return replace(choice, larger=larger)


def larger_model(task: str, on: date) -> str | None:
    """The model that is asked when somebody wants the larger one; None where there is none but those asked anyway.

    Nothing is built, so pages may ask. Raises NotConfigured as above.
    """
    small, large = (_routes(task, on, (tier, Reason.TIER)) for tier in (Tier.SMALL, Tier.LARGE))
    asked_before = {(name, one.model) for name, one in small}
    return next((one.model for name, one in large if (name, one.model) not in asked_before), None)


def models_in_use() -> tuple[tuple[str, str], ...]:
    """Each provider and model that drafts are asked of as configured, also one that is shut down already.

    Nothing is built, so pages may ask. Raises NotConfigured as above.
    """
    tiers = (_routes("", date.min, (tier, Reason.TIER)) for tier in Tier)
    return tuple(dict.fromkeys((name, one.model) for found in tiers for name, one in found))


def moderator() -> Moderator | None:
    """Who gives an opinion on texts: OpenAI, where it was chosen; nobody else can. Raises NotConfigured."""
    configured = settings()
    if "openai" not in chosen_providers(configured):
        return None
    return cast("Moderator", _provider("openai", configured))


def _choice(task: str, on: date, decided: tuple[Tier, Reason]) -> Choice | None:
    found = _routes(task, on, decided)
    deployments = [_deployment(name, one.model, settings()) for name, one in found]
    return Choice(Chain(deployments), tuple(one for _, one in found)) if deployments else None


def _routes(task: str, on: date, decided: tuple[Tier, Reason]) -> list[tuple[str, Route]]:
    """The model of each provider, in the order in which they are tried."""
    configured = settings()
    models = (
        (name, _model_setting(configured, name, position, decided[0]))
        for position, name in enumerate(chosen_providers(configured))
    )
    return [(name, route(task, name, configured=model, on=on, decided=decided)) for name, model in models]


def _model_setting(configured: Settings, name: str, position: int, tier: Tier) -> str | None:
    if name == "azure":
        larger = configured.azure_openai_deployment_large if tier is Tier.LARGE else None
        return larger or configured.azure_openai_deployment
    # AI_MODEL names a model of the provider that comes first; sent to another vendor it would mean nothing.
    if position and name != "compatible":
        return None
    return (configured.ai_model_large if tier is Tier.LARGE else None) or configured.ai_model


@cache
def _deployment(name: str, model: str, configured: Settings) -> Deployment:
    """One for each model of a process, so that its breaker remembers."""
    known = model_of(name, model)
    # A model that we do not know may think; a local server may refuse more tokens than its window holds.
    thinks = known.thinks if known else name != "compatible"
    return Deployment(
        _provider(name, configured),
        model,
        thinking_room=THINKING_ROOM if thinks else 0,
        takes_temperature=known.takes_temperature if known else name == "compatible",
        breaker=Breaker(),
    )


@cache
def _provider(name: str, configured: Settings) -> Provider:
    """One client for each provider of a process: building one costs a tenth of a second, importing its SDK seconds."""
    return _BUILDERS[name](configured)


def _openai(configured: Settings) -> Provider:
    from core.ai.openai_gateway import OpenAIGateway

    return OpenAIGateway("openai", api_key=_secret(configured, "openai_api_key"), base_url=configured.openai_base_url)


def _azure(configured: Settings) -> Provider:
    from core.ai.openai_gateway import OpenAIGateway

    endpoint = (configured.azure_openai_endpoint or "").rstrip("/")
    version = configured.azure_openai_api_version
    return OpenAIGateway(
        "azure",
        api_key=_secret(configured, "azure_openai_api_key"),
        base_url=endpoint if version else f"{endpoint}/openai/v1/",
        azure_version=version,
    )


def _anthropic(configured: Settings) -> Provider:
    from core.ai.anthropic_gateway import AnthropicGateway

    return AnthropicGateway(
        api_key=_secret(configured, "anthropic_api_key") or "", base_url=configured.anthropic_base_url
    )


def _compatible(configured: Settings) -> Provider:
    from core.ai.openai_gateway import OpenAIGateway

    return OpenAIGateway(
        "compatible",
        api_key=_secret(configured, "compatible_api_key"),
        base_url=configured.compatible_base_url,
        limit_name="max_tokens",
    )


def _secret(configured: Settings, name: str) -> str | None:
    kept = getattr(configured, name)
    return kept.get_secret_value() if kept else None


_NEEDS: Mapping[str, tuple[str, ...]] = {
    "openai": ("openai_api_key",),
    "azure": ("azure_openai_api_key", "azure_openai_endpoint", "azure_openai_deployment"),
    "anthropic": ("anthropic_api_key",),
    "compatible": ("compatible_base_url", "ai_model"),
}
_BUILDERS: Mapping[str, Callable[[Settings], Provider]] = {
    "openai": _openai,
    "azure": _azure,
    "anthropic": _anthropic,
    "compatible": _compatible,
}
