"""Confirming an address, choosing a new password by a letter, and changing the address, over HTTP."""

from itertools import count

import httpx2
import pytest

from tests.web.outbox import deeds, letter, letters, rows
from tests.web.serving import PASSWORD, Served

_NUMBERS = count()
NEW = "a staple for the battery"
BAD_LINK = "This link no longer works"


@pytest.fixture
def email() -> str:
    return f"reader{next(_NUMBERS)}@example.com"


def is_in(served: Served, token: str) -> bool:
    with served.client(token) as client:
        return client.get("/account/security").status_code == 200


def sign_in(client: httpx2.Client, email: str, password: str) -> int:
    return client.post("/account/sign-in", data={"email": email, "password": password}).status_code


def post(client: httpx2.Client, path: str, **fields: str) -> httpx2.Response:
    return client.post(path, data=fields)


def age(served: Served, email: str, interval: str) -> None:
    rows(
        served,
        f"UPDATE email_tokens SET expires_at = expires_at - interval '{interval}'"
        " WHERE user_id = (SELECT id FROM users WHERE email = %s)",
        email,
    )


def test_signing_up_asks_whether_the_address_is_theirs(alone: Served, visitor: httpx2.Client, email: str) -> None:
    token = alone.sign_up(email)
    (sent,) = letters(alone, email)
    assert (sent.kind, sent.subject) == ("verify", "Is this your e-mail address?")
    link = f"/account/verify?token={sent.token}"
    assert f"{alone.url}{link}" in sent.body
    for _ in range(2):
        assert "Yes, it is mine" in visitor.get(link).text, "looking at a link changes nothing"
    with alone.client(token) as client:
        assert "not confirmed yet" in client.get("/account/security").text
        assert post(visitor, "/account/verify", token=sent.token).status_code == 200
        text = client.get("/account/security").text
        assert "not confirmed yet" not in text
        assert "Send the letter again" not in text
    assert deeds(alone, email) == ["signed_up", "signed_in", "email_verified"]


def test_letters_speak_the_persons_language(alone: Served, email: str) -> None:
    alone.sign_up(email, lang="fr")
    (sent,) = letters(alone, email)
    assert sent.subject == "Est-ce bien votre adresse e-mail ?"
    assert "Bonjour" in sent.body


@pytest.mark.parametrize("path", ["verify", "reset", "new-email"])
@pytest.mark.parametrize("token", ["", "nonsense", "x" * 5000, "\x00", "é"])
def test_an_invented_link_is_answered_in_one_sentence(visitor: httpx2.Client, path: str, token: str) -> None:
    for answer in (
        visitor.get(f"/account/{path}", params={"token": token}),
        post(visitor, f"/account/{path}", token=token, password=NEW),
    ):
        assert answer.status_code == 422
        assert answer.text.count(BAD_LINK) == 1
        assert "<form" not in answer.text


def test_a_link_is_good_once_for_one_thing_and_for_some_time(alone: Served, visitor: httpx2.Client, email: str) -> None:
    alone.sign_up(email)
    verify = letter(alone, email, "verify").token
    refused = post(visitor, "/account/reset", token=verify, password=NEW)
    assert BAD_LINK in refused.text
    assert BAD_LINK in post(visitor, "/account/new-email", token=verify).text
    age(alone, email, "24 hours")
    assert BAD_LINK in post(visitor, "/account/verify", token=verify).text
    age(alone, email, "-1 minutes")
    assert post(visitor, "/account/verify", token=verify).status_code == 200
    again = post(visitor, "/account/verify", token=verify)
    assert (again.status_code, BAD_LINK in again.text) == (422, True)


def test_only_the_hash_of_a_link_is_kept(alone: Served, email: str) -> None:
    alone.sign_up(email)
    token = letter(alone, email, "verify").token
    assert token not in str(rows(alone, "SELECT e::text, encode(token_hash, 'escape') FROM email_tokens AS e"))


def test_a_disabled_person_s_link_opens_nothing(alone: Served, visitor: httpx2.Client, email: str) -> None:
    alone.sign_up(email)
    rows(alone, "UPDATE users SET disabled_at = now() WHERE email = %s", email)
    assert BAD_LINK in post(visitor, "/account/verify", token=letter(alone, email, "verify").token).text


def test_the_letter_can_be_asked_for_again_and_not_without_end(alone: Served, email: str) -> None:
    with alone.client(alone.sign_up(email)) as client:
        answers = [client.post("/account/verification") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [303] * 5 + [429]
        assert "A letter is on its way" in client.get(answers[0].headers["location"]).text
    assert len(letters(alone, email)) == 6


def test_a_new_password_by_letter_ends_every_session(alone: Served, visitor: httpx2.Client, email: str) -> None:
    before = alone.sign_up(email)
    answer = post(visitor, "/account/forgot", email=f" {email.upper()} ")
    assert "a letter is on its way" in answer.text
    token = letter(alone, email, "reset").token
    assert 'autocomplete="new-password"' in visitor.get(f"/account/reset?token={token}").text
    common = post(visitor, "/account/reset", token=token, password="123456qwerty")
    assert (common.status_code, "less common" in common.text) == (422, True)
    assert is_in(alone, before)
    done = post(visitor, "/account/reset", token=token, password=NEW)
    assert "Your new password is in force" in done.text
    assert not is_in(alone, before)
    assert BAD_LINK in post(visitor, "/account/reset", token=token, password=NEW).text
    assert (sign_in(visitor, email, PASSWORD), sign_in(visitor, email, NEW)) == (401, 303)
    assert letters(alone, email)[-1].kind == "password_changed"
    assert deeds(alone, email)[-3:] == ["password_reset_asked", "password_reset", "signed_in"]
    assert "not confirmed yet" not in visitor.get("/account/security").text, "the letter was read"


def test_a_reset_ends_after_an_hour(alone: Served, visitor: httpx2.Client, email: str) -> None:
    alone.sign_up(email)
    post(visitor, "/account/forgot", email=email)
    age(alone, email, "60 minutes")
    assert BAD_LINK in post(visitor, "/account/reset", token=letter(alone, email, "reset").token, password=NEW).text


def test_asking_for_a_reset_tells_nothing_about_who_has_an_account(limited: Served, email: str) -> None:
    limited.sign_up(email)
    with limited.client() as client:
        answers = [
            post(client, "/account/forgot", email=one) for one in (email, "nobody@example.com", "\x00", "no address")
        ]
    first = answers[0]
    assert first.status_code == 200
    for answer in answers:
        assert answer.content == first.content
        assert {k: v for k, v in answer.headers.items() if k != "date"} == {
            k: v for k, v in first.headers.items() if k != "date"
        }


def test_letters_for_a_reset_are_few_and_silence_hides_it(limited: Served, email: str) -> None:
    limited.sign_up(email)
    with limited.client() as client:
        headers = [{"x-forwarded-for": f"203.0.113.{n}"} for n in range(4)]
        answers = [client.post("/account/forgot", data={"email": email}, headers=one) for one in headers]
        assert {answer.content for answer in answers} == {answers[0].content}
        one = {"x-forwarded-for": "203.0.113.99"}
        many = [client.post("/account/forgot", data={"email": "nobody@example.com"}, headers=one) for _ in range(11)]
    assert [one.kind for one in letters(limited, email)].count("reset") == 3
    assert [answer.status_code for answer in many] == [200] * 10 + [429]


def prove(client: httpx2.Client, **more: str) -> httpx2.Response:
    return post(client, "/account/prove", password=PASSWORD, next="/account/email", **more)


def test_a_new_address_takes_a_proof_and_a_letter(alone: Served, visitor: httpx2.Client, email: str) -> None:
    fresh = f"new.{email}"
    with alone.client(alone.sign_up(email)) as client:
        rows(
            alone,
            "UPDATE web_sessions SET proved_at = now() - interval '11 minutes'"
            " WHERE user_id = (SELECT id FROM users WHERE email = %s)",
            email,
        )
        told = client.post(
            "/account/email", data={"email": fresh}, headers={"accept": "text/html", "referer": "/account/email"}
        )
        assert told.headers["location"] == "/account/prove?next=%2Faccount%2Femail"
        wrong = post(client, "/account/prove", password="not the password", next="/account/email")
        assert (wrong.status_code, "The password is not right" in wrong.text) == (401, True)
        before = client.cookies["huntaze_session"]
        assert prove(client).headers["location"] == "/account/email"
        assert client.cookies["huntaze_session"] != before
        assert not is_in(alone, before)
        assert post(client, "/account/email", email=fresh).status_code == 303
        post(visitor, "/account/forgot", email=email)
        token = letter(alone, fresh, "change_email").token
        assert letters(alone, email)[-2].kind == "email_change_asked"
        assert email in client.get("/account/security").text
        assert post(visitor, "/account/new-email", token=token).status_code == 200
        assert fresh in client.get("/account/security").text, "the session holds on"
    assert fresh in letter(alone, email, "email_changed").body
    old_reset = letter(alone, email, "reset").token
    assert BAD_LINK in post(visitor, "/account/reset", token=old_reset, password=NEW).text
    assert BAD_LINK in post(visitor, "/account/new-email", token=token).text
    assert (sign_in(visitor, email, PASSWORD), sign_in(visitor, fresh, PASSWORD)) == (401, 303)
    assert [deed for deed in deeds(alone, fresh) if deed != "signed_in"] == [
        "signed_up",
        "proved",
        "email_change_asked",
        "password_reset_asked",
        "email_changed",
    ]


def test_somebody_elses_address_is_found_out_by_its_letter_alone(
    alone: Served, visitor: httpx2.Client, email: str
) -> None:
    theirs = f"theirs.{email}"
    alone.sign_up(theirs)
    with alone.client(alone.sign_up(email)) as client:
        answers = [post(client, "/account/email", email=one) for one in (theirs, f"free.{email}")]
        assert [answer.headers["location"] for answer in answers] == ["/account/security?said=email_change_sent"] * 2
        refused = post(visitor, "/account/new-email", token=letter(alone, theirs, "change_email").token)
        assert (refused.status_code, "already an account" in refused.text) == (409, True)
        assert email in client.get("/account/security").text


def test_no_address_is_no_address(alone: Served, email: str) -> None:
    with alone.client(alone.sign_up(email)) as client:
        answer = post(client, "/account/email", email="nobody")
        assert (answer.status_code, "such as name@example.com" in answer.text) == (422, True)
