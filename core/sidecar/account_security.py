"""A person's own pages about how they come in: password, e-mail, second factor, and showing again who they are."""

import segno
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.errors import Refusal
from core.identity import addresses, second_factor
from core.identity.credentials import EMAIL_LENGTH, PASSWORD_LENGTH
from core.identity.passwords import change_password, has_password, prove
from core.identity.proof import ProofNeeded
from core.sidecar.forms import Fields, Inside, Insider, go, renew, safe_next, visitor_of
from core.sidecar.pages import page

router = APIRouter(prefix="/account")

_HERE = "/account/security"
_SAID = ("password_changed", "verification_sent", "email_change_sent", "second_factor_removed")
"""What may be said on top of the overview, by the address that one is sent on to."""


@router.get("/security")
def overview(request: Request, who: Insider) -> Response:
    said = request.query_params.get("said", "")
    return _page(
        request,
        who,
        "security.html",
        said=f"account.{said}" if said in _SAID else None,
        factor=second_factor.state(who.scope),
        has_password=has_password(who.scope),
    )


@router.post("/verification")
def send_again(who: Insider) -> Response:
    addresses.ask_verification(who.scope)
    return go(_HERE, said="verification_sent")


@router.get("/prove")
def prove_page(request: Request, who: Insider) -> Response:
    return _prove_page(request, who, request.query_params.get("next", "/"))


@router.post("/prove")
def prove_sent(request: Request, who: Insider, form: Fields) -> Response:
    try:
        key = prove(who.scope, form.get("password", ""), form.get("code", ""), visitor_of(request))
    except Refusal as refusal:
        return _prove_page(request, who, form.get("next", "/"), refusal)
    response = go(safe_next(form.get("next", "/")))
    renew(response, key)
    return response


@router.get("/password")
def password_page(request: Request, who: Insider) -> Response:
    return _page(request, who, "password.html", has_password=has_password(who.scope))


@router.post("/password")
def password_sent(request: Request, who: Insider, form: Fields) -> Response:
    try:
        key = change_password(who.scope, form.get("old", ""), form.get("password", ""), visitor_of(request))
    except Refusal as refusal:
        return _page(request, who, "password.html", refusal, has_password=has_password(who.scope))
    response = go(_HERE, said="password_changed")
    renew(response, key)
    return response


@router.get("/email")
def email_page(request: Request, who: Insider) -> Response:
    return _page(request, who, "email.html")


@router.post("/email")
def email_sent(request: Request, who: Insider, form: Fields) -> Response:
    try:
        addresses.ask_change(who.scope, form.get("email", ""))
    except ProofNeeded:
        raise
    except Refusal as refusal:
        return _page(request, who, "email.html", refusal)
    return go(_HERE, said="email_change_sent")


@router.get("/second-factor")
def second_factor_page(request: Request, who: Insider) -> Response:
    if second_factor.state(who.scope).is_on:
        return go(_HERE)
    return _second_factor_page(request, who)


@router.post("/second-factor")
def second_factor_begun(who: Insider) -> Response:
    second_factor.begin(who.scope)
    return go("/account/second-factor")


@router.post("/second-factor/confirm")
def second_factor_confirmed(request: Request, who: Insider, form: Fields) -> Response:
    try:
        confirmed = second_factor.confirm(who.scope, form.get("code", ""))
    except ProofNeeded:
        raise
    except Refusal as refusal:
        return _second_factor_page(request, who, refusal)
    response = _page(request, who, "recovery_codes.html", codes=confirmed.codes)
    renew(response, confirmed.key)
    return response


@router.post("/second-factor/codes")
def codes_renewed(request: Request, who: Insider) -> Response:
    return _page(request, who, "recovery_codes.html", codes=second_factor.renew_codes(who.scope))


@router.post("/second-factor/remove")
def second_factor_removed(who: Insider) -> Response:
    second_factor.remove(who.scope)
    return go(_HERE, said="second_factor_removed")


def _prove_page(request: Request, who: Inside, target: str, refusal: Refusal | None = None) -> Response:
    return _page(
        request,
        who,
        "prove.html",
        refusal,
        target=target,
        wants_code=second_factor.state(who.scope).is_on,
        has_password=has_password(who.scope),
    )


def _second_factor_page(request: Request, who: Inside, refusal: Refusal | None = None) -> Response:
    offer = second_factor.offer(who.scope)
    picture = segno.make(offer.address, error="m").svg_inline(scale=5, light="#fff") if offer else None
    return _page(request, who, "second_factor.html", refusal, offer=offer, picture=picture)


def _page(
    request: Request, who: Inside, template: str, refusal: Refusal | None = None, *, target: str = "/", **facts: object
) -> Response:
    return page(
        request.scope,
        template,
        refusal.status if refusal else 200,
        None,
        language=who.language,
        problem=refusal.sentence(who.language) if refusal else None,
        next=safe_next(target),
        person=who.person,
        email_length=EMAIL_LENGTH,
        password_length=PASSWORD_LENGTH,
        **facts,
    )
