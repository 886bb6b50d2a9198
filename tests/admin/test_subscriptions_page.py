"""The Admin tab of subscriptions, opened through the real entry: what it shows, and each deed behind its question."""

import pytest
from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.access import Role, Scope
from core.audit import entries
from core.billing.desk import subscription_file
from core.settings import ROOT
from tests.admin.paying import WHY, bill, held, pays, refunds
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.peers.stripe_server import StripeServer
from tests.people import Made, make_person


def _tab(open_page: OpenPage, scope: Scope, made: Made | None = None) -> AppTest:
    """The tab, or the file of one account in it."""
    page = open_page("home", scope.user_id, web_session=scope.session_id)
    page.session_state["admin_tab"] = "subscriptions"
    page.switch_page(ROOT / "pages" / "admin.py")
    page.run()
    if made is not None:
        page.button(key=f"open_{held(scope, made).stripe_id}").click().run()
    assert_no_crash(page)
    return page


def _agree(page: AppTest, reason: str = WHY) -> None:
    page.text_area(key="subscription_asked_reason").set_value(reason)
    page.button(key="subscription_asked_yes").click().run()
    assert_no_crash(page)


def test_without_a_subscription_it_says_so(open_page: OpenPage, proved: Scope) -> None:
    assert "No subscription fits" in words(_tab(open_page, proved))


def test_both_languages_show_the_list_and_a_file(
    open_page: OpenPage, ada: Made, stripe: StripeServer, database: Connection
) -> None:
    pays(stripe, ada, trial_days=14)
    for language, word in (("en", "Extend trial"), ("fr", "Prolonger l’essai")):
        staff = make_person(f"Staff {language}", Role.ADMIN, language=language)
        page = _tab(open_page, staff.scope, ada)
        assert word in [one.label for one in page.button]


def test_found_and_opened_and_closed(
    open_page: OpenPage, proved: Scope, ada: Made, bob: Made, stripe: StripeServer
) -> None:
    pays(stripe, ada)
    pays(stripe, bob, trial_days=14)
    page = _tab(open_page, proved)
    page.text_input(key="subscriptions_search").set_value("ADA@").run()
    assert "ada@example.com" in words(page)
    assert "bob@example.com" not in words(page)
    page.text_input(key="subscriptions_search").set_value("").run()
    page.selectbox(key="subscriptions_status").set_value("trialing").run()
    assert "bob@example.com" in words(page)
    assert "ada@example.com" not in words(page)
    page.button(key=f"open_{held(proved, bob).stripe_id}").click().run()
    assert_no_crash(page)
    assert "Visa ending in 4242, until 12/2034" in words(page)
    assert "trial until" in words(page)
    page.button(key="subscriptions_replay").click().run()
    assert entries(bob.scope)[0].deed == "stripe_replayed"
    page.button(key="subscriptions_back").click().run()
    assert page.text_input(key="subscriptions_search").value == ""


def test_a_part_of_an_invoice_is_given_back(
    open_page: OpenPage, proved: Scope, ada: Made, stripe: StripeServer
) -> None:
    pays(stripe, ada)
    invoice = bill(proved, ada)
    page = _tab(open_page, proved, ada)
    page.button(key=f"refund_{invoice.stripe_id}").click().run()
    assert "$29.00 paid, $29.00 left to give back" in words(page)
    assert page.text_input(key="subscription_amount").value == "29.00"
    for wrong, sentence in (("ten", "Write an amount"), ("29.01", "At most $29.00"), ("1.001", "Write an amount")):
        page.text_input(key="subscription_amount").set_value(wrong)
        _agree(page)
        assert sentence in words(page) or "At most 29.00 USD" in words(page)
    assert refunds(stripe) == []
    page.text_input(key="subscription_amount").set_value("10,50")
    _agree(page, "short")
    assert "Say why" in words(page)
    _agree(page)
    assert [each["amount"] for each in refunds(stripe)] == [10_50]
    assert "$10.50 given back" in words(page)
    page.button(key=f"refund_{invoice.stripe_id}").click().run()
    assert page.text_input(key="subscription_amount").value == "18.50"
    _agree(page)
    assert sum(each["amount"] for each in refunds(stripe)) == 29_00
    assert f"refund_{invoice.stripe_id}" not in [one.key for one in page.button]


def test_a_refund_asks_who_is_there(open_page: OpenPage, staff: Made, ada: Made, stripe: StripeServer) -> None:
    pays(stripe, ada)
    page = _tab(open_page, staff.scope, ada)
    assert f"refund_{bill(staff.scope, ada).stripe_id}" not in [one.key for one in page.button]


def test_what_stripe_refuses_is_said_and_the_question_stays(
    open_page: OpenPage, proved: Scope, ada: Made, stripe: StripeServer
) -> None:
    pays(stripe, ada)
    invoice = bill(proved, ada)
    page = _tab(open_page, proved, ada)
    page.button(key=f"refund_{invoice.stripe_id}").click().run()
    dispute = stripe.world.dispute(str(invoice.charge_id))
    dispute["status"] = "warning_needs_response"
    _agree(page)
    assert "charged back" in words(page)
    assert [one.deed for one in entries(ada.scope)] == ["staff_refused_by_stripe", "refund_asked"]
    stripe.world.close_dispute(dispute["id"], won=True)
    _agree(page)
    assert len(refunds(stripe)) == 1, "another try is another wish"


def test_a_trial_is_extended(open_page: OpenPage, proved: Scope, ada: Made, stripe: StripeServer) -> None:
    pays(stripe, ada, trial_days=14)
    before = held(proved, ada).trial_end
    page = _tab(open_page, proved, ada)
    page.button(key="extend").click().run()
    page.number_input(key="subscription_days").set_value(7)
    _agree(page)
    after = held(proved, ada).trial_end
    assert before is not None
    assert after is not None
    assert (after - before).days == 7


@pytest.mark.parametrize("when", ["now", "period_end"])
def test_a_plan_is_changed(open_page: OpenPage, proved: Scope, ada: Made, stripe: StripeServer, when: str) -> None:
    pays(stripe, ada)
    page = _tab(open_page, proved, ada)
    page.button(key="change_plan").click().run()
    page.selectbox(key="subscription_plan").set_value("enterprise_monthly").run()
    page.number_input(key="subscription_seats").set_value(2).run()
    page.radio(key="subscription_when").set_value(when).run()
    assert "It then costs $107.00 a month" in words(page)
    assert ("Nothing is charged or credited today" in words(page)) is (when == "now")
    page.selectbox(key="subscription_plan").set_value("pro_yearly").run()
    assert ("A new period begins today and $290.00 is charged" in words(page)) is (when == "now")
    page.selectbox(key="subscription_plan").set_value("enterprise_monthly").run()
    page.number_input(key="subscription_seats").set_value(2).run()
    _agree(page)
    now = held(proved, ada)
    assert (now.lookup_key if when == "now" else now.next_lookup_key) == "enterprise_monthly"
    if when == "period_end":
        assert "becomes Enterprise, monthly" in words(page)


def test_a_subscription_is_ended_later_kept_and_ended_now(
    open_page: OpenPage, proved: Scope, ada: Made, stripe: StripeServer
) -> None:
    pays(stripe, ada)
    page = _tab(open_page, proved, ada)
    page.button(key="cancel").click().run()
    assert "Until then it can be kept after all" in words(page)
    _agree(page)
    assert held(proved, ada).ends_at is not None
    assert "ends " in words(page)
    page.button(key="keep").click().run()
    _agree(page)
    assert held(proved, ada).ends_at is None
    page.button(key="cancel").click().run()
    page.radio(key="subscription_when").set_value(True).run()
    assert "cannot be brought back" in words(page)
    _agree(page)
    assert held(proved, ada).status == "canceled"
    assert "cancel" not in [one.key for one in page.button]


def test_a_plan_is_given(open_page: OpenPage, proved: Scope, ada: Made, stripe: StripeServer) -> None:
    pays(stripe, ada)
    page = _tab(open_page, proved, ada)
    page.button(key="give_plan").click().run()
    page.selectbox(key="subscription_plan").set_value("enterprise")
    page.number_input(key="subscription_days").set_value(3)
    _agree(page)
    (given,) = subscription_file(proved, ada.account_id).grants
    assert (given.plan, given.reason) == ("enterprise", WHY)
    assert "Given: Enterprise until" in words(page)


def test_an_account_that_stripe_cannot_be_asked_about_says_so(
    open_page: OpenPage, proved: Scope, ada: Made, stripe: StripeServer
) -> None:
    pays(stripe, ada)
    stripe.faults = [503] * 50
    page = _tab(open_page, proved, ada)
    page.button(key="cancel").click().run()
    _agree(page)
    assert "Stripe does not answer" in words(page)
    assert "may be old" in words(_tab(open_page, proved, ada))
    stripe.faults.clear()
    _agree(page)
    assert held(proved, ada).ends_at is not None
    assert [one.deed for one in entries(ada.scope)] == ["plan_cancelled_by_staff"]
