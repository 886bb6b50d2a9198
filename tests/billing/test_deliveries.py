"""A body is read as if anybody had written it."""

import json
from datetime import UTC, datetime

import pytest

from core.billing.deliveries import RESOLVABLE, read
from core.billing.signature import BadDelivery
from tests.billing.conftest import event, raw
from tests.peers.stripe_world import World, catalogue, twin


def test_the_envelope_of_a_snapshot():
    got = read(raw(event()))
    assert (got.id, got.dedupe, got.type) == ("evt_1", "evt_1", "customer.subscription.updated")
    assert (got.api_version, got.livemode) == ("2026-10-28.endive", False)
    assert got.created == datetime.fromtimestamp(1_795_000_000, UTC)
    assert got.sync_key == "customer:cus_1"
    assert read(raw(event(api_version=None, livemode=True))).api_version is None


@pytest.mark.parametrize(
    ("about", "key"),
    [
        ({"object": "customer", "id": "cus_2"}, "customer:cus_2"),
        ({"object": "invoice", "customer": "cus_2"}, "customer:cus_2"),
        (
            {"object": "subscription", "id": "sub_1", "customer": {"id": "cus_2", "object": "customer"}},
            "customer:cus_2",
        ),
        ({"object": "dispute", "id": "dp_1", "charge": "ch_1"}, "charge:ch_1"),
        ({"object": "refund", "charge": {"id": "ch_1"}}, "charge:ch_1"),
        ({"object": "charge", "id": "ch_1", "customer": None}, None),
        ({"object": "product", "id": "prod_1"}, None),
        ({}, None),
    ],
)
def test_whom_a_snapshot_asks_about(about: dict[str, object], key: str | None):
    assert read(raw(event(data={"object": about}))).sync_key == key


@pytest.mark.parametrize(
    ("related", "key"),
    [({"type": kind, "id": "x_1"}, f"{kind}:x_1") for kind in sorted({*RESOLVABLE, "customer"})]
    + [({"type": "product", "id": "prod_1"}, None)],
)
def test_whom_a_thin_event_asks_about(related: dict[str, object], key: str | None):
    thin = event(object="v2.core.event", created="2026-11-18T09:00:00.123Z", data=..., related_object=related)
    assert read(raw(thin)).sync_key == key


def test_twins_are_one():
    world = World()
    catalogue(world, [("pro_monthly", 1, 2900)])
    world.subscribe(world.add_customer()["id"], world.price_of("pro_monthly")["id"])
    for each in world.events:
        snapshot, thin = read(raw(each)), read(raw(twin(each)))
        assert snapshot.id != thin.id
        assert snapshot.dedupe == thin.dedupe == each["id"]
        assert snapshot.created == thin.created
        assert snapshot.sync_key is not None


NOT_EVENTS = {
    "empty": b"",
    "space": b"  ",
    "list": b"[]",
    "null": b"null",
    "number": b"1",
    "text": b'"evt_1"',
    "object": b"{}",
    "cut off": raw(event())[:-1],
    "two": raw(event()) * 2,
    "BOM": b"\xef\xbb\xbf" + raw(event()),
    "UTF-16": json.dumps(event()).encode("utf-16"),
    "not UTF-8": raw(event()).replace(b"evt_1", b"evt_\xff"),
    "a NUL": raw(event()).replace(b"evt_1", b"evt_\x00"),
    "a written NUL": raw(event(id="evt_\x00")),
    "a lone surrogate": raw(event(id="evt_\ud800")),
    "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep list": b"[" * 100_000 + b"]" * 100_000,
    "a huge number": raw(event()).replace(b"1795000000", b"9" * 5_000),
    "a large number": raw(event(created=10**30)),
    "not a number": raw(event()).replace(b"1795000000", b"NaN"),
    "infinity": raw(event()).replace(b"1795000000", b"Infinity"),
    "a name twice": raw(event()).replace(b'{"id": "evt_1"', b'{"id": "evt_1", "id": "evt_2"'),
    "a name twice inside": raw(event()).replace(b'{"id": "sub_1"', b'{"id": "sub_1", "id": "sub_2"'),
    "no id": raw(event(id=...)),
    "an id of another kind": raw(event(id=7)),
    "an empty id": raw(event(id="")),
    "a long id": raw(event(id="e" * 256)),
    "an id with a quote": raw(event(id="evt_1'; --")),
    "a spaced id": raw(event(id=" evt_1")),
    "a line in the id": raw(event(id="evt_1\n")),
    "a foreign digit": raw(event(id="evt_١")),
    "no type": raw(event(type=...)),
    "a type of another kind": raw(event(type=["a"])),
    "no object": raw(event(object=...)),
    "another object": raw(event(object="charge")),
    "no mode": raw(event(livemode=...)),
    "a mode in words": raw(event(livemode="false")),
    "no time": raw(event(created=...)),
    "a time before all time": raw(event(created=-1)),
    "a time in words": raw(event(created="now")),
    "a broken second": raw(event(created=1.5)),
    "a true second": raw(event(created=True)),
    "a version of another kind": raw(event(api_version={})),
    "no data": raw(event(data=...)),
    "data without object": raw(event(data={})),
    "data of another kind": raw(event(data=[])),
    "a customer of another kind": raw(event(data={"object": {"customer": 7}})),
    "a customer without id": raw(event(data={"object": {"customer": {}}})),
    "a strange customer": raw(event(data={"object": {"customer": "cus 1"}})),
    "thin without related": raw(event(object="v2.core.event", created="2026-11-18T09:00:00Z")),
    "thin with seconds": raw(event(object="v2.core.event", related_object={"type": "customer", "id": "cus_1"})),
    "thin without zone": raw(
        event(object="v2.core.event", created="2026-11-18T09:00:00", related_object={"type": "a", "id": "b"})
    ),
    "thin at no time": raw(
        event(object="v2.core.event", created="soon", related_object={"type": "customer", "id": "cus_1"})
    ),
    "thin with a strange twin": raw(
        event(
            object="v2.core.event",
            created="2026-11-18T09:00:00Z",
            related_object={"type": "customer", "id": "cus_1"},
            snapshot_event=7,
        )
    ),
}


@pytest.mark.parametrize("body", NOT_EVENTS.values(), ids=NOT_EVENTS.keys())
def test_what_is_no_event_is_refused(body: bytes):
    with pytest.raises(BadDelivery) as refused:
        read(body)
    assert refused.value.code == "billing.unreadable"


def test_what_only_looks_strange_is_read():
    about = {"object": "customer", "id": "cus_1", "description": "NUL \x00, é, 日本, \U0001f600", "amount": 10**50}
    assert read(raw(event(data={"object": about}))).sync_key == "customer:cus_1"
