"""The notice on every page that the account's plan needs somebody."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, update
from streamlit.testing.v1 import AppTest

from core.billing.models import SubscriptionRecord
from core.billing.plans import PlanName
from core.identity.service import edit_profile
from tests import paying
from tests.billing.conftest import give_plan
from tests.billing.test_choosing import let_in
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.people import Made

NOW = datetime.now(UTC)
PAST_DUE = {"status": "past_due", "unpaid_since": NOW}
STATES = {
    "past due": (PAST_DUE, "Your last payment failed", "The last payment for this account failed"),
    "grace over": (
        PAST_DUE | {"unpaid_since": NOW - timedelta(days=8)},
        "Your payment is still open",
        "A payment for this account is still open",
    ),
    "unpaid": ({"status": "unpaid"}, "Invoices are open", "Invoices of this account are open"),
    "paused": ({"status": "paused"}, "While the subscription is paused", "The subscription of this account is paused"),
}


@pytest.fixture
def paying_ada(ada: Made) -> Made:
    paying.subscribe(ada)
    return ada


def becomes(database: Connection, **facts: object) -> None:
    database.execute(update(SubscriptionRecord).values(**facts))


def ways(page: AppTest) -> list[str]:
    return [one.proto.page for one in page.get("page_link")]


@pytest.mark.parametrize("state", STATES)
def test_every_page_says_what_is_wrong_and_the_owner_finds_the_way(
    open_page: OpenPage, paying_ada: Made, database: Connection, state: str
) -> None:
    facts, sentence, _ = STATES[state]
    becomes(database, **facts)
    for name in ("home", "analytics", "settings"):
        page = open_page(name, paying_ada)
        assert_no_crash(page)
        assert sentence in words(page), name
        assert "billing" in ways(page)
    assert words(open_page("billing", paying_ada)).count(sentence) == 1, "Billing says it itself"


@pytest.mark.parametrize("state", STATES)
def test_others_are_told_whom_to_ask(
    open_page: OpenPage, paying_ada: Made, bob: Made, database: Connection, state: str
) -> None:
    facts, of_owners, of_others = STATES[state]
    let_in(paying_ada.scope, bob.user_id)
    becomes(database, **facts)
    page = open_page("home", bob, creator=paying_ada.workspace_id)
    assert_no_crash(page)
    said = words(page)
    assert of_others in said
    assert "ask Ada to" in said
    assert of_owners not in said
    own = words(open_page("home", bob, creator=bob.workspace_id))
    assert of_others not in own, "bob's own account owes nothing"
    both = words(open_page("home", bob, creator="all"))
    assert f"Ada: {of_others}" in both, "of two accounts it says which"


def test_in_french(open_page: OpenPage, paying_ada: Made, database: Connection) -> None:
    edit_profile(paying_ada.scope, language="fr")
    becomes(database, **PAST_DUE)
    assert "Votre dernier paiement a échoué" in words(open_page("home", paying_ada))


@pytest.mark.parametrize(("days", "is_said"), [(6, True), (8, False)])
def test_an_end_within_seven_days_is_said_to_owners_only(
    open_page: OpenPage, paying_ada: Made, bob: Made, database: Connection, days: int, is_said: bool
) -> None:
    let_in(paying_ada.scope, bob.user_id)
    becomes(database, cancel_at=NOW + timedelta(days=days))
    assert ("Your plan ends on" in words(open_page("home", paying_ada))) is is_said
    assert "ends on" not in words(open_page("home", bob, creator=paying_ada.workspace_id))


def test_nothing_is_said_while_all_is_well_or_the_plan_is_given(
    open_page: OpenPage, paying_ada: Made, database: Connection
) -> None:
    page = open_page("home", paying_ada)
    assert not page.warning
    becomes(database, status="unpaid")
    give_plan(paying_ada, PlanName.ENTERPRISE)
    assert not open_page("home", paying_ada).warning


def test_the_plan_is_not_asked_for_at_every_rerun(open_page: OpenPage, paying_ada: Made, database: Connection) -> None:
    page = open_page("home", paying_ada)
    becomes(database, status="unpaid")
    page.run()
    assert not page.warning, "a minute behind at most"
    kept = page.session_state["billing_kept"]
    page.session_state["billing_kept"] = {one: (at - 61, view) for one, (at, view) in kept.items()}
    page.run()
    assert "Invoices are open" in words(page)
