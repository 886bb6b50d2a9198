"""Stripe's side of the bench, in a process of its own: signed deliveries over a few connections that stay open.

`python -m bench.ringing URL SECRET SEED SECONDS CUSTOMER…` prints what came of it as JSON.
"""

import asyncio
import hashlib
import hmac
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CONNECTIONS = 16
REPEATED = 0.1
"""Share of deliveries that were made before."""
MEDIAN, SPREAD, LEAST, MOST = 1760, 0.75, 600, 11_700
"""Bytes of a body: log-normal, as recorded events of Stripe's are: median 1.76 kB, mean 2.3, nine tenths under 5."""
RECENT = 512
"""Of so many of the last deliveries one is made again."""


@dataclass
class Rung:
    """`waits` in seconds, of each delivery; `answers` counts statuses."""

    waits: list[float] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)


def body(luck: random.Random, number: str, customers: list[str]) -> bytes:
    """An event as Stripe writes one, indented, its size drawn."""
    wanted = min(MOST, max(LEAST, luck.lognormvariate(0, SPREAD) * MEDIAN))
    about = {"id": f"sub_{number}", "object": "subscription", "customer": luck.choice(customers), "metadata": {}}
    event = {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "data": {"object": about, "previous_attributes": {}},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "customer.subscription.updated",
    }
    lines = max(0, int((wanted - 480) / 118))
    about["items"] = [  # type: ignore[assignment]
        {"id": f"si_{n:014d}", "quantity": n, "price": {"id": f"price_{n:014d}", "currency": "usd"}}
        for n in range(lines)
    ]
    return json.dumps(event, indent=2).encode()


async def ring(address: str, secret: str, luck: random.Random, seconds: float, customers: list[str]) -> Rung:
    """Deliver for so long, each connection one after the other."""
    made = iter(range(10**12))
    run = f"{luck.getrandbits(40):010x}"
    sent: list[bytes] = []
    rung = Rung()
    until = time.perf_counter() + seconds

    def next_body() -> bytes:
        if sent and luck.random() < REPEATED:
            return luck.choice(sent)
        fresh = body(luck, f"{run}{next(made)}", customers)
        if len(sent) < RECENT:
            sent.append(fresh)
        else:
            sent[luck.randrange(RECENT)] = fresh
        return fresh

    async def talk() -> None:
        where = urlsplit(address)
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        while time.perf_counter() < until:
            request = _request(where.path, where.netloc, secret, next_body())
            began = time.perf_counter()
            writer.write(request)
            rung.answers[await _status(reader)] += 1
            rung.waits.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(talk() for _ in range(CONNECTIONS)))
    return rung


def _request(path: str, host: str, secret: str, raw: bytes) -> bytes:
    stamp = int(time.time())
    digest = hmac.new(secret.encode(), b"%d." % stamp + raw, hashlib.sha256).hexdigest()
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Stripe/1.0\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nStripe-Signature: t={stamp},v1={digest}\r\n"
        f"Content-Length: {len(raw)}\r\n\r\n"
    ).encode() + raw


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    if length:
        await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main(address: str, secret: str, seed: str, seconds: str, customers: list[str]) -> None:
    luck = random.Random(seed)
    rung = asyncio.run(ring(address, secret, luck, float(seconds), customers))
    accepted = rung.answers[200] / float(seconds)
    waits = {f"p{share}": 1000 * quantile(rung.waits, share / 100) for share in (50, 99)}
    print(json.dumps({"accepted": accepted, "others": sum(rung.answers.values()) - rung.answers[200], **waits}))


if __name__ == "__main__":
    main(*sys.argv[1:5], sys.argv[5:])
