"""What the pages with forms share: reading a form, who sent it, where to go on to, and letting somebody in."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import Depends
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from core.access import Scope
from core.identity.known_devices import KEPT_FOR
from core.identity.proof import ProofNeeded
from core.identity.service import Profile, profile
from core.identity.sessions import Key, close_session, session_of
from core.identity.signing_in import CODE_WAITS, Admitted, CodeAsked
from core.identity.visitors import Visitor
from core.language import LANGUAGES
from core.sidecar import cookies
from core.sidecar.pages import language_of
from core.sidecar.problems import refused
from core.workspaces.service import open_scope

SIGN_IN = "/account/sign-in"
LONGEST_NEXT = 2000
_INSIDE = (
    "/account/security",
    "/account/password",
    "/account/email",
    "/account/second-factor",
    "/account/invitation",
    "/account/external",
)
"""Pages under /account that somebody who is in may be sent on to; from the others they would only be sent back."""


async def _fields(request: Request) -> Mapping[str, str]:
    """The fields of a form that a browser sent; a field given twice counts once."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    async with request.form(max_files=0, max_fields=20) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


Fields = Annotated[Mapping[str, str], Depends(_fields)]


class SignInFirst(Exception):
    """The page is for people who are signed in, and nobody is."""


@dataclass(frozen=True, slots=True)
class Inside:
    """Who is signed in: everything of theirs in view, and how they want to be spoken to."""

    scope: Scope
    person: Profile

    @property
    def language(self) -> str:
        return self.person.language


def inside(request: Request) -> Inside:
    """Raises SignInFirst."""
    token = cookies.token_of(request)
    found = session_of(token) if token else None
    if found is None:
        raise SignInFirst
    scope = open_scope(found.user_id, found.id)
    return Inside(scope, profile(scope))


Insider = Annotated[Inside, Depends(inside)]


async def on_sign_in_first(request: Request, _error: Exception) -> Response:
    return go(SIGN_IN, next=_here(request))


async def on_proof_needed(request: Request, error: Exception) -> Response:
    """People are led through `/account/prove` and back; programs are told."""
    if not isinstance(error, ProofNeeded):
        raise error
    if "text/html" not in request.headers.get("accept", "") and request.method not in ("GET", "HEAD"):
        return refused(request.scope, error)
    return go("/account/prove", next=_here(request))


def _here(request: Request) -> str:
    """The page that a person is on: for a form, the one that shows it."""
    if request.method in ("GET", "HEAD"):
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    came_from = urlsplit(request.headers.get("referer", ""))
    return came_from.path + (f"?{came_from.query}" if came_from.query else "") or "/"


def go(path: str, **query: str) -> Response:
    target = f"{path}?{urlencode(query)}" if query else path
    return RedirectResponse(target, HTTPStatus.SEE_OTHER, {"cache-control": "no-store"})


def safe_next(target: str) -> str:
    """The path to go to after signing in, or "/" for anything that could lead out of this site or back here."""
    inside = target.partition("?")[0] in _INSIDE
    is_path = target.startswith("/") and not target.startswith("//") and (inside or not target.startswith("/account"))
    is_plain = target.isprintable() and target.isascii() and "\\" not in target and " " not in target
    return target if is_path and is_plain and len(target) <= LONGEST_NEXT else "/"


def visitor_of(connection: HTTPConnection) -> Visitor:
    """The browser that asks. Behind a proxy its address is known only where TRUSTED_PROXIES names that proxy."""
    address = connection.client.host if connection.client else "unknown"
    return Visitor(address, connection.headers.get("user-agent", ""), cookies.device_of(connection))


def language_for(request: Request, given: Mapping[str, str]) -> str:
    asked = given.get("lang", "")
    return asked if asked in LANGUAGES else language_of(request.scope)


def let_in(request: Request, came: Admitted | CodeAsked, target: str) -> Response:
    """On to where the person wanted to go, or to the page that asks for their code.

    A session that the browser had before ends: none outlives a sign-in.
    """
    if isinstance(came, CodeAsked):
        response = go("/account/code", next=safe_next(target))
        cookies.write(response, cookies.PENDING, came.pending, CODE_WAITS)
        return response
    if before := cookies.token_of(request):
        close_session(before)
    response = go(safe_next(target))
    renew(response, came.key)
    cookies.write(response, cookies.DEVICE, came.device, KEPT_FOR)
    if cookies.pending_of(request):
        cookies.take_back(response, cookies.PENDING)
    return response


def renew(response: Response, key: Key) -> None:
    """Give the browser a session's new token."""
    cookies.give(response, key.token, key.lasts)
