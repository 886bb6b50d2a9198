"""Secrets pushed through every way that ends in a "no": none is told to the log, to a page or to a mail's subject."""

import re
from itertools import count
from urllib.parse import quote

import httpx2
import psycopg
import pytest
from sqlalchemy.engine import make_url

from core.embedded import Embedded
from tests.conftest import libpq
from tests.web.outbox import letters
from tests.web.serving import PASSWORD, Serve, Served

_NUMBERS = count()
CANARY = "canary-7f3a-secret"
ACCEPTS = ("text/html", "application/json")
FORMS = {
    "/account/sign-in": ("password",),
    "/account/sign-up": ("password",),
    "/account/code": ("code",),
    "/account/forgot": ("password",),
    "/account/reset": ("password", "token"),
    "/account/verify": ("token",),
    "/account/new-email": ("token",),
    "/account/prove": ("password", "code"),
    "/account/password": ("old", "password"),
    "/account/second-factor/confirm": ("code",),
}


@pytest.fixture
def email() -> str:
    return f"canary{next(_NUMBERS)}@example.com"


@pytest.fixture(scope="module")
def signed_in(alone: Served) -> str:
    return alone.sign_up(f"canary{next(_NUMBERS)}@example.com")


@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize("kind", ["form", "json", "broken", "foreign", "signed out"])
@pytest.mark.parametrize("path", FORMS)
def test_no_refusal_repeats_a_secret(alone: Served, signed_in: str, path: str, accept: str, kind: str) -> None:
    fields = dict.fromkeys(FORMS[path], CANARY + "\x00" * (kind == "broken")) | {"email": "ada@example.com"}
    token = None if kind == "signed out" else signed_in
    headers = {"accept": accept} | ({"origin": "https://evil.test"} if kind == "foreign" else {})
    with alone.client(token) as client:
        client.cookies.set("huntaze_pending", CANARY, domain="127.0.0.1")
        client.cookies.set("huntaze_device", CANARY, domain="127.0.0.1")
        if kind == "json":
            answer = client.post(path, json=fields, headers=headers)
        else:
            answer = client.post(path, data=fields, headers=headers)
    assert answer.status_code < 500
    assert CANARY not in answer.text
    assert CANARY not in str(answer.headers.raw)
    assert CANARY not in alone.log.read_text()


@pytest.mark.parametrize("path", ["verify", "reset", "new-email"])
def test_a_bad_link_is_not_repeated(alone: Served, visitor: httpx2.Client, path: str) -> None:
    answer = visitor.get(f"/account/{path}?token={quote(CANARY)}")
    assert answer.status_code == 422
    assert CANARY not in answer.text
    assert CANARY not in alone.log.read_text()


@pytest.fixture(scope="module")
def broken(serve: Serve, server: Embedded) -> Served:
    """A product whose database refuses each letter and each session: the rows at hand when it fails hold secrets."""
    made = serve(target="core.sidecar.app:app", worker=False)
    made.sign_up("before@example.com")
    owner = server.url("huntaze_owner", str(make_url(made.database).database))
    with psycopg.connect(libpq(owner)) as connection:
        for table in ("mail_outbox", "web_sessions"):
            connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK (false) NOT VALID")  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/account/sign-in", {"email": "before@example.com", "password": PASSWORD}),
        ("/account/sign-up", {"email": "after@example.com", "password": PASSWORD, "display_name": CANARY}),
        ("/account/forgot", {"email": "before@example.com"}),
    ],
)
def test_a_crash_repeats_no_secret(broken: Served, path: str, fields: dict[str, str], accept: str) -> None:
    crashes = broken.log.read_text().count("crash ")
    with broken.client() as client:
        answer = client.post(path, data=fields, headers={"accept": accept, "user-agent": CANARY})
    log = broken.log.read_text()
    assert answer.status_code == 500
    assert log.count("crash ") == crashes + 1
    for secret in (PASSWORD, CANARY, "$argon2", "token=", "before@example.com", "after@example.com"):
        assert secret not in log
        assert secret not in answer.text


def test_links_are_in_bodies_alone_and_passwords_and_codes_in_no_letter(alone: Served, email: str) -> None:
    with alone.client(alone.sign_up(email)) as client:
        client.post("/account/forgot", data={"email": email})
        client.post("/account/password", data={"old": PASSWORD, "password": f"{CANARY} long enough"})
    sent = letters(alone, email)
    assert [one.kind for one in sent] == ["verify", "reset", "password_changed"]
    for one in sent:
        tokens = re.findall(r"token=([\w-]+)", one.body)
        assert not any(token in one.subject for token in tokens)
        assert PASSWORD not in one.subject + one.body
        assert CANARY not in one.subject + one.body
        assert not any(token in alone.log.read_text() for token in tokens)
