"""How programs come in: an API key, or a person's access token, in the Authorization header and nowhere else.

No cookie is read under `/api`, so that no page of another site can make a browser ask here as its person.
"""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from core import limits
from core.access import Scope
from core.errors import NotSignedIn, Refusal, TooManyTries
from core.identity import families, tokens
from core.identity.credentials import EMAIL_LENGTH
from core.identity.tokens import Pair
from core.identity.visitors import Visitor
from core.sidecar.pages import language_of
from core.sidecar.problems import problem
from core.text import SafeText
from core.workspaces.api_keys import is_key, scope_of_key
from core.workspaces.service import open_scope

REQUESTS = limits.Limit("api", 600, timedelta(minutes=1))
"""Of one key, or of one person's access tokens."""
WRONG = limits.Limit("api_wrong", 100, timedelta(minutes=15))
"""Keys and tokens that are not good, from one network."""


class Answering(APIRoute):
    """Refusals as problem details, with what HTTP wants programs to be told beside them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await answer(request)
            except Refusal as refusal:
                sentence = refusal.sentence(language_of(request.scope))
                return problem(request.scope, refusal.status, refusal.code, sentence, _headers(refusal))

        return answered


def _headers(refusal: Refusal) -> dict[str, str]:
    if isinstance(refusal, TooManyTries):
        return {"retry-after": str(int(str(refusal.facts.get("minutes", 1))) * 60)}
    return {"www-authenticate": "Bearer"} if isinstance(refusal, NotSignedIn) else {}


def _asker(request: Request) -> Scope:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise NotSignedIn("api.who_asks")
    try:
        scope = scope_of_key(secret) if is_key(secret) else _person(secret)
    except NotSignedIn:
        limits.count(WRONG, visitor_of(request).network)
        raise
    limits.count(REQUESTS, str(scope.api_key_id or scope.user_id))
    return scope


def _person(access_token: str) -> Scope:
    return open_scope(tokens.bearer_of(access_token).user_id).as_program()


Asker = Annotated[Scope, Depends(_asker)]


def visitor_of(request: Request) -> Visitor:
    return Visitor(request.client.host if request.client else "unknown", request.headers.get("user-agent", ""))


def told(content: object) -> Response:
    """An answer for whoever asked, and for no cache."""
    return JSONResponse(content, headers={"cache-control": "no-store"})


router = APIRouter(prefix="/api/v1/auth", route_class=Answering)


class SignIn(BaseModel):
    email: SafeText = Field(max_length=EMAIL_LENGTH)
    password: SafeText = Field(max_length=1000)
    code: SafeText | None = Field(None, max_length=100)


class Held(BaseModel):
    refresh_token: SafeText = Field(max_length=tokens.LONGEST)


@router.post("/token")
def token(request: Request, sent: SignIn) -> Response:
    return _paired(tokens.sign_in(sent.email, sent.password, sent.code, visitor_of(request)))


@router.post("/refresh")
def refresh(request: Request, sent: Held) -> Response:
    try:
        return _paired(tokens.refresh(sent.refresh_token))
    except NotSignedIn:
        limits.count(WRONG, visitor_of(request).network)
        raise


@router.post("/revoke")
def revoke(sent: Held) -> Response:
    """The same answer for every token, as RFC 7009 wants it."""
    families.revoke(sent.refresh_token)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={"cache-control": "no-store"})


def _paired(pair: Pair) -> Response:
    return told(
        {
            "access_token": pair.access_token,
            "token_type": "Bearer",
            "expires_in": int(pair.expires_in.total_seconds()),
            "refresh_token": pair.refresh_token,
        }
    )
