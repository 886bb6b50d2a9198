"""What was saved is an interval against a named model, and nothing is made up where something is unknown."""

from fractions import Fraction

import pytest

from core.ai.chain import Attempt
from core.ai.protocol import Usage
from core.ai.requests import edited_characters
from core.ai.savings import Line, Saving, baseline_of, savings

SOL = "gpt-6.1-sol"
PROMPT, WRITTEN = 2_000, 10_000
"""Nano-dollars a token of gpt-6.1-sol."""


def attempt(outcome: str, usage: Usage | None) -> Attempt:
    return Attempt("openai", "gpt-6-luna", None, outcome, usage, 1.0)


def test_the_baseline_is_asked_once_whatever_we_needed() -> None:
    ours = [attempt("ok", Usage(input=50, output=900)), attempt("ok", Usage(input=80, cache_read=20, output=100))]
    found = baseline_of(ours, "openai", SOL)
    assert found.low == 100 * PROMPT + 77 * WRITTEN
    assert found.high == 100 * PROMPT + 130 * WRITTEN


def test_what_the_baseline_wrote_itself_is_not_assumed() -> None:
    its_own = Attempt("openai", SOL, None, "ok", Usage(input=60, cache_read=40, output=100), 1.0)
    found = baseline_of([attempt("ok", Usage(input=50, output=900)), its_own], "openai", SOL)
    assert found.low == found.high == 60 * PROMPT + 40 * 100 + 100 * WRITTEN


def test_thinking_is_written_too() -> None:
    found = baseline_of([attempt("ok", Usage(output=40, reasoning=60))], "openai", SOL)
    assert (found.low, found.high) == (77 * WRITTEN, 130 * WRITTEN)


@pytest.mark.parametrize(
    ("attempts", "model"),
    [([], SOL), ([attempt("timeout", Usage(input=5))], SOL), ([attempt("ok", Usage(input=5))], "unheard-of")],
    ids=["nothing asked", "no answer", "no price"],
)
def test_what_nobody_knows_is_unknown(attempts: list[Attempt], model: str) -> None:
    found = baseline_of(attempts, "openai", model)
    assert (found.model, found.low, found.high) == (model, None, None)


def test_sums_by_baseline_leave_out_what_is_unknown() -> None:
    lines = [
        Line(10, "b", 100, 200),
        Line(20, "b", 100, 200),
        Line(5, "a", 10, 20),
        Line(None, "b", 100, 200),
        Line(7, None, None, None),
        Line(7, "a", None, 5),
    ]
    assert savings(lines) == (Saving("a", 1, 5, 10, 20), Saving("b", 2, 30, 200, 400))


def test_the_interval_may_be_a_loss() -> None:
    assert Saving("a", 1, 30, 20, 60).at_least == Fraction(-1, 2)
    assert Saving("a", 1, 30, 20, 60).at_most == Fraction(1, 2)
    assert Saving("a", 0, 0, 0, 0).at_least is None
    assert Saving("a", 0, 0, 0, 0).at_most is None


@pytest.mark.parametrize(
    ("offered", "kept", "changed"),
    [
        ("the sea", "the sea", 0),
        (" the sea\n", "the sea", 0),
        ("the sea", "the seas", 1),
        ("the sea", "the sky", 2),
        ("abc", "", 3),
        ("", "abc", 3),
        ("ab", "ba", 1),
    ],
)
def test_how_much_was_edited(offered: str, kept: str, changed: int) -> None:
    assert edited_characters(offered, kept) == changed
