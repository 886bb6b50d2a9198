"""Where an approval link leads: a client without an account reads one text and decides about it."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.errors import BadInput, Refusal
from core.language import moment
from core.publishing.approving import LONGEST_NOTE, Decision
from core.publishing.links import PATH, Offer, admit, decide, offer
from core.sidecar import cookies
from core.sidecar.forms import Fields, language_for, visitor_of
from core.sidecar.pages import page

router = APIRouter()


@router.get(PATH)
def approval_page(request: Request) -> Response:
    """Opening the link changes nothing; its buttons do."""
    token = request.query_params.get("token", "")
    language = language_for(request, request.query_params)
    try:
        admit(visitor_of(request).network)
        return _page(request, language, token, offer(token))
    except Refusal as refusal:
        return _page(request, language, token, None, refusal)


@router.post(PATH)
def approval_given(request: Request, form: Fields) -> Response:
    token, note = form.get("token", ""), form.get("note", "")
    language = language_for(request, form)
    asked: Offer | None = None
    try:
        admit(visitor_of(request).network)
        asked = offer(token)
        said = decide(token, _decision(form.get("decision", "")), note)
    except Refusal as refusal:
        # what can be said better is asked again; all else closes the page
        return _page(request, language, token, asked if isinstance(refusal, BadInput) else None, refusal, note=note)
    return page(request.scope, "approved.html", language=language, said=f"approve.said_{said}")


def _decision(value: str) -> Decision:
    try:
        return Decision(value)
    except ValueError:
        raise BadInput("approve.choose") from None


def _page(
    request: Request,
    language: str,
    token: str,
    asked: Offer | None,
    refusal: Refusal | None = None,
    *,
    note: str = "",
) -> Response:
    planned = moment(asked.scheduled_at, asked.zone, language) if asked and asked.scheduled_at else None
    return page(
        request.scope,
        "approve.html",
        refusal.status if refusal else HTTPStatus.OK,
        language=language,
        problem=refusal.sentence(language) if refusal else None,
        offer=asked,
        planned=planned,
        note=note[:LONGEST_NOTE],
        most=LONGEST_NOTE,
        token=token[: cookies.LONGEST_TOKEN],
        path=PATH,
    )
