"""Every provider, whole and streamed, against every way in which an answer goes right or wrong on the wire."""

import time
from dataclasses import dataclass
from typing import Literal

import pytest

from core.ai.protocol import AIError, Delta, ErrorKind, Provider, Request, Result, Usage
from tests.peers.model_server import ANSWER, CACHED, PROMPT, TEXT, THOUGHT, ModelServer, Turn

ASKED = Request(system="You write.", user="about: the sea", max_output=50, temperature=None)
WHOLE = Usage(input=PROMPT, cache_read=CACHED, output=ANSWER, reasoning=THOUGHT)
Mode = Literal["complete", "stream"]
SECONDS = 5.0


def ask(client: Provider, mode: Mode, request: Request = ASKED, seconds: float = SECONDS) -> Result:
    if mode == "complete":
        return client.complete("m", request, seconds)
    *deltas, result = client.stream("m", request, seconds)
    assert isinstance(result, Result)
    assert "".join(piece.text for piece in deltas if isinstance(piece, Delta)) == result.text
    return result


def failure(client: Provider, mode: Mode, seconds: float = SECONDS) -> AIError:
    with pytest.raises(AIError) as raised:
        ask(client, mode, seconds=seconds)
    return raised.value


@dataclass(frozen=True)
class Case:
    """What the server does, and what has to be heard. `usage`: None where nobody can know it."""

    turn: Turn
    kind: ErrorKind
    usage: Usage | None = None
    retry_after: float | None = None


def said_no(status: int, kind: ErrorKind, code: str | None = None, **headers: str) -> Case:
    body = {"error": {"message": "no", "type": code, "code": code}}
    turn = Turn(status=status, body=body, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return Case(turn, kind, Usage(), float(headers["retry_after"]) if "retry_after" in headers else None)


CASES = {
    "429": said_no(429, ErrorKind.RATE_LIMITED, "rate_limit_error", retry_after="7"),
    "429 quota": said_no(429, ErrorKind.QUOTA, "insufficient_quota"),
    "402": said_no(402, ErrorKind.QUOTA),
    "500": said_no(500, ErrorKind.UNAVAILABLE),
    "503": said_no(503, ErrorKind.UNAVAILABLE),
    "529": said_no(529, ErrorKind.UNAVAILABLE, "overloaded_error"),
    "408": said_no(408, ErrorKind.UNAVAILABLE),
    "401": said_no(401, ErrorKind.AUTH, "authentication_error"),
    "403": said_no(403, ErrorKind.AUTH),
    "400": said_no(400, ErrorKind.BAD_REQUEST, "invalid_request_error"),
    "404": said_no(404, ErrorKind.BAD_REQUEST),
    "400 long": said_no(400, ErrorKind.TOO_LONG, "context_length_exceeded"),
    "413": said_no(413, ErrorKind.TOO_LONG),
    "502 html": Case(
        Turn(status=502, body=b"<html>bad gateway</html>", content_type="text/html"), ErrorKind.UNAVAILABLE, Usage()
    ),
    "200 html": Case(Turn(body=b"<html>sign in</html>", content_type="text/html"), ErrorKind.PROTOCOL),
    "half a json": Case(Turn(body=b'{"id": "c1", "choices": [{"in'), ErrorKind.PROTOCOL),
    "empty object": Case(Turn(body=b"{}"), ErrorKind.PROTOCOL),
    "a list": Case(Turn(body=b"[]"), ErrorKind.PROTOCOL),
    "no finish": Case(Turn(finish=None), ErrorKind.PROTOCOL, WHOLE),
    "length": Case(Turn(finish="length"), ErrorKind.TRUNCATED, WHOLE),
    "refusal": Case(Turn(finish="refusal"), ErrorKind.REFUSED, WHOLE),
    "empty": Case(Turn(text=""), ErrorKind.INVALID_OUTPUT, WHOLE),
}


@pytest.fixture(params=["complete", "stream"])
def mode(request: pytest.FixtureRequest) -> Mode:
    return request.param  # type: ignore[no-any-return]


def test_an_answer_and_its_bill(server: ModelServer, client: Provider, mode: Mode) -> None:
    result = ask(client, mode)
    assert (result.text, result.usage, result.provider, result.model) == (TEXT, WHOLE, client.name, "m")
    assert result.served_model == ("m-20261101" if client.name == "anthropic" else "m-2026-11-01")
    assert result.request_id == "req_1"


@pytest.mark.parametrize("name", ["openai", "azure", "legacy", "compatible", "anthropic"])
def test_each_speaks_to_its_own_path_with_its_own_words(
    server: ModelServer, clients: dict[str, Provider], mode: Mode, name: str
) -> None:
    ask(clients[name], mode, Request("You write.", "about: the sea", 50, temperature=0.5))
    (asked,) = server.seen
    expected = {
        "openai": ("/v1/chat/completions", "max_completion_tokens", True),
        "azure": ("/openai/v1/chat/completions", "max_completion_tokens", True),
        "legacy": ("/openai/deployments/m/chat/completions?api-version=2024-10-21", "max_completion_tokens", True),
        "compatible": ("/v1/chat/completions", "max_tokens", True),
        "anthropic": ("/v1/messages", "max_tokens", False),
    }
    path, limit, takes_temperature = expected[name]
    assert asked.path == path
    assert asked.body[limit] == 50
    assert ("temperature" in asked.body) is takes_temperature
    assert ("api-key" in asked.headers) is (name == "legacy")
    assert asked.headers.get("authorization", "").startswith("Bearer ") is (name != "legacy")


@pytest.mark.parametrize("name", CASES)
def test_failures(server: ModelServer, client: Provider, mode: Mode, name: str) -> None:
    case = CASES[name]
    server.play(case.turn)
    problem = failure(client, mode)
    assert problem.kind is case.kind, problem
    assert problem.retry_after == case.retry_after
    assert problem.usage == case.usage
    assert len(server.seen) == 1, "an SDK tried again by itself"


@pytest.mark.parametrize(
    "turn", [Turn(hang=3), Turn(text=" ".join("word" for _ in range(40)), pause=0.12)], ids=["hang", "drip"]
)
def test_the_deadline_holds(server: ModelServer, client: Provider, mode: Mode, turn: Turn) -> None:
    """A dripping server is never late for a timeout per read: only our own clock ends it."""
    server.play(turn)
    started = time.monotonic()
    problem = failure(client, mode, seconds=0.4)
    assert problem.kind is ErrorKind.TIMEOUT
    assert time.monotonic() - started < 2.5, "ended by the server and not by the deadline"


def test_bytes_that_never_make_an_event_are_ended_too(server: ModelServer, client: Provider) -> None:
    server.play(Turn(body=b"data: " + b"x" * 400, content_type="text/event-stream", pause=0.3))
    assert failure(client, "stream", seconds=0.4).kind is ErrorKind.TIMEOUT


@pytest.mark.parametrize(
    ("cut", "kinds"),
    [
        ("eof", {ErrorKind.PROTOCOL}),
        ("reset", {ErrorKind.UNAVAILABLE}),
        ("error", {ErrorKind.UNAVAILABLE}),
        ("stall", {ErrorKind.TIMEOUT}),
    ],
)
def test_a_stream_that_breaks_off(server: ModelServer, client: Provider, cut: str, kinds: set[ErrorKind]) -> None:
    """What had arrived is kept, and counted as billed by estimate, for the vendor does bill it."""
    server.play(Turn(cut=cut, hang=3))
    problem = failure(client, "stream", seconds=0.5 if cut == "stall" else SECONDS)
    assert problem.kind in kinds, problem
    assert problem.partial == "one two "
    assert problem.usage is not None
    assert problem.usage.estimated
    assert problem.usage.output > 0
    assert problem.usage.input > 0


def test_a_filter_names_its_category(server: ModelServer, clients: dict[str, Provider], mode: Mode) -> None:
    verdict = {"sexual": {"filtered": True, "severity": "medium"}, "hate": {"filtered": False, "severity": "safe"}}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": verdict}
    body = {"error": {"message": "filtered", "code": "content_filter", "status": 400, "innererror": inner}}
    server.play(Turn(status=400, body=body))
    problem = failure(clients["azure"], mode)
    assert (problem.kind, problem.detail, problem.usage) == (ErrorKind.FILTERED, "sexual", None)


def test_an_answer_that_was_filtered(server: ModelServer, clients: dict[str, Provider], mode: Mode) -> None:
    server.play(Turn(finish="content_filter"))
    problem = failure(clients["openai"], mode)
    assert (problem.kind, problem.usage) == (ErrorKind.FILTERED, WHOLE)


def test_azure_begins_without_choices(server: ModelServer, clients: dict[str, Provider]) -> None:
    server.play(Turn(filter_first=True))
    assert ask(clients["azure"], "stream").text == TEXT


def test_a_server_that_reports_no_usage_gets_an_estimate(
    server: ModelServer, clients: dict[str, Provider], mode: Mode
) -> None:
    server.play(Turn(reports_usage=False))
    usage = ask(clients["compatible"], mode).usage
    assert usage.estimated
    assert usage.input > 0
    assert usage.output > 0


def test_leaving_early_ends_the_call(server: ModelServer, client: Provider) -> None:
    server.play(Turn(text=" ".join("word" for _ in range(100)), pause=0.05), Turn())
    pieces = client.stream("m", ASKED, SECONDS)
    assert isinstance(next(pieces), Delta)
    pieces.close()
    assert ask(client, "complete").text == TEXT


def test_nobody_there(clients: dict[str, Provider], mode: Mode) -> None:
    from core.ai.openai_gateway import OpenAIGateway

    with ModelServer() as gone:
        address = gone.url
    nobody = OpenAIGateway("compatible", api_key=None, base_url=f"{address}/v1")
    problem = failure(nobody, mode)
    assert (problem.kind, problem.usage) == (ErrorKind.UNAVAILABLE, None)
