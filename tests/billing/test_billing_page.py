"""The Billing page as each sees it: what they have, what it costs, the way to pay and the way back."""

from collections.abc import Iterator

import pytest
import streamlit as st
from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.billing import service
from core.billing.plans import PlanName
from core.identity.service import edit_profile
from tests.billing.conftest import give_plan
from tests.billing.test_choosing import customer_of, let_in, session_of
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.peers.stripe_server import StripeServer
from tests.people import Made, make_person


@pytest.fixture(autouse=True)
def fresh_prices() -> Iterator[None]:
    st.cache_data.clear()
    yield
    st.cache_data.clear()


def links(page: AppTest) -> list[str]:
    """What the page's own HTML links to."""
    return [str(one.proto.body) for one in page.get("html") if "way-out" in one.proto.body]


def subscribe(stripe: StripeServer, made: Made, lookup_key: str = "pro_monthly") -> str:
    stripe.world.pay(session_of(stripe, service.choose_plan(made.scope, lookup_key)))
    service.refresh(made.scope)
    return str(stripe.world.every("subscription")[0]["id"])


def test_the_plans_stand_side_by_side_with_stripes_prices(open_page: OpenPage, ada: Made, stripe: StripeServer):
    stripe.world.price_of("pro_monthly")["unit_amount"] = 31_50
    page = open_page("billing", ada)
    assert_no_crash(page)
    said = words(page)
    assert "Your plan: Free" in said
    assert "$31.50** a month" in said
    assert "$99.00** a month" in said
    assert "2,000 model drafts a month" in said
    assert "2 years of history" in said
    assert "14-day free trial" in said
    assert {one.key for one in page.button if "choose" in str(one.key)} == {
        "choose_pro_monthly",
        "choose_enterprise_monthly",
    }
    page.segmented_control[0].set_value(12).run()
    assert "$290.00** a year" in words(page)
    assert "choose_pro_yearly" in {one.key for one in page.button}


def test_in_french(open_page: OpenPage, ada: Made, stripe: StripeServer):
    edit_profile(ada.scope, language="fr")
    said = words(open_page("billing", ada))
    assert "Votre forfait : Gratuit" in said
    assert "29,00\xa0$US** par mois" in said


def test_choosing_shows_the_way_to_stripe_in_this_tab(open_page: OpenPage, ada: Made, stripe: StripeServer):
    page = open_page("billing", ada)
    assert links(page) == []
    page.button(key="choose_pro_monthly").click().run()
    assert_no_crash(page)
    (session,) = stripe.world.every("checkout.session")
    (link,) = links(page)
    assert f'href="{session["url"]}"' in link
    assert "target" not in link
    page.button(key="choose_pro_monthly").click().run()
    assert len(stripe.world.every("checkout.session")) == 1


def test_back_from_stripe_the_page_asks_what_is_so(open_page: OpenPage, ada: Made, stripe: StripeServer):
    page = open_page("billing", ada)
    page.button(key="choose_pro_monthly").click().run()
    page.query_params["checkout"] = "done"
    page.run()
    assert_no_crash(page)
    assert "Confirming your payment" in words(page)
    assert "Your plan: Free" in words(page), "the address alone changes nothing"
    stripe.world.pay(stripe.world.every("checkout.session")[0]["id"])
    page.run()
    assert_no_crash(page)
    said = words(page)
    assert "Your plan: Pro" in said
    assert "Free trial until" in said
    assert "Your plan is now Pro." in said
    assert "checkout" not in page.query_params


def test_it_stops_asking_when_stripe_takes_long(open_page: OpenPage, ada: Made, stripe: StripeServer):
    page = open_page("billing", ada)
    page.session_state["billing_asked"] = 30
    page.query_params["checkout"] = "done"
    page.run()
    assert "Stripe has not confirmed the payment yet." in words(page)


def test_who_turned_back_is_told_that_nothing_was_charged(open_page: OpenPage, ada: Made, stripe: StripeServer):
    page = open_page("billing", ada)
    page.query_params["checkout"] = "cancelled"
    page.run()
    assert "Nothing was charged" in words(page)


def test_a_subscriber_goes_to_the_portal_and_buys_no_second(open_page: OpenPage, ada: Made, stripe: StripeServer):
    subscribe(stripe, ada)
    page = open_page("billing", ada)
    assert_no_crash(page)
    assert not [one.key for one in page.button if "choose" in str(one.key)]
    page.button(key="billing_portal").click().run()
    assert f"{stripe.url}/portal/" in links(page)[0]


def test_what_is_wrong_with_the_payment_is_said_with_its_date(open_page: OpenPage, ada: Made, stripe: StripeServer):
    subscription = subscribe(stripe, ada)
    stripe.world.declining.add(customer_of(ada))
    stripe.world.renew(subscription)
    service.refresh(ada.scope)
    said = words(open_page("billing", ada))
    assert "Your last payment failed. Update how you pay by" in said
    assert "Your plan: Pro" in said
    stripe.world.settle(subscription)
    stripe.world.change(subscription, cancel_at_period_end=True)
    service.refresh(ada.scope)
    assert "Your plan ends on" in words(open_page("billing", ada))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "This plan is given to you until"), ("fr", "Ce forfait vous est offert jusqu'au")],
)
def test_a_given_plan_says_until_when_and_nothing_of_a_free_one(
    open_page: OpenPage, ada: Made, stripe: StripeServer, language: str, sentence: str
):
    edit_profile(ada.scope, language=language)
    stripe.world.change(subscribe(stripe, ada), status="unpaid")
    service.refresh(ada.scope)
    until = give_plan(ada, PlanName.ENTERPRISE)
    page = open_page("billing", ada)
    assert_no_crash(page)
    said = words(page)
    assert sentence in said
    assert str(until.day) in said.split(sentence)[1][:12]
    assert not page.warning


def test_a_given_plan_is_no_payment(open_page: OpenPage, ada: Made, stripe: StripeServer):
    give_plan(ada, PlanName.PRO)
    page = open_page("billing", ada)
    page.query_params["checkout"] = "done"
    page.run()
    assert_no_crash(page)
    assert "Confirming your payment" in words(page)


@pytest.mark.parametrize(
    "status", ["paused", "unpaid", "incomplete", "incomplete_expired", "canceled", "gone", "appealing"]
)
def test_every_state_has_its_sentence(open_page: OpenPage, ada: Made, stripe: StripeServer, status: str):
    subscription = subscribe(stripe, ada)
    stripe.world.change(subscription, status=status)
    service.refresh(ada.scope)
    page = open_page("billing", ada)
    assert_no_crash(page)
    assert "Your plan: Free" in words(page)


def test_others_than_the_owner_see_who_can(open_page: OpenPage, ada: Made, bob: Made, stripe: StripeServer):
    subscribe(stripe, ada)
    let_in(ada.scope, bob.user_id)
    page = open_page("billing", bob, creator=ada.workspace_id)
    assert_no_crash(page)
    said = words(page)
    assert "Your plan: Pro" in said
    assert "Only the owner of the account can change the plan: Ada." in said
    assert not [one.key for one in page.button if str(one.key).startswith(("choose", "billing"))]
    page.query_params["checkout"] = "done"
    page.run()
    assert_no_crash(page)


def test_without_settings_it_says_what_to_set_and_nothing_else_breaks(open_page: OpenPage, ada: Made, no_stripe: None):
    page = open_page("billing", ada)
    assert_no_crash(page)
    said = words(page)
    assert "STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRETS" in said
    assert "Your plan: Free" in said
    assert not [one.key for one in page.button if "choose" in str(one.key)]


def test_when_stripe_is_away_the_plan_still_shows(open_page: OpenPage, ada: Made, stripe: StripeServer):
    stripe.faults = [503] * 20
    page = open_page("billing", ada)
    assert_no_crash(page)
    assert "Your plan: Free" in words(page)
    assert "Stripe does not answer at the moment." in words(page)


def test_a_price_made_wrongly_is_not_offered(open_page: OpenPage, ada: Made, stripe: StripeServer):
    stripe.world.price_of("pro_monthly")["recurring"]["interval"] = "year"
    page = open_page("billing", ada)
    assert "Its price is not set at Stripe yet." in words(page)
    assert "choose_pro_monthly" not in {one.key for one in page.button}


def test_an_agency_sees_all_its_creators_counted(open_page: OpenPage, database: Connection, stripe: StripeServer):
    agency = make_person("Mona", Role.MANAGER, creators=3)
    for creator in (agency.workspace_ids[0], "all"):
        page = open_page("billing", agency, creator=creator)
        assert_no_crash(page)
        assert "Creators: 3 of 1 used" in [one.proto.text for one in page.get("progress")]
        assert "Model drafts this month: 0 of 50 used" in [one.proto.text for one in page.get("progress")]
        assert page.button(key="choose_pro_monthly")


def test_who_is_in_two_accounts_says_first_whose_plan_it_is(
    open_page: OpenPage, ada: Made, bob: Made, stripe: StripeServer
):
    let_in(ada.scope, bob.user_id)
    page = open_page("billing", bob, creator="all")
    assert_no_crash(page)
    assert "This page shows one creator at a time. Choose one." in words(page)
    assert "Your plan" not in words(page)
