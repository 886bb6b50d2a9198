"""Where Stripe rings. The body is kept as it came: a signature is of bytes, not of what they mean."""

import asyncio

from fastapi import APIRouter
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core.billing.events import verified
from core.errors import Refusal
from core.sidecar.gathering import keep
from core.sidecar.problems import refused

PATH = "/webhooks/stripe"
QUICK = 1 << 16
"""Bytes that are read at once; a larger body is read by a thread, so that nobody else waits for it."""

_BODIES = {is_new: f'{{"received":true,"new":{str(is_new).lower()}}}'.encode() for is_new in (True, False)}
_HEADERS = {
    is_new: [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    for is_new, body in _BODIES.items()
}


class Bell:
    """200 once the event is committed, also for one that was here before; 400 for whatever Stripe did not sign.

    An app of its own, without what a framework does for a route: nothing is asked as often in one burst.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        signatures = [value for name, value in scope["headers"] if name == b"stripe-signature"]
        try:
            raw = await _body(receive)
            signature = b",".join(signatures) if signatures else None
            delivery = (
                verified(raw, signature) if len(raw) <= QUICK else await asyncio.to_thread(verified, raw, signature)
            )
            is_new = await keep(delivery)
        except Refusal as refusal:
            await refused(scope, refusal)(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS[is_new]})
        await send({"type": "http.response.body", "body": _BODIES[is_new]})


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


router = APIRouter(routes=[Route(PATH, Bell(), methods=["POST"])])
