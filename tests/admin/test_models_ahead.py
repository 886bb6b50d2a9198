"""On Operations staff see which models end soon, what follows them, and which have no price."""

from collections.abc import Callable, Iterator

import pytest
import time_machine
from streamlit.testing.v1 import AppTest

from core.errors import NotAllowed
from core.insights.health import models
from core.settings import settings
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.people import Made


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Sets an installation's own settings; no vendor is ever called."""

    def change(**given: str) -> None:
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    yield change
    settings.cache_clear()


def opened(open_page: OpenPage, staff: Made) -> AppTest:
    page = open_page("admin", staff)
    page.segmented_control(key="admin_tab").set_value("operations").run()
    assert_no_crash(page)
    return page


@pytest.mark.parametrize(("on", "days"), [("2026-11-22", 53), ("2027-01-13", 1), ("2027-01-14", 0)])
def test_the_pair_that_leaves_is_counted_down(staff: Made, use: Callable[..., None], on: str, days: int) -> None:
    use(OPENAI_API_KEY="k", AI_MODEL="gpt-4o-mini", AI_MODEL_LARGE="gpt-4o")
    with time_machine.travel(f"{on}T12:00:00Z"):
        ahead = models(staff.scope)
    assert [(one.model, one.successor, one.days) for one in ahead.ending] == [
        ("gpt-4o", "gpt-6.1-sol", days),
        ("gpt-4o-mini", "gpt-6-luna", days),
    ]


def test_operations_shows_them_with_what_follows(open_page: OpenPage, staff: Made, use: Callable[..., None]) -> None:
    use(OPENAI_API_KEY="k", AI_MODEL="gpt-4o-mini", AI_MODEL_LARGE="made-up-9")
    page = opened(open_page, staff)
    said = words(page)
    assert "The model gpt-4o-mini of openai" in said
    assert "gpt-6-luna follows it" in said
    assert "No price is known for the model made-up-9 at openai" in said


def test_a_server_of_ones_own_needs_no_price(staff: Made, use: Callable[..., None]) -> None:
    use(COMPATIBLE_BASE_URL="http://127.0.0.1:9/v1", AI_MODEL="llama")
    assert models(staff.scope).unpriced == ()


def test_settings_that_are_incomplete_are_said_and_the_rest_is_shown(
    open_page: OpenPage, staff: Made, use: Callable[..., None]
) -> None:
    use(AI_PROVIDER="azure")
    page = opened(open_page, staff)
    assert "also needs" in words(page)
    assert page.metric


def test_it_is_for_staff(ada: Made) -> None:
    with pytest.raises(NotAllowed):
        models(ada.scope)
