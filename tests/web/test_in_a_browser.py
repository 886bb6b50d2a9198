"""Coming in and going out as a person does it, in a real browser."""

import re
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from core.identity.sessions import close_session
from tests.web.serving import PASSWORD, Serve, Served, come_in, idle

pytestmark = pytest.mark.browser
_NUMBERS = count()


@pytest.fixture
def email() -> str:
    return f"browser{next(_NUMBERS)}@example.com"


def test_from_sign_up_to_the_page_and_out_again(playground: Served, page: Page, email: str) -> None:
    page.goto(f"{playground.url}/?from=link")
    expect(page).to_have_url(re.compile(r"/account/sign-in\?next="))
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create an account").click()
    idle(page)
    assert page.url == f"{playground.url}/?from=link"
    page.get_by_role("button", name="click").click()
    expect(page.get_by_text("clicks 1")).to_be_visible()


def test_the_keyboard_is_enough_and_mistakes_are_announced(playground: Served, page: Page, email: str) -> None:
    playground.sign_up(email)
    page.goto(f"{playground.url}/account/sign-in")
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The e-mail or the password is not right.")
    expect(page.get_by_label("E-mail")).to_have_value(email)
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Password")).to_have_value("")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    idle(page)
    assert page.url == f"{playground.url}/"


def test_a_click_in_a_tab_whose_session_is_over_lands_on_sign_in(playground: Served, page: Page, email: str) -> None:
    token = playground.sign_up(email)
    come_in(page, playground, token)
    with playground.doors():
        close_session(token)
    page.get_by_role("button", name="click").click()
    page.wait_for_url("**/account/sign-in**")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.fixture(scope="module")
def everything(serve: Serve) -> Served:
    return serve(target="tests.web.playground.serve_everything:app", worker=False)


def test_the_content_policy_lets_every_element_be_drawn(everything: Served, page: Page, email: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    come_in(page, everything, everything.sign_up(email))
    for drawn in (".js-plotly-plot .main-svg", "[data-testid=stDataFrame] canvas", "[data-testid=stMetricValue]"):
        page.locator(drawn).first.wait_for()
    statement = {"name": "a.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
    page.set_input_files("input[type=file]", files=[statement])  # type: ignore[list-item]
    expect(page.get_by_role("button", name="Remove a.csv")).to_be_visible()
    page.locator("button.sign-out").click()
    page.wait_for_url("**/account/sign-in**")
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/account/sign-in", "/account/sign-up", "/account/sign-in?lang=fr", "/account/nowhere"]
)
def test_pages_fit_a_phone_and_are_legible(playground: Served, browser: Browser, path: str, scheme: Any) -> None:
    narrow = browser.new_context(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    with narrow as context:
        page = context.new_page()
        page.goto(f"{playground.url}/account/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        for element in page.locator("h1, label, p, a, button, input:visible").all():
            assert element.evaluate(_CONTRAST) >= 4.5, element.inner_text()


_CONTRAST = """element => {
    const rgb = text => text.match(/[\\d.]+/g).map(Number);
    const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
    let ground = element;
    while (rgb(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
    const pair = [light(rgb(getComputedStyle(element).color)), light(rgb(getComputedStyle(ground).backgroundColor))];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}"""
