"""The calendar page: from draft to published with its buttons, what holds a text, and what each view shows."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.content.kinds import AssetStatus, AssetType
from core.publishing import approving, consent, performers, planning
from core.publishing.approving import Decision, Rule
from core.publishing.papers import DocumentKind
from dashboard.planner.days import stepped, weeks
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.people import Made, make_person
from tests.publishing.conftest import NOON, TOMORROW, days_from_now, in_state, state

S = AssetStatus


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert_no_crash(page)
    return page


def submit(page: AppTest, label: str) -> AppTest:
    next(one for one in page.button if one.label == label).click().run()
    assert_no_crash(page)
    return page


def look(page: AppTest, view: str) -> AppTest:
    page.session_state["calendar_view"] = view
    page.run()
    assert_no_crash(page)
    return page


def html(page: AppTest) -> str:
    return "\n".join(str(one.proto.body) for one in page.get("html"))


def month_of(page: AppTest) -> AppTest:
    """Look at the month that holds tomorrow."""
    page.session_state["calendar_day"] = TOMORROW
    return page.run()


@pytest.fixture
def page(open_page: OpenPage, ada: Made) -> AppTest:
    return open_page("calendar", ada)


def test_nothing_yet_says_what_to_do(page: AppTest) -> None:
    assert_no_crash(page)
    assert "Nothing is planned" in words(page)
    assert "No text is under way" in words(look(page, "texts"))


def test_from_draft_to_posted_and_back_with_its_buttons(page: AppTest, ada: Made) -> None:
    asset_id = in_state(ada.scope, S.DRAFT)
    look(page, "texts")
    press(page, f"open_{asset_id}")
    press(page, "card_submit")
    assert state(ada.scope, asset_id) is S.IN_REVIEW
    press(page, "card_approve")
    assert state(ada.scope, asset_id) is S.APPROVED
    press(page, "card_schedule")
    assert state(ada.scope, asset_id) is S.SCHEDULED
    look(month_of(page), "month")
    assert "12:00" in html(page)
    assert "The sea, at last" in html(page)
    press(page, "card_unschedule")
    assert "The sea, at last" not in html(page)
    press(page, "card_posted")
    assert state(ada.scope, asset_id) is S.PUBLISHED
    press(page, "card_take_back")
    press(page, "card_draft")
    assert state(ada.scope, asset_id) is S.DRAFT
    press(page, "card_close")
    assert "card_submit" not in {one.key for one in page.button}


def test_a_note_sends_it_back_and_is_shown(page: AppTest, ada: Made) -> None:
    asset_id = in_state(ada.scope, S.IN_REVIEW)
    look(page, "texts")
    press(page, f"open_{asset_id}")
    press(page, "card_changes")
    assert "Say what should be changed." in words(page)
    page.text_area(key=f"card_remark_{asset_id}").set_value("a little shorter").run()
    press(page, "card_changes")
    assert state(ada.scope, asset_id) is S.DRAFT
    assert "a little shorter" in words(page)


def test_a_client_link_is_shown_once(page: AppTest, ada: Made) -> None:
    asset_id = in_state(ada.scope, S.IN_REVIEW)
    look(page, "texts")
    press(page, f"open_{asset_id}")
    next(one for one in page.text_input if one.label == "Client’s name").set_value("Acme")
    submit(page, "Make a link")
    (shown,) = page.code
    assert "/approve?token=" in shown.value
    assert "Acme: version 1" in words(page)
    press(page, "card_close")
    press(page, f"open_{asset_id}")
    assert not page.code
    revoke = next(one.key for one in page.button if str(one.key).startswith("revoke_"))
    press(page, revoke)
    assert "Acme: version 1" not in words(page)


def test_conflicts_are_shown_before_scheduling(page: AppTest, ada: Made) -> None:
    in_state(ada.scope, S.SCHEDULED)
    asset_id = in_state(ada.scope, S.APPROVED)
    look(page, "texts")
    press(page, f"open_{asset_id}")
    said = words(page)
    assert "is within 30 minutes on Instagram" in said
    assert "The same text is on Instagram within 30 days" in said
    press(page, "card_schedule")
    assert state(ada.scope, asset_id) is S.SCHEDULED


def test_a_picture_is_held_until_its_people_are_in_order(page: AppTest, ada: Made) -> None:
    asset_id = in_state(ada.scope, S.APPROVED, type=AssetType.IMAGE)
    look(page, "texts")
    press(page, f"open_{asset_id}")
    assert "say who is shown" in words(page)
    press(page, "card_schedule")
    assert state(ada.scope, asset_id) is S.APPROVED
    (me,) = performers.performers(ada.scope)
    page.multiselect[0].select(me.id)
    submit(page, "Save who is shown")
    assert consent.shown_in(ada.scope, asset_id).performer_ids == (me.id,)
    press(page, "card_schedule")
    assert "Ada (identity document, proof of age, release)" in words(page)
    assert state(ada.scope, asset_id) is S.APPROVED
    for kind in DocumentKind:
        performers.add_document(ada.scope, me.id, kind=kind, verified_on=planning.today_of("UTC"))
    press(page, "card_schedule")
    assert state(ada.scope, asset_id) is S.SCHEDULED


def test_people_and_their_documents(page: AppTest, ada: Made) -> None:
    look(page, "people")
    assert "Missing today: identity document, proof of age, release" in words(page)
    next(one for one in page.text_input if one.label == "Name").set_value("Bea")
    submit(page, "Add a person")
    bea = next(one for one in performers.performers(ada.scope) if one.name == "Bea")
    page.date_input(key=f"e_{bea.id}").set_value(days_from_now(3))
    page.text_input(key=f"h_{bea.id}").set_value("ab" * 32)
    next(
        one for one in page.button if one.label == "Note the document" and str(bea.id) in one.proto.form_id
    ).click().run()
    assert_no_crash(page)
    (paper,) = next(one.documents for one in performers.performers(ada.scope) if one.id == bea.id)
    assert (paper.kind, paper.sha256) == (DocumentKind.IDENTITY, "ab" * 32)
    assert "Bea: Identity document ends on" in words(page)
    press(page, f"end_{paper.id}")
    assert "Bea: Identity document ends on" not in words(page)
    press(page, f"archive_{bea.id}")
    assert "Archived" in words(page)


def test_withdrawn_consent_is_asked_once_more_and_names_what_came_off(page: AppTest, ada: Made) -> None:
    (me,) = performers.performers(ada.scope)
    for kind in DocumentKind:
        performers.add_document(ada.scope, me.id, kind=kind, verified_on=planning.today_of("UTC"))
    asset_id = in_state(ada.scope, S.APPROVED, type=AssetType.IMAGE)
    consent.name_shown(ada.scope, asset_id, [me.id])
    planning.schedule(ada.scope, asset_id, version=1, day=TOMORROW, clock=NOON)
    look(page, "people")
    press(page, f"withdraw_{me.id}_button")
    assert state(ada.scope, asset_id) is S.SCHEDULED
    page.button(key=f"withdraw_{me.id}_yes").click().run()
    assert state(ada.scope, asset_id) is S.DRAFT
    assert "Off the calendar and back to draft: The sea, at last" in words(page)


def test_the_rule_is_saved(page: AppTest, ada: Made) -> None:
    look(page, "rule")
    page.number_input[0].set_value(3)
    page.checkbox[0].uncheck()
    submit(page, "Save the rule")
    assert approving.rule(ada.scope) == Rule(3, author_may_approve=False)


def test_an_agency_reads_all_and_changes_nothing(open_page: OpenPage, database: Connection) -> None:
    mara = make_person("Mara", Role.MANAGER, creators=2)
    for workspace_id in mara.workspace_ids:
        in_state(mara.scope.narrowed_to(workspace_id), S.SCHEDULED)
    page = month_of(open_page("calendar", mara))
    assert_no_crash(page)
    assert "Mara 1" in html(page)
    assert "Mara 2" in html(page)
    assert not [one for one in page.button if str(one.key).startswith(("open_", "card_"))]


def test_filters(page: AppTest, ada: Made) -> None:
    in_state(ada.scope, S.SCHEDULED)
    month_of(page)
    assert "The sea" in html(page)
    page.selectbox(key="calendar_platform").select_index(0).run()
    assert "The sea" not in html(page)
    assert "Nothing matches" in words(page)


def test_today_is_marked_and_the_text_is_escaped(page: AppTest, ada: Made) -> None:
    in_state(ada.scope, S.PUBLISHED, body="<img src=x onerror=alert(1)>")
    page.run()
    assert html(page).count('class="today"') == 1
    assert "<img" not in html(page)
    assert "&lt;img" in html(page)


def test_it_speaks_french(open_page: OpenPage, database: Connection) -> None:
    zoe = make_person("Zoe", Role.CREATOR, time_zone="Europe/Paris", language="fr")
    asset_id = in_state(zoe.scope, S.IN_REVIEW)
    approving.ask_changes(zoe.scope, asset_id, version=1, remark="plus court")
    page = open_page("calendar", zoe)
    page.session_state["calendar_open"] = asset_id
    page.run()
    assert_no_crash(page)
    assert "Europe/Paris" in words(page)
    assert "Zoe a demandé des modifications de la version 1" in words(page)
    assert approving.decisions(zoe.scope, asset_id)[0].decision is Decision.CHANGES_ASKED


@pytest.mark.parametrize("view", ["month", "week"])
def test_every_day_of_the_view_is_there_once(view: str) -> None:
    for n in range(0, 400, 5):
        day = days_from_now(n)
        shown = [one for week in weeks(day, view) for one in week]
        assert day in shown
        assert shown == [shown[0] + timedelta(days=k) for k in range(len(shown))]
        assert shown[0].weekday() == 0
        assert len(shown) % 7 == 0
        assert stepped(stepped(day, view, 1), view, -1) in shown
