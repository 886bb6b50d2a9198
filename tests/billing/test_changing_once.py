"""A change is asked of Stripe once: answers that are lost, clicks that are doubled, wishes that meet."""

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from core.access import Role, Scope
from core.audit import entries
from core.billing import service, wishes
from core.billing.changing import Feedback, cancel, change_plan, keep, pause, preview_change, resume
from core.billing.plans import PlanName
from core.billing.service import PlanView
from core.db import transaction
from core.errors import Conflict, NotConfigured, Refusal, Unavailable
from tests.billing.changes import asked, held, invoices, subscribed
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_store import Refused
from tests.people import Made, make_person

ENTERPRISE = {"enterprise_monthly": 1, "enterprise_seat_monthly": 3, "enterprise_generation_monthly": None}
Wish = Callable[[Scope, UUID], PlanView]


def upgrade(scope: Scope) -> Wish:
    preview = preview_change(scope, "enterprise_yearly", 4)
    return lambda scope, wish: change_plan(scope, wish, preview)


def downgrade(scope: Scope) -> Wish:
    preview = preview_change(scope, "pro_monthly")
    return lambda scope, wish: change_plan(scope, wish, preview)


def leave(scope: Scope) -> Wish:
    return lambda scope, wish: cancel(scope, wish, Feedback.OTHER, "so be it")


def stay(scope: Scope) -> Wish:
    downgrade(scope)(scope, uuid4())
    return keep


def rest(scope: Scope) -> Wish:
    return pause


def go_on(scope: Scope) -> Wish:
    pause(scope, uuid4())
    return resume


EVERY = pytest.mark.parametrize("prepare", [upgrade, downgrade, leave, stay, rest, go_on])


def told(made: Made) -> int:
    return len([each for each in entries(made.scope) if each.deed.startswith(("plan_", "seats_"))])


def writes(stripe: StripeServer) -> list[tuple[str, str, str | None]]:
    """Those that change a subscription or its schedule, but for previews."""
    about = ("/v1/subscriptions/", "/v1/subscription_schedules")
    return [(verb, path, key) for verb, path, _, key in stripe.requests if verb != "get" and path.startswith(about)]


def open_wishes(made: Made) -> list[tuple[object, ...]]:
    with transaction(Scope.for_account(made.account_id)) as session:
        found = session.connection().exec_driver_sql("SELECT id, closed_at, stripe_id FROM billing_intents")
        return [tuple(row) for row in found]


def without_answer(stripe: StripeServer, deed: Callable[[], object]) -> None:
    """Stripe does what is asked and dies answering, also when asked again."""
    stripe.lost_answers = 99
    with pytest.raises(Unavailable):
        deed()
    stripe.lost_answers = 0


@EVERY
def test_a_lost_answer_is_asked_for_again_and_the_deed_done_once(
    ada: Made, stripe: StripeServer, prepare: Callable[[Scope], Wish]
):
    subscription = subscribed(stripe, ada, ENTERPRISE, days_ago=5)
    do, wish = prepare(ada.scope), uuid4()
    before, entered = len(invoices(stripe, subscription)), told(ada)
    without_answer(stripe, lambda: do(ada.scope, wish))
    assert told(ada) == entered, "what is not known to be done is not written down as done"
    done = do(ada.scope, wish)
    assert told(ada) == entered + 1
    assert len(invoices(stripe, subscription)) <= before + 1
    again = do(ada.scope, wish)
    assert again.subscription == done.subscription
    assert told(ada) == entered + 1
    assert all(closed and stripe_id for _, closed, stripe_id in open_wishes(ada))


@EVERY
def test_clicks_at_once_are_one_deed(committed: str, stripe: StripeServer, prepare: Callable[[Scope], Wish]):
    ada = make_person("Ada", Role.CREATOR)
    subscription = subscribed(stripe, ada, ENTERPRISE, days_ago=5)
    do, wish = prepare(ada.scope), uuid4()
    before, entered = len(invoices(stripe, subscription)), told(ada)
    stripe.latency = 0.03
    refusals = at_once([lambda: do(ada.scope, wish)] * 4)
    assert {each.code for each in refusals} <= {"billing.stripe_unavailable", "billing.under_way"}
    stripe.latency = 0
    do(ada.scope, wish)
    assert told(ada) == entered + 1
    assert len(invoices(stripe, subscription)) <= before + 1


def at_once(deeds: list[Callable[[], object]]) -> list[Refusal]:
    start, refusals = threading.Barrier(len(deeds)), []

    def click(deed: Callable[[], object]) -> None:
        start.wait()
        try:
            deed()
        except Refusal as refusal:
            refusals.append(refusal)

    threads = [threading.Thread(target=click, args=(each,)) for each in deeds]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return refusals


def test_different_wishes_at_once_do_one_of_them(committed: str, stripe: StripeServer):
    ada = make_person("Ada", Role.CREATOR)
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=5)
    shown = [preview_change(ada.scope, key, seats) for key, seats in (("enterprise_monthly", 1), ("pro_yearly", 0))]
    stripe.latency = 0.05
    refusals = at_once(
        [
            *(lambda each=each: change_plan(ada.scope, uuid4(), each) for each in shown),
            lambda: cancel(ada.scope, uuid4(), Feedback.OTHER),
        ]
    )
    codes = {each.code for each in refusals}
    assert codes <= {"billing.under_way", "billing.look_again", "billing.chosen_elsewhere"}
    deeds = 3 - len(refusals)
    assert len(invoices(stripe, subscription)) <= 2
    assert told(ada) == deeds >= 1


def test_another_wish_waits_for_one_without_an_answer_and_then_goes_before_it(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=5)
    do = upgrade(ada.scope)
    lost = uuid4()
    without_answer(stripe, lambda: do(ada.scope, lost))
    with pytest.raises(Conflict) as waits:
        cancel(ada.scope, uuid4(), Feedback.OTHER)
    assert waits.value.code == "billing.under_way"
    age(ada, wishes.STANDS)
    view = cancel(ada.scope, uuid4(), Feedback.OTHER)
    assert view.subscription.ends_at is not None
    assert view.lookup_key == "enterprise_yearly", "what was done without an answer was found"
    with pytest.raises(Conflict) as given_up:
        do(ada.scope, lost)
    assert given_up.value.code == "billing.chosen_elsewhere"
    assert len(invoices(stripe, subscription)) == 2


def age(made: Made, by: timedelta) -> None:
    with transaction(Scope.for_account(made.account_id)) as session:
        session.connection().exec_driver_sql(
            "UPDATE billing_intents SET created_at = created_at - %(by)s WHERE closed_at IS NULL", {"by": by}
        )


@EVERY
def test_what_stripe_refuses_is_given_up_and_can_be_wished_anew(
    ada: Made, stripe: StripeServer, prepare: Callable[[Scope], Wish]
):
    subscription = subscribed(stripe, ada, ENTERPRISE, days_ago=5)
    do, wish = prepare(ada.scope), uuid4()
    before, entered = held(subscription), told(ada)
    with pytest.raises(Conflict) as refused:
        while_refusing(stripe, lambda: do(ada.scope, wish))
    assert refused.value.code == "billing.stripe_refused"
    assert held(subscription) == before
    assert told(ada) == entered
    with pytest.raises(Conflict) as given_up:
        do(ada.scope, wish)
    assert given_up.value.code == "billing.chosen_elsewhere"
    do(ada.scope, uuid4())
    assert told(ada) == entered + 1


def while_refusing(stripe: StripeServer, deed: Callable[[], object]) -> None:
    """Reading goes on; every write about a subscription is refused."""
    done = stripe._done

    def refuse(verb: str, path: str, ids: tuple[str, ...], params: dict[str, object]) -> object:
        if verb != "get" and path.startswith(("/v1/subscriptions/", "/v1/subscription_schedules")):
            raise Refused(400, "No, thank you.")
        return done(verb, path, ids, params)

    stripe._done = refuse  # type: ignore[method-assign, assignment]
    try:
        deed()
    finally:
        stripe._done = done  # type: ignore[method-assign]


@EVERY
def test_every_write_has_a_key_of_a_wish_that_was_stored_first(
    ada: Made, stripe: StripeServer, prepare: Callable[[Scope], Wish]
):
    subscribed(stripe, ada, ENTERPRISE, days_ago=5)
    do = prepare(ada.scope)
    stripe.requests.clear()
    wish = uuid4()
    do(ada.scope, wish)
    sent = writes(stripe)
    assert sent
    assert all(key is not None and key.startswith(str(wish)) for _, _, key in sent)
    assert any(key == str(wish) for _, _, key in sent)
    assert len({key for _, _, key in sent}) == len(sent)


def test_a_key_that_is_refused_leaves_nothing_open(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, {"pro_monthly": 1}, days_ago=5)
    do = upgrade(ada.scope)
    with pytest.raises(NotConfigured):
        while_answering(stripe, 401, lambda: do(ada.scope, uuid4()))
    assert asked(stripe, subscription) == []
    do(ada.scope, uuid4())
    assert service.plan(ada.scope).entitlement.plan is PlanName.ENTERPRISE


def while_answering(stripe: StripeServer, status: int, deed: Callable[[], object]) -> None:
    stripe.faults = [status] * 99
    try:
        deed()
    finally:
        stripe.faults = []


def test_a_wish_is_not_taken_for_another(ada: Made, stripe: StripeServer):
    subscription = subscribed(stripe, ada, ENTERPRISE, days_ago=5)
    wish = uuid4()
    cancel(ada.scope, wish, Feedback.OTHER)
    with pytest.raises(Conflict) as refused:
        keep(ada.scope, wish)
    assert refused.value.code == "billing.chosen_elsewhere"
    assert subscription["cancel_at_period_end"]


def test_a_wish_whose_answer_was_lost_and_that_was_undone_is_done_anew(ada: Made, stripe: StripeServer):
    """Stripe repeats under the first key that it was cancelled, though it was kept in the portal since."""
    subscription = subscribed(stripe, ada, {"pro_monthly": 1})
    stripe.lost_answers = 5
    with pytest.raises(Unavailable):
        cancel(ada.scope, uuid4(), Feedback.UNUSED)
    stripe.lost_answers = 0
    assert subscription["cancel_at_period_end"]
    stripe.world.change(subscription["id"], cancel_at_period_end=False, cancel_at=None)
    view = cancel(ada.scope, uuid4(), Feedback.UNUSED)
    assert subscription["cancel_at_period_end"]
    assert view.subscription.ends_at is not None
