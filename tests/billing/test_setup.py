"""`python3 -m core.jobs stripe-setup`: an empty Stripe account becomes ours, and stays as it is."""

from collections.abc import Callable

import pytest
import stripe as sdk

from core.billing.plans import CATALOGUE, METERED
from core.billing.setup import Outcome, set_up
from core.billing.stripe_account import EVENTS
from core.billing.stripe_catalogue import PricePiece
from core.errors import BadInput, Conflict, NotConfigured, NotFound, Unavailable
from core.jobs.command import main
from core.settings import settings
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_world import World

HOME = "https://huntaze.example"


@pytest.fixture
def empty(stripe: StripeServer, monkeypatch: pytest.MonkeyPatch) -> StripeServer:
    """A Stripe account in which nobody has done anything yet."""
    stripe.world._kept.clear()
    monkeypatch.setenv("PUBLIC_URL", HOME)
    settings.cache_clear()
    return stripe


def outcomes() -> dict[str, Outcome]:
    return {line.title: line.outcome for line in set_up()}


def writes(server: StripeServer) -> int:
    return sum(verb != "get" for verb, *_ in server.requests)


def only(world: World, kind: str) -> dict[str, object]:
    (one,) = world.every(kind)
    return one


def test_an_empty_account_gets_everything(empty: StripeServer, capsys: pytest.CaptureFixture[str]):
    assert main(["stripe-setup"]) == 0
    said = capsys.readouterr().out
    world = empty.world
    prices = {each["lookup_key"]: each for each in world.every("price")}
    assert set(prices) == set(CATALOGUE)
    meter = only(world, "billing.meter")
    assert (meter["event_name"], meter["default_aggregation"]) == ("ai_generation", {"formula": "sum"})
    for key, offer in CATALOGUE.items():
        price = prices[key]
        every = price["recurring"]
        assert (price["unit_amount"], price["currency"]) == (offer.list_amount, offer.currency.lower())
        assert every["interval"] == {1: "month", 12: "year"}[offer.months]
        assert (every["usage_type"], every["meter"]) == (
            ("metered", meter["id"]) if key in METERED else ("licensed", None)
        )
        assert price["metadata"] == {"lookup_key": key}
    assert {each["id"] for each in world.every("product")} == {each["product"] for each in prices.values()}
    portal = only(world, "billing_portal.configuration")
    assert portal["metadata"] == {"huntaze": "default"}
    features = portal["features"]
    assert features["customer_update"]["allowed_updates"] == ["address", "email", "name", "tax_id"]  # type: ignore[index]
    assert features["subscription_cancel"]["mode"] == "at_period_end"  # type: ignore[index]
    assert len(features["subscription_cancel"]["cancellation_reason"]["options"]) == 8  # type: ignore[index]
    assert features["subscription_update"]["enabled"] is False  # type: ignore[index]
    endpoint = only(world, "webhook_endpoint")
    assert endpoint["url"] == f"{HOME}/webhooks/stripe"
    assert (endpoint["api_version"], endpoint["enabled_events"]) == (sdk.api_version, list(EVENTS))
    assert said.count(": created") == said.count("\n") - 1
    assert f"STRIPE_WEBHOOK_SECRETS=whsec_of_{endpoint['id']}" in said
    assert all(key for verb, _, _, key in empty.requests if verb == "post")


def test_a_second_run_writes_nothing_and_says_so(empty: StripeServer, capsys: pytest.CaptureFixture[str]):
    assert main(["stripe-setup", "--check"]) == 1
    assert writes(empty) == 0
    assert "price pro_monthly: missing" in capsys.readouterr().out
    assert main(["stripe-setup"]) == 0
    before = writes(empty)
    capsys.readouterr()
    assert main(["stripe-setup"]) == 0
    said = capsys.readouterr().out
    assert main(["stripe-setup", "--check"]) == 0
    assert writes(empty) == before
    assert all(line.endswith(": as it should be") for line in said.splitlines())
    assert capsys.readouterr().out == said


def _price(world: World) -> dict[str, object]:
    return world.price_of("pro_monthly")


def _features(world: World) -> dict[str, dict[str, object]]:
    return world.every("billing_portal.configuration")[0]["features"]  # type: ignore[no-any-return]


BY_HAND: list[dict[str, Callable[[World], object]]] = [
    {
        "product huntaze_pro": lambda w: w.find("product", "huntaze_pro").update(active=False),
        "meter ai_generation": lambda w: w.every("billing.meter")[0].update(status="inactive"),
        "price pro_monthly": lambda w: _price(w).update(active=False),
        "portal configuration": lambda w: _features(w)["subscription_update"].update(enabled=True),
        "webhook endpoint": lambda w: w.every("webhook_endpoint")[0].update(status="disabled"),
    },
    {
        "product huntaze_pro": lambda w: w.find("product", "huntaze_pro").update(name="Test"),
        "price pro_monthly": lambda w: _price(w).update(metadata={}),
        "portal configuration": lambda w: _features(w)["invoice_history"].update(enabled=False),
        "webhook endpoint": lambda w: w.every("webhook_endpoint")[0].update(url="https://old.example"),
    },
    {
        "price pro_monthly": lambda w: _price(w).update(unit_amount=1),
        "portal configuration": lambda w: w.every("billing_portal.configuration")[0].update(active=False),
        "webhook endpoint": lambda w: w.every("webhook_endpoint")[0].update(enabled_events=["invoice.paid"]),
    },
    {"price pro_monthly": lambda w: _price(w)["recurring"].update(interval="year")},  # type: ignore[attr-defined]
]


@pytest.mark.parametrize("changes", BY_HAND)
def test_what_was_changed_by_hand_is_put_right_as_often_as_it_is(
    empty: StripeServer, changes: dict[str, Callable[[World], object]]
):
    """Also the second time, though Stripe still has an answer for the first repair's key."""
    outcomes()
    for _ in range(2):
        for by_hand in changes.values():
            by_hand(empty.world)
        before = writes(empty)
        seen = {line.title for line in set_up(is_check=True) if line.outcome is Outcome.DIFFERS}
        assert (seen, writes(empty)) == (set(changes), before)
        repaired = outcomes()
        assert {title for title, outcome in repaired.items() if outcome is Outcome.MENDED} == set(changes)
        assert set(repaired.values()) == {Outcome.MENDED, Outcome.RIGHT}
        assert set(outcomes().values()) == {Outcome.RIGHT}


@pytest.mark.parametrize("kind", ["billing_portal.configuration", "webhook_endpoint", "price", "billing.meter"])
def test_what_was_removed_is_made_again(empty: StripeServer, kind: str):
    outcomes()
    held = {each.get("lookup_key") for each in empty.world.every(kind)}
    for _ in range(2):
        empty.world._kept[kind].clear()
        assert Outcome.MADE in outcomes().values()
        assert {each.get("lookup_key") for each in empty.world.every(kind) if each.get("active", True)} == held
        assert set(outcomes().values()) == {Outcome.RIGHT}


def test_a_changed_amount_leaves_those_who_pay_the_old_price_there(empty: StripeServer):
    outcomes()
    world = empty.world
    old = world.price_of("pro_monthly")
    old["unit_amount"] = 19_00
    customer = world.add_customer()["id"]
    subscription = world.subscribe(customer, old["id"])
    outcomes()
    new = world.price_of("pro_monthly")
    assert (new["unit_amount"], new["id"] == old["id"], old["lookup_key"]) == (29_00, False, None)
    assert subscription["items"]["data"][0]["price"]["id"] == old["id"]
    assert old["metadata"] == {"lookup_key": "pro_monthly"}, "by which we still know what was sold"


def test_what_nobody_can_change_is_said_and_left(empty: StripeServer, capsys: pytest.CaptureFixture[str]):
    main(["stripe-setup"])
    empty.world.every("webhook_endpoint")[0]["api_version"] = "2024-06-20"
    before = writes(empty)
    capsys.readouterr()
    assert main(["stripe-setup"]) == 1
    assert "webhook endpoint: differs and must be changed by hand: api_version is 2024-06-20" in capsys.readouterr().out
    assert writes(empty) == before


def test_an_answer_that_was_lost_makes_nothing_twice(empty: StripeServer):
    empty.lost_answers = 3  # as often as one write is tried
    with pytest.raises(Unavailable):
        outcomes()
    empty.lost_answers = 1
    outcomes()
    assert {
        kind: len(empty.world.every(kind)) for kind in ("product", "price", "billing.meter", "webhook_endpoint")
    } == {
        "product": 4,
        "price": len(CATALOGUE),
        "billing.meter": 1,
        "webhook_endpoint": 1,
    }


def test_an_address_that_stripe_cannot_reach_is_left_out(empty: StripeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PUBLIC_URL", "http://localhost:8501")
    settings.cache_clear()
    last = list(set_up())[-1]
    assert last.outcome is Outcome.LEFT_OUT
    assert "Set PUBLIC_URL to an https:// address" in str(last)
    assert empty.world.every("webhook_endpoint") == []


def test_a_live_key_has_to_be_meant(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_" + "live_x")
    settings.cache_clear()
    with pytest.raises(BadInput, match="--live"):
        list(set_up())
    assert main(["stripe-setup"]) == 1
    assert "Add --live" in capsys.readouterr().err
    settings.cache_clear()


def test_without_a_key_it_says_what_to_set(no_stripe: None):
    with pytest.raises(NotConfigured, match="STRIPE_SECRET_KEY"):
        list(set_up())


def test_what_was_refused_once_is_tried_again(empty: StripeServer):
    """To the key of a refused write Stripe repeats the refusal for a day, though its cause is gone."""
    with pytest.raises(NotFound):
        PricePiece(CATALOGUE["pro_monthly"]).make(0)
    assert outcomes()["price pro_monthly"] is Outcome.MADE


def test_what_stripe_goes_on_refusing_is_said(empty: StripeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PUBLIC_URL", "https://localhost")
    settings.cache_clear()
    with pytest.raises(Conflict, match="publicly accessible"):
        outcomes()
