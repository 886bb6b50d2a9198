"""Which of the models in use will be gone soon, what follows them, and which have no known price. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from core.ai.prices import Model, model_of, models

SOON = 90
"""Days before a shutdown from which on it is spoken of."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A model that is shut down in `days`, or was: then they are none or fewer. `successor` None: nobody named one."""

    provider: str
    model: str
    shutdown: date
    successor: str | None
    days: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of the models in use: those that end soon, the next first, and those whose price nobody knows.

    `ending_unused` are the others that we know and that end as soon.
    """

    ending: tuple[Ending, ...]
    unpriced: tuple[tuple[str, str], ...]
    ending_unused: tuple[Ending, ...]


def outlook(in_use: Iterable[tuple[str, str]], on: date, *, free: Iterable[str] = ()) -> Outlook:
    """What is to be said of models, by provider and name, on a day. `free` providers have no price list to be on."""
    used = tuple(dict.fromkeys(in_use))
    found = [(provider, name, model_of(provider, name)) for provider, name in used]
    rest = (model for key, model in models().items() if key not in used)
    return Outlook(
        ending=_soonest((model for _, _, model in found if model is not None), on),
        unpriced=tuple((provider, name) for provider, name, model in found if model is None and provider not in free),
        ending_unused=tuple(one for one in _soonest(rest, on) if one.days > 0),
    )


def _soonest(among: Iterable[Model], on: date) -> tuple[Ending, ...]:
    ending = (
        Ending(one.provider, one.model, one.shutdown, one.successor, (one.shutdown - on).days)
        for one in among
        if one.shutdown is not None and (one.shutdown - on).days <= SOON
    )
    return tuple(sorted(ending, key=lambda one: (one.shutdown, one.provider, one.model)))
