"""Which model a task goes to, and why. Pure, but for its table, which is read once.

The name of the task is the best free signal that there is; the length of the prompt is none.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from core.ai.prices import model_of

_DATA = Path(__file__).parent / "routing.toml"


class Tier(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Reason(StrEnum):
    """Why a model was chosen; stored with the draft, shown as `content.reason_<value>`."""

    TIER = "tier"
    CONFIGURED = "configured"
    SUCCESSOR = "successor"
    CHOSEN = "chosen"
    """The workspace has its own tier for the task."""
    ASKED = "asked"
    """The person wanted the large model for this one."""
    THRIFT = "thrift"
    """Most of the month's budget is spent, so a task that is not critical gets the small model."""


THRIFT_FROM = 80
"""Per cent of the month's budget from which on only critical tasks get the large model."""


@dataclass(frozen=True, slots=True)
class Route:
    model: str
    tier: Tier
    reason: Reason


class Table(BaseModel, frozen=True, extra="forbid"):
    """`critical`: tasks that are refused rather than given to the small model for want of money."""

    critical: frozenset[str]
    tiers: Mapping[str, Tier]
    models: Mapping[str, Mapping[Tier, str]]


@cache
def table() -> Table:
    return Table.model_validate(tomllib.loads(_DATA.read_text(encoding="utf-8")))


def decide(task: str, *, chosen: Tier | None, wants_large: bool, spent_per_cent: int) -> tuple[Tier, Reason]:
    """The tier of one request. Raises KeyError for a task without a tier: what is not known is not guessed.

    `chosen`: the workspace's own tier for the task. `wants_large`: the person asked for it this once.
    `spent_per_cent`: of the month's budget, 0 without one.
    """
    known = table()
    tier, reason = (known.tiers[task], Reason.TIER) if chosen is None else (chosen, Reason.CHOSEN)
    if task not in known.tiers:
        raise KeyError(task)
    if wants_large and tier is Tier.SMALL:
        tier, reason = Tier.LARGE, Reason.ASKED
    if tier is Tier.LARGE and spent_per_cent >= THRIFT_FROM and task not in known.critical:
        return Tier.SMALL, Reason.THRIFT
    return tier, reason


def route(
    task: str, provider: str, *, configured: str | None, on: date, decided: tuple[Tier, Reason] | None = None
) -> Route:
    """The model for a task at a provider on a day.

    `configured`: the model or deployment that the installation names for the tier; it wins over the table. A model that
    is shut down by that day gives way to its successor. Raises KeyError for a task without a tier, and for a provider
    without a table when nothing is configured.
    """
    tier, reason = decided or decide(task, chosen=None, wants_large=False, spent_per_cent=0)
    model = configured or table().models[provider][tier]
    known = model_of(provider, model)
    if known is not None and known.is_gone(on) and known.successor:
        return Route(known.successor, tier, Reason.SUCCESSOR)
    return Route(model, tier, Reason.CONFIGURED if configured and reason is Reason.TIER else reason)
