"""To a provider on another site and back, in a real browser: what its cookie and content rules allow."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.peers.oidc_mock import oidc_mock
from tests.peers.oidc_server import CLIENT, SECRET
from tests.web.serving import PASSWORD, Serve, Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(serve: Serve) -> Iterator[Served]:
    with oidc_mock("localhost") as issuer:
        keys = {"OIDC_ISSUER": issuer, "OIDC_NAME": "Acme", "OIDC_CLIENT_ID": CLIENT, "OIDC_CLIENT_SECRET": SECRET}
        yield serve(keys, target="core.sidecar.app:app", worker=False)


def be_at_the_provider(page: Page, sub: str) -> None:
    page.wait_for_url("http://localhost:*/oauth2/authorize**")
    page.locator("input[name=sub]").fill(sub)
    page.locator("input[name=sub]").press("Enter")


def test_there_and_back_again(site: Served, page: Page) -> None:
    page.goto(f"{site.url}/account/sign-in?next=/account/security")
    page.get_by_role("link", name="Go on with Acme").click()
    be_at_the_provider(page, "ada@example.com")
    page.wait_for_url(f"{site.url}/account/security")
    expect(page.get_by_text("ada@example.com")).to_be_visible()


def test_linking_goes_on_by_itself_and_then_lets_in(site: Served, page: Page) -> None:
    site.sign_up("grace@example.com")
    page.goto(f"{site.url}/account/sign-in?next=/account/security")
    page.get_by_label("E-mail").fill("grace@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="See what is linked").click()
    page.get_by_role("button", name="Link Acme").click()
    be_at_the_provider(page, "another@example.com")
    expect(page.get_by_role("status")).to_contain_text("you can sign in that way")
    page.context.clear_cookies()
    page.goto(f"{site.url}/account/sign-in?next=/account/security")
    page.get_by_role("link", name="Go on with Acme").click()
    be_at_the_provider(page, "another@example.com")
    expect(page.get_by_text("grace@example.com")).to_be_visible()


def test_whoever_denies_comes_back_to_a_sentence(site: Served, page: Page) -> None:
    page.goto(f"{site.url}/account/sign-up")
    page.get_by_role("link", name="Go on with Acme").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("alert")).to_contain_text("You did not go through with Acme")
