"""The frame around every page: who is there, what they are offered, and what goes wrong."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import Connection, update
from streamlit.testing.v1 import AppTest

from core import demo
from core.access import Role
from core.identity.models import User
from core.identity.service import profile
from core.identity.sessions import open_session, session_of
from core.insights.viewing import glance
from core.workspaces.service import open_scope
from dashboard import navigation
from tests.pages.conftest import EVERYBODYS, OpenPage, assert_no_crash, menu, words
from tests.people import Made, make_person

UNKNOWN_CREATOR = "That creator is not on your list."


@pytest.fixture
def mara(database: Connection) -> Made:
    """Runs an agency with three creators."""
    return make_person("Mara", Role.MANAGER, creators=3)


@pytest.fixture
def staff(database: Connection) -> Made:
    return make_person("Stefan", Role.ADMIN, creators=0)


def test_nobody_is_asked_to_sign_in_and_offered_nothing(open_page: OpenPage, database: Connection) -> None:
    for stranger in (None, uuid4()):
        page = open_page("home", stranger)
        assert_no_crash(page)
        assert "Sign in again" in words(page)
        assert menu(page) & {page.name for page in navigation.PAGES} == set()


def test_before_anybody_is_known_the_browser_names_the_language(open_page: OpenPage, database: Connection) -> None:
    assert "Sign in again" not in words(open_page("home", None, locale="fr-CA"))


def test_a_disabled_person_is_turned_away_at_the_next_click(
    open_page: OpenPage, ada: Made, database: Connection
) -> None:
    page = open_page("home", ada)
    assert page.title[0].value == "Home"
    database.execute(update(User).where(User.id == ada.user_id).values(disabled_at=User.created_at))
    page.run()
    assert not page.title
    assert "Sign in again" in words(page)


def test_the_language_switch_holds_from_the_click_on(open_page: OpenPage, ada: Made) -> None:
    page = open_page("home", ada)
    page.selectbox(key="frame_language").set_value("fr").run()
    assert page.title[0].value == "Accueil"
    assert profile(ada.scope).language == "fr"
    assert open_page("home", ada).title[0].value == "Accueil"


def test_staff_and_people_without_a_creator_are_offered_what_needs_none(
    open_page: OpenPage, staff: Made, database: Connection
) -> None:
    nobodys = make_person("Nina", Role.MANAGER, creators=0)
    for made, offered in ((staff, EVERYBODYS | {"admin"}), (nobodys, EVERYBODYS | {"audit", "team"})):
        page = open_page("home", made)
        assert_no_crash(page)
        assert menu(page) == offered


def test_a_page_that_is_not_offered_cannot_be_opened(open_page: OpenPage, staff: Made) -> None:
    with pytest.raises(ValueError, match="onboarding"):
        open_page("onboarding", staff)


@pytest.mark.parametrize("page", ["home", "onboarding"])
def test_anothers_creator_answers_as_one_that_does_not_exist(
    open_page: OpenPage, ada: Made, bob: Made, page: str
) -> None:
    wishes = (bob.workspace_id, uuid4(), "nonsense", "'; --")
    answers = {words(open_page(page, ada, creator=creator)) for creator in wishes}
    assert len(answers) == 1
    assert UNKNOWN_CREATOR in answers.pop()


def test_one_creator_needs_no_switch(open_page: OpenPage, ada: Made) -> None:
    assert [one.key for one in open_page("home", ada).selectbox] == ["frame_language"]


def test_a_manager_chooses_a_creator_and_keeps_it_over_a_visit(open_page: OpenPage, mara: Made) -> None:
    live = session_of(open_session(mara.user_id))
    assert live is not None
    page = open_page("onboarding", mara, web_session=live.id)
    assert "This page shows one creator at a time. Choose one." in words(page)
    page.selectbox(key="frame_creator").set_value(str(mara.workspace_ids[1])).run()
    assert "Creator: Mara 2" in words(page)
    assert page.query_params["creator"] == str(mara.workspace_ids[1])
    assert glance(open_scope(mara.user_id), live.id).last_chosen == mara.workspace_ids[1]
    assert "Creator: Mara 2" in words(open_page("home", mara, web_session=live.id))
    page.selectbox(key="frame_creator").set_value("all").run()
    assert "Choose one." in words(page)


def test_a_manager_may_choose_on_the_page_itself(open_page: OpenPage, mara: Made) -> None:
    page = open_page("onboarding", mara)
    page.button(key=f"choose_{mara.workspace_ids[2]}").click().run()
    assert "Creator: Mara 3" in words(page)


def test_the_address_names_the_creator(open_page: OpenPage, mara: Made) -> None:
    page = open_page("home", mara, creator=mara.workspace_ids[0])
    assert page.selectbox(key="frame_creator").value == str(mara.workspace_ids[0])


def test_a_withdrawn_creator_is_out_of_sight_at_the_next_click(
    open_page: OpenPage, mara: Made, database: Connection
) -> None:
    page = open_page("home", mara, creator=mara.workspace_ids[0])
    database.exec_driver_sql("SELECT set_config('app.workspace_ids', %s, true)", (str(mara.workspace_ids[0]),))
    gone = database.exec_driver_sql("DELETE FROM memberships WHERE workspace_id = %s", (mara.workspace_ids[0],))
    assert gone.rowcount == 1
    page.run()
    assert UNKNOWN_CREATOR in words(page)


def test_the_demo_says_so_and_is_removed_after_a_question(open_page: OpenPage, ada: Made) -> None:
    page = open_page("home", ada, creator=demo.add_to(ada.scope))
    assert "This is a Demo creator" in words(page)
    page.button(key="remove_demo").click().run()
    page.button(key="frame_remove_demo_no").click().run()
    assert len(open_scope(ada.user_id).workspace_ids) == 2
    page.button(key="remove_demo").click().run()
    page.button(key="frame_remove_demo_yes").click().run()
    assert_no_crash(page)
    assert open_scope(ada.user_id).workspace_ids == {ada.workspace_id}
    assert "The Demo is gone." in words(page)
    assert "This is a Demo creator" not in words(page)


@pytest.mark.parametrize("where", ["page", "callback", "fragment"])
def test_a_refusal_is_said_once_wherever_it_happens(where: str, database: Connection) -> None:
    page = _script(_refusing, where)
    if where == "callback":
        page.button(key="refuse").click().run()
    assert not page.exception
    assert [one.value for one in page.warning] == ["Choose one creator first."]
    if where == "callback":
        assert not page.run().warning


def test_a_crash_shows_a_reference_and_no_trace(database: Connection, caplog: pytest.LogCaptureFixture) -> None:
    page = _script(_refusing, "crash")
    assert not page.exception
    said = words(page)
    assert "division" not in said
    reference = said.rsplit(" ", 1)[-1]
    assert any(f"crash {reference}" in record.message and record.exc_info for record in caplog.records)


def _script(body: Callable[[str], None], where: str) -> AppTest:
    return AppTest.from_function(body, args=(where,), default_timeout=30).run()


def _refusing(where: str) -> None:
    import streamlit as st

    from core.errors import NotAllowed
    from dashboard.session import news_shown, refusals_shown

    @refusals_shown()
    def refuse() -> None:
        raise NotAllowed("access.choose_creator")

    with refusals_shown():
        news_shown()
        if where == "page":
            raise NotAllowed("access.choose_creator")
        if where == "crash":
            _ = 1 / 0
        if where == "callback":
            st.button("refuse", key="refuse", on_click=refuse)
        if where == "fragment":
            st.fragment(refuse)()
