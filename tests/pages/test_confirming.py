"""The reminder to confirm one's e-mail, on every page until that is done."""

import pytest
from sqlalchemy import Connection, update
from streamlit.testing.v1 import AppTest

from core.identity.models import User
from tests.pages.conftest import OpenPage, words
from tests.people import Made

REMINDER = {"en": "Confirm your e-mail address", "fr": "Confirmez votre adresse e-mail"}


def confirmed(database: Connection, made: Made, *, is_verified: bool, language: str = "en") -> None:
    at = User.created_at if is_verified else None
    database.execute(update(User).where(User.id == made.user_id).values(email_verified_at=at, language=language))


@pytest.mark.parametrize("language", REMINDER)
@pytest.mark.parametrize("page", ["home", "billing"])
def test_who_has_not_confirmed_is_reminded_until_they_have(
    open_page: OpenPage, ada: Made, database: Connection, page: str, language: str
) -> None:
    confirmed(database, ada, is_verified=False, language=language)
    opened = open_page(page, ada)
    assert REMINDER[language] in words(opened)
    assert ada.email in words(opened)
    assert "/account/verification" in str([one.proto.body for one in opened.get("html")])
    confirmed(database, ada, is_verified=True, language=language)
    opened.run()
    assert REMINDER[language] not in words(opened)


def test_who_has_confirmed_reads_nothing_of_it(open_page: OpenPage, ada: Made) -> None:
    assert REMINDER["en"] not in words(open_page("home", ada))


def asks_for_a_proof() -> None:
    from core.identity.proof import ProofNeeded
    from dashboard.session import refusals_shown

    with refusals_shown():
        raise ProofNeeded("identity.prove_again")


def test_where_a_proof_is_needed_the_way_to_it_stands_below(database: Connection) -> None:
    page = AppTest.from_function(asks_for_a_proof).run()
    assert "Show once more that it is you" in words(page)
    (link,) = page.get("link_button")
    assert link.proto.url.startswith("/account/prove?next=%2F")
