"""Every "no" and every crash, said once: as a page to people, as problem details (RFC 9457) to programs."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from secrets import token_hex

import psycopg
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import Refusal, Unavailable, sentences
from core.sidecar.pages import language_of, page

log = logging.getLogger("huntaze.web")

DATABASE_AWAY = (OperationalError, InterfaceError, PoolExhausted, psycopg.OperationalError, psycopg.InterfaceError)
"""What is raised while the database does not answer."""
_SENTENCES: Mapping[int, str] = {
    404: "access.not_found",
    405: "web.wrong_method",
    413: "web.too_large",
    415: "web.wrong_form",
}


def problem(scope: Scope, status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer for one "no". `code` names the reason to programs, `sentence` says it to people."""
    title = HTTPStatus(status).phrase
    if "text/html" in HTTPConnection(scope).headers.get("accept", ""):
        return page(scope, "problem.html", status, headers, sentence=sentence)
    told = {"type": "about:blank", "title": title, "status": status, "detail": sentence, "code": code}
    return JSONResponse(
        told, status, {"cache-control": "no-store"} | dict(headers or {}), media_type="application/problem+json"
    )


def refused(scope: Scope, refusal: Refusal) -> Response:
    return problem(scope, refusal.status, refusal.code, refusal.sentence(language_of(scope)))


async def on_refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    return refused(request.scope, error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: an unknown path, a wrong method, a body that cannot be parsed."""
    if not isinstance(error, HTTPException):
        raise error
    code = _SENTENCES.get(error.status_code, "web.not_understood")
    sentence = sentences().text(language_of(request.scope), code)
    return problem(request.scope, error.status_code, code, sentence, error.headers)


async def on_invalid(request: Request, _error: Exception) -> Response:
    """Input of the wrong shape. FastAPI's own answer repeats it, and fails on what cannot be encoded."""
    sentence = sentences().text(language_of(request.scope), "web.not_understood")
    return problem(request.scope, HTTPStatus.UNPROCESSABLE_ENTITY, "web.not_understood", sentence)


class CrashReport:
    """Whatever else goes wrong: logged with a reference number, which is all that the person sees of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def send_and_see(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_and_see)
        except ClientDisconnect:
            return  # whoever asked is gone, so nobody waits for an answer
        except Exception as error:
            answer = _said_of(error, scope)
            if begun:
                raise
            await answer(scope, receive, send)


def _said_of(error: Exception, scope: Scope) -> Response:
    if isinstance(error, DATABASE_AWAY):
        log.warning("the database does not answer: %s", type(error).__name__)
        return refused(scope, Unavailable("web.unavailable"))
    reference = token_hex(4)
    log.error("crash %s", reference, exc_info=error)
    sentence = sentences().text(language_of(scope), "web.crash", reference=reference)
    return problem(scope, HTTPStatus.INTERNAL_SERVER_ERROR, "web.crash", sentence)
