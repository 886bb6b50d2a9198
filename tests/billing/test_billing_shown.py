"""What the Billing page shows of money: prices with seats and savings, cards, invoices, and what is open."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from sqlalchemy import Connection, insert, update
from streamlit.testing.v1 import AppTest

from core.ai.allowance import GENERATIONS, month_of
from core.ai.models import UsageCounter
from core.billing.models import InvoiceRecord, PaymentMethodRecord, SubscriptionRecord, UsageMeter
from core.billing.plans import CATALOGUE, SEATS, PlanName
from core.identity.service import edit_profile
from tests import paying
from tests.billing.conftest import give_plan
from tests.billing.test_choosing import let_in
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.peers.stripe_server import StripeServer
from tests.people import Made

NOW = datetime.now(UTC)
METER = "enterprise_generation_monthly"


@pytest.fixture(autouse=True)
def fresh_prices() -> Iterator[None]:
    st.cache_data.clear()
    yield
    st.cache_data.clear()


@pytest.fixture(autouse=True)
def everything_sold(stripe: StripeServer) -> None:
    """Seats and drafts beside the plans, as after `stripe-setup`."""
    known = {each["lookup_key"] for each in stripe.world.every("price")}
    for offer in CATALOGUE.values():
        if offer.lookup_key not in known:
            product = stripe.world.add_product(offer.lookup_key)["id"]
            every = "year" if offer.months == 12 else "month"
            stripe.world.add_price(product, offer.list_amount, "usd", every, offer.lookup_key)


@pytest.fixture
def paying_ada(ada: Made, stripe: StripeServer) -> Made:
    paying.subscribe(ada, "enterprise_monthly")
    return ada


def becomes(database: Connection, **facts: object) -> None:
    database.execute(update(SubscriptionRecord).values(**facts))


def bill(database: Connection, made: Made, number: str, **facts: object) -> None:
    plain = {
        "account_id": made.account_id,
        "stripe_id": f"in_{number}",
        "customer_id": "cus_1",
        "number": number,
        "status": "paid",
        "currency": "USD",
        "total": 118_80,
        "tax": 19_80,
        "amount_due": 118_80,
        "amount_paid": 118_80,
        "amount_remaining": 0,
        "created": NOW,
        "hosted_url": f"https://pay.example/{number}",
        "pdf_url": f"https://pay.example/{number}.pdf",
    }
    database.execute(insert(InvoiceRecord).values(plain | facts))


def card(database: Connection, made: Made, month: int, year: int) -> None:
    facts = {"stripe_id": "pm_1", "kind": "card", "brand": "visa", "last4": "4242"}
    row = facts | {"account_id": made.account_id, "expires_month": month, "expires_year": year}
    database.execute(insert(PaymentMethodRecord).values(row))


def item(lookup_key: str, quantity: int, *, is_metered: bool = False) -> dict[str, object]:
    return {
        "stripe_id": f"si_{lookup_key}",
        "price_id": f"price_{lookup_key}",
        "lookup_key": lookup_key,
        "quantity": quantity,
        "unit_amount": 4_00,
        "currency": "USD",
        "months": 1,
        "is_metered": is_metered,
    }


def bought(page: AppTest) -> set[str]:
    return {str(one.key) for one in page.button if str(one.key).startswith(("choose", "change"))}


def ways_to_pay(page: AppTest) -> list[str]:
    return [one.proto.url for one in page.get("link_button")]


def test_a_year_says_what_it_saves_against_twelve_months(open_page: OpenPage, ada: Made, stripe: StripeServer):
    stripe.world.price_of("pro_yearly")["unit_amount"] = 299_00
    page = open_page("billing", ada)
    assert "Saves" not in words(page)
    page.segmented_control(key="billing_every").set_value(12).run()
    assert "Saves $49.00 a year (14.1%)" in words(page)


def test_a_year_that_saves_nothing_says_nothing(open_page: OpenPage, ada: Made, stripe: StripeServer):
    stripe.world.price_of("pro_yearly")["unit_amount"] = 12 * 29_00
    stripe.world.price_of("enterprise_yearly")["unit_amount"] = 12 * 99_00 + 1
    page = open_page("billing", ada)
    page.segmented_control(key="billing_every").set_value(12).run()
    assert "Saves" not in words(page)


def test_seats_are_in_the_price_and_in_what_is_bought(open_page: OpenPage, ada: Made, stripe: StripeServer):
    page = open_page("billing", ada)
    assert "Each creator beyond 25: $4.00 a month." in words(page)
    page.number_input[0].set_value(3).run()
    assert "$111.00** a month" in words(page)
    page.button(key="choose_enterprise_monthly").click().run()
    assert_no_crash(page)
    asked = next(asked for _, path, asked, _ in stripe.requests if path == "/v1/checkout/sessions")
    seat = stripe.world.price_of("enterprise_seat_monthly")["id"]
    assert ("3", seat) in {(str(one.get("quantity")), one["price"]) for one in _listed(asked["line_items"])}
    page.segmented_control(key="billing_every").set_value(12).run()
    assert "$1,110.00** a year" in words(page), "the wish for seats stays, in the year's prices"


def _listed(items: object) -> list[dict[str, str]]:
    return list(items.values()) if isinstance(items, dict) else list(items)


def test_without_a_price_for_seats_none_are_offered(open_page: OpenPage, ada: Made, stripe: StripeServer):
    for one in SEATS:
        stripe.world.price_of(one)["active"] = False
    page = open_page("billing", ada)
    assert_no_crash(page)
    assert not page.number_input
    assert "choose_enterprise_monthly" in bought(page)


def test_what_is_paid_for_is_named_and_another_is_a_change(
    open_page: OpenPage, paying_ada: Made, database: Connection
) -> None:
    becomes(database, items=[item("enterprise_monthly", 1), item("enterprise_seat_monthly", 2)])
    page = open_page("billing", paying_ada)
    assert_no_crash(page)
    said = words(page)
    assert "Subscribed: Enterprise, monthly, 2 creators beyond those included." in said
    assert bought(page) == {"change_pro_monthly"}
    page.number_input[0].set_value(4).run()
    assert bought(page) == {"change_pro_monthly", "change_enterprise_monthly"}
    page.segmented_control(key="billing_every").set_value(12).run()
    assert "Pay yearly instead" in [one.label for one in page.button]


def test_a_change_or_an_end_to_come_is_said_and_can_be_taken_back(
    open_page: OpenPage, paying_ada: Made, database: Connection
) -> None:
    becomes(database, schedule_id="sub_sched_1", next_lookup_key="pro_monthly", next_at=NOW + timedelta(days=9))
    page = open_page("billing", paying_ada)
    assert_no_crash(page)
    assert "your subscription changes to Pro, monthly" in words(page)
    assert "Your plan from" in words(page)
    assert page.button(key="billing_keep").label == "Keep my plan"
    becomes(database, schedule_id=None, next_lookup_key=None, next_at=None, cancel_at=NOW + timedelta(days=9))
    page = open_page("billing", paying_ada)
    assert "Your plan ends on" in words(page)
    assert bought(page) == set()
    assert {str(one.key) for one in page.button} >= {"billing_keep"}
    assert "billing_cancel" not in {one.key for one in page.button}


@pytest.mark.parametrize(
    ("status", "deeds"),
    [
        ("active", {"billing_pause", "billing_cancel"}),
        ("trialing", {"billing_cancel"}),
        ("past_due", {"billing_cancel"}),
        ("paused", {"billing_resume", "billing_cancel"}),
    ],
)
def test_each_state_has_its_deeds(
    open_page: OpenPage, paying_ada: Made, database: Connection, status: str, deeds: set[str]
) -> None:
    becomes(database, status=status)
    page = open_page("billing", paying_ada)
    assert_no_crash(page)
    found = {str(one.key) for one in page.button}
    assert found & {"billing_pause", "billing_cancel", "billing_resume", "billing_keep"} == deeds


def test_a_given_plan_can_be_bought_all_the_same(open_page: OpenPage, ada: Made, stripe: StripeServer):
    give_plan(ada, PlanName.PRO)
    page = open_page("billing", ada)
    assert_no_crash(page)
    assert "Given to you" in words(page)
    assert bought(page) == {"choose_pro_monthly", "choose_enterprise_monthly"}


def test_the_card_is_named_and_warned_of_when_it_ends_before_the_next_payment(
    open_page: OpenPage, paying_ada: Made, database: Connection
) -> None:
    ends = datetime(NOW.year + 1, 5, 10, tzinfo=UTC)
    becomes(database, current_period_end=ends)
    card(database, paying_ada, 4, ends.year)
    said = words(open_page("billing", paying_ada))
    assert f"**Visa** •••• 4242, good until 04/{ends.year}" in said
    assert "This card expires before your next payment." in said
    database.execute(update(PaymentMethodRecord).values(expires_month=5))
    assert "This card expires" not in words(open_page("billing", paying_ada)), "good to the end of its month"


def test_invoices_are_listed_with_their_amounts_and_links(
    open_page: OpenPage, paying_ada: Made, database: Connection
) -> None:
    bill(database, paying_ada, "H-1", created=NOW - timedelta(days=40), amount_refunded=18_80)
    bill(database, paying_ada, "H-2", status="open", amount_paid=0, amount_remaining=118_80)
    page = open_page("billing", paying_ada)
    assert_no_crash(page)
    table = page.dataframe[0].value
    assert list(table["Number"]) == ["H-2", "H-1"]
    assert list(table["Amount"]) == ["$118.80", "$118.80"]
    assert list(table["Tax"]) == ["$19.80", "$19.80"]
    assert list(table["State"]) == ["Open", "Paid"]
    assert list(table["Refunded"]) == ["", "$18.80"]
    assert list(table["PDF"]) == ["https://pay.example/H-2.pdf", "https://pay.example/H-1.pdf"]
    assert list(table["At Stripe"]) == ["https://pay.example/H-2", "https://pay.example/H-1"]


def test_without_an_invoice_it_says_what_will_be_there(open_page: OpenPage, ada: Made, stripe: StripeServer):
    assert "No invoice yet." in words(open_page("billing", ada))


def test_others_than_the_owner_see_no_invoice_and_no_card(
    open_page: OpenPage, paying_ada: Made, bob: Made, database: Connection
) -> None:
    let_in(paying_ada.scope, bob.user_id)
    bill(database, paying_ada, "H-1", status="open", amount_remaining=118_80)
    card(database, paying_ada, 4, NOW.year + 3)
    page = open_page("billing", bob, creator=paying_ada.workspace_id)
    assert_no_crash(page)
    assert not page.dataframe
    assert not ways_to_pay(page)
    assert "4242" not in words(page)
    assert not [one for one in page.button if str(one.key).startswith(("billing", "choose", "change"))]
    assert not page.number_input


def test_what_failed_says_what_happened_and_where_it_is_paid(
    open_page: OpenPage, paying_ada: Made, database: Connection
) -> None:
    becomes(database, status="past_due", unpaid_since=NOW)
    tries = NOW + timedelta(days=3)
    bill(database, paying_ada, "H-3", status="open", amount_remaining=118_80, failed_at=NOW, next_attempt_at=tries)
    page = open_page("billing", paying_ada)
    assert_no_crash(page)
    said = words(page)
    assert "Your last payment failed. Update how you pay by" in said
    assert "**$118.80** could not be charged on" in said
    assert "(invoice H-3)" in said
    assert "Stripe tries again on" in said
    assert ways_to_pay(page) == ["https://pay.example/H-3"]
    assert "To pay with another card" in said
    page.button(key="billing_check").click().run()
    assert_no_crash(page)
    assert "Stripe was asked just now." in words(page)


def test_drafts_beyond_the_allowance_have_their_price(
    open_page: OpenPage, paying_ada: Made, database: Connection, stripe: StripeServer
) -> None:
    metered = item(METER, 0, is_metered=True) | {"unit_amount": 2}
    becomes(database, items=[item("enterprise_monthly", 1), metered])
    charged = {"account_id": paying_ada.account_id, "month": month_of(NOW), "baseline": 30}
    database.execute(insert(UsageMeter).values(charged))
    counted = {"account_id": paying_ada.account_id, "month": month_of(NOW), "kind": GENERATIONS, "used": 20_150}
    database.execute(insert(UsageCounter).values(counted))
    page = open_page("billing", paying_ada)
    assert_no_crash(page)
    assert "120 drafts beyond those included: $2.40 so far this month, at $0.02 each." in words(page)


def test_money_and_dates_are_in_the_readers_language(
    open_page: OpenPage, ada: Made, database: Connection, stripe: StripeServer
) -> None:
    paying.subscribe(ada, "enterprise_yearly")
    edit_profile(ada.scope, language="fr")
    bill(database, ada, "H-1", created=datetime(2026, 3, 4, 12, tzinfo=UTC))
    page = open_page("billing", ada)
    assert_no_crash(page)
    table = page.dataframe[0].value
    assert list(table["Montant"]) == ["118,80\xa0$US"]
    assert list(table["Date"]) == ["4 mars 2026"]
    assert list(table["État"]) == ["Payée"]
    assert "Économisez 198,00\xa0$US par an (16,7 %)" in words(page), "who pays yearly begins with the year's prices"
