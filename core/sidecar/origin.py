"""Whether a request comes from our own pages, judged by what browsers cannot be made to forge."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import BadInput, NotAllowed, Refusal
from core.settings import settings
from core.sidecar.problems import refused

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

ANY_ORIGIN: Final = ("/webhooks/", "/api/")
"""Paths whose callers are no browsers and prove themselves by a signature, or by a secret that is no cookie."""
ANY_HOST: Final = ("/webhooks/", "/healthz", "/readyz")
"""Paths asked for by address, as load balancers do."""

_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")
_POLICY_VIOLATION = 1008


class UnknownHost(BadInput):
    status = 421


class SameOrigin:
    """Refuses hosts that are not ours, and unsafe methods and websockets that do not come from our own pages."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or (refusal := _objection(HTTPConnection(scope))) is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await refused(scope, refusal)(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": refusal.code})


def _objection(connection: HTTPConnection) -> Refusal | None:
    path = connection.scope["path"]
    host = connection.headers.get("host", "")
    if not path.startswith(ANY_HOST) and not _is_our_host(host):
        return UnknownHost("web.unknown_host")
    if connection.scope["type"] == "http" and connection.scope["method"] in SAFE_METHODS:
        return None
    if path.startswith(ANY_ORIGIN) or _is_from_us(connection, host):
        return None
    return NotAllowed("web.foreign_origin")


def _is_from_us(connection: HTTPConnection, host: str) -> bool:
    """An Origin must be ours; without one, which only old browsers and forms leave out, Sec-Fetch-Site must say so."""
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    if site not in (None, "same-origin"):
        return False
    if origin is not None:
        return origin in _our_origins(host)
    return site is not None and connection.scope["type"] == "http"


def _our_origins(host: str) -> frozenset[str]:
    public = _split(settings().public_url)
    ours = {f"{public.scheme}://{public.netloc}"}
    if _split(f"//{host}").hostname in LOOPBACK:
        ours.add(f"http://{host}")
    return frozenset(ours)


def _is_our_host(host: str) -> bool:
    name = _split(f"//{host}").hostname if _HOST.fullmatch(host) else None
    return name is not None and (name in LOOPBACK or name == _split(settings().public_url).hostname)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts
