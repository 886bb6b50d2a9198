"""Where an invitation's link leads. Opening it changes nothing; its button does."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.errors import NotAllowed, Refusal
from core.identity.service import Profile, profile
from core.identity.sessions import session_of
from core.sidecar import cookies
from core.sidecar.forms import Fields, Insider, go, language_for
from core.sidecar.pages import page
from core.workspaces.invitations import PATH, Offer, accept, offer
from core.workspaces.service import open_scope

router = APIRouter()


@router.get(PATH)
def invitation_page(request: Request) -> Response:
    token, person = request.query_params.get("token", ""), _person(request)
    try:
        return _page(request, person, token, offer(token))
    except Refusal as refusal:
        return _page(request, person, token, None, refusal)


@router.post(PATH)
def invitation_accepted(request: Request, who: Insider, form: Fields) -> Response:
    token = form.get("token", "")
    try:
        accept(who.scope, token)
    except Refusal as refusal:
        return _page(request, who.person, token, None, refusal)
    return go("/")


def _person(request: Request) -> Profile | None:
    token = cookies.token_of(request)
    found = session_of(token) if token else None
    return profile(open_scope(found.user_id, found.id)) if found else None


def _page(
    request: Request, person: Profile | None, token: str, offered: Offer | None, refusal: Refusal | None = None
) -> Response:
    language = person.language if person else language_for(request, request.query_params)
    if person and offered and person.email.lower() != offered.email:
        refusal = NotAllowed("team.other_address", email=offered.email)
    return page(
        request.scope,
        "invitation.html",
        refusal.status if refusal else HTTPStatus.OK,
        language=language,
        problem=refusal.sentence(language) if refusal else None,
        offer=offered,
        part=f"invitation.as_{offered.role}" if offered else None,
        person=person,
        token=token[: cookies.LONGEST_TOKEN],
        path=PATH,
    )
