"""The main job in a real browser, on real input: sign up, be onboarded, import, see, write, pay; the plan changes.

Stripe and the model are met at the wire by servers of ours, so the real SDKs run, in the worker and in the pages.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from core.earnings.sample import statement_csv
from tests.peers.model_server import ModelServer, Turn
from tests.peers.stripe_server import KEY, SECRET, StripeServer
from tests.web.serving import PASSWORD, Serve, Served, idle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

TODAY = datetime.now(UTC).date()
DRAFT = "Sunday lights are low and the kettle is on. New set tonight for those who stay up."


@pytest.fixture(scope="module")
def stripe() -> Iterator[StripeServer]:
    with StripeServer() as peer:
        yield peer


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer(
        default=Turn(text=f"{DRAFT}\n===\nThe kettle sings.\n===\nStay up with me tonight.", pause=0.05)
    ) as peer:
        yield peer


@pytest.fixture(scope="module")
def product(serve: Serve, stripe: StripeServer, model: ModelServer) -> Served:
    running = serve(
        {
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_WEBHOOK_SECRETS": SECRET,
            "STRIPE_API_BASE": stripe.url,
            "OPENAI_API_KEY": "test-key",
            "OPENAI_BASE_URL": f"{model.url}/v1",
        }
    )
    stripe.bells.url = f"{running.url}/webhooks/stripe"
    return running


def test_from_signing_up_to_a_paid_plan(page: "Page", product: Served) -> None:
    _sign_up(page, product)
    _be_onboarded(page)
    _import_and_see(page, product)
    _write_and_keep(page, product)
    _pay(page, product)


def _sign_up(page: "Page", product: Served) -> None:
    page.goto(product.url)
    assert page.url.startswith(f"{product.url}/account/sign-in")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create an account").click()
    idle(page)


def _be_onboarded(page: "Page") -> None:
    page.get_by_role("heading", name="You and your goal").wait_for()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("heading", name="Profile").wait_for()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("heading", name="Platforms").wait_for()
    page.get_by_role("button", name="OnlyFans").click()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("heading", name="Your voice").wait_for()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("heading", name="Plan", exact=True).wait_for()
    page.get_by_role("button", name="Stay on this plan").click()
    page.get_by_role("heading", name="First result").wait_for()


def _import_and_see(page: "Page", product: Served) -> None:
    page.goto(f"{product.url}/analytics")
    idle(page)
    statement = statement_csv(seed=7, rows=10_000, start=TODAY - timedelta(days=85), end=TODAY)
    _choose_file(page, statement, "statement.csv")
    assert _measure(page, "New rows") == "10,000"
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_text(re.compile("^Imported: 10,000 new rows")).wait_for(timeout=60_000)
    idle(page)
    page.locator(".js-plotly-plot").first.wait_for()
    assert page.locator(".js-plotly-plot").count() == 4
    page.get_by_role("radio", name="Import and history").click()
    _choose_file(page, statement, "again.csv")
    page.get_by_text("This very file was imported on").wait_for()
    assert (_measure(page, "New rows"), _measure(page, "Known rows")) == ("0", "10,000")


def _choose_file(page: "Page", content: bytes, name: str) -> None:
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Import", exact=True).wait_for(timeout=60_000)
    idle(page)


def _measure(page: "Page", label: str) -> str:
    metric = page.get_by_test_id("stMetric").filter(has_text=label)
    return metric.get_by_test_id("stMetricValue").inner_text()


def _write_and_keep(page: "Page", product: Served) -> None:
    page.goto(f"{product.url}/content")
    idle(page)
    page.get_by_role("textbox", name="What is it about?").fill("A new set tonight, cosy Sunday mood")
    page.get_by_role("button", name="Write a draft").click()
    page.get_by_role("button", name="Save to the library").wait_for(timeout=60_000)
    assert page.get_by_role("textbox", name="Text", exact=True).input_value() == DRAFT
    page.get_by_role("button", name="Save to the library").click()
    page.get_by_text(re.compile("^Saved:")).wait_for()


def _pay(page: "Page", product: Served) -> None:
    page.goto(f"{product.url}/billing")
    idle(page)
    page.get_by_role("heading", name="Your plan: Free").wait_for()
    page.get_by_role("button", name="Choose Pro").click()
    page.get_by_role("link", name="Continue to payment").click()
    page.get_by_role("button", name="Pay", exact=True).click()
    page.get_by_role("heading", name="Your plan: Pro").wait_for(timeout=60_000)
