"""Changing, cancelling and pausing on the Billing page: shown before it is done, and done once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import Connection, update
from streamlit.testing.v1 import AppTest

from core.billing import service
from core.billing.models import SubscriptionRecord
from dashboard.words import catalogue
from tests.billing.test_choosing import session_of
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.peers.stripe_routes import ROUTES
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_store import Refused
from tests.people import Made


@pytest.fixture(autouse=True)
def fresh_prices() -> Iterator[None]:
    st.cache_data.clear()
    yield
    st.cache_data.clear()


@pytest.fixture
def trying(ada: Made, stripe: StripeServer) -> Made:
    """Ada, in the trial of Pro."""
    stripe.world.pay(session_of(stripe, service.choose_plan(ada.scope, "pro_monthly")))
    service.refresh(ada.scope)
    return ada


@pytest.fixture
def paying(trying: Made, database: Connection, stripe: StripeServer) -> Made:
    """Ada, who had her trial before and pays for Pro since a moment ago."""
    stripe.world.cancel(held(stripe)["id"])
    service.refresh(trying.scope)
    stripe.world.pay(session_of(stripe, service.choose_plan(trying.scope, "pro_monthly")))
    service.refresh(trying.scope)
    return trying


def held(stripe: StripeServer) -> dict[str, Any]:
    """The subscription that lives."""
    return next(each for each in stripe.world.every("subscription") if each["status"] != "canceled")


def sold(stripe: StripeServer) -> dict[str, int | None]:
    return {each["price"]["lookup_key"]: each.get("quantity") for each in held(stripe)["items"]["data"]}


def keys(page: AppTest) -> set[str]:
    return {str(one.key) for one in page.button}


def test_a_larger_plan_is_shown_to_the_cent_and_charged_so(
    open_page: OpenPage, paying: Made, stripe: StripeServer
) -> None:
    page = open_page("billing", paying)
    page.button(key="change_enterprise_monthly").click().run()
    assert_no_crash(page)
    said = words(page)
    preview = page.session_state["billing_preview"]
    assert "| Time paid for and not used | -$" in said
    assert "| From now to the end of the period | $" in said
    assert f"| **To pay now** | ${preview.due_now / 100:.2f} |" in said
    assert "Next payment: **$99.00** on" in said
    assert set(sold(stripe)) == {"pro_monthly"}, "nothing is done by looking"
    page.button(key="billing_change_yes").click().run()
    assert_no_crash(page)
    assert "Your plan: Enterprise" in words(page)
    assert "Your plan is now Enterprise." in words(page)
    assert sold(stripe)["enterprise_monthly"] == 1
    newest = max(stripe.world.every("invoice"), key=lambda each: (each["created"], each["id"]))
    assert newest["total"] == preview.due_now
    assert "billing_change_yes" not in keys(page)


def test_looking_twice_asks_stripe_once_and_another_wish_anew(
    open_page: OpenPage, paying: Made, stripe: StripeServer
) -> None:
    page = open_page("billing", paying)
    page.button(key="change_enterprise_monthly").click().run()
    first = page.session_state["billing_change"].id
    page.run()
    assert stripe.count("post", "/v1/invoices/create_preview") == 1
    page.button(key="billing_change_no").click().run()
    assert "billing_change_yes" not in keys(page)
    page.button(key="change_enterprise_monthly").click().run()
    assert page.session_state["billing_change"].id != first
    assert stripe.count("post", "/v1/invoices/create_preview") == 2


def test_an_answer_that_was_lost_leaves_the_question_open_and_is_asked_for_again(
    open_page: OpenPage, paying: Made, stripe: StripeServer
) -> None:
    page = open_page("billing", paying)
    page.button(key="change_enterprise_monthly").click().run()
    due = page.session_state["billing_preview"].due_now
    stripe.lost_answers = 5
    page.button(key="billing_change_yes").click().run()
    assert "Stripe does not answer at the moment." in words(page)
    assert "billing_change_yes" in keys(page)
    stripe.lost_answers = 0
    page.button(key="billing_change_yes").click().run()
    assert_no_crash(page)
    assert "Your plan: Enterprise" in words(page)
    assert [each["total"] for each in stripe.world.every("invoice")].count(due) == 1, "charged once"


def test_a_smaller_plan_waits_for_the_periods_end_and_can_be_taken_back(
    open_page: OpenPage, paying: Made, stripe: StripeServer
) -> None:
    page = open_page("billing", paying)
    page.button(key="change_enterprise_monthly").click().run()
    page.button(key="billing_change_yes").click().run()
    page.button(key="change_pro_monthly").click().run()
    assert_no_crash(page)
    assert "Nothing to pay now." in words(page)
    page.button(key="billing_change_yes").click().run()
    assert_no_crash(page)
    said = words(page)
    assert "Your plan: Enterprise" in said
    assert "your subscription changes to Pro, monthly" in said
    page.button(key="billing_keep").click().run()
    assert_no_crash(page)
    assert "your subscription changes to" not in words(page)
    assert "billing_keep" not in keys(page)


def test_in_a_trial_a_larger_plan_costs_nothing_now(open_page: OpenPage, trying: Made, stripe: StripeServer) -> None:
    page = open_page("billing", trying)
    page.button(key="change_enterprise_monthly").click().run()
    assert_no_crash(page)
    assert "Takes effect at once. Nothing to pay now." in words(page)
    page.button(key="billing_change_yes").click().run()
    assert "Your plan: Enterprise" in words(page)


def test_seats_go_up_now_with_what_they_cost(open_page: OpenPage, paying: Made, stripe: StripeServer) -> None:
    page = open_page("billing", paying)
    page.number_input[0].set_value(3).run()
    page.button(key="change_enterprise_monthly").click().run()
    assert "Creators beyond those included: **3**" in words(page)
    page.button(key="billing_change_yes").click().run()
    assert_no_crash(page)
    assert sold(stripe)["enterprise_seat_monthly"] == 3
    assert "Creators: 1 of 28 used" in [one.proto.text for one in page.get("progress")]
    assert page.number_input[0].value == 3
    page.number_input[0].set_value(5).run()
    page.button(key="change_enterprise_monthly").click().run()
    assert "Next payment: **$119.00**" in words(page)
    page.button(key="billing_change_yes").click().run()
    assert sold(stripe)["enterprise_seat_monthly"] == 5


def test_a_card_that_is_refused_changes_nothing_and_leads_to_the_open_invoice(
    open_page: OpenPage, paying: Made, stripe: StripeServer
) -> None:
    page = open_page("billing", paying)
    stripe.world.declining.add(held(stripe)["customer"])
    page.button(key="change_enterprise_monthly").click().run()
    page.button(key="billing_change_yes").click().run()
    assert_no_crash(page)
    said = words(page)
    assert "Your plan: Pro" in said
    assert "The payment did not go through, so nothing has changed yet." in said
    assert [one.label for one in page.get("link_button")] == ["Pay now"]


def test_cancelling_asks_why_keeps_the_plan_to_its_end_and_can_be_taken_back(
    open_page: OpenPage, paying: Made, stripe: StripeServer
) -> None:
    page = open_page("billing", paying)
    page.button(key="billing_cancel").click().run()
    assert "your creators, figures and drafts all stay" in words(page)
    page.button(key="billing_cancel_yes").click().run()
    assert "Choose the reason that fits best." in words(page)
    assert held(stripe)["cancel_at_period_end"] is False
    page.selectbox(key="billing_cancel_why").set_value("too_expensive")
    page.text_area(key="billing_cancel_comment").set_value("Fewer creators this season")
    page.button(key="billing_cancel_yes").click().run()
    assert_no_crash(page)
    assert "Your plan ends on" in words(page)
    details = held(stripe)["cancellation_details"]
    assert (details["feedback"], details["comment"]) == ("too_expensive", "Fewer creators this season")
    page.button(key="billing_keep").click().run()
    assert_no_crash(page)
    assert "Your plan stays as it is." in words(page)
    assert "Your plan ends on" not in words(page)


def test_what_was_refused_once_can_be_asked_for_again(
    open_page: OpenPage, paying: Made, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wish that was refused is over: under its id nothing is done any more."""
    page = open_page("billing", paying)
    page.button(key="billing_cancel").click().run()
    page.selectbox(key="billing_cancel_why").set_value("too_expensive")
    with refusing(monkeypatch):
        page.button(key="billing_cancel_yes").click().run()
    assert "Not today" in words(page)
    page.button(key="billing_cancel_yes").click().run()
    assert_no_crash(page)
    assert held(stripe)["cancel_at_period_end"]
    with refusing(monkeypatch):
        page.button(key="billing_keep").click().run()
    assert "Not today" in words(page)
    page.button(key="billing_keep").click().run()
    assert "Your plan stays as it is." in words(page)
    assert held(stripe)["cancel_at_period_end"] is False


def test_what_changed_meanwhile_is_shown_anew_before_it_is_agreed_to(
    open_page: OpenPage, paying: Made, stripe: StripeServer
) -> None:
    page = open_page("billing", paying)
    page.button(key="change_enterprise_monthly").click().run()
    stripe.world.switch(held(stripe)["id"], "pro_yearly")
    page.button(key="billing_change_yes").click().run()
    assert "Look at it once more, then confirm." in words(page)
    page.button(key="billing_change_yes").click().run()
    assert_no_crash(page)
    assert set(sold(stripe)) == {"pro_yearly"}, "another price is read first"
    page.button(key="billing_change_yes").click().run()
    assert_no_crash(page)
    assert "enterprise_monthly" in sold(stripe)


@contextmanager
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stripe, while it refuses every change of a subscription."""

    def refuse(*_asked: object) -> dict[str, Any]:
        raise Refused(400, "Not today")

    with monkeypatch.context() as patched:
        patched.setitem(ROUTES, ("post", "/v1/subscriptions/{subscription_exposed_id}"), refuse)
        yield


def test_pausing_and_resuming_are_asked_first(open_page: OpenPage, paying: Made, stripe: StripeServer) -> None:
    page = open_page("billing", paying)
    page.button(key="billing_pause").click().run()
    assert held(stripe)["status"] == "active"
    page.button(key="billing_pause_yes").click().run()
    assert_no_crash(page)
    assert held(stripe)["status"] == "paused"
    said = words(page)
    assert "Your plan: Free" in said
    assert "While the subscription is paused" in said
    assert "change_enterprise_monthly" not in keys(page)
    page.button(key="billing_resume").click().run()
    page.button(key="billing_resume_yes").click().run()
    assert_no_crash(page)
    assert "Your plan: Pro" in words(page)


def test_a_deed_is_noted_in_the_log(open_page: OpenPage, paying: Made, stripe: StripeServer) -> None:
    page = open_page("billing", paying)
    page.button(key="billing_pause").click().run()
    page.button(key="billing_pause_yes").click().run()
    log = open_page("audit", paying).dataframe[0].value
    assert catalogue().text("en", "audit.plan_paused") in list(log["What"])


def test_what_is_refused_is_said_in_the_question(
    open_page: OpenPage, paying: Made, database: Connection, stripe: StripeServer
) -> None:
    page = open_page("billing", paying)
    stripe.world.change(held(stripe)["id"], cancel_at_period_end=True)
    page.button(key="change_enterprise_monthly").click().run()
    assert_no_crash(page)
    assert "Keep your plan first" in words(page)
    assert "billing_change_yes" not in keys(page)
    page.button(key="billing_change_no").click().run()
    assert "Keep your plan first" not in words(page)


def test_other_pages_of_the_tab_know_at_once(
    open_page: OpenPage, paying: Made, database: Connection, stripe: StripeServer
) -> None:
    page = open_page("billing", paying)
    database.execute(update(SubscriptionRecord).values(unpaid_since=datetime.now(UTC) - timedelta(days=1)))
    page.button(key="billing_pause").click().run()
    page.button(key="billing_pause_yes").click().run()
    (_, view) = page.session_state["billing_kept"][paying.account_id]
    assert view.entitlement.status == "paused"


def test_fewer_seats_are_named_as_such_and_can_be_chosen_anew(
    open_page: OpenPage, paying: Made, stripe: StripeServer
) -> None:
    page = open_page("billing", paying)
    page.number_input[0].set_value(3).run()
    page.button(key="change_enterprise_monthly").click().run()
    page.button(key="billing_change_yes").click().run()
    page.number_input[0].set_value(1).run()
    page.button(key="change_enterprise_monthly").click().run()
    page.button(key="billing_change_yes").click().run()
    assert_no_crash(page)
    said = words(page)
    assert "The number of creators changes on" in said
    assert "you pay for another number of creators" in said
    assert "your subscription changes to" not in said
    assert "3 creators beyond those included" in said
    page.number_input[0].set_value(2).run()
    page.button(key="change_enterprise_monthly").click().run()
    page.button(key="billing_change_yes").click().run()
    assert_no_crash(page)
    phases = stripe.world.every("subscription_schedule")[0]["phases"]
    assert sorted(each["quantity"] or 0 for each in phases[-1]["items"]) == [0, 1, 2]


def test_what_is_left_over_of_a_year_is_said(open_page: OpenPage, paying: Made, stripe: StripeServer) -> None:
    page = open_page("billing", paying)
    page.segmented_control(key="billing_every").set_value(12).run()
    page.button(key="change_pro_yearly").click().run()
    page.button(key="billing_change_yes").click().run()
    page.segmented_control(key="billing_every").set_value(1).run()
    page.button(key="change_enterprise_monthly").click().run()
    assert_no_crash(page)
    preview = page.session_state["billing_preview"]
    left = preview.credit - preview.charge
    assert (preview.due_now, left) == (0, pytest.approx(191_00, abs=100))
    assert f"${left / 100:.2f} is left over." in words(page)
    page.button(key="billing_change_yes").click().run()
    page.number_input[0].set_value(2).run()
    page.button(key="change_enterprise_monthly").click().run()
    said = words(page)
    assert "| Credit from before | -$8.00 |" in said
    assert "| **To pay now** | $0.00 |" in said


def test_what_is_paused_ends_at_once_as_the_question_says(
    open_page: OpenPage, paying: Made, stripe: StripeServer
) -> None:
    """No period of it is paid for: it would not come to the end of one."""
    page = open_page("billing", paying)
    page.button(key="billing_pause").click().run()
    page.button(key="billing_pause_yes").click().run()
    page.button(key="billing_cancel").click().run()
    assert "it ends at once and can no longer be resumed" in words(page)
    assert "Your plan stays as it is until" not in words(page)
    page.selectbox(key="billing_cancel_why").set_value("unused")
    page.button(key="billing_cancel_yes").click().run()
    assert_no_crash(page)
    assert {each["status"] for each in stripe.world.every("subscription")} == {"canceled"}
