"""What a Stripe account keeps, whatever it is: objects by kind and id, and the events about them."""

import itertools
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from tests.peers.stripe_contract import contract

Json = dict[str, Any]


class Refused(Exception):
    """What Stripe answers instead of doing it."""

    def __init__(self, status: int, message: str, code: str | None = None, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"type": kind, "message": message} | ({"code": code} if code else {})}


class Store:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.address = "http://127.0.0.1"
        self.ahead = 0
        """Seconds that this world's clock is ahead of ours."""
        self.stopped_at: int | None = None
        """The instant at which it stands while something falls due."""
        self.events: list[Json] = []
        self.on_event: Callable[[Json], None] = lambda event: None
        self._kept: dict[str, dict[str, Json]] = defaultdict(dict)
        self.numbers = itertools.count(secrets.randbelow(10**9) * 10**4)
        """Of ids: far apart in each run, since a database may outlive this Stripe."""

    def now(self) -> int:
        return int(time.time()) + self.ahead if self.stopped_at is None else self.stopped_at

    def every(self, kind: str) -> list[Json]:
        """All of one kind, the newest first."""
        return list(reversed(self._kept[kind].values()))

    def find(self, kind: str, stripe_id: str) -> Json:
        if stripe_id not in self._kept[kind]:
            raise Refused(404, f"No such {kind}: '{stripe_id}'", "resource_missing")
        return self._kept[kind][stripe_id]

    def keep(self, kind: str, prefix: str, **fields: object) -> Json:
        has = set(contract()["fields"][kind]) | {"object"}
        born = {"id": f"{prefix}_{next(self.numbers):014d}", "object": kind, "created": self.now(), "livemode": False}
        made = {name: value for name, value in born.items() if name in has} | fields
        unknown = set(made) - has
        assert not unknown, f"{kind} has no {unknown} in this API version"
        self._kept[kind][made["id"]] = made
        return made

    def tell(self, kind: str, about: Json) -> Json:
        """An event, numbered and dated, with the object as it is now."""
        event = {
            "id": f"evt_{next(self.numbers):014d}",
            "object": "event",
            "api_version": contract()["api_version"],
            "created": self.now(),
            "data": {"object": deepcopy(about)},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        self.events.append(event)
        self._kept["event"][event["id"]] = event
        self.on_event(event)
        return event
