"""The pages of staff and of owners, opened through the real entry."""

import pytest
from sqlalchemy import Connection, func
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.audit import entries
from core.db import transaction
from core.identity.sessions import open_session, session_of
from core.insights.people import find_accounts, find_users
from core.mail.outbox import post
from core.queue import Job
from core.settings import settings
from core.workspaces.service import open_scope
from core.workspaces.staff import visit
from tests.admin.conftest import run_out
from tests.pages.conftest import EVERYBODYS, OpenPage, assert_no_crash, menu, words
from tests.people import Made, make_person

WHY = "asked for by the owner in ticket 4711"


def _answer(page: AppTest, reason: str) -> None:
    page.text_area(key="admin_asked_reason").set_value(reason)
    page.button(key="admin_asked_yes").click().run()
    assert_no_crash(page)


def test_the_page_does_not_exist_for_others(open_page: OpenPage, ada: Made, agency: Made) -> None:
    for made in (ada, agency):
        with pytest.raises(ValueError, match="admin"):
            open_page("admin", made)
        assert "admin" not in menu(open_page("home", made))


def test_the_audit_log_does_not_exist_for_those_who_own_nothing(open_page: OpenPage, staff: Made) -> None:
    with pytest.raises(ValueError, match="audit"):
        open_page("audit", staff)


@pytest.mark.parametrize("tab", ["find", "operations", "audit"])
def test_every_tab_opens_in_both_languages(open_page: OpenPage, ada: Made, tab: str, database: Connection) -> None:
    for language in ("en", "fr"):
        staff = make_person(f"Staff {language}", Role.ADMIN, language=language)
        visit(staff.scope, ada.workspace_id, WHY)
        page = open_page("admin", staff)
        page.segmented_control(key="admin_tab").set_value(tab).run()
        assert_no_crash(page)


def test_an_account_is_found_and_its_creator_entered(open_page: OpenPage, staff: Made, ada: Made, bob: Made) -> None:
    page = open_page("admin", staff)
    page.text_input(key="admin_search").set_value("ADA@").run()
    assert "ada@example.com" in words(page)
    assert "bob@example.com" not in words(page)
    page.button(key=f"enter_{ada.workspace_id}").click().run()
    _answer(page, "too short")
    assert "Say why" in words(page)
    assert menu(page) == EVERYBODYS | {"admin"}
    page.text_area(key="admin_asked_reason").set_value(WHY)
    page.button(key="admin_asked_yes").click().run()
    assert_no_crash(page)
    assert "You are visiting Ada" in words(page)
    assert "to look only" in words(page)
    assert page.title[0].value == "Home"
    assert menu(page) & {"admin", "analytics", "billing", "content", "onboarding"} == {"admin", "analytics", "billing"}
    page.button(key="leave_visit").click().run()
    assert_no_crash(page)
    assert "You are visiting" not in words(page)
    assert menu(page) == EVERYBODYS | {"admin"}
    assert [one.deed for one in entries(ada.scope)] == ["staff_visit_ended", "staff_visit_began"]


@pytest.mark.parametrize("may_write", [False, True])
def test_every_page_offered_during_a_visit_opens_and_says_so(
    open_page: OpenPage, staff: Made, ada: Made, *, may_write: bool
) -> None:
    visit(staff.scope, ada.workspace_id, WHY, may_write=may_write)
    for offered in menu(open_page("home", staff)):
        page = open_page(offered, staff, creator=ada.workspace_id)
        assert_no_crash(page)
        assert "You are visiting Ada" in words(page), offered
        assert len(page.warning) == 1, offered


def test_acting_is_asked_for(open_page: OpenPage, staff: Made, ada: Made) -> None:
    page = open_page("admin", staff)
    page.button(key=f"enter_{ada.workspace_id}").click().run()
    page.checkbox(key="admin_may_write").check()
    _answer(page, WHY)
    assert "may change things" in words(page)
    assert {"content", "onboarding"} <= menu(page)


def test_a_visit_that_runs_out_takes_its_creator_out_of_an_open_tab(
    open_page: OpenPage, staff: Made, ada: Made
) -> None:
    visit(staff.scope, ada.workspace_id, WHY)
    page = open_page("analytics", staff, creator=ada.workspace_id)
    assert "You are visiting Ada" in words(page)
    run_out(staff)
    page.run()
    assert_no_crash(page)
    assert page.title[0].value == "Home"
    assert "time is up" in words(page)
    assert "Ada" not in words(page)
    assert menu(page) == EVERYBODYS | {"admin"}


def test_a_plan_is_given_and_taken_back(open_page: OpenPage, staff: Made, ada: Made) -> None:
    page = open_page("admin", staff)
    page.button(key=f"grant_{ada.account_id}").click().run()
    page.selectbox(key="admin_plan").set_value("enterprise")
    page.number_input(key="admin_days").set_value(7)
    _answer(page, WHY)
    (given,) = find_accounts(staff.scope, str(ada.account_id)).accounts[0].grants
    assert (given.plan, given.reason) == ("enterprise", WHY)
    page.button(key=f"revoke_{given.id}").click().run()
    _answer(page, WHY)
    assert find_accounts(staff.scope, str(ada.account_id)).accounts[0].grants == ()


def test_a_person_is_disabled_and_enabled(open_page: OpenPage, staff: Made, ada: Made) -> None:
    page = open_page("admin", staff)
    page.segmented_control(key="admin_kind").set_value("users").run()
    page.button(key=f"disable_{ada.user_id}").click().run()
    page.button(key="admin_asked_no").click().run()
    assert find_users(staff.scope, ada.email).users[0].disabled_at is None
    page.button(key=f"disable_{ada.user_id}").click().run()
    _answer(page, WHY)
    assert find_users(staff.scope, ada.email).users[0].disabled_at is not None
    page.button(key=f"enable_{ada.user_id}").click().run()
    _answer(page, WHY)
    assert open_scope(ada.user_id).workspace_ids
    page.button(key=f"disable_{staff.user_id}").click().run()
    _answer(page, WHY)
    assert "You cannot disable yourself" in words(page)


def test_operations_show_and_set_going_again(
    open_page: OpenPage, staff: Made, ada: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    settings.cache_clear()
    with transaction(None) as session:
        session.add(Job(kind="a.kind", account_id=ada.account_id, attempts=3, last_error="Boom", failed_at=func.now()))
        post(session, "somebody@example.com", "verify", "Confirm", "Go to https://example.com/link?token=abc now")
    page = open_page("admin", staff)
    page.segmented_control(key="admin_tab").set_value("operations").run()
    for view in ("health", "events", "jobs", "mail"):
        page.segmented_control(key="operations_view").set_value(view).run()
        assert_no_crash(page)
        assert not page.warning
    page.button(key="open_letter").click().run()
    assert "Go to https://example.com/link?token=abc now" in [one.value for one in page.code]
    page.segmented_control(key="operations_view").set_value("jobs").run()
    page.button(key="retry").click().run()
    assert_no_crash(page)
    assert "No job has failed." in words(page)
    assert entries(ada.scope)[0].deed == "job_retried"
    settings.cache_clear()


def test_the_owner_reads_who_did_what_and_through_what(open_page: OpenPage, staff: Made, ada: Made, bob: Made) -> None:
    live = session_of(open_session(staff.user_id))
    assert live is not None
    visit(open_scope(staff.user_id, live.id), ada.workspace_id, WHY)
    page = open_page("audit", ada)
    assert_no_crash(page)
    (row,) = page.dataframe[0].value.to_dict("records")
    assert row["Who"] == "Stefan (Huntaze staff)"
    assert row["What"] == "Entered a creator's workspace as staff"
    assert (row["On what"], row["Reason"], row["After"]) == ("Ada", WHY, "may_write: False")
    assert row["Through"] == "A browser"
    assert "Nothing is on record yet." in words(open_page("audit", bob))


def test_an_open_page_of_somebody_no_longer_staff_is_gone(open_page: OpenPage, staff: Made, ada: Made) -> None:
    from core.workspaces.staff import unmake_staff

    page = open_page("admin", staff)
    assert "ada@example.com" in words(page)
    unmake_staff(staff.email)
    page.run()
    assert "ada@example.com" not in words(page)
    assert menu(page) == EVERYBODYS


def test_an_owner_reads_their_own_log_wherever_else_they_are_let_in(open_page: OpenPage, ada: Made, bob: Made) -> None:
    from core.workspaces.staff import make_staff

    make_staff(ada.email)
    visit(open_scope(ada.user_id), bob.workspace_id, WHY)
    page = open_page("audit", ada, creator=bob.workspace_id)
    assert_no_crash(page)
    assert "Nothing is on record yet." in words(page), "the visit is on record at Bob's"
