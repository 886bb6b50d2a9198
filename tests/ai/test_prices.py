"""What an answer costs, to the billionth of a dollar, and what is said when nobody knows."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ai.prices import Model, cost, cost_nano, model_of, models
from core.ai.protocol import Usage
from core.ai.routing import Reason, Tier, route, table

counts = st.integers(0, 50_000)
usages = st.builds(Usage, input=counts, cache_read=counts, output=counts, reasoning=counts)


def known(provider: str, name: str) -> Model:
    found = model_of(provider, name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("provider", "name", "expected"),
    [
        ("openai", "gpt-4o", "325.00"),
        ("openai", "gpt-4o-mini", "19.50"),
        ("azure", "gpt-4o-mini", "19.50"),
        ("openai", "gpt-6-luna", "15.00"),
        ("openai", "gpt-6.1-sol", "300.00"),
        ("anthropic", "claude-haiku-5-5", "15.00"),
        ("anthropic", "claude-sonnet-5-5", "300.00"),
    ],
)
def test_a_hundred_thousand_requests(provider: str, name: str, expected: str) -> None:
    """500 tokens in and 200 out, 100,000 times: 325 dollars on gpt-4o, 19.50 on its small sister."""
    each = cost(Usage(input=500, output=200), known(provider, name))
    assert each is not None
    assert each * 100_000 == Decimal(expected)


def test_buckets_have_prices_of_their_own() -> None:
    model = known("anthropic", "claude-haiku-5-5")
    per_million = {
        "input": "0.10",
        "cache_read": "0.01",
        "cache_write": "0.125",
        "output": "0.50",
        "reasoning": "0.50",
    }
    for bucket, price in per_million.items():
        assert cost(Usage(**{bucket: 50_000}), model) == Decimal(price) / 20


@given(usages, usages)
def test_costs_add_up(one: Usage, other: Usage) -> None:
    model = known("openai", "gpt-4o")
    parts = cost_nano(one, model), cost_nano(other, model)
    assert cost_nano(one + other, model) == sum(part for part in parts if part is not None)


def test_unknown_is_not_a_price() -> None:
    usage = Usage(input=1)
    assert cost_nano(usage, model_of("openai", "gpt-4o-mini-ultra")) is None
    assert cost_nano(usage, model_of("openai", "gpt-4")) is None
    assert cost_nano(usage, model_of("compatible", "gpt-4o")) is None
    assert cost_nano(usage, model_of("anthropic", "gpt-4o")) is None
    assert cost_nano(Usage(cache_write=1), known("openai", "gpt-4o")) is None
    assert cost_nano(Usage(input=272_001), known("openai", "gpt-6-luna")) is None
    assert cost_nano(Usage(input=272_000), known("openai", "gpt-6-luna")) == 27_200_000


def test_the_name_that_the_vendor_gives_comes_first() -> None:
    assert model_of("azure", "gpt-4o-mini-2024-07-18", "our-deployment") == known("azure", "gpt-4o-mini-2024-07-18")
    assert model_of("azure", None, "gpt-4o") == known("azure", "gpt-4o")
    assert model_of("azure", "who-knows", "our-deployment") is None


def test_every_row_says_where_it_is_from() -> None:
    assert len(models()) > 40
    for (provider, name), model in models().items():
        assert model.source, name
        assert model.checked_on <= date(2026, 11, 22)
        assert model.successor is None or (provider, model.successor) in models()


@pytest.mark.parametrize("name", ["gpt-4o", "gpt-4o-mini"])
def test_the_old_pair_leaves_openai(name: str) -> None:
    model = known("openai", name)
    assert model.shutdown == date(2027, 1, 14)
    assert not model.is_gone(date(2027, 1, 13))
    assert model.is_gone(date(2027, 1, 14))
    assert model.successor is not None


def test_the_task_chooses_the_tier() -> None:
    today = date(2026, 11, 22)
    for task, tier in table().tiers.items():
        for provider, by_tier in table().models.items():
            routed = route(task, provider, configured=None, on=today)
            assert (routed.tier, routed.model, routed.reason) == (tier, by_tier[tier], Reason.TIER)
            assert model_of(provider, routed.model) is not None
    assert table().tiers["caption"] is Tier.SMALL
    assert table().tiers["analysis"] is Tier.LARGE


def test_what_the_installation_names_wins_until_it_is_gone() -> None:
    before, after = date(2027, 1, 13), date(2027, 1, 14)
    assert route("caption", "openai", configured="gpt-4o-mini", on=before).reason is Reason.CONFIGURED
    moved = route("caption", "openai", configured="gpt-4o-mini", on=after)
    assert (moved.model, moved.reason) == ("gpt-6-luna", Reason.SUCCESSOR)
    assert route("caption", "azure", configured="ours", on=after).model == "ours"


def test_a_task_that_nobody_listed_is_refused() -> None:
    with pytest.raises(KeyError):
        route("mind reading", "openai", configured=None, on=date(2026, 11, 22))
