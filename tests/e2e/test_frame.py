"""What only a browser shows of the frame: a choice that outlives a reload, a dialog, and the way out."""

import re
from typing import TYPE_CHECKING

import pytest

from core import demo
from core.access import Role
from core.workspaces.service import open_scope
from tests.people import Made, make_person
from tests.web.serving import Served, come_in, idle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def mara(served: Served) -> Made:
    """Runs an agency with two creators and a Demo."""
    with served.doors():
        made = make_person("Mara Frame", Role.MANAGER, creators=2)
        demo.add_to(made.scope)
    return made


def test_a_creator_is_chosen_kept_over_a_reload_and_the_demo_removed(page: "Page", served: Served, mara: Made) -> None:
    come_in(page, served, served.token_for(mara.user_id))
    page.get_by_role("radio", name="Demo").click()
    page.get_by_text("Creator: Demo").wait_for()
    page.get_by_role("link", name="Analytics").click()
    page.get_by_role("heading", name="Analytics").wait_for()
    page.reload()
    idle(page)
    page.get_by_text("Creator: Demo").wait_for()
    page.get_by_role("button", name="Remove the Demo").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").wait_for(state="detached")
    page.get_by_role("button", name="Remove the Demo").click()
    page.get_by_role("button", name="Remove it").click()
    page.get_by_text("The Demo is gone.").wait_for()
    page.get_by_text("This page shows one creator at a time. Choose one.").wait_for()
    with served.doors():
        assert open_scope(mara.user_id).workspace_ids == set(mara.workspace_ids)


def test_the_language_and_the_way_out(page: "Page", served: Served, mara: Made) -> None:
    come_in(page, served, served.token_for(mara.user_id))
    page.get_by_role("combobox", name=re.compile("Language")).click()
    page.get_by_role("option", name="Français").click()
    page.get_by_role("heading", name="Accueil").wait_for()
    page.get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url("**/account/sign-in")
    page.goto(served.url)
    assert "/account/sign-in" in page.url
