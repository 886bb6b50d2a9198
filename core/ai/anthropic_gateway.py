"""Claude through Anthropic's SDK.

`temperature` is never sent: the API of 2026-10-21 answers 400 to it. New models think by default, so `max_tokens` has
to cover the thinking too.
"""

import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

from core.ai.protocol import (
    AIError,
    Delta,
    Request,
    Result,
    Unfinished,
    Usage,
    checked_result,
    estimated_tokens,
    estimated_usage,
    json_schema,
)
from core.ai.wire import as_error, deadline_hooks, timeouts

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


class AnthropicGateway:
    name = "anthropic"

    def __init__(self, *, api_key: str, base_url: str | None = None) -> None:
        import anthropic

        self._sdk = anthropic
        self._client = anthropic.Anthropic(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            http_client=anthropic.DefaultHttpxClient(event_hooks=deadline_hooks()),
        )

    def complete(self, model: str, request: Request, seconds: float) -> Result:
        heard = _Heard(time.monotonic() + seconds)
        try:
            message = self._calls(seconds).create(**_asked(model, request))
            heard.take_whole(message)
            return self._result(heard, model, request, getattr(message, "_request_id", None))
        except Exception as problem:
            raise self._error(problem, request, heard) from problem

    def stream(self, model: str, request: Request, seconds: float) -> Generator[Delta | Result]:
        heard = _Heard(time.monotonic() + seconds)
        try:
            with self._calls(seconds).create(**_asked(model, request), stream=True) as events:
                for event in events:
                    if text := heard.take(event):
                        yield Delta(text)
                    if heard.is_late:
                        raise TimeoutError
                request_id = events.response.headers.get("request-id")
            result = self._result(heard, model, request, request_id)
        except Exception as problem:
            raise self._error(problem, request, heard) from problem
        yield result

    def _calls(self, seconds: float) -> Any:
        return self._client.with_options(timeout=timeouts(seconds)).messages

    def _result(self, heard: "_Heard", model: str, request: Request, request_id: str | None) -> Result:
        if heard.finish is None:
            raise Unfinished
        usage = heard.usage or estimated_usage(request, heard.text)
        result = Result(heard.text, usage, self.name, model, heard.model, request_id)
        return checked_result(result, _FINISH.get(heard.finish, heard.finish), request.shape)

    def _error(self, problem: Exception, request: Request, heard: "_Heard") -> AIError:
        return as_error(problem, self._sdk, request, late=heard.is_late, usage=heard.billed, partial=heard.text)


def _asked(model: str, request: Request) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_output,
        "system": request.system,
        "messages": [{"role": "user", "content": request.user}],
    }
    if request.shape is not None:
        asked["output_config"] = {"format": {"type": "json_schema", "schema": json_schema(request.shape)}}
    return asked


@dataclass(slots=True)
class _Heard:
    """What an answer has said so far. Counts come at the start and grow to their final values at the end."""

    deadline: float
    is_counted: bool = False
    pieces: list[str] = field(default_factory=list)
    finish: str | None = None
    usage: Usage | None = None
    model: str | None = None

    @property
    def is_late(self) -> bool:
        return time.monotonic() >= self.deadline

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def billed(self) -> Usage | None:
        """What is known of the bill: until the vendor has counted the whole answer, its output count means nothing."""
        if self.is_counted or self.usage is None:
            return self.usage
        return replace(self.usage, output=estimated_tokens(self.text), reasoning=0, estimated=True)

    def take_whole(self, message: Any) -> None:
        self.is_counted = True
        self.model = message.model
        self.finish = message.stop_reason
        self.usage = _usage(message.usage)
        self.pieces += [block.text for block in message.content if block.type == "text"]

    def take(self, event: Any) -> str:
        """Note an event; the text that it adds."""
        if event.type == "message_start":
            self.model = event.message.model
            self.usage = _usage(event.message.usage)
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            self.pieces.append(event.delta.text)
            return str(event.delta.text)
        elif event.type == "message_delta":
            self.is_counted = True
            self.finish = event.delta.stop_reason or self.finish
            self.usage = _usage(event.usage, self.usage)
        return ""


def _usage(reported: Any, before: Usage | None = None) -> Usage | None:
    """Anthropic's counts are disjoint, but for thinking inside the output. A count left out stays as it was."""
    if reported is None:
        return before
    known = before or Usage()
    details = reported.output_tokens_details
    thought = (getattr(details, "thinking_tokens", None) or 0) if details else 0

    def kept(count: int | None, earlier: int) -> int:
        return earlier if count is None else count

    return Usage(
        input=kept(reported.input_tokens, known.input),
        cache_read=kept(reported.cache_read_input_tokens, known.cache_read),
        cache_write=kept(reported.cache_creation_input_tokens, known.cache_write),
        output=max(0, (reported.output_tokens or 0) - thought),
        reasoning=thought,
    )
