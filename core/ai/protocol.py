"""What a draft's prompt, answer, cost and failure look like, whichever vendor gives them. Pure."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

CHARACTERS_PER_TOKEN = 4.7
"""Mean of English prose under current tokenizers; only for estimates, which are always marked as such."""


class ErrorKind(StrEnum):
    """Why a call gave no usable answer: the one vocabulary for all vendors. Its sentence is `ai.<value>`."""

    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    AUTH = "auth"
    BAD_REQUEST = "bad_request"
    TOO_LONG = "too_long"
    FILTERED = "filtered"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    INVALID_OUTPUT = "invalid_output"
    PROTOCOL = "protocol"
    OVER_BUDGET = "over_budget"
    """Ours: the account's own budget has no room for the call."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Billed tokens of one call in buckets that do not overlap: each is multiplied by its own price and summed.

    `reasoning` is output that nobody sees, billed as output and not contained in `output`. `estimated` says that
    the vendor reported nothing and the counts come from the length of the texts.
    """

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    estimated: bool = False

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.output + other.output,
            self.reasoning + other.reasoning,
            self.estimated or other.estimated,
        )

    @property
    def prompt_tokens(self) -> int:
        return self.input + self.cache_read + self.cache_write

    @property
    def total(self) -> int:
        return self.prompt_tokens + self.output + self.reasoning


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt. `system` is ours; whatever a person or a fan wrote is in `user`, delimited, and is data.

    `max_output` is the number of tokens of visible text; room to think is added by the deployment that needs it.
    `shape`: what the answer has to be, as JSON; None for plain text.
    """

    system: str
    user: str
    max_output: int
    temperature: float | None = None
    shape: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer, to be appended."""

    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """A whole answer. `served_model` is the name that the vendor says it ran, when it says so.

    `parsed` is the answer in the shape that was asked for; None where none was.
    """

    text: str
    usage: Usage
    provider: str
    model: str
    served_model: str | None
    request_id: str | None
    parsed: BaseModel | None = None


class AIError(Exception):
    """A call without a usable answer, and all that is known about it.

    `usage`: what the vendor bills for it; zero when it said no before working, None when nobody can know.
    `partial`: the text that had arrived. `retry_after`: seconds that the vendor asks for. `detail`: for the log.
    """

    def __init__(
        self,
        kind: ErrorKind,
        detail: str = "",
        *,
        usage: Usage | None = None,
        partial: str = "",
        retry_after: float | None = None,
        status: int | None = None,
        request_id: str | None = None,
        served_model: str | None = None,
    ) -> None:
        super().__init__(f"{kind}: {detail}" if detail else str(kind))
        self.kind = kind
        self.detail = detail
        self.usage = usage
        self.partial = partial
        self.retry_after = retry_after
        self.status = status
        self.request_id = request_id
        self.served_model = served_model


class Provider(Protocol):
    """A connection to one vendor or server. Synchronous: it is called where jobs run.

    Both calls end within `seconds`, never retry by themselves, and raise AIError and nothing else. A stream gives
    Deltas and, last, the Result; closing it early ends the call.
    """

    @property
    def name(self) -> str: ...

    def complete(self, model: str, request: Request, seconds: float) -> Result: ...

    def stream(self, model: str, request: Request, seconds: float) -> Generator[Delta | Result]: ...


def estimated_tokens(text: str) -> int:
    """Tokens of a text by its length, at least one unless it is empty."""
    return max(1, round(len(text) / CHARACTERS_PER_TOKEN)) if text else 0


def estimated_usage(request: Request, answer: str) -> Usage:
    """The usage of a call whose vendor reported none. Thinking that was not shown is not in it."""
    prompt = estimated_tokens(request.system) + estimated_tokens(request.user)
    return Usage(input=prompt, output=estimated_tokens(answer), estimated=True)


class Unfinished(Exception):
    """The answer ended without saying why. Neither SDK raises when a stream is cut by a clean end of file."""


@cache
def json_schema(shape: type[BaseModel]) -> dict[str, Any]:
    """The shape as both vendors' strict mode wants it: every object closed, every field asked for."""
    closed: dict[str, Any] = _closed(shape.model_json_schema())
    return closed


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    closed = {name: _closed(one) for name, one in node.items() if name not in ("default", "title")}
    if closed.get("type") == "object" and "properties" in closed:
        closed |= {"additionalProperties": False, "required": list(closed["properties"])}
    return closed


def checked_result(result: Result, finish: str, shape: type[BaseModel] | None = None) -> Result:
    """The result, when it ended as a whole answer does. Raises AIError, with the usage kept, when it did not.

    `finish` is the vendor's own word mapped to stop, length, content_filter or refusal. The SDKs' own parsing loses
    the usage of an answer that is not as asked, so the shape is checked here.
    """
    if finish == "stop" and result.text.strip():
        return result if shape is None else _shaped(result, shape)
    kinds = {
        "stop": ErrorKind.INVALID_OUTPUT,
        "length": ErrorKind.TRUNCATED,
        "content_filter": ErrorKind.FILTERED,
        "refusal": ErrorKind.REFUSED,
    }
    raise AIError(
        kinds.get(finish, ErrorKind.PROTOCOL),
        "empty answer" if finish == "stop" else f"ended with {finish!r}",
        usage=result.usage,
        partial=result.text,
        request_id=result.request_id,
        served_model=result.served_model,
    )


def _shaped(result: Result, shape: type[BaseModel]) -> Result:
    try:
        return replace(result, parsed=shape.model_validate_json(result.text))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise AIError(
            ErrorKind.INVALID_OUTPUT,
            f"{where}: {first['msg']}" if where else first["msg"],
            usage=result.usage,
            partial=result.text,
            request_id=result.request_id,
            served_model=result.served_model,
        ) from None
