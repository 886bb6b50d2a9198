"""Which requests are sampled, and what a few pairs say about all."""

from fractions import Fraction
from math import isclose, sqrt
from uuid import UUID

import pytest

from core.ai.shadow import Pairs, is_sampled, ratio

IDS = [UUID(int=number) for number in range(20_000)]


def of(pairs: list[tuple[int, int]]) -> Pairs:
    return Pairs(
        len(pairs),
        sum(x for x, _ in pairs),
        sum(y for _, y in pairs),
        sum(x * x for x, _ in pairs),
        sum(x * y for x, y in pairs),
        sum(y * y for _, y in pairs),
    )


@pytest.mark.parametrize("per_mille", [0, 1, 10, 20])
def test_about_as_many_as_were_asked_for(per_mille: int) -> None:
    taken = sum(is_sampled(one, per_mille) for one in IDS)
    assert abs(taken - per_mille * 20) <= 4 * sqrt(per_mille * 20)


def test_a_larger_share_holds_the_smaller_and_a_request_is_decided_once() -> None:
    few, more = ({one for one in IDS if is_sampled(one, share)} for share in (5, 20))
    assert few < more
    assert few == {one for one in IDS if is_sampled(one, 5)}


def test_the_ratio_of_sums_and_its_interval() -> None:
    """Residuals of r = 13/10: 0.7, -0.6, 0.1 minus 0.2; by hand: squares sum to 0.90, n - 1 = 3, mean x 2.5."""
    found = ratio(of([(1, 2), (2, 2), (3, 4), (4, 5)]))
    assert found is not None
    assert found.middle == Fraction(13, 10)
    spread = 1.96 * sqrt((0.49 + 0.36 + 0.01 + 0.04) / 3 / 4) / 2.5
    assert isclose(found.high - found.middle, spread, rel_tol=1e-9)
    assert isclose(found.middle - found.low, spread, rel_tol=1e-9)


def test_no_interval_reaches_below_nothing() -> None:
    found = ratio(of([(10, 0), (10, 30)]))
    assert found is not None
    assert found.low == 0


@pytest.mark.parametrize("pairs", [[], [(5, 5)], [(0, 5), (0, 7)]], ids=["none", "one", "of nothing"])
def test_too_little_to_say_anything(pairs: list[tuple[int, int]]) -> None:
    assert ratio(of(pairs)) is None


@pytest.mark.parametrize(("many", "is_enough"), [(29, False), (30, True)])
def test_thirty_are_enough(many: int, is_enough: bool) -> None:
    found = ratio(of([(1, 1)] * many))
    assert found is not None
    assert found.is_enough is is_enough
