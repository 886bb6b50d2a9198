"""A vendor's scores are weighed here; where it cannot be asked, that is said, and nothing is stopped for it."""

from collections.abc import Iterator

import pytest

from core.ai.openai_gateway import OpenAIGateway
from core.ai.opinion import MODEL, Doubt, opinion_on
from tests.peers.model_server import ModelServer, Turn


@pytest.fixture
def judge(server: ModelServer) -> Iterator[OpenAIGateway]:
    server.judge()
    yield OpenAIGateway("openai", api_key="k", base_url=f"{server.url}/v1")
    server.judge()


def test_a_text_that_nobody_minds_has_no_doubts(server: ModelServer, judge: OpenAIGateway) -> None:
    opinion = opinion_on(["the sea", "the sky"], judge, 5, is_adult=True)
    assert (opinion.blocked, opinion.flagged, opinion.doubts) == (None, (), ())
    assert [(one.purpose, one.outcome, one.model) for one in opinion.attempts] == [("moderation", "ok", MODEL)] * 2
    assert all(one.usage is not None and not one.usage.total for one in opinion.attempts)
    assert [one.body["input"] for one in server.judged] == ["the sea", "the sky"]
    assert not server.seen


def test_nobody_to_ask_says_nothing() -> None:
    assert opinion_on(["the sea"], None, 5, is_adult=True).doubts == ()


def test_sexual_texts_are_the_trade_of_some_platforms_only(server: ModelServer, judge: OpenAIGateway) -> None:
    for is_adult, flagged in ((True, ()), (False, ("sexual",))):
        server.judge(Turn(scores={"sexual": 0.99}))
        assert opinion_on(["x"], judge, 5, is_adult=is_adult).flagged == flagged


def test_one_category_stops_at_a_low_score_wherever_it_is(server: ModelServer, judge: OpenAIGateway) -> None:
    server.judge(Turn(), Turn(scores={"sexual/minors": 0.21}))
    assert opinion_on(["x", "y"], judge, 5, is_adult=True).blocked == "sexual/minors"


def test_the_highest_score_counts(server: ModelServer, judge: OpenAIGateway) -> None:
    server.judge(Turn(scores={"hate": 0.9}), Turn(scores={"hate": 0.0}))
    opinion = opinion_on(["x", "y"], judge, 5, is_adult=True)
    assert (opinion.flagged, opinion.doubts) == (("hate",), (Doubt.FLAGGED,))


@pytest.mark.parametrize(
    ("turn", "doubt"),
    [
        (Turn(scores={"hate": -1}), Doubt.PARTLY_CHECKED),
        (Turn(scores={"sexual/minors": -1}), Doubt.NOT_CHECKED),
        (
            Turn(body=b'{"id": "m", "model": "m", "results": [{"flagged": false, "category_scores": {}}]}'),
            Doubt.NOT_CHECKED,
        ),
        (Turn(body=b'{"results": []}'), Doubt.NOT_CHECKED),
        (Turn(body=b"<html>"), Doubt.NOT_CHECKED),
        (Turn(status=503), Doubt.NOT_CHECKED),
        (Turn(status=429), Doubt.NOT_CHECKED),
        (Turn(hang=3), Doubt.NOT_CHECKED),
    ],
)
def test_what_was_not_looked_at_is_said(server: ModelServer, judge: OpenAIGateway, turn: Turn, doubt: Doubt) -> None:
    server.judge(turn)
    opinion = opinion_on(["x", "y"] if turn.hang else ["x"], judge, 0.3, is_adult=True)
    assert (opinion.blocked, opinion.doubts) == (None, (doubt,))
    assert len(opinion.attempts) == 1
