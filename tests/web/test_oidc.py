"""Signing in through another provider over HTTP: a real provider process, and one that lies as told."""

import json
import re
import socket
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from core.errors import NotSignedIn
from core.identity import external, totp
from core.identity.service import profile
from core.identity.sessions import session_of
from core.sidecar.cookies import NAME
from core.sidecar.oidc import Half, carried, carry
from core.sidecar.providers import Begun, Provider
from core.workspaces.service import my_workspaces, open_scope
from tests.peers.oidc_mock import oidc_mock
from tests.peers.oidc_server import CLIENT, SECRET, OidcServer
from tests.web.serving import Serve, Served

COOKIE = "huntaze_external"
HERE = "/account/external"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
_NUMBERS = count()


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with oidc_mock() as url:
        yield url


@pytest.fixture(scope="module")
def liar() -> Iterator[OidcServer]:
    with OidcServer() as running:
        yield running


@pytest.fixture(scope="module")
def site(serve: Serve, mock: str, liar: OidcServer) -> Served:
    """The sidecar with the real provider as "Acme", and the other one in Microsoft's place."""
    environment = {
        "OIDC_ISSUER": mock,
        "OIDC_NAME": "Acme",
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET": SECRET,
        "MICROSOFT_AUTHORITY": liar.url,
        "MICROSOFT_CLIENT_ID": CLIENT,
        "MICROSOFT_CLIENT_SECRET": SECRET,
    }
    return serve(environment, target="core.sidecar.app:app", worker=False)


@pytest.fixture
def visitor(site: Served) -> Iterator[httpx2.Client]:
    with site.client() as client:
        yield client


@pytest.fixture
def someone() -> str:
    return f"sub-{next(_NUMBERS)}"


@pytest.fixture
def other(liar: OidcServer, someone: str) -> OidcServer:
    """The other provider, at its best again, about somebody new."""
    liar.behave(sub=someone, email=f"{someone}@example.com", email_verified=True, name="Ada")
    return liar


def consent(mock: str, address: str, sub: str, **claims: object) -> str:
    """What the person does at the real provider. Returns the address that it sends their browser back to."""
    said = {"email": f"{sub}@example.com", "email_verified": True, "name": "Ada Lovelace"} | claims
    httpx2.put(f"{mock}/users/{sub}", json=said).raise_for_status()
    answer = httpx2.post(address, data={"sub": sub})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


def begin(client: httpx2.Client, name: str = "oidc", **query: str) -> str:
    answer = client.get(f"{HERE}/{name}/start", params=query)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def whole_way(client: httpx2.Client, mock: str, sub: str, **claims: object) -> httpx2.Response:
    return client.get(consent(mock, begin(client, next="/content?draft=7"), sub, **claims))


def other_way(client: httpx2.Client, other: OidcServer, **changed: str) -> httpx2.Response:
    """Through the other provider; `changed` is put into the address that leads back."""
    address = begin(client, "microsoft")
    back = {"code": other.consent(address), "state": query_of(address)["state"]} | changed
    return client.get(f"{HERE}/microsoft/callback", params=back, headers={"accept": "text/html"})


def who(site: Served, client: httpx2.Client) -> Any:
    with site.doors():
        found = session_of(client.cookies[NAME])
        assert found is not None
        return open_scope(found.user_id, found.id)


def assert_refused(answer: httpx2.Response, client: httpx2.Client, says: str, status: int = 401) -> None:
    assert answer.status_code == status, answer.text
    assert says in answer.text
    assert NAME not in client.cookies
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert COOKIE not in client.cookies


UNTRUSTED = "did not confirm who you are"
NOT_BEGUN = "not begun in this browser"


def test_somebody_new_comes_in_and_goes_on(site: Served, visitor: httpx2.Client, mock: str, someone: str) -> None:
    answer = whole_way(visitor, mock, someone)
    assert (answer.status_code, answer.headers["location"]) == (303, "/content?draft=7")
    scope = who(site, visitor)
    with site.doors():
        mine, (workspace,) = profile(scope), my_workspaces(scope)
        (link,) = external.linked(scope)
    assert (mine.email, mine.display_name, mine.is_verified) == (f"{someone}@example.com", "Ada Lovelace", True)
    assert workspace.name == "Ada Lovelace"
    assert link.issuer == mock
    with site.client() as later:
        assert whole_way(later, mock, someone, email="changed@example.com").status_code == 303
        assert who(site, later).user_id == scope.user_id


def test_nothing_secret_is_logged(site: Served, visitor: httpx2.Client, other: OidcServer) -> None:
    other.spoil = SPOILED["nonce wrong"]
    address = begin(visitor, "microsoft")
    half, code = visitor.cookies[COOKIE], other.consent(address)
    visitor.get(f"{HERE}/microsoft/callback", params={"state": query_of(address)["state"], "code": code})
    log = site.log.read_text()
    assert "microsoft: sign-in refused" in log
    assert all(word not in log for word in (SECRET, code, half, query_of(address)["state"], other.claims["email"]))


def test_behind_tls_the_cookie_is_bound_to_the_host(serve: Serve, mock: str) -> None:
    keys = {"OIDC_ISSUER": mock, "OIDC_CLIENT_ID": CLIENT, "OIDC_CLIENT_SECRET": SECRET}
    site = serve(keys | {"PUBLIC_URL": "https://ops.example"}, target="core.sidecar.app:app", worker=False)
    with site.client() as client:
        answer = client.get(f"{HERE}/oidc/start")
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert {one.lower() for one in attributes} == {"httponly", "path=/", "samesite=lax", "max-age=600", "secure"}
    assert query_of(answer.headers["location"])["redirect_uri"] == f"https://ops.example{HERE}/oidc/callback"


def test_what_is_asked_of_the_provider(visitor: httpx2.Client) -> None:
    asked = query_of(begin(visitor))
    assert asked["code_challenge_method"] == "S256"
    assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
    assert asked["redirect_uri"].endswith(f"{HERE}/oidc/callback")
    assert set(asked["scope"].split()) == {"openid", "email", "profile"}
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 20
    again = query_of(begin(visitor))
    assert all(asked[name] != again[name] for name in ("state", "nonce", "code_challenge"))


def test_the_half_way_cookie_is_sealed_and_short_lived(visitor: httpx2.Client) -> None:
    answer = visitor.get(f"{HERE}/oidc/start", params={"next": "/analytics"})
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert {one.lower() for one in attributes} == {"httponly", "path=/", "samesite=lax", "max-age=600"}
    raw = urlsafe_b64decode(cookie.partition("=")[2])
    assert all(
        word not in raw for word in (b"state", b"/analytics", query_of(answer.headers["location"])["state"].encode())
    )


@pytest.mark.parametrize("page", ["/account/sign-in", "/account/sign-up"])
def test_the_forms_offer_what_is_configured(visitor: httpx2.Client, page: str) -> None:
    text = visitor.get(page, params={"next": "/content"}).text
    links = re.findall(r'href="(/account/external/\w+/start)\?[^"]*next=%2Fcontent"[^>]*>([^<]*)<', text)
    assert links == [
        ("/account/external/microsoft/start", "Go on with Microsoft"),
        ("/account/external/oidc/start", "Go on with Acme"),
    ]


def test_what_is_not_configured_is_not_there(visitor: httpx2.Client, alone: Served) -> None:
    assert visitor.get(f"{HERE}/google/start").status_code == 404
    assert visitor.get(f"{HERE}/google/callback").status_code == 404
    with alone.client() as client:
        assert HERE not in client.get("/account/sign-in").text


@pytest.mark.parametrize("target", ["//evil.test", "https://evil.test", "/\\evil.test", "/account/sign-in"])
def test_the_way_on_never_leads_out(visitor: httpx2.Client, mock: str, someone: str, target: str) -> None:
    answer = visitor.get(consent(mock, begin(visitor, next=target), someone))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_an_address_that_has_an_account_is_told_to_link(
    site: Served, visitor: httpx2.Client, mock: str, someone: str
) -> None:
    site.sign_up(f"{someone}@example.com")
    answer = whole_way(visitor, mock, someone)
    assert_refused(answer, visitor, "Sign in with your password, then link", 409)


def link_page(client: httpx2.Client, name: str = "oidc") -> str:
    answer = client.post(f"{HERE}/{name}/link")
    assert answer.status_code == 200, answer.text
    address = answer.headers["refresh"].partition("url=")[2]
    assert address.replace("&", "&amp;") in answer.text
    return str(address)


def test_linking_and_unlinking(site: Served, mock: str, someone: str) -> None:
    token = site.sign_up(f"{someone}@example.com")
    with site.client(token) as client:
        answer = client.get(consent(mock, link_page(client), someone))
        assert (answer.status_code, answer.headers["location"]) == (303, f"{HERE}?said=linked")
        shown = client.get(answer.headers["location"]).text
        assert f"{mock}: {someone}@example.com" in shown
        assert "you can sign in that way" in shown
        with site.client() as elsewhere:
            assert whole_way(elsewhere, mock, someone).status_code == 303
            assert who(site, elsewhere).user_id == who(site, client).user_id
        (identity,) = re.findall(r'name="identity" value="([^"]+)"', shown)
        answer = client.post(f"{HERE}/unlink", data={"identity": identity})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{HERE}?said=unlinked")
        assert "Nothing is linked yet" in client.get(HERE).text
    with site.client() as elsewhere:
        assert whole_way(elsewhere, mock, someone).status_code == 409


def test_the_last_way_in_is_kept(site: Served, visitor: httpx2.Client, mock: str, someone: str) -> None:
    whole_way(visitor, mock, someone)
    (identity,) = re.findall(r'name="identity" value="([^"]+)"', visitor.get(HERE).text)
    answer = visitor.post(f"{HERE}/unlink", data={"identity": identity})
    assert answer.status_code == 409
    assert "your only way in" in answer.text
    for unknown in ("00000000-0000-7000-8000-000000000000", "none"):
        assert visitor.post(f"{HERE}/unlink", data={"identity": unknown}).status_code == 404


def test_linking_asks_for_a_fresh_proof(site: Served, someone: str) -> None:
    with site.client(site.sign_up(f"{someone}@example.com")) as client:
        _prove_long_ago(site)
        headers = {"accept": "text/html", "referer": f"{site.url}{HERE}"}
        answer = client.post(f"{HERE}/oidc/link", headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/account/prove?{urlencode({'next': HERE})}")
        assert COOKIE not in client.cookies


def _prove_long_ago(site: Served) -> None:
    with site.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE web_sessions SET proved_at = now() - interval '11 minutes'")


def test_a_link_begun_by_one_session_ends_in_no_other(site: Served, mock: str, someone: str) -> None:
    with site.client(site.sign_up(f"{someone}@example.com")) as client:
        back = consent(mock, link_page(client), someone)
        half = client.cookies[COOKIE]
    with site.client(site.sign_up(f"other.{someone}@example.com")) as other:
        answer = other.get(back, headers={"cookie": f"{COOKIE}={half}; {NAME}={other.cookies[NAME]}"})
        assert answer.status_code == 401
        assert NOT_BEGUN in answer.text
        with site.doors():
            assert external.linked(who(site, other)) == ()


def test_linking_needs_somebody_and_our_own_page(site: Served, visitor: httpx2.Client, someone: str) -> None:
    answer = visitor.post(f"{HERE}/oidc/link")
    assert answer.headers["location"].startswith("/account/sign-in")
    assert visitor.get(HERE).headers["location"].startswith("/account/sign-in")
    with site.client(site.sign_up(f"{someone}@example.com")) as client:
        client.headers |= {"origin": "https://evil.test", "sec-fetch-site": "cross-site"}
        assert client.post(f"{HERE}/oidc/link").status_code == 403
        assert client.get(f"{HERE}/oidc/link").status_code == 405


def test_a_second_factor_is_still_asked_for(site: Served, visitor: httpx2.Client, mock: str, someone: str) -> None:
    whole_way(visitor, mock, someone)
    scope = who(site, visitor)
    with site.doors():
        from core.identity import second_factor

        second_factor.begin(scope)
        offer = second_factor.offer(scope)
        assert offer is not None
        second_factor.confirm(scope, _code_now(offer.secret))
    with site.client() as later:
        answer = whole_way(later, mock, someone)
        assert answer.headers["location"] == f"/account/code?{urlencode({'next': '/content?draft=7'})}"
        assert NAME not in later.cookies


def _code_now(secret: str) -> str:
    import pyotp

    assert totp.new_secret() != secret
    return pyotp.TOTP(secret).now()


def test_a_disabled_user_stays_out(site: Served, visitor: httpx2.Client, mock: str, someone: str) -> None:
    whole_way(visitor, mock, someone)
    with site.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET disabled_at = now() WHERE email = %s", (f"{someone}@example.com",))
    with site.client() as later:
        assert_refused(whole_way(later, mock, someone), later, "has been disabled", 403)


def test_whoever_cancels_is_told_in_one_sentence(site: Served, visitor: httpx2.Client) -> None:
    state = query_of(begin(visitor))["state"]
    back = {"error": "access_denied", "error_description": "<b>no</b>", "state": state}
    answer = visitor.get(f"{HERE}/oidc/callback", params=back)
    assert_refused(answer, visitor, "You did not go through with Acme")
    assert "no</b>" not in answer.text


def test_another_error_of_the_provider_is_not_repeated(visitor: httpx2.Client) -> None:
    state = query_of(begin(visitor))["state"]
    back = {"error": "server_error", "error_description": "secret", "state": state}
    answer = visitor.get(f"{HERE}/oidc/callback", params=back)
    assert_refused(answer, visitor, UNTRUSTED)
    assert "secret" not in answer.text


def without(address: str, *names: str, **changed: str) -> str:
    kept = {name: value for name, value in parse_qsl(urlsplit(address).query) if name not in names}
    return f"{address.partition('?')[0]}?{urlencode(kept | changed)}"


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda back: without(back, "state"),
        lambda back: without(back, state="x" * 30),
        lambda back: without(back, state="\ud800".encode("utf-8", "surrogatepass").decode("latin-1")),
        lambda back: back.replace("/oidc/", "/microsoft/"),
    ],
    ids=["missing", "wrong", "strange", "of another provider"],
)
def test_a_state_that_does_not_fit(
    visitor: httpx2.Client, mock: str, someone: str, spoiled: Callable[[str], str]
) -> None:
    back = consent(mock, begin(visitor), someone)
    assert_refused(visitor.get(spoiled(back)), visitor, NOT_BEGUN)


def test_a_state_is_good_in_its_own_browser_only(site: Served, visitor: httpx2.Client, mock: str, someone: str) -> None:
    back = consent(mock, begin(visitor), someone)
    with site.client() as other:
        assert_refused(other.get(back), other, NOT_BEGUN)
        begin(other)
        assert_refused(other.get(back), other, NOT_BEGUN)


def test_a_state_is_good_once_even_with_the_cookie_kept(
    site: Served, visitor: httpx2.Client, other: OidcServer
) -> None:
    address = begin(visitor, "microsoft")
    kept, state = visitor.cookies[COOKIE], query_of(address)["state"]
    back = f"{HERE}/microsoft/callback"
    assert visitor.get(back, params={"state": state, "code": other.consent(address)}).status_code == 303
    with site.client() as again:
        fresh_code = {"state": state, "code": other.consent(address)}
        answer = again.get(back, params=fresh_code, headers={"cookie": f"{COOKIE}={kept}"})
        assert_refused(answer, again, NOT_BEGUN)


@pytest.mark.parametrize(
    "cookie", ["", "x", "!!!", "é".encode().decode("latin-1"), urlsafe_b64encode(b"x" * 200).decode()]
)
def test_no_cookie_breaks_anything(visitor: httpx2.Client, cookie: str) -> None:
    headers = {"cookie": f"{COOKIE}={cookie}".encode("latin-1")}
    answer = visitor.get(f"{HERE}/oidc/callback?state=a&code=b", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401


@pytest.mark.parametrize(("left", "fits"), [(30, True), (-1, False)])
def test_a_half_holds_for_its_ten_minutes(database: Connection, left: int, fits: bool) -> None:
    asked = Provider("oidc", "Acme", "https://id.example/m", CLIENT, SecretStr(SECRET))
    begun = Begun("https://id.example/a", "the-state", "the-nonce", "the-verifier")
    half = Half("oidc", begun, "/content", time.time() + left)
    response = Response()
    carry(response, half)
    cookie = response.headers["set-cookie"].partition(";")[0]
    headers = [(b"cookie", cookie.encode())]
    request = Request({"type": "http", "headers": headers, "query_string": b"state=the-state"})
    if fits:
        assert carried(request, asked) == half
    else:
        with pytest.raises(NotSignedIn):
            carried(request, asked)


def test_a_changed_cookie_does_not_open(visitor: httpx2.Client, mock: str, someone: str) -> None:
    back = consent(mock, begin(visitor), someone)
    raw = bytearray(urlsafe_b64decode(visitor.cookies[COOKIE]))
    raw[-20] ^= 1
    answer = visitor.get(back, headers={"cookie": f"{COOKIE}={urlsafe_b64encode(raw).decode()}"})
    assert answer.status_code == 401


def test_the_other_provider_at_its_best(site: Served, visitor: httpx2.Client, other: OidcServer) -> None:
    """So that the refusals below are for the reason that each names."""
    assert other_way(visitor, other).status_code == 303
    with site.doors():
        (link,) = external.linked(who(site, visitor))
    assert link.issuer == other.url


def test_an_address_told_apart_is_asked_for(site: Served, visitor: httpx2.Client, other: OidcServer) -> None:
    other.user_info = {"sub": other.claims["sub"], "email": other.claims.pop("email"), "email_verified": True}
    assert other_way(visitor, other).status_code == 303


def test_an_address_told_of_somebody_else_is_not_taken(visitor: httpx2.Client, other: OidcServer) -> None:
    other.user_info = {"sub": "somebody-else", "email": other.claims.pop("email")}
    assert_refused(other_way(visitor, other), visitor, "did not say your e-mail", 422)


SPOILED: dict[str, Callable[[dict[str, Any]], object]] = {
    "nonce wrong": lambda said: said.update(nonce="x" * 20),
    "nonce missing": lambda said: said.pop("nonce"),
    "issuer wrong": lambda said: said.update(iss="https://evil.test"),
    "issuer missing": lambda said: said.pop("iss"),
    "issuer with a slash more": lambda said: said.update(iss=said["iss"] + "/"),
    "audience wrong": lambda said: said.update(aud="somebody-else"),
    "audience missing": lambda said: said.pop("aud"),
    "audiences without us": lambda said: said.update(aud=["a", "b"]),
    "audiences for another party": lambda said: said.update(aud=[said["aud"], "b"], azp="b"),
    "expired": lambda said: said.update(iat=int(time.time()) - 900, exp=int(time.time()) - 600),
    "expiry missing": lambda said: said.pop("exp"),
    "from the future": lambda said: said.update(iat=int(time.time()) + 900, exp=int(time.time()) + 1200),
    "subject missing": lambda said: said.pop("sub"),
}


@pytest.mark.parametrize("how", sorted(SPOILED))
def test_a_token_that_says_something_wrong(visitor: httpx2.Client, other: OidcServer, how: str) -> None:
    other.spoil = SPOILED[how]
    assert_refused(other_way(visitor, other), visitor, UNTRUSTED)


@pytest.mark.parametrize("subject", ["", 7, "x" * 300, None, ["a"]])
def test_a_subject_that_cannot_be_kept(visitor: httpx2.Client, other: OidcServer, subject: object) -> None:
    other.claims["sub"] = subject
    answer = other_way(visitor, other)
    assert answer.status_code in (401, 503)
    assert NAME not in visitor.cookies


@pytest.mark.parametrize("announced", [["RS256"], ["none", "HS256"], ["none", "HS256", "RS256"]])
@pytest.mark.parametrize("way", ["unsigned", "signed_by_secret"])
def test_a_token_that_nobody_signed(
    visitor: httpx2.Client, other: OidcServer, way: str, announced: list[str], site: Served
) -> None:
    other.metadata = {"id_token_signing_alg_values_supported": announced}
    other.sign = getattr(other, way)
    assert_refused(other_way(visitor, other), visitor, UNTRUSTED)


def test_a_token_of_a_stranger_is_refused(visitor: httpx2.Client, other: OidcServer) -> None:
    stranger = OidcServer()
    other.sign = stranger.signed
    assert_refused(other_way(visitor, other), visitor, UNTRUSTED)


@pytest.mark.parametrize("kid", ["second", "first"])
def test_a_new_key_is_fetched(visitor: httpx2.Client, other: OidcServer, kid: str) -> None:
    """Under a new name as it should be, and under the old one as it happens."""
    assert other_way(visitor, other).status_code == 303
    other.rotate(kid)
    assert other_way(visitor, other).status_code == 303


def test_a_code_that_is_no_good(visitor: httpx2.Client, other: OidcServer) -> None:
    assert_refused(other_way(visitor, other, code="invented"), visitor, UNTRUSTED)
    assert_refused(other_way(visitor, other, code=""), visitor, UNTRUSTED)


def test_a_provider_that_is_down_is_named(visitor: httpx2.Client, other: OidcServer) -> None:
    address = begin(visitor, "microsoft")
    other.is_broken = True
    back = {"state": query_of(address)["state"], "code": other.consent(address)}
    answer = visitor.get(f"{HERE}/microsoft/callback", params=back)
    assert_refused(answer, visitor, "Microsoft cannot be reached right now", 503)


def test_a_provider_that_was_never_there(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    keys = {"OIDC_ISSUER": nobody, "OIDC_CLIENT_ID": CLIENT, "OIDC_CLIENT_SECRET": SECRET}
    site = serve(keys, target="core.sidecar.app:app", worker=False)
    with site.client() as client:
        answer = client.get(f"{HERE}/oidc/start", headers={"accept": "text/html", "accept-language": "fr"})
        assert answer.status_code == 503
        assert "127.0.0.1 est injoignable" in answer.text
        assert COOKIE not in client.cookies
    assert "Traceback" not in site.log.read_text()


def test_metadata_of_another_issuer_are_refused(serve: Serve, other: OidcServer) -> None:
    other.metadata = {"issuer": "https://evil.test"}
    keys = {"OIDC_ISSUER": other.url, "OIDC_CLIENT_ID": CLIENT, "OIDC_CLIENT_SECRET": SECRET}
    templated = {"MICROSOFT_AUTHORITY": other.url, "MICROSOFT_CLIENT_ID": CLIENT, "MICROSOFT_CLIENT_SECRET": SECRET}
    site = serve(keys | templated, target="core.sidecar.app:app", worker=False)
    with site.client() as client:
        assert client.get(f"{HERE}/oidc/start").status_code == 503
        other.metadata = {}
        assert client.get(f"{HERE}/oidc/start").status_code == 303
    other.metadata = {"issuer": f"{other.url}/{{tenantid}}/v2.0"}
    _any_tenant(site, other)


def _any_tenant(site: Served, other: OidcServer) -> None:
    """Microsoft's issuer names no tenant where any may sign in: the token's must be the one that its issuer names."""
    cases = [
        ({"tid": TENANT, "iss": f"{other.url}/{TENANT}/v2.0"}, 303),
        ({"tid": TENANT.replace("7", "8"), "iss": f"{other.url}/{TENANT}/v2.0"}, 401),
        ({"iss": f"{other.url}/{TENANT}/v2.0"}, 401),
        ({"iss": f"{other.url}/{{tenantid}}/v2.0"}, 401),
        ({"tid": ["x"], "iss": f"{other.url}/{{tenantid}}/v2.0"}, 401),
        ({"tid": TENANT, "iss": other.url}, 401),
    ]
    for said, status in cases:
        other.spoil = lambda claims, said=said: claims.update(said)
        with site.client() as client:
            assert other_way(client, other).status_code == status, json.dumps(said)
