"""The API over HTTP, the sidecar running alone: how programs come in, what they see, and what they never do."""

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count
from uuid import UUID, uuid4

import httpx2
import psycopg
import pyotp
import pytest
from fastapi.routing import APIRoute
from hypothesis import given, settings
from hypothesis import strategies as st

from core.access import Permission, Role
from core.billing.keys import create_api_key
from core.demo import add_to
from core.identity.credentials import hashed
from core.identity.sessions import open_session, session_of
from core.sidecar.api import router
from core.sidecar.cookies import NAME
from core.sidecar.headers import ALWAYS
from core.workspaces.api_keys import GRANTABLE
from core.workspaces.service import open_scope
from core.workspaces.staff import visit
from tests.conftest import libpq
from tests.paying import subscribe
from tests.people import Made, make_person
from tests.web.serving import PASSWORD, PATIENCE, Serve, Served

_NUMBERS = count()
AUTH = "/api/v1/auth"
READ = (Permission.VIEW_WORKSPACE, Permission.VIEW_ANALYTICS)


@pytest.fixture(scope="module")
def alone(serve: Serve) -> Served:
    """The sidecar without Streamlit, for this module: the wrong tries made here must hold up nobody else's tests."""
    return serve(target="core.sidecar.app:app", worker=False)


@pytest.fixture
def api(alone: Served) -> Iterator[httpx2.Client]:
    """A program: neither Origin nor cookies."""
    with httpx2.Client(base_url=alone.url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def person(alone: Served) -> Made:
    """Somebody new with a password and a plan that includes keys."""
    with alone.doors():
        made = make_person(f"Api {next(_NUMBERS)}", Role.CREATOR)
        subscribe(made)
    write(alone, "UPDATE users SET password_hash = %s WHERE id = %s", hashed(PASSWORD), made.user_id)
    return made


def write(served: Served, statement: str, *values: object) -> None:
    with psycopg.connect(libpq(served.database)) as connection:
        connection.execute(statement, values)  # type: ignore[arg-type]


def key_of(served: Served, made: Made, permissions: tuple[Permission, ...] = READ) -> str:
    with served.doors():
        here = session_of(open_session(made.user_id))
        assert here is not None
        return create_api_key(open_scope(made.user_id, here.id), "Reports", permissions).key


def token_of(served: Served, made: Made) -> str:
    """Through the front door: only the server has the key that signs."""
    fields = {"email": made.email, "password": PASSWORD}
    return str(httpx2.post(f"{served.url}{AUTH}/token", json=fields, timeout=PATIENCE).json()["access_token"])


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def sign_in(api: httpx2.Client, made: Made, **more: str) -> httpx2.Response:
    return api.post(f"{AUTH}/token", json={"email": made.email, "password": PASSWORD} | more)


def test_from_a_password_to_answers_and_out_again(api: httpx2.Client, person: Made) -> None:
    answer = sign_in(api, person)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    pair = answer.json()
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 900)
    assert "set-cookie" not in answer.headers
    me = api.get("/api/v1/me", headers=bearer(pair["access_token"])).json()
    assert (me["kind"], me["email"], me["workspaces"]) == ("person", person.email, [str(person.workspace_id)])
    following = api.post(f"{AUTH}/refresh", json={"refresh_token": pair["refresh_token"]}).json()
    assert following["refresh_token"] != pair["refresh_token"]
    assert api.post(f"{AUTH}/revoke", json={"refresh_token": following["refresh_token"]}).status_code == 204
    for secret in (pair["access_token"], following["access_token"]):
        assert api.get("/api/v1/me", headers=bearer(secret)).status_code == 401


def test_a_replayed_token_ends_the_family(api: httpx2.Client, alone: Served, person: Made) -> None:
    first = sign_in(api, person).json()
    second = api.post(f"{AUTH}/refresh", json={"refresh_token": first["refresh_token"]}).json()
    replay = api.post(f"{AUTH}/refresh", json={"refresh_token": first["refresh_token"]})
    unknown = api.post(f"{AUTH}/refresh", json={"refresh_token": "unknown"})
    assert (replay.status_code, replay.content) == (401, unknown.content)
    assert api.post(f"{AUTH}/refresh", json={"refresh_token": second["refresh_token"]}).status_code == 401
    assert api.get("/api/v1/me", headers=bearer(second["access_token"])).status_code == 401
    with psycopg.connect(libpq(alone.database)) as connection:
        row = connection.execute("SELECT kind FROM mail_outbox WHERE to_address = %s", (person.email,)).fetchone()
    assert row == ("api_client_replayed",)


def test_a_wrong_password_answers_as_somebody_unknown(api: httpx2.Client, person: Made) -> None:
    wrong = api.post(f"{AUTH}/token", json={"email": person.email, "password": "not this one at all"})
    unknown = api.post(f"{AUTH}/token", json={"email": "nobody@example.com", "password": PASSWORD})
    assert (wrong.status_code, wrong.content) == (401, unknown.content)
    assert wrong.headers["www-authenticate"] == "Bearer"


def test_a_second_factor_is_asked_of_programs_too(api: httpx2.Client, alone: Served, person: Made) -> None:
    secret = pyotp.random_base32(32)
    with alone.doors():
        _second_factor(alone, person.user_id, secret)
    assert sign_in(api, person).json()["code"] == "tokens.code_wanted"
    assert sign_in(api, person, code="000000x").json()["code"] == "identity.wrong_code"
    code = pyotp.TOTP(secret).now()
    assert sign_in(api, person, code=code).status_code == 200
    assert sign_in(api, person, code=code).json()["code"] == "identity.wrong_code", "none is good twice"


def _second_factor(served: Served, user_id: UUID, secret: str) -> None:
    """Sealed by the server's own key, which lies beside its data."""
    import os

    from core import sealing
    from core.settings import settings as configured

    before = os.environ.get("DATA_DIR")
    os.environ["DATA_DIR"] = str(served.log.parent)
    configured.cache_clear()
    sealing._keys.cache_clear()
    try:
        sealed = sealing.seal(secret.encode(), f"second factor {user_id}")
    finally:
        os.environ.pop("DATA_DIR")
        if before is not None:
            os.environ["DATA_DIR"] = before
        configured.cache_clear()
        sealing._keys.cache_clear()
    write(
        served,
        "INSERT INTO second_factors (user_id, sealed_secret, confirmed_at) VALUES (%s, %s, now())",
        user_id,
        sealed,
    )


def test_guessing_is_held_up_as_at_sign_in(api: httpx2.Client, person: Made) -> None:
    guess = {"email": person.email, "password": "a guess that is wrong"}
    answers = [api.post(f"{AUTH}/token", json=guess).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    last = sign_in(api, person)
    assert (last.status_code, last.headers["retry-after"]) == (429, "3600")


def test_a_key_reads_what_it_is_for(api: httpx2.Client, alone: Served, person: Made) -> None:
    headers = bearer(key_of(alone, person))
    me = api.get("/api/v1/me", headers=headers).json()
    assert (me["kind"], me["permissions"]) == ("api_key", ["view_analytics", "view_workspace"])
    assert "email" not in me
    (seen,) = api.get("/api/v1/workspaces", headers=headers).json()["workspaces"]
    assert seen["id"] == str(person.workspace_id)
    assert api.get(f"/api/v1/workspaces/{person.workspace_id}", headers=headers).json() == seen


ROUTES = {
    "/api/v1/workspaces": {Permission.VIEW_WORKSPACE},
    "/api/v1/workspaces/{id}": {Permission.VIEW_WORKSPACE},
    "/api/v1/workspaces/{id}/revenue": {Permission.VIEW_WORKSPACE, Permission.VIEW_ANALYTICS},
}
"""Each route of the API that reads, and what a key for it must allow."""


def test_every_route_that_reads_is_on_the_list() -> None:
    routes = {route.path for route in router.routes if isinstance(route, APIRoute)}
    assert {path.replace("workspace_id", "id") for path in routes} == {"/api/v1/me", *ROUTES}


@pytest.mark.parametrize("permissions", [*((one,) for one in sorted(GRANTABLE)), READ], ids="+".join)
def test_a_key_opens_the_routes_that_it_is_for_and_no_other(
    api: httpx2.Client, alone: Served, person: Made, permissions: tuple[Permission, ...]
) -> None:
    headers = bearer(key_of(alone, person, permissions))
    for route, needed in ROUTES.items():
        answer = api.get(route.replace("{id}", str(person.workspace_id)), headers=headers)
        assert answer.status_code == (200 if needed <= set(permissions) else 403), route
    assert api.get("/api/v1/me", headers=headers).status_code == 200


@pytest.mark.parametrize("route", [route for route in ROUTES if "{id}" in route])
@pytest.mark.parametrize("secret_of", [key_of, token_of], ids=["key", "token"])
def test_anothers_workspace_answers_byte_for_byte_as_an_unknown_one(
    api: httpx2.Client, alone: Served, person: Made, secret_of: Callable[[Served, Made], str], route: str
) -> None:
    with alone.doors():
        other = make_person(f"Other {next(_NUMBERS)}", Role.CREATOR)
    headers = bearer(secret_of(alone, person))
    answers = [
        api.get(route.replace("{id}", asked), headers=headers)
        for asked in (str(other.workspace_id), str(uuid4()), "no-id", "%00", "%ED%A0%80", "é" * 50)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({str({k: v for k, v in answer.headers.items() if k != "date"}) for answer in answers}) == 1


def test_revenue_is_that_of_the_days_asked_for(api: httpx2.Client, alone: Served, person: Made) -> None:
    with alone.doors():
        demo = add_to(person.scope)
    headers = bearer(key_of(alone, person))
    path = f"/api/v1/workspaces/{demo}/revenue"
    whole = api.get(path, headers=headers).json()
    first, last = date.fromisoformat(whole["from"]), date.fromisoformat(whole["to"])
    assert (last - first).days == 29
    assert whole["days"]
    assert sum(row["net_minor"] for row in whole["days"]) == whole["totals"]["net_minor"]
    one = whole["days"][0]
    asked = {"from": one["day"], "to": one["day"]}
    part = api.get(path, headers=headers, params=asked).json()
    assert (part["from"], part["to"]) == (one["day"], one["day"])
    assert part["days"] == [row for row in whole["days"] if row["day"] == one["day"]]
    empty = api.get(f"/api/v1/workspaces/{person.workspace_id}/revenue", headers=headers).json()
    assert (empty["totals"], empty["days"]) == (None, [])


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"from": "2026-02-30"}, 422),
        ({"from": "yesterday"}, 422),
        ({"from": "\x00"}, 422),
        ({"from": "9" * 5000}, 422),
        ({"to": "0001-01-01"}, 422),
        ({"from": "0001-01-01", "to": "9999-12-31"}, 422),
        ({"from": "2026-02-02", "to": "2026-02-01"}, 422),
        ({"from": "2099-12-31"}, 200),
        ({"to": "2000-01-30"}, 200),
        ({"from": "2026-01-01", "to": "2026-01-01"}, 200),
    ],
)
def test_days_that_are_none_are_refused(
    api: httpx2.Client, alone: Served, person: Made, asked: dict[str, str], status: int
) -> None:
    path = f"/api/v1/workspaces/{person.workspace_id}/revenue"
    answer = api.get(path, headers=bearer(key_of(alone, person)), params=asked)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("route", ["/api/v1/me", *ROUTES])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Basic YTpi"},
        {"authorization": "Bearer \xff\xfe"},
        {"authorization": "Bearer hz_0_0"},
        {"authorization": "Bearer a.b.c"},
        {"authorization": "Bearer " + "x" * 6000},
        {"x-api-key": "hz_0_0"},
    ],
)
def test_nobody_comes_in_without_a_good_secret(api: httpx2.Client, route: str, headers: dict[str, str]) -> None:
    raw = [(name, value.encode("latin-1")) for name, value in headers.items()]
    answer = api.get(route.replace("{id}", str(uuid4())), headers=raw)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"
    for name, value in ALWAYS.items():
        assert answer.headers[name] == value


def test_a_session_cookie_lets_no_browser_in(api: httpx2.Client, alone: Served, person: Made) -> None:
    with alone.doors():
        cookie = {"cookie": f"{NAME}={open_session(person.user_id)}"}
    with_cookie = api.get("/api/v1/me", headers=cookie)
    assert (with_cookie.status_code, with_cookie.content) == (401, api.get("/api/v1/me").content)


ENDS = {
    "revoked": "UPDATE api_keys SET revoked_at = now() WHERE user_id = %s",
    "over": "UPDATE api_keys SET expires_at = now() WHERE user_id = %s",
    "of a disabled person": "UPDATE users SET disabled_at = now() WHERE id = %s",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_key_that_is_no_longer_good_answers_as_one_that_never_was(
    api: httpx2.Client, alone: Served, person: Made, end: str
) -> None:
    key = key_of(alone, person)
    assert api.get("/api/v1/me", headers=bearer(key)).status_code == 200
    with psycopg.connect(libpq(alone.database)) as connection:
        connection.execute("SELECT set_config('app.account_ids', %s, true)", (str(person.account_id),))
        assert connection.execute(ENDS[end], (person.user_id,)).rowcount  # type: ignore[arg-type]
    over = api.get("/api/v1/me", headers=bearer(key))
    unknown = api.get("/api/v1/me", headers=bearer("hz_" + "0" * 8 + "_" + "0" * 64))
    assert (over.status_code, over.content) == (401, unknown.content)


def test_the_access_token_of_somebody_disabled_stops_at_once(api: httpx2.Client, alone: Served, person: Made) -> None:
    headers = bearer(sign_in(api, person).json()["access_token"])
    assert api.get("/api/v1/workspaces", headers=headers).status_code == 200
    write(alone, "UPDATE users SET disabled_at = now() WHERE id = %s", person.user_id)
    assert api.get("/api/v1/workspaces", headers=headers).status_code == 401


@pytest.mark.parametrize("path", ["token", "refresh", "revoke"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"email": ' + b"9" * 10_000 + b"}",
        b'{"email": 1, "password": [], "refresh_token": {}}',
        b'{"email": "a\\u0000@example.com", "password": "x", "refresh_token": "\\u0000"}',
        b'{"email": "\\ud800", "password": "\\udfff", "refresh_token": "\\ud800", "code": "\\ud800"}',
        json.dumps({"email": "e" * 5000, "password": "p" * 100_000, "refresh_token": "r" * 100_000}).encode(),
    ],
)
def test_bodies_that_are_none_are_refused(api: httpx2.Client, path: str, body: bytes) -> None:
    answer = api.post(f"{AUTH}/{path}", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@given(st.dictionaries(st.sampled_from(["email", "password", "refresh_token", "code"]), st.text(max_size=40)))
@settings(max_examples=25, deadline=None)
def test_no_body_is_a_crash(alone: Served, body: dict[str, str]) -> None:
    with httpx2.Client(base_url=alone.url, timeout=PATIENCE) as api:
        for path in ("token", "refresh", "revoke"):
            raw = json.dumps(body).encode()
            answer = api.post(f"{AUTH}/{path}", content=raw, headers={"content-type": "application/json"})
            assert answer.status_code < 500


def test_a_form_of_another_site_cannot_sign_in(api: httpx2.Client, person: Made) -> None:
    fields = {"email": person.email, "password": PASSWORD}
    assert api.post(f"{AUTH}/token", data=fields).status_code == 422
    raw = json.dumps(fields).encode()
    assert api.post(f"{AUTH}/token", content=raw, headers={"content-type": "text/plain"}).status_code == 422


def test_what_is_secret_is_in_no_log_and_no_refusal(api: httpx2.Client, alone: Served, person: Made) -> None:
    key, canary = key_of(alone, person), f"canary-{uuid4()}"
    pair = sign_in(api, person).json()
    answers = [
        api.get("/api/v1/me", headers=bearer(f"hz_{canary}")),
        api.get("/api/v1/me", headers=bearer(f"a.{canary}.c")),
        api.post(f"{AUTH}/token", json={"email": person.email, "password": canary}),
        api.post(f"{AUTH}/token", json={"email": canary, "password": [canary]}),
        api.post(f"{AUTH}/refresh", json={"refresh_token": canary}),
        api.get(f"/api/v1/workspaces/{canary}", headers=bearer(key)),
        api.get(f"/api/v1/workspaces/{person.workspace_id}/revenue", params={"from": canary}, headers=bearer(key)),
    ]
    assert all(400 <= answer.status_code < 500 and canary not in answer.text for answer in answers)
    printed = alone.log.read_text()
    for secret in (key, pair["access_token"], pair["refresh_token"], PASSWORD):
        assert secret not in printed


def test_a_key_asks_so_often_and_no_more(api: httpx2.Client, alone: Served, person: Made) -> None:
    key = key_of(alone, person)
    key_id = api.get("/api/v1/me", headers=bearer(key)).json()["id"]
    write(alone, "UPDATE rate_limits SET hits = 10000 WHERE name = 'api' AND subject = sha256(%s)", key_id.encode())
    answer = api.get("/api/v1/me", headers=bearer(key))
    if answer.status_code == 200:  # the minute of the clock went by in between
        write(alone, "UPDATE rate_limits SET hits = 10000 WHERE name = 'api' AND subject = sha256(%s)", key_id.encode())
        answer = api.get("/api/v1/me", headers=bearer(key))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")


def test_staff_are_no_staff_through_a_program(api: httpx2.Client, alone: Served, person: Made) -> None:
    """A visit takes a browser, where a banner says that it goes on."""
    with alone.doors():
        visited = make_person(f"Visited {next(_NUMBERS)}", Role.CREATOR)
    headers = bearer(token_of(alone, person))
    write(alone, "UPDATE users SET is_staff = true WHERE id = %s", person.user_id)
    with alone.doors():
        visit(open_scope(person.user_id), visited.workspace_id, "A question from its creator")
        assert visited.workspace_id in open_scope(person.user_id).workspace_ids
    me = api.get("/api/v1/me", headers=headers).json()
    assert (me["workspaces"], me["accounts"]) == ([str(person.workspace_id)], [str(person.account_id)])
    assert api.get(f"/api/v1/workspaces/{visited.workspace_id}", headers=headers).status_code == 404


def test_unknown_paths_are_told_so_to_everybody(api: httpx2.Client) -> None:
    for path in ("/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v2/me"):
        assert api.get(path).status_code == 404
    assert api.post("/api/v1/me").status_code == 405


def test_longest_span(api: httpx2.Client, alone: Served, person: Made) -> None:
    last = date(2026, 1, 1)
    headers, path = bearer(key_of(alone, person)), f"/api/v1/workspaces/{person.workspace_id}/revenue"
    for days, status in ((3 * 366, 200), (3 * 366 + 1, 422)):
        asked = {"from": (last - timedelta(days=days)).isoformat(), "to": last.isoformat()}
        assert api.get(path, headers=headers, params=asked).status_code == status
