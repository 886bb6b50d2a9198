"""Many clients that guess one password, from many addresses, and the true person among them."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx2

from tests.web.outbox import rows
from tests.web.serving import PASSWORD, Served

EMAIL = "guessed@example.com"
CLIENTS, ROUNDS = 20, 10
MINUTES_OF_A_ROUND = 5.5


def sign_in(client: httpx2.Client, password: str, address: str) -> int:
    fields = {"email": EMAIL, "password": password}
    return client.post("/account/sign-in", data=fields, headers={"x-forwarded-for": address}).status_code


def pass_time(served: Served) -> None:
    rows(served, f"UPDATE sign_in_attempts SET at = at - interval '{MINUTES_OF_A_ROUND} minutes'")


def test_an_hour_of_guessing_by_twenty_clients_is_a_hundred_tries_and_the_true_person_gets_in(limited: Served) -> None:
    with limited.client() as known:
        fields = {"email": EMAIL, "password": PASSWORD, "display_name": "Ada"}
        known.post("/account/sign-up", data=fields, headers={"x-forwarded-for": "192.0.2.200"})
        known.cookies.delete("huntaze_session")
        together = Barrier(CLIENTS)

        def guess(n: int) -> list[int]:
            answers = []
            with limited.client() as client:
                for _ in range(ROUNDS):
                    together.wait(60)
                    answers.append(sign_in(client, "a guess of mine", f"198.51.100.{n}"))
                    if together.wait(60) == 0:
                        pass_time(limited)
            return answers

        with ThreadPoolExecutor(CLIENTS) as crowd:
            answers = [answer for answers in crowd.map(guess, range(CLIENTS)) for answer in answers]
        assert {answer: answers.count(answer) for answer in set(answers)} == {401: 100, 429: 100}
        with limited.client() as elsewhere:
            assert sign_in(elsewhere, PASSWORD, "203.0.113.5") == 429, "an unknown browser waits with the strangers"
            mine = {"email": "guesser@example.com", "password": PASSWORD, "display_name": "Eve"}
            elsewhere.post("/account/sign-up", data=mine, headers={"x-forwarded-for": "203.0.113.5"})
            assert sign_in(elsewhere, "a guess of mine", "203.0.113.5") == 429, "so does one known to somebody else"
        assert sign_in(known, "a slip of the hand", "203.0.113.6") == 401
        assert sign_in(known, PASSWORD, "203.0.113.6") == 303
        known.cookies.delete("huntaze_session")
        assert [sign_in(known, "a slip", "203.0.113.6") for _ in range(11)] == [401] * 10 + [429]
    pass_time(limited)
    with limited.client() as elsewhere:
        assert sign_in(elsewhere, PASSWORD, "203.0.113.5") == 303, "an hour after the first guesses"
