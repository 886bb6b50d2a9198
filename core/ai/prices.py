"""What an answer cost, exactly. Unknown model, or a bucket without a price: unknown cost, never a guess.

Unit: nano-dollars (a billionth of a US dollar) as integers. Every published price is a whole number of them per token
(one dollar per million tokens is 1,000 nano-dollars per token), so nothing is ever rounded.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator

from core.ai.protocol import Usage

_DATA = Path(__file__).parent / "model_prices.toml"


def _nano_per_token(usd_per_million: str) -> int:
    exact = Decimal(usd_per_million) * 1000
    if exact != exact.to_integral_value() or exact < 0:
        raise ValueError(
            f"{usd_per_million} dollars per million tokens is not a whole number of nano-dollars per token"
        )
    return int(exact)


NanoPerToken = Annotated[int, BeforeValidator(_nano_per_token)]


class Prices(BaseModel, frozen=True, extra="forbid"):
    """Nano-dollars a token; None: no known price. Written in the data as US dollars for a million."""

    input: NanoPerToken
    output: NanoPerToken
    cache_read: NanoPerToken | None = None
    cache_write: NanoPerToken | None = None


class Model(BaseModel, frozen=True, extra="forbid"):
    """One row of `model_prices.toml`, which says what each field means."""

    provider: str
    model: str
    usd_per_million: Prices
    known_up_to: int | None = None
    thinks: bool = False
    takes_temperature: bool = False
    shutdown: date | None = None
    successor: str | None = None
    source: str
    checked_on: date

    def is_gone(self, on: date) -> bool:
        return self.shutdown is not None and self.shutdown <= on


@cache
def models() -> Mapping[tuple[str, str], Model]:
    """Every model that we know, by provider and exact name."""
    rows = tomllib.loads(_DATA.read_text(encoding="utf-8"))["model"]
    return {(found.provider, found.model): found for found in map(Model.model_validate, rows)}


def model_of(provider: str, *names: str | None) -> Model | None:
    """The first of the names that is known at that provider."""
    return next((found for name in names if name and (found := models().get((provider, name)))), None)


def cost_nano(usage: Usage, model: Model | None) -> int | None:
    """What the usage costs, in nano-dollars; None when it cannot be known."""
    if model is None or (model.known_up_to is not None and usage.prompt_tokens > model.known_up_to):
        return None
    price = model.usd_per_million
    total = 0
    for tokens, nano in (
        (usage.input, price.input),
        (usage.cache_read, price.cache_read),
        (usage.cache_write, price.cache_write),
        (usage.output + usage.reasoning, price.output),
    ):
        if tokens and nano is None:
            return None
        total += tokens * (nano or 0)
    return total


def cost(usage: Usage, model: Model | None) -> Decimal | None:
    """The same in US dollars, exact."""
    nano = cost_nano(usage, model)
    return None if nano is None else dollars(nano)


def dollars(nano: int) -> Decimal:
    return Decimal(nano).scaleb(-9)
