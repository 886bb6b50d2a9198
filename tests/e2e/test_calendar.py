"""A text from draft to the calendar in a real browser, approved by a client who has no account."""

from typing import TYPE_CHECKING

import pytest

from core.access import Role
from core.content.kinds import AssetStatus
from core.publishing.planning import today_of
from tests.people import make_person
from tests.publishing.conftest import in_state, state
from tests.web.serving import Served, come_in, idle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def test_a_text_is_submitted_approved_by_a_client_scheduled_and_shown(
    page: "Page", browser: "Browser", served: Served
) -> None:
    with served.doors():
        zoe = make_person("Zoe Calendar", Role.CREATOR, time_zone="Europe/Paris")
        asset_id = in_state(zoe.scope, AssetStatus.DRAFT, body="The harbour at dawn")
    come_in(page, served, served.token_for(zoe.user_id), "/calendar")
    page.get_by_role("heading", name="Calendar").wait_for()
    page.get_by_text("Nothing is planned").wait_for()
    page.get_by_role("radio", name="Texts under way").click()
    page.get_by_role("button", name="The harbour at dawn").click()
    page.get_by_role("button", name="Send for review").click()
    page.get_by_text("Ask a client").click()
    page.get_by_label("Client’s name").fill("Acme")
    page.get_by_role("button", name="Make a link").click()
    url = page.get_by_test_id("stCode").inner_text().strip()

    with browser.new_context(locale="en-US") as outside:
        client = outside.new_page()
        client.goto(url)
        client.get_by_text("The harbour at dawn").wait_for()
        client.get_by_role("button", name="Approve").click()
        client.get_by_text("Your approval was noted").wait_for()
        client.goto(url)
        client.get_by_role("alert").wait_for()

    page.reload()
    idle(page)
    page.get_by_role("radio", name="Texts under way").click()
    page.get_by_role("button", name="The harbour at dawn").click()
    page.get_by_text("Acme (client) approved version 1").wait_for()
    page.get_by_role("button", name="Schedule", exact=True).click()
    page.get_by_text("The text is scheduled.").wait_for()
    page.get_by_test_id("stMainBlockContainer").get_by_role("button", name="Close").click()
    with served.doors():
        assert state(zoe.scope, asset_id) is AssetStatus.SCHEDULED
    page.get_by_role("radio", name="Week").click()
    if today_of("Europe/Paris").weekday() == 6:
        page.get_by_role("button", name="Later").click()
    page.get_by_role("cell").get_by_text("12:00").wait_for()
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("table").wait_for(state="hidden")
    page.get_by_text("The harbour at dawn").last.wait_for()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
