"""Streamlit's own scripts and styles, compressed once: it serves them as they are, three times as large."""

import gzip
import logging
import mimetypes
import shutil
import threading
from pathlib import Path
from uuid import uuid4

import streamlit
from starlette.requests import HTTPConnection
from starlette.responses import FileResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core.settings import settings

log = logging.getLogger("huntaze.web")

ORIGINALS = Path(streamlit.__file__).parent / "static" / "static"
_PREFIX = "/static/"
_WORTH_IT = frozenset({".js", ".css", ".svg", ".json", ".wasm", ".ttf"})
_SMALLEST = 1000
_FOR_EVER = {
    "content-encoding": "gzip",
    "vary": "accept-encoding",
    "cache-control": "public, immutable, max-age=31536000",
}


class CompressedStatic:
    """ASGI: answers with the compressed copy where there is one and the browser takes it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._copies: dict[str, Path] = {}
        threading.Thread(target=self._prepare, name="compress-static", daemon=True).start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (copy := self._wanted(scope)) is None:
            await self.app(scope, receive, send)
            return
        kind = mimetypes.guess_type(scope["path"])[0] or "application/octet-stream"
        await FileResponse(copy, media_type=kind, headers=_FOR_EVER)(scope, receive, send)

    def _wanted(self, scope: Scope) -> Path | None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return None
        copy = self._copies.get(scope["path"])
        takes = HTTPConnection(scope).headers.get("accept-encoding", "") if copy else ""
        return copy if "gzip" in takes else None

    def _prepare(self) -> None:
        """In the background: until it is done, the originals serve."""
        folder = settings().data_dir / "static" / streamlit.__version__
        try:
            if not folder.exists():
                compress(folder)
            self._copies = {
                _PREFIX + copy.relative_to(folder).as_posix().removesuffix(".gz"): copy for copy in folder.rglob("*.gz")
            }
        except OSError as error:
            log.warning("static files stay uncompressed: %s", error)


def compress(folder: Path) -> None:
    """Fill the folder, all of it or nothing. Another process that does the same at the same time does no harm."""
    beside = folder.with_name(f"{folder.name}.{uuid4().hex}")
    try:
        for original in ORIGINALS.rglob("*"):
            if original.suffix in _WORTH_IT and original.stat().st_size > _SMALLEST:
                copy = beside / original.relative_to(ORIGINALS)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.with_name(f"{copy.name}.gz").write_bytes(gzip.compress(original.read_bytes(), 9, mtime=0))
        beside.rename(folder)
    except OSError:
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
