"""Plain HTML pages: rendered here, styled by one sheet, usable without a script."""

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from core.errors import sentences
from core.language import LANGUAGES, from_accept_language
from core.text import cleaned

TEMPLATES = Path(__file__).parent / "templates"


def page(
    scope: Scope,
    template: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    language: str | None = None,
    **facts: object,
) -> Response:
    """A template filled with facts, in the language given, else in that of the request. Never cached."""
    spoken = language or language_of(scope)
    body = (
        _environment()
        .get_template(template)
        .render(language=spoken, languages=LANGUAGES, t=partial(sentences().text, spoken), query=urlencode, **facts)
    )
    return HTMLResponse(cleaned(body), status, {"cache-control": "no-store"} | dict(headers or {}))


def language_of(scope: Scope) -> str:
    """That of `?lang=` where it is one of ours, else the browser's."""
    request = HTTPConnection(scope)
    asked = request.query_params.get("lang", "")
    return asked if asked in LANGUAGES else from_accept_language(request.headers.get("accept-language"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
