"""Signing in through another provider: there and back again, ending in the same session as a password does."""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import Final
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from core import limits, sealing
from core.errors import NotFound, NotSignedIn, Refusal
from core.identity import external
from core.identity.proof import ProofNeeded
from core.identity.signing_in import come_in
from core.settings import settings
from core.sidecar import cookies
from core.sidecar.forms import (
    Fields,
    Inside,
    Insider,
    SignInFirst,
    go,
    inside,
    language_for,
    let_in,
    safe_next,
    visitor_of,
)
from core.sidecar.pages import page
from core.sidecar.problems import refused
from core.sidecar.providers import Begun, Provider, begin, finish, provider, providers
from core.workspaces.external_sign_up import user_vouched_for

router = APIRouter(prefix="/account/external")

COOKIE: Final = "huntaze_external"
LASTS = timedelta(minutes=10)
HERE = "/account/external"
STARTS = limits.Limit("external_start", 100, timedelta(minutes=10))
RETURNS = limits.Limit("external_state", 1, timedelta(days=1))
"""A state is good once, also for whoever kept a copy of the cookie."""
_SAID = ("linked", "unlinked")
_SEALED_FOR = "half an external sign-in"


@dataclass(frozen=True, slots=True)
class Half:
    """What the browser carries, sealed, while its person is at the provider. `links_to`: the session to link for."""

    provider: str
    begun: Begun
    target: str
    until: float
    links_to: str | None = None


@router.get("")
def overview(request: Request, who: Insider) -> Response:
    return _page(request, who)


@router.post("/unlink")
def unlinked(request: Request, who: Insider, form: Fields) -> Response:
    try:
        external.unlink(who.scope, _an_id(form.get("identity", "")))
    except ProofNeeded:
        raise
    except Refusal as refusal:
        return _page(request, who, refusal)
    return go(HERE, said="unlinked")


@router.get("/{name}/start")
async def start(request: Request, name: str) -> Response:
    asked = provider(name)
    await run_in_threadpool(limits.count, STARTS, visitor_of(request).network)
    begun = await begin(asked, _come_back_to(asked))
    target = safe_next(request.query_params.get("next", "/"))
    response = go(begun.url)
    carry(response, Half(asked.name, begun, target, time.time() + LASTS.total_seconds()))
    return response


@router.post("/{name}/link")
async def link(request: Request, who: Insider, name: str) -> Response:
    """Answers with a page that goes on by itself: `form-action` would hold a redirect of a form to another site."""
    asked = provider(name)
    session_id = await run_in_threadpool(external.begin_link, who.scope)
    begun = await begin(asked, _come_back_to(asked))
    response = page(
        request.scope,
        "external_go.html",
        headers={"refresh": f"0; url={begun.url}"},
        language=who.language,
        provider=asked.label,
        url=begun.url,
    )
    half = Half(asked.name, begun, HERE, time.time() + LASTS.total_seconds(), str(session_id))
    carry(response, half)
    return response


@router.get("/{name}/callback")
async def callback(request: Request, name: str) -> Response:
    try:
        response = await _come_back(request, provider(name))
    except Refusal as refusal:
        response = refused(request.scope, refusal)
    cookies.take_back(response, COOKIE)
    return response


async def _come_back(request: Request, asked: Provider) -> Response:
    given = request.query_params
    if given.get("error"):
        reason = "cancelled" if given["error"] == "access_denied" else "refused"
        raise NotSignedIn(f"external.{reason}", provider=asked.label)
    half = await run_in_threadpool(carried, request, asked)
    vouched = await finish(asked, half.begun, _come_back_to(asked), given.get("code", ""))
    if half.links_to is not None:
        return await run_in_threadpool(_link, request, half.links_to, vouched)
    return await run_in_threadpool(_sign_in, request, half.target, vouched)


def _sign_in(request: Request, target: str, vouched: external.Vouched) -> Response:
    visitor = visitor_of(request)
    user_id = user_vouched_for(vouched, language_for(request, {}), visitor)
    return let_in(request, come_in(user_id, visitor), target)


def _link(request: Request, session_id: str, vouched: external.Vouched) -> Response:
    """To the person whose browser asked for it: still signed in, in the same session."""
    try:
        who = inside(request)
    except SignInFirst:
        raise NotSignedIn("identity.sign_in_again") from None
    if str(who.scope.session_id) != session_id:
        raise NotSignedIn("external.bad_state")
    try:
        external.link(who.scope, vouched)
    except ProofNeeded:
        return go("/account/prove", next=HERE)
    return go(HERE, said="linked")


def carry(response: Response, half: Half) -> None:
    """Give the browser its half."""
    sealed = sealing.seal(json.dumps(asdict(half)).encode(), _SEALED_FOR)
    cookies.write(response, COOKIE, urlsafe_b64encode(sealed).decode(), LASTS)


def carried(request: Request, asked: Provider) -> Half:
    """The browser's half, used up. Raises NotSignedIn unless it is whole, fresh, unused and fits provider and state."""
    try:
        text = request.cookies.get(cookies.called(COOKIE), "")
        kept = json.loads(sealing.opened(urlsafe_b64decode(text.encode()), _SEALED_FOR))
    except (ValueError, sealing.CannotOpen):
        raise NotSignedIn("external.bad_state") from None
    half = Half(**kept | {"begun": Begun(**kept["begun"])})
    state = request.query_params.get("state", "").encode("utf-8", "surrogatepass")
    fits = half.provider == asked.name and compare_digest(state, half.begun.state.encode())
    if not fits or half.until < time.time():
        raise NotSignedIn("external.bad_state")
    try:
        limits.count(RETURNS, half.begun.state)
    except Refusal:
        raise NotSignedIn("external.bad_state") from None
    return half


def _come_back_to(asked: Provider) -> str:
    return f"{settings().public_url.rstrip('/')}{HERE}/{asked.name}/callback"


def _an_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("access.not_found") from None


def _page(request: Request, who: Inside, refusal: Refusal | None = None) -> Response:
    said = request.query_params.get("said", "")
    return page(
        request.scope,
        "external.html",
        refusal.status if refusal else 200,
        language=who.language,
        problem=refusal.sentence(who.language) if refusal else None,
        said=f"external.{said}" if said in _SAID else None,
        linked=external.linked(who.scope),
        providers=providers(),
    )
