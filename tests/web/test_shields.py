"""Origin, host, body size, headers and errors: what holds for every address of the sidecar."""

import re
import socket

import httpx2
import pytest

from core.sidecar.headers import ALWAYS
from tests.web.serving import PASSWORD, Serve, Served

FORM = "application/x-www-form-urlencoded"


def ask(alone: Served, method: str, path: str, headers: dict[str, str], content: bytes = b"") -> httpx2.Response:
    return httpx2.request(method, alone.url + path, headers=headers, content=content, timeout=30)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "{ours}"}, 303),
        ({"origin": "{ours}", "sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "same-origin"}, 303),
        ({}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "https://evil.test"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "http://localhost:8501"}, 403),
        ({"origin": "{ours}.evil.test"}, 403),
        ({"origin": "{ours}/"}, 403),
        ({"origin": "{ours}", "sec-fetch-site": "same-site"}, 403),
        ({"origin": "{ours}", "sec-fetch-site": "cross-site"}, 403),
        ({"origin": "{ours}", "sec-fetch-site": "none"}, 403),
        ({"origin": "https://evil.test", "sec-fetch-site": "same-origin"}, 403),
        ({"referer": "{ours}/account/sign-in"}, 403),
    ],
)
def test_only_our_own_pages_change_anything(alone: Served, headers: dict[str, str], status: int) -> None:
    sent = {name: value.format(ours=alone.url) for name, value in headers.items()}
    assert ask(alone, "POST", "/account/sign-out", sent).status_code == status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/account/sign-in", "/account/sign-up", "/account/sign-out", "/readyz", "/nowhere"])
def test_every_unsafe_method_is_under_the_rule(alone: Served, method: str, path: str) -> None:
    assert ask(alone, method, path, {"origin": "https://evil.test"}).status_code == 403


def test_signing_out_by_a_link_does_nothing(alone: Served) -> None:
    token = alone.sign_up("link@example.com")
    with alone.client(token) as client:
        assert client.get("/account/sign-out").status_code == 405
        assert client.get("/account/sign-in").status_code == 303


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("localhost", "/account/sign-in", 200),
        ("127.0.0.1:9", "/account/sign-in", 200),
        ("[::1]:8501", "/account/sign-in", 200),
        ("evil.test", "/account/sign-in", 421),
        ("127.0.0.1.evil.test", "/account/sign-in", 421),
        ("x@localhost", "/account/sign-in", 421),
        ("localhost:x", "/account/sign-in", 421),
        ("", "/account/sign-in", 421),
        ("10.0.0.7", "/healthz", 200),
        ("10.0.0.7", "/readyz", 200),
    ],
)
def test_only_our_own_names_are_served(alone: Served, host: str, path: str, status: int) -> None:
    assert ask(alone, "GET", path, {"host": host}).status_code == status


def test_a_large_body_is_refused_however_it_comes(alone: Served) -> None:
    ours = {"origin": alone.url, "content-type": FORM}
    said = ask(alone, "POST", "/account/sign-in", ours, b"email=" + b"x" * 1_000_001)
    chunks = httpx2.post(
        f"{alone.url}/account/sign-in", headers=ours, content=(b"x" * 100_000 for _ in range(11)), timeout=30
    )
    for answer in (said, chunks):
        assert answer.status_code == 413
        assert answer.json()["code"] == "web.too_large"


ANSWERS = [
    ("GET", "/account/sign-in", 200),
    ("GET", "/account/style.css", 200),
    ("GET", "/account/icon.svg", 200),
    ("GET", "/account/code", 303),
    ("GET", "/account/security", 303),
    ("GET", "/account/reset", 422),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/nowhere", 404),
    ("GET", "/account/../etc/passwd", 404),
    ("GET", "/account/%00", 404),
    ("GET", "/docs", 404),
    ("GET", "/openapi.json", 404),
    ("DELETE", "/account/sign-in", 405),
    ("POST", "/account/sign-in", 415),
    ("POST", "/account/sign-out", 303),
]


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_carries_the_headers(alone: Served, method: str, path: str, status: int, accept: str) -> None:
    answer = ask(alone, method, path, {"origin": alone.url, "accept": accept})
    assert answer.status_code == status
    for name, value in ALWAYS.items():
        assert answer.headers.get_list(name) == [value]
    (policy,) = answer.headers.get_list("content-security-policy")
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "strict-transport-security" not in answer.headers


def test_a_refusal_is_a_page_to_people_and_problem_details_to_programs(alone: Served) -> None:
    page = ask(alone, "GET", "/nowhere", {"accept": "text/html,*/*;q=0.8", "accept-language": "fr"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "Il n&#39;y a rien à cette adresse." in page.text or "Il n’y a rien à cette adresse." in page.text
    told = ask(alone, "GET", "/nowhere", {"accept": "application/json"})
    assert told.headers["content-type"] == "application/problem+json"
    assert told.headers["cache-control"] == "no-store"
    assert told.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing here under that address.",
        "code": "access.not_found",
    }


@pytest.fixture(scope="module")
def secure(serve: Serve) -> Served:
    """As it is behind a proxy that ends TLS."""
    return serve({"PUBLIC_URL": "https://app.example.com"}, target="core.sidecar.app:app", worker=False)


def test_behind_tls_cookies_and_headers_are_stricter(secure: Served) -> None:
    ours = {"host": "app.example.com", "origin": "https://app.example.com", "content-type": FORM}
    body = f"email=ada@example.com&password={PASSWORD}&display_name=Ada".encode()
    answer = ask(secure, "POST", "/account/sign-up", ours, body)
    assert answer.status_code == 303, answer.text
    session, device = answer.headers.get_list("set-cookie")
    name, *attributes = session.split("; ")
    assert re.fullmatch(r"__Host-huntaze_session=[A-Za-z0-9_-]{43}", name)
    strict = {"httponly", "path=/", "samesite=lax", "secure"}
    assert {attribute.lower() for attribute in attributes} == strict
    assert device.startswith("__Host-huntaze_device=")
    assert strict < {attribute.lower() for attribute in device.split("; ")}
    assert answer.headers["strict-transport-security"].startswith("max-age=63072000")
    value = name.partition("=")[2]
    for cookie, status in ((name, 303), (f"huntaze_session={value}", 200)):
        again = ask(secure, "GET", "/account/sign-in", {"host": "app.example.com", "cookie": cookie})
        assert again.status_code == status


def test_behind_tls_the_plain_origin_is_a_stranger(secure: Served) -> None:
    headers = {"host": "app.example.com", "origin": "http://app.example.com"}
    assert ask(secure, "POST", "/account/sign-out", headers).status_code == 403


@pytest.fixture(scope="module")
def crashing(serve: Serve) -> Served:
    return serve(target="tests.web.crashing:app", worker=False)


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_a_crash_shows_a_reference_and_the_log_the_rest(crashing: Served, accept: str) -> None:
    answer = ask(crashing, "GET", "/account/boom", {"accept": accept})
    assert answer.status_code == 500
    for name, value in ALWAYS.items():
        assert answer.headers.get_list(name) == [value]
    (reference,) = re.findall(r"reference: ([0-9a-f]{8})", answer.text)
    assert "a detail nobody should see" not in answer.text
    log = crashing.log.read_text()
    assert f"crash {reference}" in log
    assert "a detail nobody should see" in log


def test_a_visitor_who_leaves_half_way_is_no_crash(crashing: Served) -> None:
    before = crashing.log.read_text().count("crash ")
    url = httpx2.URL(crashing.url)
    head = f"POST /account/sign-in HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nOrigin: {crashing.url}\r\n"
    body = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nemail="
    with socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall((head + body).encode())
    assert ask(crashing, "GET", "/healthz", {}).status_code == 200
    assert crashing.log.read_text().count("crash ") == before


def test_input_of_the_wrong_shape_is_not_echoed(crashing: Served) -> None:
    answer = ask(crashing, "GET", "/account/number?n=%ED%A0%80secret%00", {})
    assert answer.status_code == 422
    assert answer.json()["code"] == "web.not_understood"
    assert "secret" not in answer.text
