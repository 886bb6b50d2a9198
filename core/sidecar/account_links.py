"""Pages that letters lead to, and the one that asks for a letter. Opening a link changes nothing; its button does."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.errors import Refusal
from core.identity import addresses
from core.identity.credentials import EMAIL_LENGTH, PASSWORD_LENGTH
from core.identity.known_devices import KEPT_FOR
from core.identity.links import Purpose, look_at
from core.identity.passwords import request_reset, reset_password
from core.sidecar import cookies
from core.sidecar.forms import Fields, language_for, visitor_of
from core.sidecar.pages import page

router = APIRouter(prefix="/account")


@router.get("/forgot")
def forgot_page(request: Request) -> Response:
    return _page(request, "forgot.html", request.query_params)


@router.post("/forgot")
def forgot_sent(request: Request, form: Fields) -> Response:
    try:
        request_reset(form.get("email", ""), visitor_of(request))
    except Refusal as refusal:
        return _page(request, "forgot.html", form, refusal)
    return _notice(request, form, "account.letter_sent", "account.letter_sent_what")


@router.get("/reset")
def reset_page(request: Request) -> Response:
    return _of_link(request, "reset.html", Purpose.RESET)


@router.post("/reset")
def reset_sent(request: Request, form: Fields) -> Response:
    try:
        device = reset_password(form.get("token", ""), form.get("password", ""), visitor_of(request))
    except Refusal as refusal:
        return _page(request, "reset.html", form, refusal)
    response = _notice(request, form, "account.password_changed", "account.password_reset_what")
    cookies.write(response, cookies.DEVICE, device, KEPT_FOR)
    return response


@router.get("/verify")
def verify_page(request: Request) -> Response:
    return _of_link(request, "verify.html", Purpose.VERIFY)


@router.post("/verify")
def verify_sent(request: Request, form: Fields) -> Response:
    try:
        addresses.verify(form.get("token", ""))
    except Refusal as refusal:
        return _page(request, "verify.html", form, refusal)
    return _notice(request, form, "account.email_verified", "account.email_verified_what")


@router.get("/new-email")
def new_email_page(request: Request) -> Response:
    return _of_link(request, "new_email.html", Purpose.CHANGE_EMAIL)


@router.post("/new-email")
def new_email_sent(request: Request, form: Fields) -> Response:
    try:
        addresses.change(form.get("token", ""))
    except Refusal as refusal:
        return _page(request, "new_email.html", form, refusal)
    return _notice(request, form, "account.email_changed", "account.email_changed_what")


def _of_link(request: Request, template: str, purpose: Purpose) -> Response:
    """A link that is no good says so before anything is typed."""
    given = request.query_params
    try:
        look_at(given.get("token", ""), purpose)
    except Refusal as refusal:
        return _page(request, template, given, refusal)
    return _page(request, template, given)


def _page(request: Request, template: str, given: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    language = language_for(request, given)
    return page(
        request.scope,
        template,
        refusal.status if refusal else HTTPStatus.OK,
        language=language,
        problem=refusal.sentence(language) if refusal else None,
        is_dead=refusal is not None and refusal.code == "identity.bad_link",
        next="/",
        token=given.get("token", "")[: cookies.LONGEST_TOKEN],
        email_length=EMAIL_LENGTH,
        password_length=PASSWORD_LENGTH,
    )


def _notice(request: Request, form: Mapping[str, str], title: str, sentence: str) -> Response:
    return page(request.scope, "notice.html", language=language_for(request, form), heading=title, sentence=sentence)
