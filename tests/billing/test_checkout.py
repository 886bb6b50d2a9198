"""What a Checkout page sells, what it asks for, and which page of Stripe's own a customer is led to."""

from datetime import timedelta
from uuid import uuid4

import pytest

from core.billing import service, stripe_changes, sync
from core.billing.stripe_client import PATIENT
from core.errors import BadInput, Conflict, NotConfigured, Unavailable
from core.settings import settings
from tests.billing.changes import Json, held, subscribed
from tests.peers.stripe_routes import ROUTES
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_store import Refused
from tests.people import Made


def asked(stripe: StripeServer) -> list[Json]:
    return [params for verb, path, params, _ in stripe.requests if (verb, path) == ("post", "/v1/checkout/sessions")]


def lines(stripe: StripeServer) -> dict[str, str | None]:
    """Of the newest page: quantities by lookup key."""
    keys = {each["id"]: each["lookup_key"] for each in stripe.world.every("price")}
    return {keys[each["price"]]: each.get("quantity") for each in asked(stripe)[-1]["line_items"].values()}


@pytest.mark.parametrize(
    ("lookup_key", "seats", "sold"),
    [
        ("pro_yearly", 0, {"pro_yearly": "1"}),
        ("enterprise_monthly", 0, {"enterprise_monthly": "1", "enterprise_generation_monthly": None}),
        (
            "enterprise_yearly",
            7,
            {"enterprise_yearly": "1", "enterprise_seat_yearly": "7", "enterprise_generation_yearly": None},
        ),
    ],
)
def test_a_plan_is_sold_with_its_seats_and_its_meter(
    ada: Made, stripe: StripeServer, lookup_key: str, seats: int, sold: dict[str, str | None]
):
    page = service.choose_plan(ada.scope, lookup_key, seats).rsplit("/", 1)[-1]
    assert lines(stripe) == sold
    stripe.world.pay(page)
    view = service.refresh(ada.scope)
    assert (view.lookup_key, view.subscription.seats) == (lookup_key, seats)
    assert held(stripe.world.every("subscription")[0]) == {
        key: None if many is None else int(many) for key, many in sold.items()
    }


def test_the_page_takes_codes_and_tax_ids_and_taxes_where_it_is_set(
    ada: Made, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
):
    first = service.choose_plan(ada.scope, "pro_monthly")
    (sent,) = asked(stripe)
    assert sent["allow_promotion_codes"] == "true"
    assert sent["tax_id_collection"] == {"enabled": "true"}
    assert sent["customer_update"] == {"name": "auto", "address": "auto"}
    assert "automatic_tax" not in sent
    monkeypatch.setenv("STRIPE_AUTOMATIC_TAX", "true")
    settings.cache_clear()
    assert service.choose_plan(ada.scope, "pro_monthly") != first, "a page without taxes is another wish"
    assert asked(stripe)[-1]["automatic_tax"] == {"enabled": "true"}


def test_other_seats_are_another_page_and_the_same_are_the_same(ada: Made, stripe: StripeServer):
    pages = [service.choose_plan(ada.scope, "enterprise_monthly", seats) for seats in (2, 2, 3)]
    assert pages[0] == pages[1] != pages[2]
    assert [each["status"] for each in stripe.world.every("checkout.session")] == ["open", "expired"]


def test_seats_that_cannot_be_had_are_refused(ada: Made, stripe: StripeServer):
    for lookup_key, seats, code in (
        ("pro_monthly", 1, "billing.no_seats"),
        ("enterprise_monthly", -1, "billing.bad_seats"),
        ("enterprise_yearly", 976, "billing.bad_seats"),
        ("free", 0, "billing.unknown_offer"),
    ):
        with pytest.raises(BadInput) as refused:
            service.choose_plan(ada.scope, lookup_key, seats)
        assert refused.value.code == code
    assert service.choose_plan(ada.scope, "enterprise_yearly", 975)


def test_a_price_that_is_missing_is_named_but_the_meters_is_left_out(ada: Made, stripe: StripeServer):
    stripe.world.price_of("enterprise_generation_monthly")["active"] = False
    service.choose_plan(ada.scope, "enterprise_monthly", 1)
    assert lines(stripe) == {"enterprise_monthly": "1", "enterprise_seat_monthly": "1"}
    stripe.world.price_of("enterprise_seat_yearly")["active"] = False
    with pytest.raises(NotConfigured, match="enterprise_seat_yearly"):
        service.choose_plan(ada.scope, "enterprise_yearly", 1)


def test_the_portal_is_as_it_was_set_up_where_it_was(ada: Made, stripe: StripeServer):
    service._customer(ada.scope)

    def configuration() -> str | None:
        service.open_portal(ada.scope)
        sent = [params for _, path, params, _ in stripe.requests if path == "/v1/billing_portal/sessions"]
        return sent[-1].get("configuration")

    assert configuration() is None
    facts = {"business_profile": {}, "default_return_url": None, "features": {}, "is_default": False, "active": True}
    stripe.world.keep("billing_portal.configuration", "bpc", metadata={}, **facts)
    assert configuration() is None
    ours = stripe.world.keep("billing_portal.configuration", "bpc", metadata={"huntaze": "default"}, **facts)
    stripe.world.keep("billing_portal.configuration", "bpc", metadata={"huntaze": "other"}, **facts)
    assert configuration() == ours["id"]
    ours["active"] = False
    assert configuration() is None


def test_what_is_being_done_is_waited_for_and_not_refused(
    ada: Made, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1})
    path, key = f"/v1/subscriptions/{subscription['id']}", str(uuid4())
    sent = {"path": path, "cancel_at_period_end": "false"}
    stripe._answers[key] = (sent, None)  # another click's, whose answer is on its way
    with pytest.raises(Unavailable) as waits:
        stripe_changes.keep(subscription["id"], key)
    assert waits.value.code == "billing.under_way"
    asked_again = [one for _, _, _, one in stripe.requests].count(key)
    assert asked_again == 1 + PATIENT[1]


def test_what_is_being_asked_may_be_a_payment_so_no_other_page_is_opened(
    ada: Made, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
):
    """A worker asks about the customer, and its answer may be older than the page that was just paid on."""
    page = service.choose_plan(ada.scope, "pro_monthly").rsplit("/", 1)[-1]
    service._ring(ada.scope)
    monkeypatch.setattr(sync, "WAITS", 0.1)
    assert sync._claim(None, timedelta(minutes=2)) is not None
    stripe.world.pay(page)
    with pytest.raises(Unavailable):
        service.choose_plan(ada.scope, "enterprise_monthly")
    assert [each["status"] for each in stripe.world.every("checkout.session")] == ["complete"]


def test_what_stripe_refused_is_asked_under_another_key(
    ada: Made, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
):
    """It repeats a refusal under the key that met it, though whoever runs this has put its cause right."""
    place = ("post", "/v1/checkout/sessions")
    works = ROUTES[place]

    def refuse(*_asked: object) -> Json:
        raise Refused(400, "You must set an origin address for automatic tax.")

    monkeypatch.setitem(ROUTES, place, refuse)
    with pytest.raises(Conflict, match="origin address"):
        service.choose_plan(ada.scope, "pro_monthly")
    monkeypatch.setitem(ROUTES, place, works)
    assert service.choose_plan(ada.scope, "pro_monthly") == service.choose_plan(ada.scope, "pro_monthly")
