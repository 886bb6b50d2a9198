"""Models that leave are spoken of in time, with what follows them; one without a price is named too."""

from datetime import date, timedelta

import pytest

from core.ai.lifespan import SOON, Ending, outlook
from core.ai.prices import models

TODAY, LAST = date(2026, 11, 22), date(2027, 1, 14)
PAIR = [("openai", "gpt-4o"), ("openai", "gpt-4o-mini")]


def test_the_pair_that_leaves_in_january_is_counted_down() -> None:
    assert outlook(PAIR, TODAY).ending == (
        Ending("openai", "gpt-4o", LAST, "gpt-6.1-sol", 53),
        Ending("openai", "gpt-4o-mini", LAST, "gpt-6-luna", 53),
    )


@pytest.mark.parametrize(
    ("on", "days"),
    [
        (LAST - timedelta(days=SOON + 1), []),
        (LAST - timedelta(days=SOON), [SOON]),
        (LAST, [0]),
        (date(2027, 2, 1), [-18]),
    ],
)
def test_from_ninety_days_before_and_after_it_too(on: date, days: list[int]) -> None:
    assert [one.days for one in outlook(PAIR[:1], on).ending] == days


def test_a_model_used_twice_is_named_once() -> None:
    assert len(outlook([*PAIR, *PAIR], TODAY).ending) == 2


def test_what_nobody_has_a_price_for_is_named_unless_it_is_ones_own() -> None:
    found = outlook([("openai", "unheard-of"), ("compatible", "llama")], TODAY, free={"compatible"})
    assert found.unpriced == (("openai", "unheard-of"),)
    assert found.ending == ()


def test_the_others_that_end_are_known_too() -> None:
    names = {(one.provider, one.model) for one in outlook(PAIR, TODAY).ending_unused}
    assert ("openai", "gpt-4.1") in names
    assert not names & set(PAIR)
    assert names <= set(models())
    assert all(one.days > 0 for one in outlook([], date(2030, 1, 1)).ending_unused)
