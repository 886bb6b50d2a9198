"""What both vendor SDKs share on the wire: a deadline that holds, and one mapper of their failures.

Both SDKs speak through httpx2, whose timeouts are per read: a server that drips bytes is never late for them.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import httpx2

from core.ai.faults import Complaint, complaint_of, kind_of, retry_after_of
from core.ai.protocol import AIError, ErrorKind, Request, Usage, estimated_usage

CONNECT_SECONDS = 5.0


class Sdk(Protocol):
    """The part of the `openai` and `anthropic` modules that tells one failure from another."""

    @property
    def APITimeoutError(self) -> type[Exception]: ...
    @property
    def APIConnectionError(self) -> type[Exception]: ...


def timeouts(seconds: float) -> httpx2.Timeout:
    """No single wait longer than the whole call may take."""
    return httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))


def deadline_hooks() -> dict[str, list[Callable[[Any], None]]]:
    """Event hooks for an httpx2 client that end the reading of an answer when the call's time is over."""
    return {"request": [_note_deadline], "response": [_end_at_deadline]}


def _note_deadline(request: httpx2.Request) -> None:
    request.extensions["deadline"] = time.monotonic() + request.extensions["timeout"]["read"]


def _end_at_deadline(response: httpx2.Response) -> None:
    wire = response.extensions["network_stream"].get_extra_info("socket")
    left = max(0.0, response.request.extensions["deadline"] - time.monotonic())
    timer = threading.Timer(left, _hang_up, [wire])
    timer.daemon = True
    timer.start()
    if isinstance(response.stream, httpx2.SyncByteStream):
        response.stream = _Timed(response.stream, timer)


def _hang_up(wire: socket.socket) -> None:
    try:
        # Not the TLS object's own shutdown: another thread is inside its read.
        socket.socket.shutdown(wire, socket.SHUT_RDWR)
    except OSError:
        return


class _Timed(httpx2.SyncByteStream):
    """The body of an answer, with the timer that ends it stopped once the body is done with."""

    def __init__(self, body: httpx2.SyncByteStream, timer: threading.Timer) -> None:
        self._body = body
        self._timer = timer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._body

    def close(self) -> None:
        self._timer.cancel()
        self._body.close()


def as_error(
    problem: Exception, sdk: Sdk, request: Request, *, late: bool, usage: Usage | None = None, partial: str = ""
) -> AIError:
    """Any failure of a call as AIError. `late`: its time was over by then. `usage`: what the vendor had reported."""
    if isinstance(problem, AIError) and not (late and problem.kind is ErrorKind.PROTOCOL):
        return problem
    response = getattr(problem, "response", None)
    status = response.status_code if response is not None else None
    complaint = complaint_of(getattr(problem, "body", None))
    kind = ErrorKind.TIMEOUT if late else _kind(problem, sdk, status, complaint)
    if usage is None and partial:
        usage = estimated_usage(request, partial)
    elif usage is None and status is not None and status >= 400 and kind is not ErrorKind.FILTERED:
        usage = Usage()
    return AIError(
        kind,
        ", ".join(complaint.filtered) or complaint.message or f"{type(problem).__name__}",
        usage=usage,
        partial=partial,
        retry_after=retry_after_of(response.headers) if response is not None else None,
        status=status,
        request_id=getattr(problem, "request_id", None),
    )


def _kind(problem: Exception, sdk: Sdk, status: int | None, complaint: Complaint) -> ErrorKind:
    if isinstance(problem, (sdk.APITimeoutError, httpx2.TimeoutException)):
        return ErrorKind.TIMEOUT
    if known := kind_of(status, complaint):
        return known
    if isinstance(problem, (sdk.APIConnectionError, httpx2.TransportError)):
        return ErrorKind.UNAVAILABLE
    # An HTML page, half a JSON document, a list where an object belongs: both SDKs fail in ways of their own.
    return ErrorKind.PROTOCOL
