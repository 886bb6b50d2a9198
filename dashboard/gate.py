"""Nobody reaches Streamlit without a session: each request is looked at, and each message of an open tab again.

A check in the entry script would come too late: callbacks run before it, and fragments without it.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import anyio
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from core.identity.sessions import is_alive, session_of
from core.sidecar.app import PATHS
from core.sidecar.cookies import token_of

USER_HEADER: Final = b"x-huntaze-user-id"
SESSION_HEADER: Final = b"x-huntaze-session-id"
_TRUSTED: Final = b"x-huntaze-"
"""Only the gate writes headers of this name; `.streamlit/config.toml` turns them into `st.user`."""

SIGN_IN = "/account/sign-in"
PUBLIC: Final = (*PATHS, "/static", "/_stcore/health", "/_stcore/host-config", "/favicon.png", "/favicon.ico")
_FOR_PROGRAMS: Final = ("/_stcore", "/media", "/component")

_THREADS = 8
T = TypeVar("T")
log = logging.getLogger("huntaze.web")


def _redirect() -> bytes:
    """Streamlit's own word for "go there": without it an open tab would stay as it is, dead."""
    word = ForwardMsg()
    word.auth_redirect.url = SIGN_IN
    said: bytes = word.SerializeToString()
    return said


_GO_AND_SIGN_IN: Final[tuple[Message, ...]] = (
    {"type": "websocket.send", "bytes": _redirect()},
    {"type": "websocket.close", "code": 4401, "reason": "sign in"},
)
_TRY_AGAIN: Final[tuple[Message, ...]] = ({"type": "websocket.close", "code": 1013, "reason": "try again"},)


class SessionGate:
    """ASGI: lets through who has a live session, and tells Streamlit who that is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        # Threads of its own, so that a crowd of slow sign-ins cannot hold up those who are in.
        self._threads: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = [pair for pair in scope["headers"] if not _is_ours(pair[0])]
        scope = {**scope, "headers": headers}
        if _is_under(scope["path"], PUBLIC):
            await self.app(scope, receive, send)
            return
        token = token_of(HTTPConnection(scope))
        found = await self._in_thread(lambda: session_of(token)) if token else None
        if found is None:
            await _turn_away(scope, receive, send)
            return
        vouched = [(USER_HEADER, str(found.user_id).encode()), (SESSION_HEADER, str(found.id).encode())]
        scope["headers"] = [*headers, *vouched]
        if scope["type"] == "websocket":
            tab = _Tab(receive, send, lambda sent: self._still(found.id, sent))
            receive, send = tab.receive, tab.send
        await self.app(scope, receive, send)

    async def _still(self, session_id: UUID, sent: bytes) -> bool:
        return await self._in_thread(lambda: is_alive(session_id, touch=not _is_by_itself(sent)))

    async def _in_thread(self, ask: Callable[[], T]) -> T:
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(_THREADS)
        return await anyio.to_thread.run_sync(ask, limiter=self._threads)


class _Tab:
    """An open tab. Each message is let through only while the session lives, so that nothing of a dead one runs."""

    def __init__(self, receive: Receive, send: Send, still: Callable[[bytes], Awaitable[bool]]) -> None:
        self._receive = receive
        self._send = send
        self._still = still
        self._closed = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        try:
            if await self._still(message.get("bytes") or b""):
                return message
            last_words = _GO_AND_SIGN_IN
        except Exception as error:
            log.warning("a session could not be looked up: %s", type(error).__name__)
            last_words = _TRY_AGAIN
        self._closed = True
        for word in last_words:
            await self._send(word)
        return {"type": "websocket.disconnect", "code": last_words[-1]["code"]}

    async def send(self, message: Message) -> None:
        """What a script still draws for a tab that was just closed goes nowhere."""
        if not self._closed:
            await self._send(message)


def _is_ours(name: bytes) -> bool:
    return name.lower().startswith(_TRUSTED)


def _is_under(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def _is_by_itself(sent: bytes) -> bool:
    """Whether the page refreshed itself: nobody was there, so it does not keep the session from going idle."""
    word = BackMsg()
    try:
        word.ParseFromString(sent)
    except DecodeError:
        return True
    return word.WhichOneof("type") == "rerun_script" and word.rerun_script.is_auto_rerun


async def _turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await _answer(scope)(scope, receive, send)
        return
    await receive()
    for word in ({"type": "websocket.accept", "subprotocol": "streamlit"}, *_GO_AND_SIGN_IN):
        await send(word)


def _answer(scope: Scope) -> Response:
    if _is_under(scope["path"], _FOR_PROGRAMS) or scope["method"] not in ("GET", "HEAD"):
        return JSONResponse({"detail": "sign in"}, 401, {"cache-control": "no-store"})
    target = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
    return RedirectResponse(f"{SIGN_IN}?{urlencode({'next': target})}", 303, {"cache-control": "no-store"})
