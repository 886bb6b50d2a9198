"""Data to take along, of a person and of the product, and the way back from a deletion."""

import re
from datetime import date
from http import HTTPStatus
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.billing.revenue import Window
from core.errors import NotFound, Refusal
from core.identity.links import Purpose, look_at
from core.insights.ai_costs import ai_costs
from core.insights.takings import takings
from core.sidecar import cookies
from core.sidecar.forms import Fields, Insider, language_for
from core.sidecar.pages import page
from core.workspaces.packs import take
from core.workspaces.privacy import RESTORE, restore

router = APIRouter()


@router.get("/account/packs/{pack_id}")
def pack(who: Insider, pack_id: str) -> Response:
    """The zip, for the person that it was made for. Not there for anybody else."""
    try:
        ready = take(who.scope, UUID(pack_id))
    except ValueError:
        raise NotFound("access.not_found") from None
    name = re.sub(r"[^\w .-]+", "_", ready.name).strip() or "huntaze"
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name)
    return Response(
        ready.content,
        media_type="application/zip",
        headers={
            "content-disposition": f"attachment; filename=\"{plain}.zip\"; filename*=UTF-8''{quote(name)}.zip",
            "cache-control": "no-store",
        },
    )


@router.get("/account/revenue/{table}.csv")
def revenue_table(who: Insider, table: str, first: date, last: date) -> Response:
    """What the product earned, for staff: `movements` or `months`, of the days of UTC from `first` to `last`."""
    name = f"huntaze-{first.isoformat()}-{last.isoformat()}.csv"
    return Response(
        takings(who.scope, table, Window(first, last)),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
    )


@router.get("/account/ai-costs/{workspace_id}/{table}.csv")
def ai_costs_table(who: Insider, workspace_id: str, table: str, first: date, last: date) -> Response:
    """What models cost for one creator: `days`, `tasks`, `models` or `people`, of days of UTC."""
    try:
        scope = who.scope.narrowed_to(UUID(workspace_id))
    except ValueError:
        raise NotFound("access.unknown_creator") from None
    name = f"huntaze-ai-{first.isoformat()}-{last.isoformat()}.csv"
    return Response(
        ai_costs(scope, table, Window(first, last)),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
    )


@router.get(RESTORE)
def restore_page(request: Request) -> Response:
    try:
        look_at(request.query_params.get("token", ""), Purpose.RESTORE)
    except Refusal as refusal:
        return _page(request, request.query_params.get("token", ""), refusal)
    return _page(request, request.query_params.get("token", ""))


@router.post(RESTORE)
def restored(request: Request, form: Fields) -> Response:
    try:
        restore(form.get("token", ""))
    except Refusal as refusal:
        return _page(request, form.get("token", ""), refusal)
    language = language_for(request, form)
    return page(request.scope, "notice.html", language=language, heading="privacy.kept", sentence="privacy.kept_what")


def _page(request: Request, token: str, refusal: Refusal | None = None) -> Response:
    language = language_for(request, request.query_params)
    return page(
        request.scope,
        "restore.html",
        refusal.status if refusal else HTTPStatus.OK,
        language=language,
        problem=refusal.sentence(language) if refusal else None,
        is_dead=refusal is not None,
        next="/",
        token=token[: cookies.LONGEST_TOKEN],
    )
