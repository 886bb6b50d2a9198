"""The door bell: one row an event whatever rings, a mark on the right customer, and nothing from strangers."""

import asyncio
import json
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import pytest
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from starlette.testclient import TestClient

from core.billing.deliveries import Delivery, read
from core.billing.events import keep_all, keep_all_on_loop, receive_event
from core.billing.signature import BadDelivery
from core.db import APP_ROLE
from core.embedded import SUPERUSER, Embedded
from core.errors import NotConfigured
from core.own_connection import OwnConnection, close_own_connection
from core.settings import settings
from core.sidecar import gathering
from core.sidecar.app import create_app
from tests.billing.conftest import Deliver, event, execute, raw, rows
from tests.billing.test_deliveries import NOT_EVENTS
from tests.peers.stripe_bells import body_of, signed
from tests.peers.stripe_server import KEY, SECRET, StripeServer
from tests.peers.stripe_world import twin
from tests.web.serving import Serve

T = TypeVar("T")
COUNTS = "SELECT (SELECT count(*) FROM stripe_events), (SELECT count(*) FROM stripe_sync)"


def test_an_event_is_kept_byte_for_byte_and_its_customer_marked(database: Connection, stripe: StripeServer):
    body = (
        b'{  "livemode": false,\n "type":"a.b", "note": "\\u0000 \xc3\xa9",'
        + json.dumps(event(type=...))[1:].replace('"livemode": false, ', "").encode()
    )
    assert receive_event(body, signed(body, SECRET))
    assert rows("SELECT id, dedupe, type, api_version, livemode, sync_key, payload FROM stripe_events") == [
        ("evt_1", "evt_1", "a.b", "2026-10-28.endive", False, "customer:cus_1", body)
    ]
    assert rows("SELECT key, dirty, synced, attempts, dead_at FROM stripe_sync") == [("customer:cus_1", 1, 0, 0, None)]
    assert rows("SELECT processed_at FROM stripe_events") == [(None,)]


def test_what_was_here_before_rings_no_second_time(database: Connection, stripe: StripeServer, deliver: Deliver):
    first = event()
    thin = twin(first | {"data": {"object": {"id": "cus_1", "object": "customer"}}})
    assert [deliver(first), deliver(first), deliver(thin), deliver(thin)] == [True, False, False, False]
    other = event(id="evt_2")
    assert [deliver(twin(other)), deliver(other)] == [True, False]
    assert rows(COUNTS) == [(2, 2)]
    assert rows("SELECT key, dirty FROM stripe_sync ORDER BY key") == [("customer:cus_1", 1), ("subscription:sub_1", 1)]


def test_bells_of_one_customer_add_up_and_those_of_nobody_are_kept(
    database: Connection, stripe: StripeServer, deliver: Deliver
):
    for number in range(3):
        deliver(event(id=f"evt_{number}"))
    deliver(event(id="evt_9", type="product.created", data={"object": {"id": "prod_1", "object": "product"}}))
    assert rows("SELECT key, dirty FROM stripe_sync") == [("customer:cus_1", 3)]
    assert rows("SELECT sync_key FROM stripe_events WHERE id = 'evt_9'") == [(None,)]


@pytest.mark.parametrize("age", [301, -302, 86_400])
def test_stale_and_future_deliveries_leave_nothing(database: Connection, stripe: StripeServer, age: int):
    body = body_of(event())
    with pytest.raises(BadDelivery) as refused:
        receive_event(body, signed(body, SECRET, time.time() - age))
    assert refused.value.code == "billing.stale"
    assert rows(COUNTS) == [(0, 0)]


def test_an_event_of_live_mode_never_meets_a_test_key(database: Connection, stripe: StripeServer, deliver: Deliver):
    with pytest.raises(BadDelivery) as refused:
        deliver(event(livemode=True))
    assert refused.value.code == "billing.wrong_mode"
    assert rows(COUNTS) == [(0, 0)]


def test_while_a_secret_is_replaced_both_hold(
    database: Connection, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_new, whsec_old")
    settings.cache_clear()
    for number, secret in enumerate(("whsec_new", "whsec_old")):
        body = body_of(event(id=f"evt_{number}"))
        assert receive_event(body, signed(body, secret))
    body = body_of(event(id="evt_9"))
    with pytest.raises(BadDelivery):
        receive_event(body, signed(body, SECRET))


def test_without_secrets_it_says_what_to_set(no_stripe: None):
    with pytest.raises(NotConfigured, match="STRIPE_WEBHOOK_SECRETS"):
        receive_event(b"{}", "t=1,v1=0")


def test_the_same_event_fifty_times_at_once(committed: str, stripe: StripeServer):
    body = body_of(event())
    header = signed(body, SECRET)
    start = threading.Barrier(50)
    answers: list[bool] = []

    def ring() -> None:
        start.wait()
        answers.append(receive_event(body, header))

    threads = [threading.Thread(target=ring) for _ in range(50)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(answers) == [False] * 49 + [True]
    assert rows("SELECT key, dirty FROM stripe_sync") == [("customer:cus_1", 1)]
    assert rows(COUNTS) == [(1, 1)]


def test_events_that_come_together_are_kept_in_one_commit_and_answered_each(committed: str, stripe: StripeServer):
    """Twins and repeats among them too."""
    first, other = event(), event(id="evt_2", data={"object": {"object": "customer", "id": "cus_2"}})
    together = [read(raw(each)) for each in (first, other, first, twin(other), event(id="evt_3"))]
    answers = keep_all(together)
    assert sorted(answers) == [False, False, True, True, True]
    assert rows("SELECT dedupe, count(*) FROM stripe_events GROUP BY dedupe ORDER BY dedupe") == [
        ("evt_1", 1),
        ("evt_2", 1),
        ("evt_3", 1),
    ]
    assert rows("SELECT key, dirty FROM stripe_sync ORDER BY key") == [("customer:cus_1", 2), ("customer:cus_2", 1)]
    assert keep_all(together) == [False] * 5
    assert rows("SELECT sum(dirty) FROM stripe_sync") == [(3,)]


def on_a_loop(ringing: Callable[[], Awaitable[list[T]]]) -> list[T]:
    async def ring() -> list[T]:
        try:
            return await ringing()
        finally:
            await close_own_connection()

    return asyncio.run(ring())


def test_those_who_ring_while_a_commit_is_under_way_share_the_next(
    committed: str, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
):
    sizes = []

    async def keep_and_count(deliveries: list[Delivery]) -> list[bool]:
        sizes.append(len(deliveries))
        return await keep_all_on_loop(deliveries)

    monkeypatch.setattr(gathering, "keep_all_on_loop", keep_and_count)
    assert on_a_loop(lambda: asyncio.gather(*map(gathering.keep, a_hundred()))) == [True] * 100
    assert sizes == [gathering.MOST, 100 - gathering.MOST]
    assert rows(COUNTS) == [(100, 1)]


def a_hundred() -> list[Delivery]:
    return [read(raw(event(id=f"evt_{number}"))) for number in range(100)]


def test_where_a_loop_cannot_watch_the_database_threads_do(
    committed: str, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
):
    """As on Windows."""
    monkeypatch.setattr(asyncio, "ProactorEventLoop", asyncio.SelectorEventLoop, raising=False)
    monkeypatch.delattr(gathering, "keep_all_on_loop")
    assert on_a_loop(lambda: asyncio.gather(*map(gathering.keep, a_hundred()))) == [True] * 100
    assert rows(COUNTS) == [(100, 1)]


def test_a_connection_that_was_lost_meanwhile_is_made_anew(committed: str, stripe: StripeServer):
    """As after the database was started again: the first event that comes is kept."""

    async def ring() -> list[bool]:
        first = await gathering.keep(read(raw(event())))
        others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        execute(f"SELECT pg_terminate_backend(pid) {others} AND usename = current_user")
        return [first, await gathering.keep(read(raw(event(id="evt_2"))))]

    assert on_a_loop(ring) == [True, True]
    assert rows(COUNTS) == [(2, 1)]


def test_the_loops_connection_is_of_the_role_that_owns_nothing(
    committed: str, server: Embedded, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DATABASE_URL", server.url(SUPERUSER, str(make_url(committed).database)))
    monkeypatch.delenv("DATABASE_OWNER_URL")
    settings.cache_clear()

    async def who() -> list[str]:
        ((role, patience),) = await OwnConnection().fetch(
            "SELECT current_user::text, current_setting('statement_timeout')", {}
        )
        return [role, patience]

    assert on_a_loop(who) == [APP_ROLE, "1min"]


def test_one_that_the_database_refuses_takes_none_with_it(committed: str, stripe: StripeServer):
    """Its kind is text that PostgreSQL cannot hold, as no reader of ours lets through."""
    spoiled = replace(read(raw(event(id="evt_bad"))), type="a\x00b")

    async def ring_all() -> list[bool | BaseException]:
        good = [read(raw(event(id=f"evt_{number}"))) for number in range(5)]
        ringing = (gathering.keep(each) for each in (*good[:3], spoiled, *good[3:]))
        return await asyncio.gather(*ringing, return_exceptions=True)

    answers = on_a_loop(ring_all)
    assert [answer is True for answer in answers] == [True, True, True, False, True, True]
    assert isinstance(answers[3], Exception)
    assert rows(COUNTS) == [(5, 1)]


@pytest.fixture
def client(committed: str, stripe: StripeServer) -> Iterator[TestClient]:
    with TestClient(create_app(), base_url="http://localhost:8501", raise_server_exceptions=False) as talking:
        yield talking


def test_the_route_answers_200_once_kept_and_again(client: TestClient):
    body = body_of(event())
    headers = {"stripe-signature": signed(body, SECRET)}
    answers = [client.post("/webhooks/stripe", content=body, headers=headers) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert [each.json()["new"] for each in answers] == [True, False]
    assert rows(COUNTS) == [(1, 1)]


def test_fifty_connections_that_bring_the_same_event_ring_once(stripe: StripeServer, serve: Serve):
    """Over the wire, to a server process: each is answered 200, one of them as new."""
    house = serve({"STRIPE_WEBHOOK_SECRETS": SECRET, "STRIPE_SECRET_KEY": KEY}, "core.sidecar.app:app", worker=False)
    body = body_of(event())
    headers = {"stripe-signature": signed(body, SECRET)}
    start = threading.Barrier(50)
    answers: list[tuple[int, bool]] = []

    def ring() -> None:
        with house.client() as client:
            client.get("/healthz")  # the connection is open before all begin
            start.wait()
            answer = client.post("/webhooks/stripe", content=body, headers=headers)
            answers.append((answer.status_code, answer.json()["new"]))

    threads = [threading.Thread(target=ring) for _ in range(50)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(answers) == [(200, False)] * 49 + [(200, True)]
    with house.engine.connect() as connection:
        assert connection.exec_driver_sql(COUNTS).one() == (1, 1)
        assert connection.exec_driver_sql("SELECT key, dirty FROM stripe_sync").one() == ("customer:cus_1", 1)


def test_no_other_verb_rings(client: TestClient):
    assert {client.request(verb, "/webhooks/stripe").status_code for verb in ("GET", "PUT", "DELETE")} == {405}


def test_malformed_deliveries_get_a_4xx_and_leave_nothing(client: TestClient):
    _hammer(client, random.Random(5), 1_000)


@pytest.mark.heavy
def test_ten_thousand_malformed_deliveries(client: TestClient):
    _hammer(client, random.Random(), 10_000)


def _hammer(client: TestClient, luck: random.Random, many: int) -> None:
    """Every kind of spoiled header with good bodies, and every kind of spoiled body with good headers, and both."""
    seen = set()
    for _ in range(many):
        body, header = _spoiled(luck)
        headers = [] if header is None else [(b"stripe-signature", each) for each in header]
        answer = client.post("/webhooks/stripe", content=body, headers=headers)
        assert 400 <= answer.status_code < 500, (body[:200], header, answer.text)
        assert answer.json()["detail"]
        seen.add(answer.json()["code"])
    assert rows(COUNTS) == [(0, 0)]
    assert seen == {"billing.unsigned", "billing.forged", "billing.stale", "billing.unreadable", "web.too_large"}


def _spoiled(luck: random.Random) -> tuple[bytes, list[bytes] | None]:
    good = body_of(event())
    if luck.random() < 0.5:
        body = luck.choice([*NOT_EVENTS.values(), _torn(luck, good), good + b" " * 1_000_000])
        return body, [signed(body, SECRET).encode()]
    header = signed(good, SECRET).encode()
    digest = header.partition(b"v1=")[2]
    choices: list[list[bytes] | None] = [
        None,
        [],
        [b""],
        [header, header],
        [header.replace(b"v1", b"v0")],
        [header[:-1]],
        [header.replace(b"t=", b"t=-")],
        [signed(good, "whsec_other").encode()],
        [signed(good, SECRET, time.time() - luck.randint(301, 10**9)).encode()],
        [signed(good, SECRET, time.time() + luck.randint(302, 10**9)).encode()],
        [signed(good + b" ", SECRET).encode()],
        [b"t=" + b"9" * luck.randint(13, 400) + b",v1=" + digest],
        [luck.randbytes(64).translate(None, bytes(range(32)) + b"\x7f")],
        [header[:20] + bytes([luck.randint(128, 255)]) + header[21:]],
        [b"," * luck.randint(1, 5_000)],
    ]
    return good, luck.choice(choices)


def _torn(luck: random.Random, good: bytes) -> bytes:
    """Bytes changed, lost or doubled until it cannot be JSON any more."""
    torn = bytearray(good)
    for _ in range(luck.randint(1, 8)):
        at = luck.randrange(len(torn))
        torn[at : at + luck.randint(0, 3)] = luck.randbytes(luck.randint(0, 3))
    return b"\xff" + bytes(torn)
