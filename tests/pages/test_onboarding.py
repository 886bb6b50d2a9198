"""Getting started, walked through as a newcomer does, each step on its own."""

import pytest
from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.content.service import voice
from core.identity.service import profile
from core.insights.onboarding import State, Step, progress
from core.workspaces.service import my_accounts, my_workspaces, open_scope
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.people import Made, make_person


def _save(page: AppTest) -> AppTest:
    """The first button of a step's form is the one that saves."""
    next(button for button in page.button if button.label == "Save and go on").click().run()
    assert_no_crash(page)
    return page


def test_a_newcomer_lands_on_it_once_a_visit(open_page: OpenPage, ada: Made) -> None:
    page = open_page("home", ada, first_visit=True)
    assert_no_crash(page)
    assert page.title[0].value == "Getting started"
    page.switch_page("../pages/home.py").run()
    assert page.title[0].value == "Home"
    assert page.run().title[0].value == "Home"


def test_every_step_saves_on_its_own_and_leads_to_the_next(open_page: OpenPage, ada: Made) -> None:
    page = open_page("onboarding", ada)
    page.radio(key="onboarding_goal").set_value("content")
    _save(page)
    assert progress(ada.scope).steps[Step.ROLE] is State.DONE

    assert page.subheader[0].value == "Profile"
    page.text_input(key="onboarding_name").set_value("Ada *L*")
    page.selectbox(key="onboarding_time_zone").set_value("Europe/Paris")
    page.selectbox(key="onboarding_currency").set_value("EUR")
    _save(page)
    (workspace,) = my_workspaces(ada.scope)
    assert (workspace.name, workspace.time_zone, workspace.currency) == ("Ada *L*", "Europe/Paris", "EUR")
    assert (profile(ada.scope).display_name, profile(ada.scope).time_zone) == ("Ada *L*", "Europe/Paris")
    assert "Signed in as Ada *L*" in words(page)

    assert page.subheader[0].value == "Platforms"
    page.button_group(key="onboarding_platforms").set_value(["onlyfans", "tiktok"])
    _save(page)
    assert my_workspaces(ada.scope)[0].platforms == ("onlyfans", "tiktok")

    assert page.subheader[0].value == "Your voice"
    page.radio(key="onboarding_tone").set_value("bold")
    page.text_area(key="onboarding_traits").set_value("curious\n\n  loud ")
    _save(page)
    kept = voice(ada.scope)
    assert kept is not None
    assert (kept.tone, kept.traits) == ("bold", ("curious", "loud"))

    assert page.subheader[0].value == "Plan"
    assert "Your plan now: **Free**" in words(page)
    page.button(key="onboarding_stay").click().run()
    assert page.subheader[0].value == "First result"
    page.button(key="onboarding_skip").click().run()
    assert_no_crash(page)
    assert "You are all set." in words(page)
    assert progress(ada.scope).is_over


def test_a_reload_goes_on_where_the_data_say(open_page: OpenPage, ada: Made) -> None:
    _save(open_page("onboarding", ada))
    page = open_page("onboarding", ada)
    assert page.subheader[0].value == "Profile"
    assert page.get("progress")[0].proto.value == 100 // len(Step)


def test_a_step_can_be_skipped_and_taken_up_again(open_page: OpenPage, ada: Made) -> None:
    page = open_page("onboarding", ada)
    page.button(key="onboarding_skip").click().run()
    assert progress(ada.scope).steps[Step.ROLE] is State.SKIPPED
    page.button(key="onboarding_back").click().run()
    assert page.subheader[0].value == "You and your goal"
    _save(page)
    assert progress(ada.scope).steps[Step.ROLE] is State.DONE


def test_who_lives_in_utc_is_not_asked_again(open_page: OpenPage, ada: Made) -> None:
    page = open_page("onboarding", ada)
    page.button(key="onboarding_skip").click().run()
    _save(page)
    assert progress(ada.scope).steps[Step.PROFILE] is State.SKIPPED


@pytest.mark.parametrize("name", ["", "   "])
def test_what_cannot_be_kept_is_refused_in_a_sentence(open_page: OpenPage, ada: Made, name: str) -> None:
    page = open_page("onboarding", ada)
    page.button(key="onboarding_skip").click().run()
    page.text_input(key="onboarding_name").set_value(name)
    _save(page)
    assert page.subheader[0].value == "Profile"
    assert [warning.value for warning in page.warning] == ["Give your name, 1 to 80 characters."]
    assert profile(ada.scope).display_name == "Ada"


def test_an_agency_adds_creators_as_far_as_its_plan_goes(open_page: OpenPage, ada: Made) -> None:
    page = open_page("onboarding", ada)
    page.radio(key="onboarding_agency").set_value(True)
    _save(page)
    assert page.subheader[0].value == "You and your goal"
    assert my_accounts(ada.scope)[0].kind == "agency"
    page.text_input(key="new_creator_name").set_value("Luna")
    next(button for button in page.button if button.label == "Add a creator").click().run()
    assert_no_crash(page)
    assert "Your plan has room for 1 creator." in words(page)
    assert "See the plans" in [one.proto.label for one in page.get("page_link")]
    assert len(open_scope(ada.user_id).workspace_ids) == 1


def test_an_agencys_creator_keeps_a_name_of_their_own(open_page: OpenPage, database: Connection) -> None:
    mara = make_person("Mara", Role.MANAGER, creators=2)
    page = open_page("onboarding", mara, creator=mara.workspace_ids[0])
    page.button(key="onboarding_skip").click().run()
    page.text_input(key="onboarding_creator_name").set_value("Luna")
    page.selectbox(key="onboarding_time_zone").set_value("Europe/Lisbon")
    _save(page)
    assert profile(mara.scope).display_name == "Mara"
    assert profile(mara.scope).time_zone == "UTC"
    assert {one.name: one.time_zone for one in my_workspaces(mara.scope)} == {"Luna": "Europe/Lisbon", "Mara 2": "UTC"}


def test_it_speaks_french(open_page: OpenPage, database: Connection) -> None:
    page = open_page("onboarding", make_person("Zoé", Role.CREATOR, language="fr"))
    assert page.title[0].value == "Premiers pas"
    assert page.subheader[0].value == "Vous et votre but"
