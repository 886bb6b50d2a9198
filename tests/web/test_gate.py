"""Nobody reaches Streamlit without a live session: by address, by websocket, or in a tab that was open before."""

from collections.abc import Callable
from itertools import count
from uuid import UUID

import httpx2
import psycopg
import pytest
from websockets.exceptions import InvalidStatus

from core.access import Scope
from core.identity.devices import end_other_sessions, end_session
from core.identity.sessions import session_of
from core.sidecar.headers import ALWAYS
from core.workspaces.service import open_scope
from tests.conftest import libpq
from tests.web.serving import Served
from tests.web.tab import Tab, opened

_NUMBERS = count()
STRANGER = UUID(int=1)
FORGED = [
    {"x-huntaze-user-id": str(STRANGER), "x-huntaze-session-id": str(STRANGER)},
    {"X-Huntaze-User-Id": str(STRANGER)},
    {"X_Huntaze_User_Id": str(STRANGER), "X-Huntaze-Role": "admin"},
]


@pytest.fixture
def token(playground: Served) -> str:
    return playground.sign_up(f"gate{next(_NUMBERS)}@example.com")


def ran(playground: Served) -> list[str]:
    noted = playground.log.parent / "ran"
    return noted.read_text().split() if noted.exists() else []


def told_to_sign_in(tab: Tab) -> bool:
    """Nothing is drawn any more; the last word is Streamlit's redirect, then the connection ends with our code."""
    words, code = tab.rest()
    assert words[-1].auth_redirect.url == "/account/sign-in"
    assert {word.WhichOneof("type") for word in words} <= {"auth_redirect", "session_status_changed"}
    return code == 4401


def write(playground: Served, statement: str, *values: object) -> None:
    with psycopg.connect(libpq(playground.database)) as connection:
        connection.execute(statement, values)  # type: ignore[arg-type]


def ids(playground: Served, token: str) -> tuple[UUID, UUID]:
    with playground.doors():
        found = session_of(token)
    assert found is not None
    return found.user_id, found.id


def test_a_signed_in_tab_is_known_by_its_session(playground: Served, token: str) -> None:
    user_id, session_id = ids(playground, token)
    with opened(playground, token) as tab:
        tab.run()
        assert tab.texts[:2] == [f"user {user_id}", f"session {session_id}"]
        tab.run("click")
        assert "clicks 1" in tab.texts


@pytest.mark.parametrize("wrong", [None, "nonsense", "x" * 5000])
@pytest.mark.parametrize("headers", [{}, *FORGED])
def test_a_tab_without_a_session_is_sent_to_sign_in(
    playground: Served, wrong: str | None, headers: dict[str, str]
) -> None:
    before = ran(playground)
    with opened(playground, wrong, headers=headers) as tab:
        assert told_to_sign_in(tab)
    assert ran(playground) == before


@pytest.mark.parametrize("headers", FORGED)
def test_forged_headers_do_not_make_somebody_else(playground: Served, token: str, headers: dict[str, str]) -> None:
    user_id, session_id = ids(playground, token)
    with opened(playground, token, headers=headers) as tab:
        assert tab.run().texts[:2] == [f"user {user_id}", f"session {session_id}"]


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.test", "http://127.0.0.1:1", "http://localhost:8501", "file://"]
)
def test_a_page_of_another_origin_opens_no_tab(playground: Served, token: str, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused, opened(playground, token, origin=origin):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE web_sessions SET revoked_at = now() WHERE user_id = %s",
        "UPDATE web_sessions SET last_seen_at = now() - interval '31 minutes' WHERE user_id = %s",
        "UPDATE web_sessions SET expires_at = now() WHERE user_id = %s",
        "DELETE FROM web_sessions WHERE user_id = %s",
        "UPDATE users SET disabled_at = now() WHERE id = %s",
        "UPDATE users SET deleted_at = now() WHERE id = %s",
    ],
)
@pytest.mark.parametrize("click", ["", "click", "in the fragment"])
def test_nothing_runs_in_an_open_tab_once_its_session_is_over(
    playground: Served, token: str, end: str, click: str
) -> None:
    with opened(playground, token) as tab:
        tab.run()
        before = ran(playground)
        write(playground, end, ids(playground, token)[0])
        tab.send(click)
        assert told_to_sign_in(tab)
    assert ran(playground) == before


def test_signing_out_in_one_tab_ends_the_other(playground: Served, token: str) -> None:
    with opened(playground, token) as tab:
        tab.run()
        with playground.client(token) as client:
            assert client.post("/account/sign-out").status_code == 303
        tab.send("click")
        assert told_to_sign_in(tab)


@pytest.mark.parametrize("end", [end_session, lambda scope, _: end_other_sessions(scope)])
@pytest.mark.parametrize("click", ["", "click", "in the fragment"])
def test_a_tab_signed_out_from_elsewhere_runs_nothing_more(
    playground: Served, token: str, end: Callable[[Scope, UUID], object], click: str
) -> None:
    """From the list of browsers in the settings, in another browser of the same person."""
    user_id, there = ids(playground, token)
    here = playground.token_for(user_id)
    with opened(playground, token) as tab, opened(playground, here) as own:
        tab.run()
        own.run()
        before = ran(playground)
        with playground.doors():
            end(open_scope(user_id, ids(playground, here)[1]), there)
        tab.send(click)
        assert told_to_sign_in(tab)
        assert ran(playground) == before
        assert own.run().texts


def test_words_that_are_none_end_only_their_own_tab(playground: Served, token: str) -> None:
    for words in (b"\xff\xff\xff", b"", "text", b"\x00" * 100_000):
        with opened(playground, token) as tab:
            tab.run()
            tab.connection.send(words)
            tab.connection.close()
    with opened(playground, token) as tab:
        assert tab.run().texts


@pytest.mark.parametrize(("by_itself", "noted"), [(True, False), (False, True)])
def test_a_page_that_refreshes_itself_lets_the_session_go_idle(
    playground: Served, token: str, by_itself: bool, noted: bool
) -> None:
    _, session_id = ids(playground, token)
    with opened(playground, token) as tab:
        tab.run()
        write(
            playground, "UPDATE web_sessions SET last_seen_at = now() - interval '5 minutes' WHERE id = %s", session_id
        )
        tab.run(by_itself=by_itself)
    with psycopg.connect(libpq(playground.database)) as connection:
        (recent,) = connection.execute(
            "SELECT last_seen_at > now() - interval '1 minute' FROM web_sessions WHERE id = %s", (session_id,)
        ).fetchone() or (None,)
    assert recent == noted


def test_a_tab_is_resumed_by_its_own_person_only(playground: Served, token: str) -> None:
    with opened(playground, token) as tab:
        tab.run().run("click")
        tab.run("click")
        assert "clicks 2" in tab.texts
        left = tab.session_id
    other = playground.sign_up(f"other{next(_NUMBERS)}@example.com")
    with opened(playground, other, resume=left) as tab:
        tab.run()
        assert "clicks 0" in tab.texts
        assert tab.session_id != left
    with opened(playground, token, resume=left) as tab:
        tab.run()
        assert "clicks 2" in tab.texts
        assert tab.session_id == left


PAGES = ["/", "/analytics", "/analytics?creator=1&x=%20", "/manifest.json", "/accountant", "/index.html"]
FOR_PROGRAMS = [
    ("GET", "/_stcore/metrics"),
    ("GET", "/_stcore/script-health-check"),
    ("GET", "/_stcore/agent/openapi.json"),
    ("POST", "/_stcore/agent/interact"),
    ("POST", "/_stcore/agent/mcp"),
    ("GET", "/_stcore/bidi-components/x"),
    ("PUT", "/_stcore/upload_file/a/b"),
    ("DELETE", "/_stcore/upload_file/a/b"),
    ("GET", "/media/abc.csv"),
    ("GET", "/component/x/index.html"),
    ("POST", "/analytics"),
]
OPEN = [
    ("/healthz", 200),
    ("/readyz", 200),
    ("/_stcore/health", 200),
    ("/_stcore/host-config", 200),
    ("/favicon.png", 200),
    ("/account/sign-in", 200),
    ("/account/nowhere", 404),
    ("/webhooks/nobody", 404),
    ("/api/v1/me", 401),
    ("/api/nowhere", 404),
]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("headers", [{}, *FORGED])
def test_a_page_without_a_session_leads_to_sign_in_and_back(
    playground: Served, path: str, headers: dict[str, str]
) -> None:
    answer = httpx2.get(playground.url + path, headers=headers)
    assert answer.status_code == 303
    target = httpx2.URL(playground.url).join(answer.headers["location"])
    assert (target.path, target.params["next"]) == ("/account/sign-in", path)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("method", "path"), FOR_PROGRAMS)
@pytest.mark.parametrize("headers", [{}, *FORGED])
def test_what_programs_ask_for_needs_a_session(
    playground: Served, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = httpx2.request(method, playground.url + path, headers=headers | {"origin": playground.url})
    assert answer.status_code == 401
    for name, value in ALWAYS.items():
        assert answer.headers.get_list(name) == [value]


@pytest.mark.parametrize(("method", "path"), [row for row in FOR_PROGRAMS if row[0] != "GET"])
def test_another_origin_changes_nothing_even_with_a_session(
    playground: Served, token: str, method: str, path: str
) -> None:
    cookie = {"cookie": f"huntaze_session={token}", "origin": "https://evil.test"}
    assert httpx2.request(method, playground.url + path, headers=cookie).status_code == 403


@pytest.mark.parametrize(("path", "status"), OPEN)
def test_the_way_in_is_open(playground: Served, path: str, status: int) -> None:
    answer = httpx2.get(playground.url + path)
    assert answer.status_code == status
    for name, value in ALWAYS.items():
        assert answer.headers.get_list(name) == [value]
    assert len(answer.headers.get_list("content-security-policy")) == 1


def test_another_host_is_not_served(playground: Served, token: str) -> None:
    for path in ("/", "/account/sign-in", "/_stcore/health", "/static/js/x.js"):
        assert httpx2.get(playground.url + path, headers={"host": "evil.test"}).status_code == 421


def test_streamlits_page_may_load_nothing_from_elsewhere(playground: Served, token: str) -> None:
    with playground.client(token) as client:
        policy = client.get("/").headers["content-security-policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert rules["default-src"] == ["'self'"]
    assert "'unsafe-eval'" not in rules["script-src"]
    assert "'unsafe-inline'" not in rules["script-src"]
    assert rules["frame-ancestors"] == rules["object-src"] == ["'none'"]
    assert "http" not in policy
    assert "*" not in policy
