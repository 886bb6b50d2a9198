"""The Team page for its owner, the Creators page for those with several, and the Agencies part of the settings."""

from uuid import UUID

import pytest
from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.access import AccountRole, Role
from core.billing import farewell
from core.workspaces import invitations, packs, privacy, team
from core.workspaces.service import open_scope
from tests.pages.conftest import OpenPage, assert_no_crash, menu, words
from tests.people import Made, make_person
from tests.workspaces.conftest import hire, kinds_to, signed_in, subscribe


@pytest.fixture
def agency(database: Connection) -> Made:
    mara = make_person("Mara", Role.MANAGER, creators=2)
    subscribe(mara)
    return mara


def test_an_owner_invites_and_takes_back(open_page: OpenPage, agency: Made) -> None:
    page = open_page("team", agency)
    page.text_input(key="invite_email").input("New@example.com")
    page.selectbox(key="invite_role").set_value(Role.ANALYST)
    page.multiselect(key="invite_creators").set_value([agency.workspace_ids[1]])
    page.button[0].click().run()
    assert_no_crash(page)
    (waiting,) = invitations.invitations(agency.scope)
    assert (waiting.email, waiting.role, waiting.workspace_ids) == (
        "new@example.com",
        Role.ANALYST,
        {agency.workspace_ids[1]},
    )
    assert "new@example.com: Analyst (reads only), Mara 2" in words(page)
    page.button(key=f"revoke_{waiting.id}").click().run()
    assert invitations.invitations(agency.scope) == ()
    assert "No invitation waits" in words(page)


def test_without_a_creator_chosen_the_page_says_so(open_page: OpenPage, agency: Made) -> None:
    page = open_page("team", agency)
    page.text_input(key="invite_email").input("new@example.com")
    page.button[0].click().run()
    assert "Choose at least one creator" in words(page)


def test_a_full_plan_leads_to_the_plans(open_page: OpenPage, ada: Made) -> None:
    page = open_page("team", ada)
    page.text_input(key="invite_email").input("new@example.com")
    page.selectbox(key="invite_role").set_value(Role.MANAGER)
    page.multiselect(key="invite_creators").set_value([ada.workspace_id])
    page.button[0].click().run()
    assert "room for 1 person on the team" in words(page)


def test_a_member_is_changed_and_taken_off_after_a_question(open_page: OpenPage, agency: Made, bob: Made) -> None:
    hire(agency, bob, Role.MANAGER, agency.workspace_ids)
    page = open_page("team", agency)
    assert list(page.dataframe[0].value.iloc[:, 0]) == ["Mara", "Bob"]
    page.selectbox(key=f"access_role_{bob.user_id}").set_value(Role.ANALYST)
    page.multiselect(key=f"access_creators_{bob.user_id}").set_value([agency.workspace_ids[0]])
    next(one for one in page.button if one.label == "Change access").click().run()
    assert_no_crash(page)
    assert team.members(agency.scope)[1].access == {agency.workspace_ids[0]: Role.ANALYST}
    page.button(key="team_remove").click().run()
    assert len(team.members(agency.scope)) == 2
    page.button(key="team_remove_ask_yes").click().run()
    assert [one.name for one in team.members(agency.scope)] == ["Mara"]


def test_handing_over_asks_for_a_proof_first(open_page: OpenPage, agency: Made, bob: Made) -> None:
    hire(agency, bob, Role.MANAGER, agency.workspace_ids)
    stale = signed_in(agency.user_id, proved_minutes_ago=20)
    page = open_page("team", agency, web_session=stale)
    assert "team_hand_over" not in {one.key for one in page.button}
    page = open_page("team", agency, web_session=signed_in(agency.user_id))
    page.button(key="team_hand_over").click().run()
    page.button(key="team_hand_over_ask_yes").click().run()
    assert open_scope(bob.user_id).account_roles[agency.account_id] is AccountRole.OWNER
    assert "team" not in menu(page)


def test_an_owner_who_also_works_elsewhere_keeps_their_page(open_page: OpenPage, agency: Made, bob: Made) -> None:
    hire(agency, bob, Role.MANAGER, agency.workspace_ids)
    page = open_page("team", bob)
    assert_no_crash(page)
    assert list(page.dataframe[0].value.iloc[:, 0]) == ["Bob"]
    assert {"creators", "team"} <= menu(page)


def test_an_analyst_gets_no_page_that_writes(open_page: OpenPage, agency: Made, bob: Made) -> None:
    hire(agency, bob, Role.ANALYST, agency.workspace_ids)
    page = open_page("analytics", bob, creator=agency.workspace_ids[0])
    assert_no_crash(page)
    assert not {"content", "onboarding"} & menu(page)


def test_creators_stand_beside_each_other_and_one_is_opened(open_page: OpenPage, agency: Made) -> None:
    page = open_page("creators", agency)
    assert_no_crash(page)
    assert list(page.dataframe[0].value.iloc[:, 0]) == ["Mara 1", "Mara 2"]
    page.selectbox(key="creators_chosen").set_value(agency.workspace_ids[1])
    page.button(key="creators_look_at").click().run()
    assert page.query_params["creator"] == str(agency.workspace_ids[1])


def settings_of(open_page: OpenPage, made: Made, part: str, web_session: UUID | None = None) -> AppTest:
    page = open_page("settings", made, web_session=web_session)
    page.session_state["settings"] = part
    return page.run()


def test_all_data_of_a_creator_is_asked_for(open_page: OpenPage, ada: Made) -> None:
    page = settings_of(open_page, ada, "agencies")
    assert_no_crash(page)
    assert "no account of others" in words(page)
    page.button(key=f"pack_{ada.workspace_id}").click().run()
    assert_no_crash(page)
    (waiting,) = packs.packs(ada.scope)
    assert (waiting.name, waiting.is_ready) == ("Ada", False)


def test_a_member_leaves_the_team_from_the_settings(open_page: OpenPage, agency: Made, bob: Made) -> None:
    hire(agency, bob, Role.MANAGER, agency.workspace_ids)
    page = settings_of(open_page, bob, "agencies")
    page.button(key=f"leave_{agency.account_id}_button").click().run()
    page.button(key=f"leave_{agency.account_id}_yes").click().run()
    assert_no_crash(page)
    assert open_scope(bob.user_id).account_ids == {bob.account_id}


def test_a_creator_leaves_from_the_settings(open_page: OpenPage, agency: Made, bob: Made) -> None:
    hire(agency, bob, Role.CREATOR, agency.workspace_ids[:1])
    page = settings_of(open_page, bob, "agencies")
    page.button(key=f"leave_{agency.workspace_ids[0]}_button").click().run()
    page.button(key=f"leave_{agency.workspace_ids[0]}_yes").click().run()
    assert_no_crash(page)
    assert agency.account_id not in open_scope(bob.user_id).account_ids
    assert "leaving.receipt" in kinds_to(bob.email)


def test_an_account_about_to_be_erased_is_kept_from_home(open_page: OpenPage, ada: Made) -> None:
    farewell.request_deletion(open_scope(ada.user_id, signed_in(ada.user_id)))
    home = open_page("home", ada)
    home.button(key="keep_account").click().run()
    assert privacy.erased_on(ada.scope) is None
    assert "keep_account" not in {one.key for one in home.button}
