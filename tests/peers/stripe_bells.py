"""Deliver events to a webhook endpoint as Stripe does: signed, retried, at least once, in no promised order."""

import hashlib
import hmac
import json
import queue
import random
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from tests.peers.stripe_world import twin

Json = dict[str, Any]
RETRY_AFTER = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between tries. Stripe itself goes on for three days."""


def body_of(event: Json) -> bytes:
    """As Stripe writes it: indented, non-ASCII left as it is."""
    return json.dumps(event, indent=2, ensure_ascii=False).encode()


def signed(raw: bytes, secret: str, at: float | None = None) -> str:
    """The Stripe-Signature header of a body."""
    stamp = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


class Bells:
    """Rings `url` for every event given to `ring`, from a thread of its own.

    `repeats` copies of each are sent; with `twins` the thin twin of each as well; while `held` nothing leaves, and
    `release` sends what was held, shuffled when a random source is given. `dropping` loses every event, `losing` that
    share of them, by `luck`; `delay` is how many seconds each delivery waits.
    """

    def __init__(self, url: str | None, secret: str) -> None:
        self.url = url
        self.secret = secret
        self.repeats = 1
        self.twins = False
        self.held = False
        self.dropping = False
        self.losing = 0.0
        self.luck = random.Random()
        self.delay = 0.0
        self.answers: list[int] = []
        self._waiting: list[Json] = []
        self._line: queue.Queue[Json | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name="stripe-bells", daemon=True)
        self._thread.start()

    def ring(self, event: Json) -> None:
        if self.url is None or self.dropping:
            return
        sent = [event, *([twin(event)] if self.twins else [])] * self.repeats
        copies = [each for each in sent if self.luck.random() >= self.losing]
        if self.held:
            self._waiting += copies
        else:
            for each in copies:
                self._line.put(each)

    def release(self, shuffled: random.Random | None = None) -> None:
        self.held = False
        waiting, self._waiting = self._waiting, []
        if shuffled:
            shuffled.shuffle(waiting)
        for each in waiting:
            self._line.put(each)

    def silence(self) -> None:
        """Return when everything was delivered or given up."""
        self._line.join()

    def stop(self) -> None:
        self._line.put(None)
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while (event := self._line.get()) is not None:
            try:
                self._deliver(body_of(event))
            finally:
                self._line.task_done()
        self._line.task_done()

    def _deliver(self, raw: bytes) -> None:
        time.sleep(self.delay)
        for pause in (*RETRY_AFTER, None):
            answer = self._post(raw)
            self.answers.append(answer)
            if 200 <= answer < 300 or pause is None:
                return
            time.sleep(pause)

    def _post(self, raw: bytes) -> int:
        assert self.url is not None
        headers = {"Content-Type": "application/json", "Stripe-Signature": signed(raw, self.secret)}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url, raw, headers), timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            return 0
