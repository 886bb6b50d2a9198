"""Signing up, in and out: plain pages that need no script."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, RedirectResponse, Response

from core.errors import Refusal
from core.identity.credentials import EMAIL_LENGTH, PASSWORD_LENGTH
from core.identity.service import NAME_LENGTH, sign_in
from core.identity.sessions import close_session, open_session, session_of
from core.language import LANGUAGES
from core.sidecar import cookies
from core.sidecar.pages import TEMPLATES, language_of, page
from core.workspaces.sign_up import sign_up

router = APIRouter(prefix="/account")

LONGEST_NEXT = 2000


async def _fields(request: Request) -> Mapping[str, str]:
    """The fields of a form that a browser sent; a field given twice counts once."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    async with request.form(max_files=0, max_fields=20) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


Fields = Annotated[Mapping[str, str], Depends(_fields)]


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    return _already_in(request) or _page(request, "sign_in.html", request.query_params)


@router.post("/sign-in")
def sign_in_sent(request: Request, form: Fields) -> Response:
    address = request.client.host if request.client else "unknown"
    try:
        token = sign_in(form.get("email", ""), form.get("password", ""), address)
    except Refusal as refusal:
        return _page(request, "sign_in.html", form, refusal)
    return _let_in(request, form, token)


@router.get("/sign-up")
def sign_up_page(request: Request) -> Response:
    return _already_in(request) or _page(request, "sign_up.html", request.query_params)


@router.post("/sign-up")
def sign_up_sent(request: Request, form: Fields) -> Response:
    try:
        user_id = sign_up(
            form.get("email", ""), form.get("password", ""), form.get("display_name", ""), _language(request, form)
        )
    except Refusal as refusal:
        return _page(request, "sign_up.html", form, refusal)
    return _let_in(request, form, open_session(user_id))


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    if token := cookies.token_of(request):
        close_session(token)
    response = RedirectResponse("/account/sign-in", HTTPStatus.SEE_OTHER)
    cookies.take_back(response)
    return response


@router.get("/style.css")
def style() -> Response:
    return FileResponse(TEMPLATES / "style.css", headers={"cache-control": "public, max-age=3600"})


@router.get("/icon.svg")
def icon() -> Response:
    return FileResponse(TEMPLATES / "icon.svg", headers={"cache-control": "public, max-age=3600"})


def safe_next(target: str) -> str:
    """The path to go to after signing in, or "/" for anything that could lead out of this site or back here."""
    is_path = target.startswith("/") and not target.startswith(("//", "/account"))
    is_plain = target.isprintable() and target.isascii() and "\\" not in target and " " not in target
    return target if is_path and is_plain and len(target) <= LONGEST_NEXT else "/"


def _already_in(request: HTTPConnection) -> Response | None:
    token = cookies.token_of(request)
    if token is None or session_of(token) is None:
        return None
    return RedirectResponse(safe_next(request.query_params.get("next", "/")), HTTPStatus.SEE_OTHER)


def _let_in(request: Request, form: Mapping[str, str], token: str) -> Response:
    """On to where the person wanted to go. A session that the browser had before ends: none outlives a sign-in."""
    if before := cookies.token_of(request):
        close_session(before)
    response = RedirectResponse(safe_next(form.get("next", "/")), HTTPStatus.SEE_OTHER)
    cookies.give(response, token)
    return response


def _page(request: Request, template: str, given: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    """A form with what was typed before, except the password."""
    language = _language(request, given)
    return page(
        request.scope,
        template,
        refusal.status if refusal else HTTPStatus.OK,
        language=language,
        problem=refusal.sentence(language) if refusal else None,
        next=safe_next(given.get("next", "/")),
        email=given.get("email", "")[:EMAIL_LENGTH] if refusal else "",
        display_name=given.get("display_name", "")[:NAME_LENGTH] if refusal else "",
        name_length=NAME_LENGTH,
        email_length=EMAIL_LENGTH,
        password_length=PASSWORD_LENGTH,
    )


def _language(request: Request, given: Mapping[str, str]) -> str:
    asked = given.get("lang", "")
    return asked if asked in LANGUAGES else language_of(request.scope)
