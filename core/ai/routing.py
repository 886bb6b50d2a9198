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


@dataclass(frozen=True, slots=True)
class Route:
    model: str
    tier: Tier
    reason: Reason


class Table(BaseModel, frozen=True, extra="forbid"):
    tiers: Mapping[str, Tier]
    models: Mapping[str, Mapping[Tier, str]]


@cache
def table() -> Table:
    return Table.model_validate(tomllib.loads(_DATA.read_text(encoding="utf-8")))


def route(task: str, provider: str, *, configured: str | None, on: date) -> Route:
    """The model for a task at a provider on a day.

    `configured`: the model or deployment that the installation names; it wins over the table. A model that is shut
    down by that day gives way to its successor. Raises KeyError for a task without a tier, and for a provider without a
    table when nothing is configured.
    """
    tier = table().tiers[task]
    model = configured or table().models[provider][tier]
    reason = Reason.CONFIGURED if configured else Reason.TIER
    known = model_of(provider, model)
    if known is not None and known.is_gone(on) and known.successor:
        return Route(known.successor, tier, Reason.SUCCESSOR)
    return Route(model, tier, reason)
