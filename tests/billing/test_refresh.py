"""Who changed their plan just now sees it so, though a worker was asking about it already."""

import threading
import time

from core.access import Role
from core.billing import service, sync
from tests.billing.conftest import execute, rows
from tests.billing.test_choosing import customer_of, session_of
from tests.peers.stripe_server import StripeServer
from tests.people import Made, make_person


def subscribed(stripe: StripeServer) -> tuple[Made, str]:
    made = make_person("Rita", Role.CREATOR)
    stripe.world.pay(session_of(stripe, service.choose_plan(made.scope, "pro_monthly")))
    service.refresh(made.scope)
    return made, str(stripe.world.every("subscription")[0]["id"])


def is_held() -> bool:
    return rows("SELECT count(*) FROM stripe_sync WHERE lease_until > now()") == [(1,)]


def test_a_worker_that_asked_before_the_change_is_waited_for(committed: str, stripe: StripeServer) -> None:
    made, subscription = subscribed(stripe)
    key = f"customer:{customer_of(made)}"
    execute(f"UPDATE stripe_sync SET dirty = dirty + 1 WHERE key = '{key}'")
    stripe.latency = 0.3
    worker = threading.Thread(target=sync.run_once, args=(key,))
    worker.start()
    while not is_held():
        time.sleep(0.01)
    stripe.world.change(subscription, cancel_at_period_end=True)
    found = service.refresh(made.scope).subscription
    worker.join()
    assert found is not None
    assert found.ends_at is not None


def test_a_lease_that_nobody_comes_back_for_is_waited_for_a_few_seconds_only(
    committed: str, stripe: StripeServer
) -> None:
    made, _ = subscribed(stripe)
    execute("UPDATE stripe_sync SET lease = gen_random_uuid(), lease_until = now() + interval '1 hour'")
    sync_waits, sync.WAITS = sync.WAITS, 0.2
    try:
        assert service.refresh(made.scope).lookup_key == "pro_monthly", "as last known"
    finally:
        sync.WAITS = sync_waits
