"""One process, one origin: Streamlit with the sidecar in it, behind the gate.

`python3 -m uvicorn dashboard.asgi:app`, from the repository's root, where `.streamlit/config.toml` is found.
"""

import ast
import base64
import gc
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config

from core.settings import settings
from core.sidecar.app import PATHS, create_app
from core.sidecar.headers import SecurityHeaders
from core.sidecar.health import why_not_ready
from core.sidecar.origin import SameOrigin
from core.sidecar.problems import CrashReport
from dashboard.compressed import ORIGINALS, CompressedStatic
from dashboard.gate import SESSION_HEADER, USER_HEADER, SessionGate
from dashboard.session import problem_shown

ROOT = Path(__file__).resolve().parent.parent
log = logging.getLogger("huntaze.web")

_SLOW_TO_IMPORT = ("pandas", "pyarrow", "plotly.graph_objects")
_SCRIPTS = (ROOT / "dashboard" / "app.py", *sorted((ROOT / "pages").glob("[a-z]*.py")))


class Whole(BaseRoute):
    """Hands paths to another app as they are; a `Mount` would cut their beginning off."""

    def __init__(self, places: tuple[str, ...], app: ASGIApp) -> None:
        self.places = places
        self.app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = scope.get("path", "")
        hit = scope["type"] == "http" and any(path == place or path.startswith(f"{place}/") for place in self.places)
        return (Match.FULL if hit else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def build_app(entry: Path) -> st.App:
    """The whole product over one entry script. Raises RuntimeError where Streamlit's settings are not ours."""
    _check_settings()
    return st.App(
        entry,
        routes=[Whole(PATHS, create_app())],
        middleware=[
            Middleware(SecurityHeaders, content_policy=content_policy()),
            Middleware(CrashReport),
            Middleware(SameOrigin),
            Middleware(SessionGate),
            Middleware(CompressedStatic),
        ],
        lifespan=_lifespan,
        on_script_error=problem_shown,
    )


def content_policy() -> str:
    """What Streamlit's page needs, and nothing from elsewhere: one inline script of its own, and inline styles."""
    page = (ORIGINALS.parent / "index.html").read_text(encoding="utf-8")
    inline = (hashlib.sha256(script.encode()).digest() for script in re.findall(r"<script>(.*?)</script>", page, re.S))
    scripts = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in inline)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _check_settings() -> None:
    """Without the trusted headers nobody could be known; without the other, a rerun costs ten times as much."""
    trusted = config.get_option("server.trustedUserHeaders") or {}
    if {USER_HEADER.decode(): "sub", SESSION_HEADER.decode(): "sid"} != trusted or config.get_option(
        "runner.postScriptGC"
    ):
        raise RuntimeError(f"Streamlit's settings were not found: start from {ROOT}, where .streamlit/config.toml is")
    # Behind a proxy that changes Host, Streamlit would look the public name up on the network, at each connection.
    config.set_option("browser.serverAddress", urlsplit(settings().public_url).hostname)


def _imported_by(scripts: Iterable[Path]) -> set[str]:
    """The modules that scripts import at their top; the scripts themselves run only for a visitor."""
    found: set[str] = set()
    for script in scripts:
        for line in ast.parse(script.read_text(encoding="utf-8")).body:
            if isinstance(line, ast.ImportFrom) and line.module:
                found.add(line.module)
            elif isinstance(line, ast.Import):
                found.update(alias.name for alias in line.names)
    return found


@asynccontextmanager
async def _lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    await anyio.to_thread.run_sync(_warm_up)
    yield {}


def _warm_up() -> None:
    """What the first visitor would wait for. What is there by then stays: the garbage collector need not look again."""
    for name in (*_SLOW_TO_IMPORT, *_imported_by(_SCRIPTS)):
        import_module(name)
    if reason := why_not_ready():
        log.warning("not ready: %s", reason)
    gc.collect()
    gc.freeze()


app = build_app(ROOT / "dashboard" / "app.py")
