"""Signing up, in and out over HTTP, the sidecar running alone."""

import re
from itertools import count
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.sidecar.forms import safe_next
from tests.web.serving import PASSWORD, Served

_NUMBERS = count()
UNSAFE_CHARACTERS = ["\x00", "\ud800", "\udfff", "\u202e", "\n", "\x1b", "<script>", "'", '"', "\ufffe", "🔑"]


@pytest.fixture
def email() -> str:
    return f"person{next(_NUMBERS)}@example.com"


def sign_in(client: httpx2.Client, email: str, password: str = PASSWORD, **more: str) -> httpx2.Response:
    return client.post("/account/sign-in", data={"email": email, "password": password} | more)


def test_signing_up_signs_in_and_goes_on(visitor: httpx2.Client, email: str) -> None:
    fields = {"email": email, "password": PASSWORD, "display_name": "Ada", "next": "/analytics?creator=1"}
    answer = visitor.post("/account/sign-up", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/analytics?creator=1")
    again = visitor.get("/account/sign-in", params={"next": "/content"})
    assert (again.status_code, again.headers["location"]) == (303, "/content")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor: httpx2.Client, email: str) -> None:
    fields = {"email": email, "password": PASSWORD, "display_name": "Ada"}
    session, device = visitor.post("/account/sign-up", data=fields).headers.get_list("set-cookie")
    for cookie, called, lasts in (
        (session, "huntaze_session", set()),
        (device, "huntaze_device", {"max-age=31536000"}),
    ):
        name, *attributes = cookie.split("; ")
        assert re.fullmatch(rf"{called}=[A-Za-z0-9_-]{{43}}", name)
        assert {attribute.lower() for attribute in attributes} == {"httponly", "path=/", "samesite=lax"} | lasts


def test_signing_out_ends_the_session_itself(alone: Served, visitor: httpx2.Client, email: str) -> None:
    token = alone.sign_up(email)
    with alone.client(token) as signed_in:
        answer = signed_in.post("/account/sign-out")
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/sign-in")
        assert "Max-Age=0" in answer.headers["set-cookie"]
    with alone.client(token) as kept_the_cookie:
        assert kept_the_cookie.get("/account/sign-in").status_code == 200


def test_signing_in_ends_the_session_that_was_there(alone: Served, email: str) -> None:
    before = alone.sign_up(email)
    with alone.client(before) as client:
        assert sign_in(client, email).status_code == 303
    with alone.client(before) as client:
        assert client.get("/account/sign-in").status_code == 200


def test_an_invented_token_is_never_taken_over(visitor: httpx2.Client, alone: Served, email: str) -> None:
    alone.sign_up(email)
    visitor.cookies.set("huntaze_session", "fixed-by-somebody-else")
    answer = sign_in(visitor, email)
    assert answer.status_code == 303
    assert "fixed-by-somebody-else" not in answer.headers["set-cookie"]


def test_unknown_and_wrong_are_answered_with_the_same_bytes(alone: Served, visitor: httpx2.Client, email: str) -> None:
    alone.sign_up(email)
    unknown = email.replace("person", "nobody")
    wrong, missing = sign_in(visitor, email, "wrong password"), sign_in(visitor, unknown)
    assert wrong.status_code == missing.status_code == 401
    assert wrong.text.replace(email, "") == missing.text.replace(unknown, "")
    different = {"date", "content-length"}
    assert {k: v for k, v in wrong.headers.items() if k not in different} == {
        k: v for k, v in missing.headers.items() if k not in different
    }


def test_a_refused_form_keeps_what_was_typed_but_the_password(visitor: httpx2.Client) -> None:
    fields = {"email": '"><script>x</script>', "password": "short-secret", "display_name": "Ada & Bob"}
    answer = visitor.post("/account/sign-up", data=fields | {"next": "/content?a=1&b=2"})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "Give an e-mail address such as name@example.com." in answer.text
    assert "&#34;&gt;&lt;script&gt;x&lt;/script&gt;" in answer.text
    assert "Ada &amp; Bob" in answer.text
    assert "/content?a=1&amp;b=2" in answer.text
    assert "short-secret" not in answer.text
    assert "<script" not in answer.text


def test_the_same_address_twice_says_to_sign_in(alone: Served, visitor: httpx2.Client, email: str) -> None:
    alone.sign_up(email)
    answer = visitor.post("/account/sign-up", data={"email": email, "password": PASSWORD, "display_name": "Eve"})
    assert answer.status_code == 409
    assert "Sign in instead" in answer.text


@pytest.mark.parametrize(
    ("path", "header", "language", "title"),
    [
        ("/account/sign-in", "fr-CA,fr;q=0.9,en;q=0.8", "fr", "Se connecter"),
        ("/account/sign-in", "de,en;q=0.8", "en", "Sign in"),
        ("/account/sign-in", "", "en", "Sign in"),
        ("/account/sign-in?lang=fr", "en", "fr", "Se connecter"),
        ("/account/sign-up?lang=en", "fr", "en", "Create an account"),
        ("/account/sign-up?lang=xx", "fr", "fr", "Créer un compte"),
    ],
)
def test_pages_speak_the_visitors_language(
    visitor: httpx2.Client, path: str, header: str, language: str, title: str
) -> None:
    answer = visitor.get(path, headers={"accept-language": header})
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert f"<h1>{title}</h1>" in answer.text


def test_a_refusal_speaks_the_forms_language_and_a_person_keeps_it(
    alone: Served, visitor: httpx2.Client, email: str
) -> None:
    answer = visitor.post("/account/sign-up", data={"lang": "fr"}, headers={"accept-language": "en"})
    assert "Donnez une adresse e-mail" in answer.text
    alone.sign_up(email, lang="fr")
    with alone.doors():
        from core.identity.service import profile
        from core.identity.sessions import session_of
        from core.workspaces.service import open_scope

        found = session_of(alone.sign_up(f"autre.{email}", lang="fr"))
        assert found is not None
        assert profile(open_scope(found.user_id)).language == "fr"


@pytest.mark.parametrize("path", ["/account/sign-in", "/account/sign-up"])
def test_forms_help_password_managers_and_screen_readers(visitor: httpx2.Client, path: str) -> None:
    text = visitor.get(path).text
    labelled = set(re.findall(r'<label for="(\w+)"', text))
    assert labelled == set(re.findall(r'<input id="(\w+)"', text))
    assert 'autocomplete="username"' in text
    assert re.search(r'autocomplete="(current|new)-password"', text)
    assert "<script" not in text
    assert " style=" not in text


NEXT = [
    ("/", "/"),
    ("/analytics", "/analytics"),
    ("/content?draft=7&x=%20y", "/content?draft=7&x=%20y"),
    ("", "/"),
    ("analytics", "/"),
    ("//evil.test", "/"),
    ("///evil.test", "/"),
    ("/\\evil.test", "/"),
    ("\\/evil.test", "/"),
    ("https://evil.test", "/"),
    ("javascript:alert(1)", "/"),
    ("/\t/evil.test", "/"),
    ("/\n/evil.test", "/"),
    ("/\r\nSet-Cookie: a=b", "/"),
    (" /analytics", "/"),
    ("/a b", "/"),
    ("/é", "/"),
    ("/\x00", "/"),
    ("/\ud800", "/"),
    ("/account/sign-in?next=/", "/"),
    ("/" + "x" * 3000, "/"),
]


@pytest.mark.parametrize(("asked", "target"), NEXT)
def test_the_way_on_never_leads_out(asked: str, target: str) -> None:
    assert safe_next(asked) == target


@pytest.mark.parametrize(("asked", "target"), [row for row in NEXT if row[0].isprintable()])
def test_the_way_on_survives_the_form(alone: Served, email: str, asked: str, target: str) -> None:
    with alone.client(alone.sign_up(email)) as client:
        answer = client.get(f"/account/sign-in?next={quote(asked, safe='')}")
        assert (answer.status_code, answer.headers["location"]) == (303, target)


def test_guessing_is_slowed_down(alone: Served, visitor: httpx2.Client, email: str) -> None:
    alone.sign_up(email)
    answers = [sign_in(visitor, email, "guess") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert "Too many tries" in answers[-1].text


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        [
            f"/account/{page}"
            for page in ("sign-in", "sign-up", "sign-out", "code", "forgot", "reset", "verify", "new-email", "prove")
        ]
    ),
    st.dictionaries(
        st.sampled_from(["email", "display_name", "next", "lang", "token", "code", "other"]),
        st.one_of(st.text(max_size=200), st.sampled_from(UNSAFE_CHARACTERS).map(lambda bad: f"/a{bad}b")),
    ),
)
def test_no_form_field_breaks_anything(visitor: httpx2.Client, path: str, fields: dict[str, str]) -> None:
    """No password is sent, so that what is tried is the reading and the showing of fields, not the hash."""
    body = "&".join(f"{name}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in fields.items())
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert visitor.post(path, content=body.encode(), headers=headers).status_code < 500
    assert visitor.get(f"{path}?{body}").status_code < 500


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        [
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=utf-16",
            "multipart/form-data; boundary=x",
            "application/json",
            "",
        ]
    ),
    st.one_of(
        st.binary(max_size=300), st.sampled_from([b"%00=%ff", b"a" * 70_000, b"&" * 5000, b"=&=&=", b"%", b"a=%uD800"])
    ),
)
def test_no_body_breaks_anything(visitor: httpx2.Client, kind: str, body: bytes) -> None:
    assert visitor.post("/account/sign-up", content=body, headers={"content-type": kind}).status_code < 500


@pytest.mark.parametrize("token", ["", "x" * 5000, "%00", "é".encode("latin-1").decode("latin-1"), '"quoted; =', "a b"])
def test_no_cookie_breaks_anything(visitor: httpx2.Client, token: str) -> None:
    answer = visitor.get("/account/sign-in", headers={"cookie": f"huntaze_session={token}".encode("latin-1")})  # type: ignore[dict-item]
    assert answer.status_code == 200
