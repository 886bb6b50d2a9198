"""Signing up, in and out: plain pages that need no script."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, Response

from core.errors import NotSignedIn, Refusal
from core.identity.credentials import EMAIL_LENGTH, PASSWORD_LENGTH
from core.identity.service import NAME_LENGTH
from core.identity.sessions import close_session, session_of
from core.identity.signing_in import come_in, give_code, sign_in
from core.sidecar import cookies
from core.sidecar.forms import SIGN_IN, Fields, go, language_for, let_in, safe_next, visitor_of
from core.sidecar.pages import TEMPLATES, page
from core.sidecar.providers import providers
from core.workspaces.sign_up import sign_up

router = APIRouter(prefix="/account")


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    return _already_in(request) or _page(request, "sign_in.html", request.query_params)


@router.post("/sign-in")
def sign_in_sent(request: Request, form: Fields) -> Response:
    try:
        came = sign_in(
            form.get("email", ""), form.get("password", ""), visitor_of(request), remembered="remember" in form
        )
    except Refusal as refusal:
        return _page(request, "sign_in.html", form, refusal)
    return let_in(request, came, form.get("next", "/"))


@router.get("/code")
def code_page(request: Request) -> Response:
    if cookies.pending_of(request) is None:
        return go(SIGN_IN, next=safe_next(request.query_params.get("next", "/")))
    return _page(request, "code.html", request.query_params)


@router.post("/code")
def code_sent(request: Request, form: Fields) -> Response:
    try:
        pending = cookies.pending_of(request)
        if pending is None:
            raise NotSignedIn("identity.sign_in_again")
        admitted = give_code(pending, form.get("code", ""), visitor_of(request))
    except Refusal as refusal:
        return _page(request, "code.html", form, refusal)
    return let_in(request, admitted, form.get("next", "/"))


@router.get("/sign-up")
def sign_up_page(request: Request) -> Response:
    return _already_in(request) or _page(request, "sign_up.html", request.query_params)


@router.post("/sign-up")
def sign_up_sent(request: Request, form: Fields) -> Response:
    visitor, language = visitor_of(request), language_for(request, form)
    try:
        user_id = sign_up(
            form.get("email", ""), form.get("password", ""), form.get("display_name", ""), language, visitor=visitor
        )
    except Refusal as refusal:
        return _page(request, "sign_up.html", form, refusal)
    return let_in(request, come_in(user_id, visitor), form.get("next", "/"))


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    if token := cookies.token_of(request):
        close_session(token)
    response = go(SIGN_IN)
    cookies.take_back(response)
    return response


@router.get("/style.css")
def style() -> Response:
    return FileResponse(TEMPLATES / "style.css", headers={"cache-control": "public, max-age=3600"})


@router.get("/icon.svg")
def icon() -> Response:
    return FileResponse(TEMPLATES / "icon.svg", headers={"cache-control": "public, max-age=3600"})


def _already_in(request: HTTPConnection) -> Response | None:
    token = cookies.token_of(request)
    if token is None or session_of(token) is None:
        return None
    return go(safe_next(request.query_params.get("next", "/")))


def _page(request: Request, template: str, given: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    """A form with what was typed before, except the password."""
    language = language_for(request, given)
    return page(
        request.scope,
        template,
        refusal.status if refusal else HTTPStatus.OK,
        language=language,
        problem=refusal.sentence(language) if refusal else None,
        next=safe_next(given.get("next", "/")),
        email=given.get("email", "")[:EMAIL_LENGTH] if refusal else "",
        display_name=given.get("display_name", "")[:NAME_LENGTH] if refusal else "",
        remember="remember" in given,
        name_length=NAME_LENGTH,
        email_length=EMAIL_LENGTH,
        password_length=PASSWORD_LENGTH,
        providers=providers(),
    )
