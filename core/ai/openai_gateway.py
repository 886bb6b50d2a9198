"""Chat Completions through OpenAI's SDK: OpenAI itself, Azure OpenAI (v1 and legacy), and servers that speak the same.

Chat Completions and not Responses: it is where OpenAI, Azure v1, Ollama, llama.cpp and vLLM meet.
"""

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from core.ai.protocol import (
    AIError,
    Delta,
    Request,
    Result,
    Unfinished,
    Usage,
    checked_result,
    estimated_usage,
    json_schema,
)
from core.ai.wire import as_error, deadline_hooks, timeouts

NO_KEY = "none"
"""Local servers ask for no key, but the SDK insists on one."""


class OpenAIGateway:
    """One vendor or server. `limit_name` is how it calls the most tokens to write; local servers know the old name.

    `azure_version` is the api-version of a legacy Azure endpoint, whose address is `base_url` and whose deployments
    are in the path; v1 endpoints have none.
    """

    def __init__(
        self,
        name: str,
        *,
        api_key: str | None,
        base_url: str | None = None,
        limit_name: str = "max_completion_tokens",
        azure_version: str | None = None,
    ) -> None:
        import openai

        self.name = name
        self._sdk = openai
        self._limit_name = limit_name
        wire = openai.DefaultHttpxClient(event_hooks=deadline_hooks())
        self._client: openai.OpenAI
        if azure_version is None:
            self._client = openai.OpenAI(api_key=api_key or NO_KEY, base_url=base_url, max_retries=0, http_client=wire)
        else:
            self._client = openai.AzureOpenAI(
                api_key=api_key,
                azure_endpoint=base_url or "",
                api_version=azure_version,
                max_retries=0,
                http_client=wire,
            )

    def complete(self, model: str, request: Request, seconds: float) -> Result:
        heard = _Heard(time.monotonic() + seconds)
        try:
            answer = self._calls(seconds).create(**self._asked(model, request))
            heard.take_whole(answer)
            return self._result(heard, model, request, getattr(answer, "_request_id", None))
        except Exception as problem:
            raise self._error(problem, request, heard) from problem

    def stream(self, model: str, request: Request, seconds: float) -> Generator[Delta | Result]:
        heard = _Heard(time.monotonic() + seconds)
        try:
            asked = self._asked(model, request) | {"stream": True, "stream_options": {"include_usage": True}}
            with self._calls(seconds).create(**asked) as chunks:
                for chunk in chunks:
                    if text := heard.take(chunk):
                        yield Delta(text)
                    if heard.is_late:
                        raise TimeoutError
                request_id = chunks.response.headers.get("x-request-id")
            result = self._result(heard, model, request, request_id)
        except Exception as problem:
            raise self._error(problem, request, heard) from problem
        yield result

    def scores(self, model: str, text: str, seconds: float) -> dict[str, float]:
        """The moderations endpoint's scores by category, without those that it leaves out. Raises AIError."""
        asked = Request("", text, 0)
        until = time.monotonic() + seconds
        try:
            client = self._client.with_options(timeout=timeouts(seconds))
            given = (
                client.moderations.create(model=model, input=text).results[0].category_scores.model_dump(by_alias=True)
            )
            return {name: float(score) for name, score in given.items() if score is not None}
        except Exception as problem:
            raise as_error(problem, self._sdk, asked, late=time.monotonic() >= until) from problem

    def _calls(self, seconds: float) -> Any:
        return self._client.with_options(timeout=timeouts(seconds)).chat.completions

    def _asked(self, model: str, request: Request) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "model": model,
            "messages": [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}],
            self._limit_name: request.max_output,
        }
        if request.temperature is not None:
            asked["temperature"] = request.temperature
        if request.shape is not None:
            wanted = {"name": request.shape.__name__, "schema": json_schema(request.shape), "strict": True}
            asked["response_format"] = {"type": "json_schema", "json_schema": wanted}
        return asked

    def _result(self, heard: "_Heard", model: str, request: Request, request_id: str | None) -> Result:
        if heard.finish is None:
            raise Unfinished
        usage = heard.usage or estimated_usage(request, heard.text)
        result = Result(heard.text or heard.refusal, usage, self.name, model, heard.model, request_id)
        return checked_result(result, "refusal" if heard.refusal else heard.finish, request.shape)

    def _error(self, problem: Exception, request: Request, heard: "_Heard") -> AIError:
        return as_error(problem, self._sdk, request, late=heard.is_late, usage=heard.usage, partial=heard.text)


@dataclass(slots=True)
class _Heard:
    """What an answer has said so far. Azure's first chunk and the one with the usage have no choices."""

    deadline: float
    pieces: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
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
    def refusal(self) -> str:
        return "".join(self.refusals)

    def take_whole(self, answer: Any) -> None:
        self.usage = _usage(answer.usage)
        self.model = answer.model
        self._add(answer.choices[0].message, answer.choices[0].finish_reason)

    def take(self, chunk: Any) -> str:
        """Note a chunk; the text that it adds."""
        self.usage = _usage(chunk.usage) or self.usage
        self.model = chunk.model or self.model
        if not chunk.choices:
            return ""
        return self._add(chunk.choices[0].delta, chunk.choices[0].finish_reason)

    def _add(self, said: Any, finish: str | None) -> str:
        self.finish = finish or self.finish
        if said is None:
            return ""
        if said.refusal:
            self.refusals.append(said.refusal)
        text: str = said.content or ""
        self.pieces.append(text)
        return text


def _usage(reported: Any) -> Usage | None:
    """OpenAI counts cached tokens inside the prompt and thinking inside the completion: taken apart here."""
    if reported is None:
        return None
    prompt, completion = reported.prompt_tokens_details, reported.completion_tokens_details
    cached = (prompt.cached_tokens or 0) if prompt else 0
    written = (prompt.cache_write_tokens or 0) if prompt else 0
    thought = (completion.reasoning_tokens or 0) if completion else 0
    return Usage(
        input=max(0, reported.prompt_tokens - cached - written),
        cache_read=cached,
        cache_write=written,
        output=max(0, reported.completion_tokens - thought),
        reasoning=thought,
    )
