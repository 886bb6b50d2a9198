"""A local server that answers as model vendors do, byte by byte: OpenAI, Azure OpenAI, local servers, Claude.

In tests, `play` says how the next calls are answered. `python3 -m tests.peers.model_server --port N` serves by itself:
it streams a few words about whatever the prompt is about, so that one sees that the answer is not canned.
"""

import argparse
import json
import re
import socket
import struct
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

TEXT = "one two three four five"
PROMPT, CACHED, ANSWER, THOUGHT = 100, 40, 15, 5
"""Tokens that every answer claims, in buckets that do not overlap."""
_CHATS = ("/v1/chat/completions", "/openai/v1/chat/completions")
_LEGACY = re.compile(r"/openai/deployments/[\w.-]+/chat/completions\?api-version=\d{4}-\d{2}-\d{2}(?:-preview)?")
"""Azure before v1: the deployment in the path, and a version in the query."""
_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
REQUEST_ID = {"x-request-id": "req_1", "request-id": "req_1"}
"""Named so by OpenAI, and so by Anthropic."""


@dataclass(frozen=True)
class Turn:
    """How one call is answered.

    `text` None: made from the prompt. `body`: sent as it is instead of an answer. `hang`: seconds of silence and then
    nothing. `pause`: seconds between the pieces of the answer. `cut`: after `after` words the stream ends by eof (a
    clean end of file), reset, error (an error event) or stall (silence for `hang` seconds). `finish`: stop, length,
    content_filter, refusal, or None for an answer that ends without saying why.
    """

    text: str | None = TEXT
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Mapping[str, Any] | None = None
    content_type: str = "application/json"
    hang: float = 0.0
    pause: float = 0.0
    cut: str | None = None
    after: int = 2
    finish: str | None = "stop"
    reports_usage: bool = True
    filter_first: bool = False
    """Azure's stream begins with a chunk that has no choices."""
    scores: Mapping[str, float] | None = None
    """Of a moderation, over those of a text that nobody minds; a category whose score is below 0 is left out."""


@dataclass(frozen=True)
class Asked:
    """One call as it arrived. Header names are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


class ModelServer:
    """Serves on 127.0.0.1 from threads of its own until it is left."""

    def __init__(self, port: int = 0, default: Turn | None = None) -> None:
        self.seen: list[Asked] = []
        self.over = threading.Event()
        self._turns: deque[Turn] = deque()
        self._verdicts: deque[Turn] = deque()
        self.judged: list[Asked] = []
        self._default = default or Turn()
        self._lock = threading.Lock()
        owner = self

        class Answering(_Answering):
            server_of = owner

        self._http = _House(("127.0.0.1", port), Answering)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> "ModelServer":
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._http.shutdown()
        self._http.server_close()

    def play(self, *turns: Turn) -> None:
        """The next calls are answered so, in this order; what was seen before is forgotten."""
        with self._lock:
            self._turns = deque(turns)
            self.seen.clear()

    def judge(self, *turns: Turn) -> None:
        """The next moderations are answered so; the others find nothing. What was judged before is forgotten."""
        with self._lock:
            self._verdicts = deque(turns)
            self.judged.clear()

    def take_verdict(self, asked: Asked) -> Turn:
        with self._lock:
            self.judged.append(asked)
            return self._verdicts.popleft() if self._verdicts else Turn()

    def take(self, asked: Asked) -> Turn:
        with self._lock:
            self.seen.append(asked)
            return self._turns.popleft() if self._turns else self._default

    def serve_forever(self) -> None:
        self._http.serve_forever()


class _House(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what many tests are about, and no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: ModelServer

    def log_message(self, *_: object) -> None:
        return

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        asked = Asked(
            self.path, {name.lower(): value for name, value in self.headers.items()}, json.loads(raw or b"{}")
        )
        is_verdict = asked.path.endswith("/moderations")
        turn = self.server_of.take_verdict(asked) if is_verdict else self.server_of.take(asked)
        try:
            self._answer(turn, asked)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self, turn: Turn, asked: Asked) -> None:
        if turn.hang and not turn.cut:
            self._be_silent(turn)
        elif turn.status != 200 or turn.body is not None:
            body = turn.body if turn.body is not None else {"error": {"message": "no", "type": None, "code": None}}
            self._whole(turn, body if isinstance(body, bytes) else json.dumps(body).encode())
        elif asked.path.endswith("/moderations"):
            scores = dict.fromkeys(_CATEGORIES, 0.001) | dict(turn.scores or {})
            kept = {name: score for name, score in scores.items() if score >= 0}
            verdict = {"flagged": False, "categories": dict.fromkeys(kept, False), "category_scores": kept}
            self._whole(turn, json.dumps({"id": "m", "model": asked.body.get("model"), "results": [verdict]}).encode())
        elif asked.path == "/v1/messages":
            self._speak(turn, asked, _Claude(turn, asked.body))
        elif asked.path in _CHATS or _LEGACY.fullmatch(asked.path):
            self._speak(turn, asked, _Chat(turn, asked.body))
        else:
            self._whole(Turn(status=404), b'{"error": {"message": "no such path"}}')

    def _speak(self, turn: Turn, asked: Asked, voice: "_Voice") -> None:
        if asked.body.get("stream"):
            self._stream(turn, voice)
        else:
            self._whole(turn, json.dumps(voice.whole()).encode())

    def _whole(self, turn: Turn, body: bytes) -> None:
        self.send_response(turn.status)
        for name, value in {"content-type": turn.content_type, **REQUEST_ID, **turn.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        step = max(1, len(body) // 8) if turn.pause else len(body) or 1
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            self.wfile.flush()
            self.server_of.over.wait(turn.pause)

    def _stream(self, turn: Turn, voice: "_Voice") -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        for name, value in REQUEST_ID.items():
            self.send_header(name, value)
        self.end_headers()
        for event in voice.opening():
            self._chunk(event)
        for count, word in enumerate(voice.words):
            if turn.cut and count == turn.after:
                self._cut(turn, voice)
                return
            self.server_of.over.wait(turn.pause)
            self._chunk(voice.piece(word))
        for event in voice.closing():
            self._chunk(event)
        self._end()

    def _cut(self, turn: Turn, voice: "_Voice") -> None:
        self.close_connection = True
        if turn.cut == "eof":
            self._end()
        elif turn.cut == "error":
            self._chunk(voice.error())
            self._end()
        elif turn.cut == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            self._be_silent(turn)

    def _be_silent(self, turn: Turn) -> None:
        self.server_of.over.wait(turn.hang)
        self.close_connection = True

    def _chunk(self, event: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.flush()

    def _end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


def _event(data: Mapping[str, Any] | str, name: str | None = None) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


class _Voice(ABC):
    """One vendor's way to say one answer."""

    def __init__(self, turn: Turn, asked: Mapping[str, Any]) -> None:
        self.turn = turn
        self.asked = asked
        self.text = _about(asked) if turn.text is None else turn.text

    @property
    def words(self) -> list[str]:
        words = self.text.split(" ")
        return [word + " " for word in words[:-1]] + words[-1:] if self.text else []

    @abstractmethod
    def whole(self) -> dict[str, Any]: ...
    @abstractmethod
    def opening(self) -> Iterator[bytes]: ...
    @abstractmethod
    def piece(self, word: str) -> bytes: ...
    @abstractmethod
    def closing(self) -> Iterator[bytes]: ...
    @abstractmethod
    def error(self) -> bytes: ...


class _Chat(_Voice):
    """Chat Completions. A refusal comes beside the text and ends with stop, as from the vendor."""

    @property
    def _served(self) -> str:
        return f"{self.asked.get('model')}-2026-11-01"

    @property
    def _finish(self) -> str | None:
        return "stop" if self.turn.finish == "refusal" else self.turn.finish

    def _said(self, text: str) -> dict[str, str]:
        return {"refusal": text} if self.turn.finish == "refusal" else {"content": text}

    def _usage(self) -> dict[str, Any]:
        return {
            "prompt_tokens": PROMPT + CACHED,
            "completion_tokens": ANSWER + THOUGHT,
            "total_tokens": PROMPT + CACHED + ANSWER + THOUGHT,
            "prompt_tokens_details": {"cached_tokens": CACHED},
            "completion_tokens_details": {"reasoning_tokens": THOUGHT},
        }

    def whole(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": None, **self._said(self.text)}
        answer = {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": self._served,
            "choices": [{"index": 0, "message": message, "finish_reason": self._finish}],
        }
        return answer | ({"usage": self._usage()} if self.turn.reports_usage else {})

    def _part(self, choices: list[dict[str, Any]], **more: object) -> bytes:
        base = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": self._served}
        return _event({**base, "choices": choices, **more})

    def opening(self) -> Iterator[bytes]:
        if self.turn.filter_first:
            yield self._part([], prompt_filter_results=[{"prompt_index": 0, "content_filter_results": {}}])

    def piece(self, word: str) -> bytes:
        return self._part([{"index": 0, "delta": self._said(word), "finish_reason": None}])

    def closing(self) -> Iterator[bytes]:
        yield self._part([{"index": 0, "delta": {}, "finish_reason": self._finish}])
        asks_usage = (self.asked.get("stream_options") or {}).get("include_usage")
        if asks_usage and self.turn.reports_usage:
            yield self._part([], usage=self._usage())
        yield _event("[DONE]")

    def error(self) -> bytes:
        return _event({"error": {"message": "had an error", "type": "server_error", "code": "server_error"}})


class _Claude(_Voice):
    """Messages. Counts are disjoint, but for the thinking inside the output."""

    _WORDS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}  # noqa: RUF012

    @property
    def _stop(self) -> str | None:
        return self._WORDS.get(self.turn.finish or "", self.turn.finish)

    def _usage(self, output: int) -> dict[str, Any]:
        return {
            "input_tokens": PROMPT,
            "cache_read_input_tokens": CACHED,
            "cache_creation_input_tokens": 0,
            "output_tokens": output,
        }

    def _message(self, content: list[dict[str, str]], stop: str | None, usage: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": f"{self.asked.get('model')}-20261101",
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": usage,
        }

    def whole(self) -> dict[str, Any]:
        content = [{"type": "text", "text": self.text}] if self.text else []
        details = {"output_tokens_details": {"thinking_tokens": THOUGHT}}
        return self._message(content, self._stop, self._usage(ANSWER + THOUGHT) | details)

    def opening(self) -> Iterator[bytes]:
        yield _event({"type": "message_start", "message": self._message([], None, self._usage(1))}, "message_start")
        block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        yield _event(block, "content_block_start")

    def piece(self, word: str) -> bytes:
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
        return _event(delta, "content_block_delta")

    def closing(self) -> Iterator[bytes]:
        yield _event({"type": "content_block_stop", "index": 0}, "content_block_stop")
        usage = {"output_tokens": ANSWER + THOUGHT, "output_tokens_details": {"thinking_tokens": THOUGHT}}
        delta = {"stop_reason": self._stop, "stop_sequence": None}
        yield _event({"type": "message_delta", "delta": delta, "usage": usage}, "message_delta")
        yield _event({"type": "message_stop"}, "message_stop")

    def error(self) -> bytes:
        return _event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")


def _about(asked: Mapping[str, Any]) -> str:
    """An answer that could only be to this prompt."""
    prompt = str(asked["messages"][-1]["content"])
    subject = next((line[7:] for line in prompt.splitlines() if line.startswith("about: ")), prompt)
    words = subject.split()
    return f"Fresh from the test model: {' '.join(words[:20])}. Tell me what you think, all {len(words)} words of it!"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pause", type=float, default=0.15, help="seconds between two words")
    chosen = parser.parse_args()
    server = ModelServer(chosen.port, Turn(text=None, pause=chosen.pause))
    print(f"answering as OpenAI, Azure OpenAI and Claude at {server.url}", flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    main()
