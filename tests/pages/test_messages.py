"""Campaigns and their queue on the page "Messages", opened through the real entry."""

from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.jobs.runner import run_once
from core.messages.approving import Filter, messages
from core.messages.kinds import Kind, MessageStatus
from core.messages.opting import Rule, opt_outs, rule, save_rule
from core.messages.service import campaigns, plan_campaign
from core.messages.views import MessageView
from tests.messages.fans import brief, bring_in, names
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.people import Made


def press(page: AppTest, label: str) -> AppTest:
    next(one for one in page.button if one.label == label).click().run()
    assert_no_crash(page)
    return page


def view(page: AppTest, name: str) -> AppTest:
    page.session_state["messages_view"] = name
    page.run()
    assert_no_crash(page)
    return page


def planned(made: Made, fans: int = 30) -> None:
    bring_in(made.scope, names(fans))
    plan_campaign(made.scope, brief(Kind.THANK_YOU))
    assert run_once()


def kept(made: Made, status: MessageStatus | None = None) -> tuple[MessageView, ...]:
    (one,) = campaigns(made.scope)
    return messages(made.scope, one.id, Filter(status)).messages


def test_without_fans_a_statement_comes_first(open_page: OpenPage, ada: Made) -> None:
    page = view(open_page("messages", ada), "campaigns")
    assert "No fans are known yet" in words(page)
    assert "No campaign yet" in words(view(page, "queue"))


def test_from_the_form_to_the_queue(open_page: OpenPage, ada: Made, database: Connection) -> None:
    bring_in(ada.scope, names(30))
    page = open_page("messages", ada)
    assert "30 fans fit now" in words(page)
    page.selectbox(key="messages_kind").set_value("ppv_offer").run()
    page.text_input(key="messages_item").set_value("the beach set").run()
    page.text_input(key="messages_price").set_value("15").run()
    press(page, "Write the messages")
    assert "The templates are being written" in words(page)
    assert run_once()
    page.run()
    assert_no_crash(page)
    assert "30 waiting, 0 approved" in words(page)
    assert "Our templates, no model used" in words(page)
    assert all("the beach set" in one.body and "$15.00" in one.body for one in kept(ada))


def test_a_form_that_asks_for_nothing_offered_says_so(open_page: OpenPage, ada: Made) -> None:
    bring_in(ada.scope, names(3))
    page = open_page("messages", ada)
    page.selectbox(key="messages_kind").set_value("upsell").run()
    press(page, "Write the messages")
    assert "Say what you offer" in words(page)


def test_one_is_approved_edited_sent_and_taken_back(open_page: OpenPage, ada: Made) -> None:
    planned(ada, 1)
    page = view(open_page("messages", ada), "queue")
    press(page, "Approve")
    assert kept(ada)[0].status is MessageStatus.APPROVED
    press(page, "I sent it")
    assert (kept(ada)[0].status, kept(ada)[0].sent_by) == (MessageStatus.SENT, "Ada")
    press(page, "Undo the last one")
    press(page, "Edit")
    (one,) = kept(ada)
    page.text_area(key=f"message_text_{one.id}").set_value(f"{one.body} And a kiss.").run()
    press(page, "Save")
    assert kept(ada)[0].body.endswith("And a kiss.")
    assert (kept(ada)[0].status, kept(ada)[0].authorship) == (MessageStatus.QUEUED, "template_edited")
    press(page, "Drop")
    assert kept(ada)[0].status is MessageStatus.DROPPED


def test_all_are_approved_only_after_a_look_and_a_question(open_page: OpenPage, ada: Made) -> None:
    planned(ada)
    page = view(open_page("messages", ada), "queue")
    assert not [one for one in page.button if one.label == "Approve all 30"]
    press(page, "Look at samples, then decide about all")
    assert "10 by chance, and 0 flagged" in words(page)
    press(page, "Approve all 30")
    assert len(kept(ada, MessageStatus.QUEUED)) > 0
    page.button(key="messages_approve_yes").click().run()
    page.run()
    assert_no_crash(page)
    assert "0 waiting, 30 approved" in words(page)
    press(page, "Take that decision back")
    assert "30 waiting, 0 approved" in words(page)


def test_opt_outs_and_the_rule(open_page: OpenPage, ada: Made) -> None:
    planned(ada, 2)
    page = view(open_page("messages", ada), "queue")
    press(page, "Do not write to them")
    (gone,) = opt_outs(ada.scope)
    page = view(page, "rules")
    assert gone.fan in words(page)
    page.number_input(key="rule_days").set_value(9)
    press(page, "Save the rule")
    assert rule(ada.scope) == Rule(9)
    press(page, "Take off the list")
    assert opt_outs(ada.scope) == ()


def test_in_french(open_page: OpenPage, ada: Made) -> None:
    from core.identity.service import edit_profile

    edit_profile(ada.scope, language="fr")
    save_rule(ada.scope, Rule(0))
    planned(ada, 3)
    page = view(open_page("messages", ada), "queue")
    assert "3 en attente" in words(page)
    assert_no_crash(view(page, "campaigns"))
    assert_no_crash(view(page, "rules"))
