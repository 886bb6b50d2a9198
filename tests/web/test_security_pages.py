"""Changing the password, the second factor and what a remembered browser is, over HTTP."""

import re
from itertools import count

import httpx2
import pyotp
import pytest

from tests.web.outbox import deeds, letter, letters, rows
from tests.web.serving import PASSWORD, Served
from tests.web.tab import opened

_NUMBERS = count()
NEW = "a staple for the battery"
OF = " WHERE user_id = (SELECT id FROM users WHERE email = %s)"


@pytest.fixture
def email() -> str:
    return f"secure{next(_NUMBERS)}@example.com"


def is_in(served: Served, token: str) -> bool:
    with served.client(token) as client:
        return client.get("/account/security").status_code == 200


def post(client: httpx2.Client, path: str, **fields: str) -> httpx2.Response:
    return client.post(path, data=fields, headers={"accept": "text/html"})


def sign_in(client: httpx2.Client, email: str, password: str = PASSWORD, **more: str) -> httpx2.Response:
    return post(client, "/account/sign-in", email=email, password=password, **more)


def forget_proof(served: Served, email: str) -> None:
    rows(served, "UPDATE web_sessions SET proved_at = now() - interval '11 minutes'" + OF, email)


def forget_step(served: Served, email: str) -> None:
    """As if half a minute had passed since the last code."""
    rows(served, "UPDATE second_factors SET last_step = NULL" + OF, email)


@pytest.mark.parametrize("path", ["security", "password", "email", "second-factor", "prove"])
def test_these_pages_are_for_who_is_signed_in(visitor: httpx2.Client, path: str) -> None:
    answer = visitor.get(f"/account/{path}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/account/sign-in?next=%2Faccount%2F{path}")
    assert post(visitor, f"/account/{path}").status_code in (303, 405)


def test_whoever_comes_for_their_own_pages_gets_there(alone: Served, email: str, visitor: httpx2.Client) -> None:
    alone.sign_up(email)
    assert sign_in(visitor, email, next="/account/security").headers["location"] == "/account/security"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_pages_work_without_a_script_and_name_their_fields(alone: Served, email: str, language: str) -> None:
    with alone.client(alone.sign_up(email, lang=language)) as client:
        client.post("/account/second-factor")
        for path in ("security", "password", "email", "second-factor", "prove", "forgot"):
            text = client.get(f"/account/{path}", headers={"accept-language": language}).text
            assert f'<html lang="{language}">' in text
            assert "<script" not in text
            assert " style=" not in text
            assert set(re.findall(r'<label for="(\w+)"', text)) == set(re.findall(r'<input id="(\w+)"', text))


def test_a_new_password_ends_all_other_sessions_at_once(playground: Served, email: str) -> None:
    other = playground.sign_up(email)
    with playground.client() as client, opened(playground, other) as tab:
        tab.run()
        sign_in(client, email, remember="1")
        before = client.cookies["huntaze_session"]
        wrong = post(client, "/account/password", old="not the password", password=NEW)
        assert (wrong.status_code, "The password is not right" in wrong.text) == (401, True)
        assert (is_in(playground, other), is_in(playground, before)) == (True, True)
        done = post(client, "/account/password", old=PASSWORD, password=NEW)
        assert done.headers["location"] == "/account/security?said=password_changed"
        assert 29 * 86400 < int(re.findall(r"Max-Age=(\d+)", done.headers["set-cookie"])[0]) <= 30 * 86400
        assert "Every other browser was signed out" in client.get(done.headers["location"]).text
        tab.send("click")
        words, code = tab.rest()
        assert (words[-1].auth_redirect.url, code) == ("/account/sign-in", 4401)
    assert (is_in(playground, other), is_in(playground, before)) == (False, False)
    assert letters(playground, email)[-1].kind == "password_changed"
    assert deeds(playground, email)[-1] == "password_changed"
    with playground.client() as client:
        assert (sign_in(client, email).status_code, sign_in(client, email, NEW).status_code) == (401, 303)


def test_the_old_password_is_guessed_no_more_often_here(alone: Served, email: str) -> None:
    with alone.client(alone.sign_up(email)) as client:
        answers = [post(client, "/account/password", old="guess", password=NEW) for _ in range(11)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429]


@pytest.mark.parametrize(("remember", "lasts", "idle"), [({}, None, False), ({"remember": "1"}, 30 * 86400, True)])
def test_a_remembered_browser_may_be_idle(
    alone: Served, email: str, remember: dict[str, str], lasts: int | None, idle: bool
) -> None:
    alone.sign_up(email)
    rows(alone, "DELETE FROM web_sessions" + OF, email)
    with alone.client() as client:
        cookie = sign_in(client, email, **remember).headers.get_list("set-cookie")[0]
        assert re.findall(r"Max-Age=(\d+)", cookie) == ([str(lasts)] if lasts else [])
        rows(alone, "UPDATE web_sessions SET last_seen_at = now() - interval '29 days'" + OF, email)
        assert (client.get("/account/security").status_code == 200) == idle
        rows(alone, "UPDATE web_sessions SET expires_at = now()" + OF, email)
        assert client.get("/account/security").status_code == 303


def test_a_session_remembers_where_it_was_opened(alone: Served, email: str) -> None:
    alone.sign_up(email)
    with alone.client() as client:
        client.headers["user-agent"] = "Browser/1.0 " + "x" * 1000
        sign_in(client, email)
    (address, agent) = rows(alone, "SELECT address, agent FROM web_sessions" + OF + " ORDER BY id DESC", email)[0]
    assert (address, len(agent), agent[:12]) == ("127.0.0.1", 200, "Browser/1.0 ")


class Phone:
    """An authenticator app that has read the page."""

    def __init__(self, page: str) -> None:
        (self.secret,) = re.findall(r'id="secret">([A-Z2-7]+)<', page)

    @property
    def code(self) -> str:
        return pyotp.TOTP(self.secret).now()


def turn_on(served: Served, client: httpx2.Client) -> tuple[Phone, list[str]]:
    assert client.post("/account/second-factor").headers["location"] == "/account/second-factor"
    page = client.get("/account/second-factor").text
    assert '<svg width="' in page
    phone = Phone(page)
    wrong = post(client, "/account/second-factor/confirm", code="000000")
    assert (wrong.status_code, phone.secret in wrong.text) == (422, True)
    shown = post(client, "/account/second-factor/confirm", code=f" {phone.code[:3]} {phone.code[3:]} ")
    assert shown.status_code == 200, shown.text
    return phone, re.findall(r"<li>([a-z2-7-]+)</li>", shown.text)


def test_a_second_factor_is_asked_for_once_it_was_confirmed(alone: Served, email: str) -> None:
    with alone.client(alone.sign_up(email)) as client:
        client.post("/account/second-factor")
        with alone.client() as other:
            assert "huntaze_session" in sign_in(other, email).headers["set-cookie"], "nothing is confirmed yet"
        before = client.cookies["huntaze_session"]
        phone, codes = turn_on(alone, client)
        assert client.cookies["huntaze_session"] != before
        assert not is_in(alone, before)
        assert (len(codes), len(set(codes)), {len(code) for code in codes}) == (10, 10, {29})
        assert "10 recovery codes are left" in client.get("/account/security").text
    assert letters(alone, email)[-1].kind == "second_factor_added"
    kept = rows(alone, "SELECT sealed_secret, s::text FROM second_factors AS s" + OF, email)
    assert phone.secret not in str(kept)
    with alone.client() as other:
        asked = sign_in(other, email, next="/content")
        assert asked.headers["location"] == "/account/code?next=%2Fcontent"
        assert "huntaze_session" not in other.cookies
        assert other.get("/account/security").status_code == 303, "half a sign-in opens nothing"
        assert post(other, "/account/code", code=phone.code).status_code == 401, "the code was used to confirm"
        forget_step(alone, email)
        came = post(other, "/account/code", code=phone.code, next="/content")
        assert (came.status_code, came.headers["location"]) == (303, "/content")
        assert other.get("/account/security").status_code == 200
        assert "huntaze_pending" not in other.cookies
        again = sign_in(other, email)
        assert again.headers["location"].startswith("/account/code")
        refused = post(other, "/account/code", code=phone.code)
        assert (refused.status_code, "That code is not right, or was used before" in refused.text) == (401, True)


def test_a_recovery_code_lets_in_once_and_its_person_is_told(alone: Served, email: str) -> None:
    with alone.client(alone.sign_up(email)) as client:
        _, codes = turn_on(alone, client)
    with alone.client() as other:
        for code, status in ((codes[0].upper().replace("-", " "), 303), (codes[0], 401), (codes[1], 303)):
            sign_in(other, email)
            assert post(other, "/account/code", code=code).status_code == status
        assert "8 recovery codes are left" in other.get("/account/security").text
    assert [one.kind for one in letters(alone, email)].count("recovery_code_used") == 2
    assert codes[0] not in letter(alone, email, "recovery_code_used").body
    assert deeds(alone, email).count("recovery_code_used") == 2
    with alone.client() as stranger:
        mine = f"also.{email}"
        with alone.client(alone.sign_up(mine)) as client:
            turn_on(alone, client)
        sign_in(stranger, mine)
        assert post(stranger, "/account/code", code=codes[2]).status_code == 401, "codes are one person's"


def test_codes_are_not_guessed_without_end_and_the_true_person_keeps_their_own_tries(alone: Served, email: str) -> None:
    with alone.client() as known, alone.client() as guesser:
        post(known, "/account/sign-up", email=email, password=PASSWORD, display_name="Ada")
        _, codes = turn_on(alone, known)
        sign_in(guesser, email)
        answers = [post(guesser, "/account/code", code="123") for _ in range(11)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429]
        assert post(guesser, "/account/code", code=codes[0]).status_code == 429
        sign_in(known, email)
        assert post(known, "/account/code", code=codes[0]).status_code == 303


def test_half_a_sign_in_is_for_one_browser_and_does_not_outlive_the_password(alone: Served, email: str) -> None:
    with alone.client(alone.sign_up(email)) as client:
        _, codes = turn_on(alone, client)
        with alone.client() as other, alone.client() as stranger:
            sign_in(other, email)
            assert stranger.get("/account/code").headers["location"].startswith("/account/sign-in")
            assert post(stranger, "/account/code", code=codes[0]).status_code == 401
            stranger.cookies.set("huntaze_pending", other.cookies["huntaze_pending"][:-4] + "AAAA", domain="127.0.0.1")
            assert post(stranger, "/account/code", code=codes[0]).status_code == 401
            post(client, "/account/password", old=PASSWORD, password=NEW)
            late = post(other, "/account/code", code=codes[0])
            assert (late.status_code, "Sign in again to go on" in late.text) == (401, True)


def test_turning_it_off_takes_a_fresh_proof_with_both_factors(alone: Served, email: str) -> None:
    with alone.client(alone.sign_up(email)) as client:
        phone, codes = turn_on(alone, client)
        forget_proof(alone, email)
        forget_step(alone, email)
        for path in ("remove", "codes", "confirm"):
            told = client.post(
                f"/account/second-factor/{path}",
                data={"code": "1"},
                headers={"accept": "text/html", "referer": f"{alone.url}/account/security"},
            )
            assert (told.status_code, told.headers["location"]) == (303, "/account/prove?next=%2Faccount%2Fsecurity")
        assert client.get("/account/second-factor").headers["location"] == "/account/security"
        page = client.get(told.headers["location"]).text
        assert 'autocomplete="one-time-code"' in page
        for fields in ({"password": PASSWORD}, {"password": PASSWORD, "code": "000000"}, {"code": phone.code}):
            assert post(client, "/account/prove", **fields).status_code == 401
        proved = post(client, "/account/prove", password=PASSWORD, code=phone.code, next="/account/security")
        assert proved.headers["location"] == "/account/security"
        fresh = re.findall(r"<li>([a-z2-7-]+)</li>", post(client, "/account/second-factor/codes").text)
        assert len(set(fresh) | set(codes)) == 20
        assert client.post("/account/second-factor").status_code == 409, "one is on already"
        assert client.post("/account/second-factor/remove").headers["location"].endswith("second_factor_removed")
        assert "Turn on a second factor" in client.get("/account/security").text
    with alone.client() as other:
        assert "huntaze_session" in sign_in(other, email).headers["set-cookie"]
    assert [one.kind for one in letters(alone, email)][-2:] == ["recovery_codes_renewed", "second_factor_removed"]
    assert rows(alone, "SELECT count(*) FROM recovery_codes" + OF, email) == [(0,)]


def test_programs_are_told_that_a_proof_is_needed(alone: Served, email: str) -> None:
    with alone.client(alone.sign_up(email)) as client:
        forget_proof(alone, email)
        answer = client.post("/account/second-factor", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (403, "identity.prove_again")


def test_signing_up_without_end_is_stopped_by_network_before_any_hashing(limited: Served) -> None:
    def join(address: str, password: str = PASSWORD) -> int:
        fields = {"email": f"joiner{next(_NUMBERS)}@example.com", "password": password, "display_name": "Ada"}
        with limited.client() as client:
            return client.post("/account/sign-up", data=fields, headers={"x-forwarded-for": address}).status_code

    assert [join("192.0.2.10", "short") for _ in range(5)] == [422] * 5, "mistakes are not counted"
    assert [join("192.0.2.10") for _ in range(4)] == [303] * 3 + [429]
    assert [join("2001:db8:7:7::" + str(n)) for n in range(4)] == [303] * 3 + [429]
    assert join("192.0.2.11") == 303


def test_only_a_trusted_proxy_says_who_a_visitor_is(alone: Served, limited: Served, email: str) -> None:
    for served, address in ((alone, "127.0.0.1"), (limited, "192.0.2.77")):
        served.sign_up(email) if served is alone else None
        with served.client() as client:
            client.headers["x-forwarded-for"] = "192.0.2.77"
            if served is limited:
                fields = {"email": email, "password": PASSWORD, "display_name": "Ada"}
                assert client.post("/account/sign-up", data=fields).status_code == 303
            sign_in(client, email)
        assert rows(served, "SELECT address FROM web_sessions" + OF + " ORDER BY id DESC", email)[0] == (address,)
