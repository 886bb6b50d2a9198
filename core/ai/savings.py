"""What was saved against a named model, as an interval. Pure.

Nobody knows what another model would have written. On the same prompts the measured ratios of tokens between models of
one tier and the next lie between 0.77 and 1.00 (805 prompts; gpt-4o-mini writes 0.987 times gpt-4o's, 0.969 to 1.005 in
the sum), so the same tokens are the middle, and LOW and HIGH the ends, of what the baseline would have cost. A shadow
sample replaces them by what it measured.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from core.ai.chain import Attempt
from core.ai.prices import cost_nano, model_of
from core.ai.protocol import Usage
from core.ai.requests import Baseline

LOW, HIGH = Fraction(77, 100), Fraction(130, 100)
"""Of the tokens that were written, what the baseline would have written."""


@dataclass(frozen=True, slots=True)
class Saving:
    """Over `count` requests: `spent` and what `model` would have cost, in nano-dollars. None: nobody can know."""

    model: str
    count: int
    spent: int
    low: int
    high: int

    @property
    def at_least(self) -> Fraction | None:
        """Share saved if the baseline had been terse; negative where more was spent. None of nothing."""
        return 1 - Fraction(self.spent, self.low) if self.low else None

    @property
    def at_most(self) -> Fraction | None:
        return 1 - Fraction(self.spent, self.high) if self.high else None


@dataclass(frozen=True, slots=True)
class Line:
    """One request that was paid: what all its attempts cost, and its baseline. None: unknown."""

    cost: int | None
    model: str | None
    low: int | None
    high: int | None


def baseline_of(attempts: Sequence[Attempt], provider: str, model: str) -> Baseline:
    """What the answer that was kept, the last that came whole, would have cost on `model`: the same prompt once.

    Repairs and escalations are no part of it: the baseline would have been asked once. What it wrote itself, at once or
    after an escalation, nobody has to assume.
    """
    kept = next((one for one in reversed(attempts) if one.outcome == "ok" and one.usage), None)
    known = model_of(provider, model)
    if kept is None or kept.usage is None or known is None:
        return Baseline(model, None, None)
    if (kept.provider, kept.model) == (provider, model):
        exact = cost_nano(kept.usage, known)
        return Baseline(model, exact, exact)
    return Baseline(model, cost_nano(_times(kept.usage, LOW), known), cost_nano(_times(kept.usage, HIGH), known))


def _times(usage: Usage, ratio: Fraction) -> Usage:
    """The same prompt, uncached, and so many times the tokens written, rounded to the nearest."""
    return Usage(input=usage.prompt_tokens, output=round(ratio * (usage.output + usage.reasoning)))


def savings(lines: Iterable[Line]) -> tuple[Saving, ...]:
    """By baseline model. Requests whose cost or baseline is unknown are no part of any sum."""
    sums: dict[str, Saving] = {}
    for line in lines:
        if line.cost is None or line.model is None or line.low is None or line.high is None:
            continue
        before = sums.get(line.model, Saving(line.model, 0, 0, 0, 0))
        sums[line.model] = Saving(
            line.model,
            before.count + 1,
            before.spent + line.cost,
            before.low + line.low,
            before.high + line.high,
        )
    return tuple(sums[model] for model in sorted(sums))
