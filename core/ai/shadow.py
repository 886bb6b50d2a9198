"""The shadow sample: a few requests are put to the large model as well, to measure what a saving is. Pure.

Nobody is shown what the large model wrote: its usage alone is kept.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from uuid import UUID

MOST_PER_MILLE = 20
ENOUGH = 30
"""Pairs of one task from which on what was measured replaces what is assumed."""
_OF_NORMAL = Decimal("1.96")


def is_sampled(request_id: UUID, per_mille: int) -> bool:
    """Whether a request is of the sample: decided by its id alone, so asked again it is decided alike."""
    return int.from_bytes(sha256(request_id.bytes).digest()[:8]) % 1000 < per_mille


@dataclass(frozen=True, slots=True)
class Pairs:
    """Sums over `count` pairs: `x` is of our answer, `y` of the large model's to the same request."""

    count: int
    x: int
    y: int
    xx: int
    xy: int
    yy: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times `x` all `y` are together, with its 95 % interval."""

    count: int
    middle: Fraction
    low: Fraction
    high: Fraction

    @property
    def is_enough(self) -> bool:
        return self.count >= ENOUGH


def ratio(pairs: Pairs) -> Ratio | None:
    """The ratio of the sums; None of fewer than two pairs or of nothing.

    Its variance is that of the residuals `y - r x` (Cochran, Sampling Techniques, 3rd ed., 6.4), the pairs being few
    among all requests.
    """
    if pairs.count < 2 or not pairs.x:
        return None
    middle = Fraction(pairs.y, pairs.x)
    residuals = pairs.yy - 2 * middle * pairs.xy + middle * middle * pairs.xx
    of_mean = residuals / (pairs.count - 1) / pairs.count
    mean_x = Fraction(pairs.x, pairs.count)
    variance = of_mean / (mean_x * mean_x)
    spread = Fraction((Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt() * _OF_NORMAL)
    return Ratio(pairs.count, middle, max(middle - spread, Fraction(0)), middle + spread)
