"""Choosing a plan: one page however often it is asked for, one customer, one subscription, and only the owner asks."""

import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from urllib.parse import urlencode

import pytest
import uvicorn
from sqlalchemy.orm import Session

from core.access import Permission, Role, Scope
from core.billing import service, sync
from core.billing.plans import Notice, PlanName
from core.db import transaction
from core.errors import BadInput, Conflict, NotAllowed, NotConfigured, Unavailable
from core.settings import settings
from core.sidecar.app import create_app
from core.use_case import use_case
from core.workspaces.models import Membership
from core.workspaces.service import open_scope
from tests.billing.conftest import at_stripe, rows, stored
from tests.peers.stripe_server import StripeServer
from tests.people import Made, make_person


def session_of(stripe: StripeServer, url: str) -> str:
    assert url.startswith(f"{stripe.url}/pay/")
    return url.rsplit("/", 1)[-1]


def customer_of(made: Made) -> str:
    return str(rows(f"SELECT stripe_id FROM stripe_customers WHERE account_id = '{made.account_id}'")[0][0])


@use_case(Permission.VIEW_WORKSPACE)
def let_in(session: Session, scope: Scope, user_id: object) -> None:
    session.add(Membership(workspace_id=scope.workspace_id, user_id=user_id, role=Role.MANAGER))


@pytest.fixture
def member(ada: Made, bob: Made) -> Scope:
    """Bob, let in to look after Ada's creator; the account stays hers."""
    let_in(ada.scope, bob.user_id)
    return open_scope(bob.user_id).narrowed_to(ada.workspace_id)


def test_an_account_begins_free_and_the_page_has_its_facts(ada: Made, stripe: StripeServer):
    view = service.plan(ada.scope)
    assert (view.entitlement.plan, view.entitlement.status, view.lookup_key) == (PlanName.FREE, "none", None)
    assert (view.creators_used, view.owners) == (1, ("Ada",))
    assert (view.may_choose, view.may_try, view.has_portal) == (True, True, False)
    assert view.entitlement.limits.generations == 50


def test_choosing_keeps_the_customer_first_then_leads_to_a_page_with_trial_and_way_back(
    ada: Made, stripe: StripeServer
):
    page = session_of(stripe, service.choose_plan(ada.scope, "pro_monthly"))
    session = stripe.world.find("checkout.session", page)
    assert session["customer"] == customer_of(ada)
    assert stripe.world.find("customer", customer_of(ada))["email"] == ada.email
    assert session["client_reference_id"] == str(ada.account_id)
    assert session["success_url"] == "http://localhost:8501/billing?checkout=done"
    assert session["cancel_url"] == "http://localhost:8501/billing?checkout=cancelled"
    asked = [path for verb, path, _, _ in stripe.requests if verb == "post"]
    assert asked == ["/v1/customers", "/v1/checkout/sessions"]
    key = next(key for _, path, _, key in stripe.requests if path == "/v1/checkout/sessions")
    assert rows(f"SELECT count(*) FROM billing_intents WHERE id = '{key}'") == [(0,)]


def test_a_second_click_finds_the_first_page(ada: Made, stripe: StripeServer):
    urls = {service.choose_plan(ada.scope, "pro_monthly") for _ in range(3)}
    assert len(urls) == 1
    assert len(stripe.world.every("checkout.session")) == len(stripe.world.every("customer")) == 1


def test_clicks_at_once_make_one_page(committed: str, stripe: StripeServer):
    ada = make_person("Ada", Role.CREATOR)
    stripe.latency = 0.05
    start = threading.Barrier(6)
    urls: list[str] = []

    def click() -> None:
        start.wait()
        urls.append(service.choose_plan(ada.scope, "pro_monthly"))

    threads = [threading.Thread(target=click) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(urls) == 6
    assert len(set(urls)) == 1
    assert len(stripe.world.every("checkout.session")) == len(stripe.world.every("customer")) == 1


def test_another_choice_closes_the_first_page(ada: Made, stripe: StripeServer):
    first = session_of(stripe, service.choose_plan(ada.scope, "pro_monthly"))
    second = session_of(stripe, service.choose_plan(ada.scope, "enterprise_yearly"))
    assert first != second
    status = {each["id"]: each["status"] for each in stripe.world.every("checkout.session")}
    assert status == {first: "expired", second: "open"}


def test_other_choices_at_once_leave_one_page_open(committed: str, stripe: StripeServer):
    ada = make_person("Ada", Role.CREATOR)
    stripe.latency = 0.05
    start = threading.Barrier(4)
    urls: list[str] = []
    refusals: list[str] = []

    def click(lookup_key: str) -> None:
        start.wait()
        try:
            urls.append(service.choose_plan(ada.scope, lookup_key))
        except (Conflict, Unavailable) as refusal:  # whoever waits too long for the others is told so
            refusals.append(refusal.code)

    keys = ("pro_monthly", "pro_yearly", "enterprise_monthly", "enterprise_yearly")
    threads = [threading.Thread(target=click, args=(key,)) for key in keys]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(urls) + len(refusals) == 4
    assert set(refusals) <= {"billing.chosen_elsewhere", "billing.being_confirmed", "billing.stripe_unavailable"}
    opened = [each["id"] for each in stripe.world.every("checkout.session") if each["status"] == "open"]
    assert len(opened) <= 1


def test_a_page_that_expired_or_was_left_long_ago_is_replaced(ada: Made, stripe: StripeServer):
    first = session_of(stripe, service.choose_plan(ada.scope, "pro_monthly"))
    stripe.world.expire(first)
    second = session_of(stripe, service.choose_plan(ada.scope, "pro_monthly"))
    assert second != first
    with transaction(Scope.for_account(ada.account_id)) as session:
        session.connection().exec_driver_sql("UPDATE billing_intents SET expires_at = now() - interval '1 second'")
    third = session_of(stripe, service.choose_plan(ada.scope, "pro_monthly"))
    status = {each["id"]: each["status"] for each in stripe.world.every("checkout.session")}
    assert status == {first: "expired", second: "expired", third: "open"}


def test_a_page_that_was_paid_at_the_last_minute_is_not_offered_again(ada: Made, stripe: StripeServer):
    page = session_of(stripe, service.choose_plan(ada.scope, "pro_monthly"))
    with transaction(Scope.for_account(ada.account_id)) as session:
        session.connection().exec_driver_sql("UPDATE billing_intents SET expires_at = now()")
    stripe.world.pay(page)
    with pytest.raises(Conflict) as refused:
        service.choose_plan(ada.scope, "pro_monthly")
    assert refused.value.code == "billing.already_subscribed"
    assert len(stripe.world.every("checkout.session")) == 1


def test_a_page_left_long_ago_at_another_stripe_bars_no_new_one(ada: Made, stripe: StripeServer):
    page = session_of(stripe, service.choose_plan(ada.scope, "pro_monthly"))
    with transaction(Scope.for_account(ada.account_id)) as session:
        session.connection().exec_driver_sql("UPDATE billing_intents SET expires_at = now()")
    del stripe.world._kept["checkout.session"][page]
    assert session_of(stripe, service.choose_plan(ada.scope, "pro_monthly")) != page


def test_a_lost_answer_does_not_make_a_second_page(ada: Made, stripe: StripeServer):
    """Stripe made the page and died answering, also when asked again: the next click asks under the same key."""
    with pytest.raises(Unavailable):
        _choose_while(stripe, ada, lambda: setattr(stripe, "lost_answers", 9))
    stripe.lost_answers = 0
    service.choose_plan(ada.scope, "pro_monthly")
    assert len(stripe.world.every("checkout.session")) == 1


def _choose_while(stripe: StripeServer, ada: Made, trouble: Callable[[], None]) -> str:
    service._customer(ada.scope)
    trouble()
    return service.choose_plan(ada.scope, "pro_monthly")


def test_who_has_a_subscription_changes_it_and_buys_no_second(ada: Made, stripe: StripeServer):
    page = session_of(stripe, service.choose_plan(ada.scope, "pro_monthly"))
    stripe.world.pay(page)
    for lookup_key in ("pro_monthly", "enterprise_monthly"):
        with pytest.raises(Conflict) as refused:
            service.choose_plan(ada.scope, lookup_key)
        assert refused.value.code == "billing.already_subscribed"
    assert len(stripe.world.every("subscription")) == 1
    assert service.plan(ada.scope).entitlement.plan is PlanName.PRO


def test_after_a_cancellation_there_is_a_new_page_without_a_second_trial(ada: Made, stripe: StripeServer):
    first = session_of(stripe, service.choose_plan(ada.scope, "pro_monthly"))
    stripe.world.pay(first)
    stripe.world.cancel(stripe.world.every("subscription")[0]["id"])
    again = session_of(stripe, service.choose_plan(ada.scope, "pro_monthly"))
    assert again != first
    asked = [params for _, path, params, _ in stripe.requests if path == "/v1/checkout/sessions"]
    assert [each["subscription_data"].get("trial_period_days") for each in asked] == ["14", None]
    assert not service.plan(ada.scope).may_try


@pytest.mark.parametrize("lookup_key", ["free", "", "gold_monthly", "pro_monthly\x00"])
def test_an_offer_that_we_do_not_make(ada: Made, stripe: StripeServer, lookup_key: str):
    with pytest.raises(BadInput):
        service.choose_plan(ada.scope, lookup_key)


def test_only_the_owner_chooses_and_others_see_who_can(ada: Made, member: Scope, stripe: StripeServer):
    view = service.plan(member)
    assert (view.may_choose, view.owners, view.creators_used) == (False, ("Ada",), 1)
    for attempt in (
        lambda: service.choose_plan(member, "pro_monthly"),
        lambda: service.open_portal(member),
        lambda: service.refresh(member),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert stripe.requests == []


def test_a_neighbours_plan_does_not_show(ada: Made, bob: Made, stripe: StripeServer):
    stripe.world.pay(session_of(stripe, service.choose_plan(ada.scope, "enterprise_yearly")))
    assert service.refresh(ada.scope).entitlement.plan is PlanName.ENTERPRISE
    view = service.plan(bob.scope)
    assert (view.entitlement.plan, view.has_portal, view.owners) == (PlanName.FREE, False, ("Bob",))
    assert stored(bob.scope) == {}
    with pytest.raises(Conflict):
        service.open_portal(bob.scope)


def test_the_portal_is_for_those_who_have_a_customer(ada: Made, stripe: StripeServer):
    with pytest.raises(Conflict) as refused:
        service.open_portal(ada.scope)
    assert refused.value.code == "billing.no_customer"
    service.choose_plan(ada.scope, "pro_monthly")
    assert service.open_portal(ada.scope).startswith(f"{stripe.url}/portal/")
    assert service.plan(ada.scope).has_portal


def test_without_settings_everything_but_choosing_works(ada: Made, no_stripe: None):
    assert not service.is_set_up()
    assert service.plan(ada.scope).entitlement.plan is PlanName.FREE
    assert service.refresh(ada.scope).entitlement.plan is PlanName.FREE
    for attempt in (lambda: service.choose_plan(ada.scope, "pro_monthly"), service.offered_prices):
        with pytest.raises(NotConfigured, match="STRIPE_SECRET_KEY"):
            attempt()


def test_a_key_without_webhook_secrets_takes_no_money(ada: Made, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("STRIPE_WEBHOOK_SECRETS")
    settings.cache_clear()
    with pytest.raises(NotConfigured, match="STRIPE_WEBHOOK_SECRETS"):
        service.choose_plan(ada.scope, "pro_monthly")


def test_when_stripe_is_away_the_last_known_plan_stays(ada: Made, stripe: StripeServer):
    stripe.world.pay(session_of(stripe, service.choose_plan(ada.scope, "pro_monthly")))
    service.refresh(ada.scope)
    stripe.faults = [500] * 50
    assert service.refresh(ada.scope).entitlement.plan is PlanName.PRO
    with pytest.raises(Unavailable):
        service.open_portal(ada.scope)


def test_a_failed_payment_keeps_the_plan_for_a_week_and_says_so(ada: Made, stripe: StripeServer):
    stripe.world.pay(session_of(stripe, service.choose_plan(ada.scope, "pro_monthly")))
    stripe.world.declining.add(customer_of(ada))
    stripe.world.renew(stripe.world.every("subscription")[0]["id"])
    view = service.refresh(ada.scope)
    assert (view.entitlement.plan, view.entitlement.notice) == (PlanName.PRO, Notice.PAST_DUE)
    assert view.lookup_key == "pro_monthly"


@pytest.fixture
def served(committed: str, stripe: StripeServer) -> Iterator[str]:
    """The sidecar under its real server; Stripe rings there."""
    server = uvicorn.Server(uvicorn.Config(create_app(), port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    stripe.bells.url = f"http://127.0.0.1:{port}/webhooks/stripe"
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


def test_from_the_click_to_the_plan_and_back_again(served: str, stripe: StripeServer):
    """The whole way, as a browser goes it: choose, pay on Stripe's page, the bell rings, the worker asks, it shows."""
    ada = make_person("Ada", Role.CREATOR)
    stripe.bells.twins, stripe.bells.repeats = True, 2
    url = service.choose_plan(ada.scope, "enterprise_yearly")
    _press(url, "pay")
    stripe.bells.silence()
    assert set(stripe.bells.answers) == {200}
    while sync.run_once():
        pass
    view = service.plan(ada.scope)
    assert (view.entitlement.plan, view.entitlement.status) == (PlanName.ENTERPRISE, "trialing")
    assert view.lookup_key == "enterprise_yearly"
    portal = service.open_portal(ada.scope)
    _press(portal, "cancel")
    stripe.bells.silence()
    while sync.run_once():
        pass
    assert service.plan(ada.scope).entitlement.plan is PlanName.FREE
    assert stored(ada.scope) == at_stripe(stripe, customer_of(ada))
    assert rows("SELECT count(*) FROM stripe_events WHERE processed_at IS NULL AND sync_key IS NOT NULL") == [(0,)]


def _press(url: str, button: str) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: object) -> None:
            return None

    with pytest.raises(urllib.error.HTTPError, match="303") if button == "pay" else nullcontext():
        urllib.request.build_opener(Stay).open(url, urlencode({"do": button}).encode(), timeout=10).close()
