"""The product for programs: thin over the doors, JSON in and out, amounts in minor units."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from starlette.responses import Response

from core.access import Permission, Scope
from core.earnings.windows import FIRST_DAY, LAST_DAY, Window
from core.errors import BadInput, NotFound
from core.identity.service import profile
from core.sidecar.api_access import Answering, Asker, told
from core.workspaces.service import WorkspaceView, workspaces

if TYPE_CHECKING:
    from core.earnings.queries import Totals

router = APIRouter(prefix="/api/v1", route_class=Answering)

USUAL_DAYS = 30
LONGEST = timedelta(days=3 * 366)
_DAY = ("day", "platform", "gross_minor", "fee_minor", "refunds_minor", "chargebacks_minor", "net_minor")


@router.get("/me")
def me(asker: Asker) -> Response:
    """Who asks: a person with what they may see, or a key with what it is for."""
    seen = {"accounts": sorted(map(str, asker.account_ids)), "workspaces": sorted(map(str, asker.workspace_ids))}
    if asker.api_key_id is not None:
        allowed = sorted(asker.limits or frozenset[Permission]())
        return told({"kind": "api_key", "id": str(asker.api_key_id), "permissions": allowed, **seen})
    person = profile(asker)
    known = {"email": person.email, "name": person.display_name}
    chosen = {"language": person.language, "time_zone": person.time_zone}
    return told({"kind": "person", "id": str(person.user_id), **known, **chosen, **seen})


@router.get("/workspaces")
def all_workspaces(asker: Asker) -> Response:
    found = workspaces(asker) if asker.workspace_ids else ()
    return told({"workspaces": [_workspace(one) for one in found]})


@router.get("/workspaces/{workspace_id}")
def one_workspace(asker: Asker, workspace_id: str) -> Response:
    return told(_workspace(_view(_narrowed(asker, workspace_id))))


@router.get("/workspaces/{workspace_id}/revenue")
def revenue(
    asker: Asker,
    workspace_id: str,
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="to")] = None,
) -> Response:
    """Earnings by day and platform, both ends included, in the workspace's time zone; as far back as the plan shows.

    In the currency with the most payments in the window. An amount that the statements do not tell is null.
    """
    from core.insights.analytics import earnings  # with it comes pandas, which a webhook's first answer shall not await

    scope = _narrowed(asker, workspace_id)
    view = _view(scope)
    today = datetime.now(ZoneInfo(view.time_zone)).date()
    window = _window(first, last, today)
    found = earnings(scope, window, today, view.currency)
    days = found.days.astype(object).where(found.days.notna(), None)
    return told(
        {
            "workspace_id": str(view.id),
            "time_zone": view.time_zone,
            "from": window.first.isoformat(),
            "to": window.last.isoformat(),
            "currency": found.currency,
            "currencies": list(found.currencies),
            "totals": None if found.now is None else _totals(found.now),
            "days": [{name: _plain(row[name]) for name in _DAY} for row in days.to_dict("records")],
        }
    )


def _narrowed(asker: Scope, workspace_id: str) -> Scope:
    """One workspace in view. Raises NotFound, the same for another's id, an unknown one and what is no id."""
    try:
        return asker.narrowed_to(UUID(workspace_id))
    except ValueError:
        raise NotFound("access.unknown_creator") from None


def _view(scope: Scope) -> WorkspaceView:
    return workspaces(scope)[0]


def _window(first: date | None, last: date | None, today: date) -> Window:
    wrong = BadInput("api.bad_window", first=FIRST_DAY, last=LAST_DAY, most=LONGEST.days)
    if any(not FIRST_DAY <= given <= LAST_DAY for given in (first, last) if given is not None):
        raise wrong
    end = last or max(today, first or today)
    start = first or max(FIRST_DAY, end - timedelta(days=USUAL_DAYS - 1))
    if not start <= end <= start + LONGEST:
        raise wrong
    return Window(start, end)


def _workspace(view: WorkspaceView) -> dict[str, object]:
    return {
        "id": str(view.id),
        "account_id": str(view.account_id),
        "name": view.name,
        "time_zone": view.time_zone,
        "currency": view.currency,
        "platforms": list(view.platforms),
        "is_demo": view.is_demo,
        "role": view.role,
    }


def _totals(totals: "Totals") -> dict[str, object]:
    return {
        "gross_minor": totals.gross,
        "fee_minor": totals.fee,
        "refunds_minor": totals.refunds,
        "chargebacks_minor": totals.chargebacks,
        "net_minor": totals.net,
        "pending_minor": totals.pending,
        "transactions": totals.transactions,
    }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
