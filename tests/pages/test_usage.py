"""The page "AI costs", opened through the real entry."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.ai.protocol import Usage
from core.ai.routing import Tier, table
from core.ai.service import money, set_budget, set_shadow, tiers
from core.settings import settings
from dashboard.words import catalogue
from tests.insights.ledgers import SOL, attempt, kept
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.people import Made, make_person
from tests.workspaces.conftest import hire, subscribe

DRAFT = Usage(input=100, output=100)


@pytest.fixture
def openai(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`openai("gpt-4o")` sets the model of an installation that has a key; nothing is ever called."""

    def use(model: str | None = None) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", SecretStr("k").get_secret_value())
        if model:
            monkeypatch.setenv("AI_MODEL", model)
        settings.cache_clear()

    yield use
    settings.cache_clear()


def shown(page: AppTest) -> dict[str, str]:
    return {one.label: re.sub(r"\\(\W)", r"\1", one.value) for one in page.metric}


def test_before_a_model_was_asked_it_says_what_to_do(open_page: OpenPage, ada: Made) -> None:
    page = open_page("usage", ada)
    assert_no_crash(page)
    assert "No model was asked in this time" in words(page)
    assert not page.metric


def test_the_figures_stand_with_what_they_are_of(open_page: OpenPage, ada: Made) -> None:
    kept(ada.scope, uuid4(), [attempt(DRAFT)], became="unedited", characters=100, edited=0)
    kept(ada.scope, uuid4(), [attempt(DRAFT)], became="edited", characters=100, edited=30)
    kept(ada.scope, uuid4(), [attempt(None, outcome="timeout")], task="post")
    page = open_page("usage", ada)
    assert_no_crash(page)
    figures = shown(page)
    assert figures["Cost"] == "$0.00012"
    assert (figures["Requests"], figures["Calls"], figures["Tokens"]) == ("3", "3", "400")
    assert figures["Kept as written (n = 2)"] == "50.0%"
    assert figures["Escalated (n = 3)"] == "0.0%"
    assert figures["Changed of 100 (n = 2)"] == "15"
    said = words(page)
    assert f"against {SOL}, over 2 requests: $0.00012 spent" in said
    assert "1 call of unknown cost, no part of the sums: openai gpt-6-luna (1)" in said
    assert "1 request is left out" in said
    table_of = page.dataframe[0].value
    assert list(table_of["Task"]) == ["Caption", "Post"]
    assert list(table_of["Kept as written"]) == ["50.0% (n = 2)", "None yet"]


def test_each_table_is_shown_and_taken_along(open_page: OpenPage, ada: Made) -> None:
    kept(ada.scope, uuid4(), [attempt(DRAFT)])
    page = open_page("usage", ada)
    for part, column in (("days", "Day"), ("models", "Model"), ("people", "Person")):
        page.segmented_control(key="usage_by").set_value(part).run()
        assert_no_crash(page)
        assert column in page.dataframe[0].value.columns
        (link,) = page.get("link_button")
        assert f"/account/ai-costs/{ada.workspace_id}/{part}.csv?first=" in link.proto.url


def test_the_sample_is_shown_with_its_interval(open_page: OpenPage, ada: Made) -> None:
    theirs = attempt(Usage(input=100, output=200), model=SOL, purpose="shadow")
    for _ in range(2):
        kept(ada.scope, uuid4(), [attempt(DRAFT)], shadow=[theirs])
    page = open_page("usage", ada)
    assert_no_crash(page)
    assert "Sample: 2 calls to the large model for $0.0044" in words(page)
    sample = page.dataframe[0].value
    assert sample["Times our tokens"].iloc[0] == "2 (2 to 2)"
    assert sample["Used"].iloc[0] == "Not before 30 pairs"


def budget_part(open_page: OpenPage, made: Made, **more: object) -> AppTest:
    page = open_page("usage", made, **more)
    page.segmented_control(key="usage").set_value("budget").run()
    assert_no_crash(page)
    return page


def test_the_owner_sets_a_budget_and_sees_where_it_stands(open_page: OpenPage, ada: Made) -> None:
    page = budget_part(open_page, ada)
    assert "No limit is set" in words(page)
    assert "The sample is off" in words(page)
    page.number_input(key="usage_monthly").set_value(12.5)
    next(one for one in page.button if one.label == "Save").click().run()
    assert_no_crash(page)
    assert money(ada.scope).work.budget.monthly == 12_500_000_000
    assert "From 80 % on, only critical tasks" in words(page)


def test_the_sample_is_switched_on_with_its_own_budget(open_page: OpenPage, ada: Made) -> None:
    page = budget_part(open_page, ada)
    page.slider(key="usage_per_mille").set_value(15)
    page.number_input(key="usage_sample_monthly").set_value(2.0)
    next(one for one in reversed(page.button) if one.label == "Save").click().run()
    assert_no_crash(page)
    kept_as = money(ada.scope).work.budget
    assert (kept_as.shadow_per_mille, kept_as.shadow_monthly) == (15, 2_000_000_000)
    assert "15 of 1,000 drafts are sampled: $0.00 of $2.00" in words(page)


@pytest.mark.parametrize(("monthly", "sentence"), [("0", "The budget is used up"), ("1", "")])
def test_what_the_budget_does_is_said(open_page: OpenPage, ada: Made, monthly: str, sentence: str) -> None:
    set_budget(ada.scope, Decimal(monthly))
    page = budget_part(open_page, ada)
    assert ("used up" in words(page)) is bool(sentence)


def test_who_does_not_own_the_account_sees_and_cannot_set(open_page: OpenPage, ada: Made, bob: Made) -> None:
    set_shadow(ada.scope, 5, Decimal(1))
    subscribe(ada)
    hire(ada, bob, Role.MANAGER, (ada.workspace_id,))
    page = budget_part(open_page, bob, creator=ada.workspace_id)
    assert "The owner of the account sets the budget" in words(page)
    assert "5 of 1,000 drafts are sampled" in words(page)
    assert not page.number_input
    assert not page.slider


def test_a_tier_is_chosen_and_taken_back(open_page: OpenPage, ada: Made) -> None:
    kept(ada.scope, uuid4(), [attempt(DRAFT)], became="unedited", characters=9, edited=0)
    page = open_page("usage", ada)
    page.segmented_control(key="usage").set_value("tiers").run()
    assert_no_crash(page)
    assert "Small: kept as written 100.0% (n = 1)" in words(page)
    page.segmented_control(key="usage_tier_caption_small").set_value(Tier.LARGE).run()
    assert_no_crash(page)
    assert {one.task: one.chosen for one in tiers(ada.scope)}["caption"] is Tier.LARGE
    assert "usually Small" in words(page)
    page.button(key="usage_reset").click().run()
    assert_no_crash(page)
    assert not any(one.chosen for one in tiers(ada.scope))


def test_every_task_and_tier_has_its_words() -> None:
    needed = {f"usage.task_{task}" for task in table().tiers} | {f"usage.tier_{tier}" for tier in Tier}
    assert needed <= set(catalogue().keys("en"))


def test_the_owner_is_told_of_a_model_that_ends(open_page: OpenPage, ada: Made, openai: Callable[..., None]) -> None:
    openai("gpt-4o-mini")
    said = words(open_page("usage", ada))
    assert re.search(
        r"The model gpt-4o-mini of openai (is shut down on Jan 14, 2027, in \d+ days?|was shut down)", said
    )
    assert "gpt-6-luna follows it" in said


def test_a_model_without_a_price_is_named(open_page: OpenPage, ada: Made, openai: Callable[..., None]) -> None:
    openai("made-up-9")
    assert "No price is known for the model made-up-9 at openai" in words(open_page("usage", ada))


def test_with_the_usual_models_there_is_nothing_to_say(
    open_page: OpenPage, ada: Made, openai: Callable[..., None]
) -> None:
    openai()
    assert not open_page("usage", ada).warning


def test_it_speaks_french(open_page: OpenPage, database: Connection) -> None:
    zoe = make_person("Zoé", Role.CREATOR, language="fr")
    kept(zoe.scope, uuid4(), [attempt(DRAFT)], became="unedited", characters=100, edited=0)
    page = open_page("usage", zoe)
    assert_no_crash(page)
    assert "Gardées telles quelles (n = 1)" in shown(page)
