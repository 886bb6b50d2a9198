"""The Settings page: profile, browsers, and API keys shown once."""

from uuid import UUID

import pytest
from sqlalchemy import Connection, text
from streamlit.testing.v1 import AppTest

from core.access import Permission, Role
from core.errors import NotSignedIn
from core.identity.service import profile
from core.identity.sessions import is_alive, open_session, session_of
from core.workspaces.api_keys import GRANTABLE, api_keys, scope_of_key
from core.workspaces.packs import keep, packs
from core.workspaces.privacy import erased_on
from dashboard.words import catalogue
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.paying import subscribe
from tests.people import Made, make_person

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"


def part(page: AppTest, name: str) -> AppTest:
    page.segmented_control(key="settings").set_value(name)
    page.run()
    assert_no_crash(page)
    return page


def button(page: AppTest, label: str) -> None:
    next(one for one in page.button if one.label == label).click()
    page.run()
    assert_no_crash(page)


def web_session(made: Made, **more: str) -> UUID:
    found = session_of(open_session(made.user_id, **more))
    assert found is not None
    return found.id


@pytest.fixture
def paying(ada: Made) -> Made:
    subscribe(ada)
    return ada


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", ["profile", "security", "keys", "privacy"])
def test_each_part_opens_in_each_language(open_page: OpenPage, database: Connection, language: str, name: str) -> None:
    made = make_person("Zoé", Role.CREATOR, language=language)
    subscribe(made)
    web_session(made)
    page = part(open_page("settings", made), name)
    assert page.title[0].value == catalogue().text(language, "frame.settings")
    assert not page.warning


def test_the_profile_is_saved_and_spoken_at_once(open_page: OpenPage, ada: Made) -> None:
    page = open_page("settings", ada)
    page.text_input[0].set_value("Ada L.")
    next(one for one in page.selectbox if one.label == "Language" and one.value == "en" and one.form_id).set_value("fr")
    next(one for one in page.selectbox if one.label == "Your time zone").set_value("Europe/Paris")
    button(page, "Save")
    known = profile(ada.scope)
    assert (known.display_name, known.language, known.time_zone) == ("Ada L.", "fr", "Europe/Paris")
    assert page.title[0].value == "Réglages"


def test_a_name_that_is_none_is_refused_in_a_sentence(open_page: OpenPage, ada: Made) -> None:
    page = open_page("settings", ada)
    page.text_input[0].set_value("   ")
    button(page, "Save")
    assert "Give your name" in words(page)
    assert profile(ada.scope).display_name == "Ada"


def test_browsers_are_listed_and_one_is_signed_out(open_page: OpenPage, ada: Made, bob: Made) -> None:
    here, there, bobs = web_session(ada), web_session(ada, agent=CHROME, address="192.0.2.7"), web_session(bob)
    page = part(open_page("settings", ada, web_session=here), "security")
    said = words(page)
    assert "Chrome · Windows" in said
    assert "192.0.2.7" in said
    assert said.count("last seen") == 2
    page.button(key=f"end_{there}").click()
    page.run()
    assert_no_crash(page)
    assert (is_alive(here), is_alive(there), is_alive(bobs)) == (True, False, True)
    assert words(page).count("last seen") == 1
    assert "Signed a browser out" in str(page.dataframe[0].value.to_dict())


def test_everywhere_else_is_signed_out_together(open_page: OpenPage, ada: Made) -> None:
    here, *others = (web_session(ada) for _ in range(4))
    page = part(open_page("settings", ada, web_session=here), "security")
    page.button(key="end_others").click()
    page.run()
    assert_no_crash(page)
    assert is_alive(here)
    assert not any(map(is_alive, others))
    assert "3 browsers are signed out." in words(page)
    assert "end_others" not in {one.key for one in page.button}


def made_key(page: AppTest) -> str:
    page.text_input(key="key_name").set_value("Reports")
    button(page, "Make a key")
    return page.code[0].value


def test_a_key_is_shown_once_and_works(open_page: OpenPage, paying: Made) -> None:
    page = part(open_page("settings", paying, web_session=web_session(paying)), "keys")
    key = made_key(page)
    scope = scope_of_key(key)
    assert scope.workspace_ids == {paying.workspace_id}
    assert scope.limits == {Permission.VIEW_WORKSPACE, Permission.VIEW_ANALYTICS}
    button(page, "I have kept it")
    assert not page.code
    again = part(open_page("settings", paying, web_session=web_session(paying)), "keys")
    assert key not in str(again)
    assert "Reports" in words(again)


def test_a_key_is_revoked_after_a_question(open_page: OpenPage, paying: Made) -> None:
    page = part(open_page("settings", paying, web_session=web_session(paying)), "keys")
    key = made_key(page)
    (kept,) = api_keys(paying.scope)
    page.button(key=f"ask_revoke_{kept.id}").click()
    page.run()
    scope_of_key(key)
    page.button(key=f"revoke_{kept.id}_yes").click()
    page.run()
    assert_no_crash(page)
    assert "Reports no longer works." in words(page)
    with pytest.raises(NotSignedIn):
        scope_of_key(key)


def test_all_that_a_key_can_be_for_has_its_words(open_page: OpenPage, paying: Made) -> None:
    page = part(open_page("settings", paying, web_session=web_session(paying)), "keys")
    assert len(page.multiselect(key="key_permissions").options) == len(GRANTABLE)


def test_a_key_without_a_name_is_refused_in_a_sentence(open_page: OpenPage, paying: Made) -> None:
    page = part(open_page("settings", paying, web_session=web_session(paying)), "keys")
    button(page, "Make a key")
    assert "Give your name" in words(page)
    assert api_keys(paying.scope) == ()


def test_without_a_proof_no_key_is_made(open_page: OpenPage, paying: Made) -> None:
    page = part(open_page("settings", paying), "keys")
    (way,) = page.get("link_button")
    assert way.proto.url.startswith("/account/prove?next=")
    assert "key_name" not in {one.key for one in page.text_input}


def test_without_the_plan_no_key_is_offered(open_page: OpenPage, ada: Made) -> None:
    page = part(open_page("settings", ada), "keys")
    assert "does not include" in words(page)
    assert "key_name" not in {one.key for one in page.text_input}


def test_who_owns_no_account_is_told_whom_to_ask(open_page: OpenPage, database: Connection) -> None:
    staff = make_person("Stefan", Role.ADMIN, creators=0)
    page = part(open_page("settings", staff), "keys")
    assert "its owners make them" in words(page)


def test_an_agencys_keys_are_those_of_all_its_creators(open_page: OpenPage, database: Connection) -> None:
    agency = make_person("Mara", Role.MANAGER, creators=3)
    subscribe(agency, "enterprise_monthly")
    page = part(open_page("settings", agency, creator=agency.workspace_ids[1], web_session=web_session(agency)), "keys")
    assert scope_of_key(made_key(page)).workspace_ids == set(agency.workspace_ids)


def test_data_is_asked_for_and_taken_when_it_is_ready(open_page: OpenPage, ada: Made) -> None:
    page = part(open_page("settings", ada), "privacy")
    button(page, "Prepare my data")
    (one,) = packs(ada.scope)
    assert "being put together" in words(page)
    keep(ada.scope, one.id, b"zip")
    page.button(key=f"look_{one.id}").click()
    page.run()
    assert_no_crash(page)
    (way,) = (one for one in page.get("link_button") if one.proto.label == "Download")
    assert way.proto.url == f"/account/packs/{one.id}"


def test_an_account_is_deleted_after_a_proof_and_a_question(
    open_page: OpenPage, ada: Made, database: Connection
) -> None:
    here = web_session(ada)
    page = part(open_page("settings", ada, web_session=here), "privacy")
    page.button(key="delete_ask").click()
    page.run()
    assert erased_on(ada.scope) is None
    page.button(key="delete_account_yes").click()
    page.run()
    assert erased_on(ada.scope) is not None
    assert not is_alive(here)


def test_without_a_proof_the_way_to_one_is_shown(open_page: OpenPage, ada: Made, database: Connection) -> None:
    here = web_session(ada)
    database.execute(text("UPDATE web_sessions SET proved_at = now() - interval '11 minutes'"))
    page = part(open_page("settings", ada, web_session=here), "privacy")
    (way,) = page.get("link_button")
    assert way.proto.url.startswith("/account/prove?next=")
    assert "delete_ask" not in {one.key for one in page.button}


def test_who_changes_their_mind_keeps_the_account(open_page: OpenPage, ada: Made, database: Connection) -> None:
    database.execute(text("UPDATE users SET erase_after = now() + interval '3 days'"))
    page = part(open_page("settings", ada), "privacy")
    assert "will be erased on" in words(page)
    page.button(key="keep_account").click()
    page.run()
    assert_no_crash(page)
    assert erased_on(ada.scope) is None
    assert not page.warning
