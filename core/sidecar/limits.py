"""How much a request may bring along."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import BadInput
from core.sidecar.problems import refused

MOST = 1_000_000
"""Bytes of one body: Stripe's largest events are a tenth of that, and forms are far smaller."""


class TooLarge(BadInput):
    status = 413


class BodyLimit:
    """Refuses a body that is too large, said to be or found to be while it comes in."""

    def __init__(self, app: ASGIApp, most: int = MOST) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = HTTPConnection(scope).headers.get("content-length", "0")
        if not said.isdecimal() or int(said[:20]) > self.most:
            await refused(scope, TooLarge("web.too_large"))(scope, receive, send)
            return
        came = 0

        async def receive_some() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self.most:
                raise TooLarge("web.too_large")
            return message

        await self.app(scope, receive_some, send)
