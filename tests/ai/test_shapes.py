"""An answer in a shape that was asked for, from every provider, whole and streamed."""

import json

import pytest
from pydantic import BaseModel, Field

from core.ai.protocol import AIError, ErrorKind, Provider, Request, json_schema
from tests.ai.test_gateways import WHOLE, Mode, ask, mode
from tests.peers.model_server import ModelServer, Turn

__all__ = ["mode"]


class Line(BaseModel):
    text: str = Field(min_length=1)
    loud: bool = False


class Lines(BaseModel):
    lines: list[Line] = Field(min_length=1)


ASKED = Request("You write.", "about: the sea", 50, shape=Lines)
GOOD = {"lines": [{"text": "the sea is wide", "loud": True}]}


def test_the_shape_is_read_and_paid_for(server: ModelServer, client: Provider, mode: Mode) -> None:
    server.play(Turn(text=json.dumps(GOOD)))
    result = ask(client, mode, ASKED)
    assert result.parsed == Lines(lines=[Line(text="the sea is wide", loud=True)])
    assert result.usage == WHOLE


def test_each_is_told_the_shape_in_its_own_words(server: ModelServer, client: Provider, mode: Mode) -> None:
    server.play(Turn(text=json.dumps(GOOD)))
    ask(client, mode, ASKED)
    (asked,) = server.seen
    if client.name == "anthropic":
        assert asked.body["output_config"] == {"format": {"type": "json_schema", "schema": json_schema(Lines)}}
    else:
        wanted = {"name": "Lines", "schema": json_schema(Lines), "strict": True}
        assert asked.body["response_format"] == {"type": "json_schema", "json_schema": wanted}


def test_a_shape_is_closed_to_the_last_object() -> None:
    schema = json_schema(Lines)
    line = schema["$defs"]["Line"]
    assert (schema["additionalProperties"], schema["required"]) == (False, ["lines"])
    assert (line["additionalProperties"], line["required"]) == (False, ["text", "loud"])
    assert "default" not in line["properties"]["loud"]


@pytest.mark.parametrize(
    "text",
    ["here you are", '{"lines": [{"te', '{"lines": []}', '{"lines": [{"text": ""}]}', "[]", '{"other": 1}', "null"],
    ids=["prose", "half", "none", "empty", "list", "other", "null"],
)
def test_another_shape_is_an_error_that_keeps_its_bill(
    server: ModelServer, client: Provider, mode: Mode, text: str
) -> None:
    server.play(Turn(text=text))
    with pytest.raises(AIError) as wrong:
        ask(client, mode, ASKED)
    assert (wrong.value.kind, wrong.value.usage) == (ErrorKind.INVALID_OUTPUT, WHOLE)
    assert wrong.value.partial == text
    assert wrong.value.detail


@pytest.mark.parametrize(
    ("finish", "kind"),
    [("length", ErrorKind.TRUNCATED), ("refusal", ErrorKind.REFUSED)],
)
def test_why_it_ended_comes_before_its_shape(
    server: ModelServer, client: Provider, mode: Mode, finish: str, kind: ErrorKind
) -> None:
    server.play(Turn(text='{"lines": [{"te', finish=finish))
    with pytest.raises(AIError) as wrong:
        ask(client, mode, ASKED)
    assert (wrong.value.kind, wrong.value.usage) == (kind, WHOLE)
