"""Role × route: what each route of the sidecar answers to whom. A new route without a row fails."""

from collections.abc import Iterator
from uuid import uuid4

import httpx2
import pytest

from core.access import Role
from core.sidecar.app import create_app
from tests.people import Made, make_person
from tests.web.serving import Serve, Served

OPEN, SESSION, TOKEN, STRIPE = "everybody", "a browser's session", "a token or a key", "Stripe's signature"

ROUTES = {
    "GET /account/sign-in": OPEN,
    "POST /account/sign-in": OPEN,
    "GET /account/code": OPEN,
    "POST /account/code": OPEN,
    "GET /account/sign-up": OPEN,
    "POST /account/sign-up": OPEN,
    "POST /account/sign-out": OPEN,
    "GET /account/style.css": OPEN,
    "GET /account/icon.svg": OPEN,
    "GET /account/forgot": OPEN,
    "POST /account/forgot": OPEN,
    "GET /account/reset": OPEN,
    "POST /account/reset": OPEN,
    "GET /account/verify": OPEN,
    "POST /account/verify": OPEN,
    "GET /account/new-email": OPEN,
    "POST /account/new-email": OPEN,
    "GET /account/security": SESSION,
    "POST /account/verification": SESSION,
    "GET /account/prove": SESSION,
    "POST /account/prove": SESSION,
    "GET /account/password": SESSION,
    "POST /account/password": SESSION,
    "GET /account/email": SESSION,
    "POST /account/email": SESSION,
    "GET /account/second-factor": SESSION,
    "POST /account/second-factor": SESSION,
    "POST /account/second-factor/confirm": SESSION,
    "POST /account/second-factor/codes": SESSION,
    "POST /account/second-factor/remove": SESSION,
    "GET /account/invitation": OPEN,
    "POST /account/invitation": SESSION,
    "GET /approve": OPEN,
    "POST /approve": OPEN,
    "GET /account/packs/{pack_id}": SESSION,
    "GET /account/revenue/{table}.csv": SESSION,
    "GET /account/ai-costs/{workspace_id}/{table}.csv": SESSION,
    "GET /account/restore": OPEN,
    "POST /account/restore": OPEN,
    "GET /account/external": SESSION,
    "POST /account/external/unlink": SESSION,
    "GET /account/external/{name}/start": OPEN,
    "POST /account/external/{name}/link": SESSION,
    "GET /account/external/{name}/callback": OPEN,
    "GET /api/v1/me": TOKEN,
    "GET /api/v1/workspaces": TOKEN,
    "GET /api/v1/workspaces/{workspace_id}": TOKEN,
    "GET /api/v1/workspaces/{workspace_id}/revenue": TOKEN,
    "POST /api/v1/auth/token": OPEN,
    "POST /api/v1/auth/refresh": OPEN,
    "POST /api/v1/auth/revoke": OPEN,
    "GET /healthz": OPEN,
    "GET /readyz": OPEN,
    "POST /webhooks/stripe": STRIPE,
}
PEOPLE = {"creator": Role.CREATOR, "manager": Role.MANAGER, "staff": Role.ADMIN}
TURNED_AWAY = "/account/sign-in"


@pytest.fixture(scope="module")
def house(serve: Serve) -> Served:
    return serve(target="core.sidecar.app:app", worker=False)


@pytest.fixture(scope="module")
def people(house: Served) -> dict[str, Made]:
    with house.doors():
        return {who: make_person(who.title(), role) for who, role in PEOPLE.items()}


@pytest.fixture(params=["anonymous", *PEOPLE])
def asking(request: pytest.FixtureRequest, house: Served, people: dict[str, Made]) -> Iterator[httpx2.Client]:
    who = str(request.param)
    token = None if who == "anonymous" else house.token_for(people[who].user_id)
    with house.client(token) as client:
        yield client


def _of_the_app() -> set[str]:
    found = set()
    for included in create_app().routes:
        for route in included.original_router.routes:  # type: ignore[attr-defined]
            found |= {f"{method} {route.path}" for method in route.methods}
    return found


def _turned_away(answer: httpx2.Response) -> bool:
    return answer.status_code == 401 or (
        answer.status_code == 303 and answer.headers["location"].startswith(TURNED_AWAY)
    )


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert _of_the_app() == set(ROUTES)


@pytest.mark.parametrize("route", ROUTES)
def test_each_route_lets_in_whom_it_should(asking: httpx2.Client, route: str) -> None:
    method, path = route.split(" ")
    known = "session" in " ".join(asking.cookies)
    answer = asking.request(method, path.format(pack_id=uuid4(), workspace_id=uuid4(), name="nobody", table="no"))
    assert answer.status_code < 500 or route in ("GET /readyz", "POST /webhooks/stripe")
    match ROUTES[route]:
        case "a browser's session":
            assert _turned_away(answer) != known, (answer.status_code, answer.headers.get("location"))
        case "a token or a key":
            assert answer.status_code == 401
        case "Stripe's signature":
            assert answer.status_code in (400, 503)
        case _ if method == "GET" and "{" not in path:
            assert answer.status_code in (200, 303, 404, 422)
        case _:
            assert answer.status_code != 500


@pytest.mark.parametrize(
    "path",
    [
        "/account/packs/{}",
        "/account/ai-costs/{}/days.csv?first=2026-11-01&last=2026-11-22",
        "/api/v1/workspaces/{}",
        "/api/v1/workspaces/{}/revenue",
    ],
)
@pytest.mark.parametrize("who", PEOPLE)
def test_anothers_id_answers_byte_for_byte_as_a_random_one(
    house: Served, people: dict[str, Made], who: str, path: str
) -> None:
    others = [made.workspace_ids[0] for name, made in people.items() if name != who and made.workspace_ids]
    with house.client(house.token_for(people[who].user_id)) as client:
        random = client.get(path.format(uuid4()))
        for other in others:
            answer = client.get(path.format(other))
            assert (answer.status_code, answer.content) == (random.status_code, random.content)
