"""A subscription's life in a real browser: bought, made larger, given seats, cancelled, kept; and what was billed."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.orm import Session

from core.access import Permission, Role, Scope
from core.billing.models import SubscriptionRecord
from core.use_case import use_case
from tests.peers.stripe_server import KEY, SECRET, StripeServer
from tests.people import Made, make_person
from tests.web.serving import Serve, Served, come_in, idle

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stripe() -> Iterator[StripeServer]:
    with StripeServer() as peer:
        yield peer


@pytest.fixture(scope="module")
def product(serve: Serve, stripe: StripeServer) -> Served:
    running = serve({"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRETS": SECRET, "STRIPE_API_BASE": stripe.url})
    stripe.bells.url = f"{running.url}/webhooks/stripe"
    return running


@use_case(Permission.MANAGE_BILLING)
def _tried_before(session: Session, scope: Scope) -> None:
    """A trial that is over, so that what is bought is paid for at once."""
    then = datetime(2026, 1, 1, tzinfo=UTC)
    session.add(
        SubscriptionRecord(
            account_id=scope.account_id,
            stripe_id="sub_before",
            customer_id="cus_before",
            status="canceled",
            lookup_key="pro_monthly",
            quantity=1,
            created=then,
            current_period_start=then,
            current_period_end=then,
            trial_end=then,
            ended_at=then,
            cancel_at_period_end=False,
        )
    )


@pytest.fixture(scope="module")
def mona(product: Served) -> Made:
    with product.doors():
        made = make_person("Mona", Role.CREATOR)
        _tried_before(made.scope)
    return made


def test_a_plan_is_bought_changed_cancelled_and_kept(
    page: "Page", product: Served, mona: Made, stripe: StripeServer
) -> None:
    come_in(page, product, product.token_for(mona.user_id), "/billing")
    _buy(page)
    _grow(page)
    _add_seats(page)
    _leave_and_stay(page)
    subscription = stripe.world.every("subscription")[0]
    assert (subscription["status"], subscription["cancel_at_period_end"]) == ("active", False)
    sold = {each["price"]["lookup_key"]: each.get("quantity") for each in subscription["items"]["data"]}
    assert (sold["enterprise_monthly"], sold["enterprise_seat_monthly"]) == (1, 2)
    page.reload()
    idle(page)
    page.get_by_role("heading", name="Invoices").wait_for()
    page.get_by_test_id("stDataFrame").wait_for()
    assert len(stripe.world.every("invoice")) == 3


def _buy(page: "Page") -> None:
    page.get_by_role("button", name="Choose Pro").click()
    page.get_by_role("link", name="Continue to payment").click()
    page.get_by_role("button", name="Pay", exact=True).click()
    page.get_by_role("heading", name="Your plan: Pro").wait_for(timeout=60_000)
    idle(page)


def _grow(page: "Page") -> None:
    page.get_by_role("button", name="Change to Enterprise").click()
    question = _question(page, "Change to Enterprise, monthly?")
    question.get_by_text("Time paid for and not used").wait_for()
    shown = question.get_by_role("table").inner_text()
    assert re.search(r"-\$(28\.99|29\.00)", shown), shown
    assert re.search(r"\$(98\.99|99\.00)", shown), shown
    assert "$70.00" in shown or "$69.99" in shown, shown
    question.get_by_role("button", name="Confirm").click()
    page.get_by_role("heading", name="Your plan: Enterprise").wait_for()
    idle(page)


def _add_seats(page: "Page") -> None:
    page.get_by_label("Creators beyond 25").fill("2")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Change the number of creators").click()
    question = _question(page, "Change the number of creators?")
    question.get_by_text("Creators beyond those included: 2").wait_for()
    question.get_by_role("button", name="Confirm").click()
    page.get_by_text("2 creators beyond those included").wait_for()
    page.get_by_text("1 of 27").wait_for()
    idle(page)


def _leave_and_stay(page: "Page") -> None:
    page.get_by_role("button", name="Cancel the subscription").click()
    question = _question(page, "Cancel the subscription?")
    question.get_by_role("combobox").click()
    page.get_by_role("option", name="It is too expensive").click()
    question.get_by_role("textbox").last.fill("Fewer creators this season")
    question.get_by_role("button", name="Cancel the subscription").click()
    page.get_by_text(re.compile("^Your plan ends on")).wait_for()
    page.get_by_role("button", name="Keep my plan").click()
    page.get_by_text("Your plan stays as it is.").wait_for()
    page.get_by_text(re.compile("^Your plan ends on")).wait_for(state="detached")


def _question(page: "Page", title: str) -> "Locator":
    question = page.get_by_role("dialog", name=title)
    question.wait_for()
    return question
