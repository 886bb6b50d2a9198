"""Processes of the product that somebody keeps killing, and somebody keeps starting again; and Stripe's couriers."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.peers.stripe_bells import Bells

ROOT = Path(__file__).resolve().parents[2]
BELL_STEPS = ("i_verified", "i_committed")
WORK_STEPS = ("w_claimed", "w_fetched", "w_applied", "w_committed")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Kept:
    """One process, started again at once whenever it dies. Until it is `calm`, most starts carry a death in them.

    A death is at the nth time of one of `steps`, n of `times`. `deaths` are the moments, of `time.monotonic`.
    """

    def __init__(self, command: Sequence[str], steps: Sequence[str], times: range, luck: random.Random, log: Path):
        self.command = [sys.executable, *command]
        self.steps = steps
        self.times = times
        self.luck = luck
        self.log = log
        self.calm = True
        self.deaths: list[float] = []
        self._ends = False
        self._process = self._start()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def stall(self, seconds: float) -> None:
        """Alive and asleep, as on a machine that swaps."""
        self.signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def end(self) -> None:
        self._ends = True
        self.signal(signal.SIGCONT)
        self.kill()
        self._thread.join(30)

    def _start(self) -> "subprocess.Popen[bytes]":
        environment = {name: value for name, value in os.environ.items() if name != "HUNTAZE_FAILPOINT"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # or each start compiles anew what was changed
        environment["HUNTAZE_NO_VENV"] = "1"  # this interpreter has all that is needed
        if not self.calm and self.luck.random() < 0.75:
            step = f"{self.luck.choice(self.steps)}:{self.luck.choice(self.times)}"
            environment["HUNTAZE_FAILPOINT"] = step
        with self.log.open("ab") as out:
            return subprocess.Popen(self.command, cwd=ROOT, env=environment, stdout=out, stderr=out)

    def _keep(self) -> None:
        while True:
            self._process.wait()
            if self._ends:
                return
            self.deaths.append(time.monotonic())
            self._process = self._start()


class Courier(Bells):
    """Bells that never give up, and note when each try began and ended, of `time.monotonic`, and its status."""

    def __init__(self, url: str, secret: str, tries: list[tuple[float, float, int]]) -> None:
        super().__init__(url, secret)
        self._tries = tries

    def _deliver(self, raw: bytes) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            began = time.monotonic()
            status = self._post(raw)
            self._tries.append((began, time.monotonic(), status))
            if status == 200:
                return
            assert status in (0, 502, 503), f"{status} for {raw[:300]!r}"
            time.sleep(0.1)


class Post:
    """Several couriers: each event goes with one of them, once or more, with its thin twin or alone, in any order."""

    def __init__(self, url: str, secret: str, luck: random.Random, couriers: int = 4) -> None:
        self.tries: list[tuple[float, float, int]] = []
        self._luck = luck
        self._lock = threading.Lock()
        self._couriers = [Courier(url, secret, self.tries) for _ in range(couriers)]
        self.told: set[str] = set()

    def ring(self, event: dict[str, Any]) -> None:
        with self._lock:
            self.told.add(event["id"])
            for _ in range(self._luck.choice((1, 1, 2, 3))):
                courier = self._luck.choice(self._couriers)
                courier.twins = self._luck.random() < 0.3
                courier.ring(event)

    def hold(self) -> None:
        for each in self._couriers:
            each.held = True

    def release(self) -> None:
        for each in self._couriers:
            each.release(self._luck)

    def silence(self) -> None:
        for each in self._couriers:
            each.silence()

    def stop(self) -> None:
        for each in self._couriers:
            each.stop()

    def next_200_after(self, death: float, next_death: float) -> float | None:
        """Seconds from a death until an answer of 200, or from when somebody first rang after it, if that is later.

        None where nobody rang, or where it died again before it could have answered: then that death counts.
        """
        later = [each for each in list(self.tries) if each[1] > death]
        answered = min((ended for _, ended, status in later if status == 200), default=None)
        if answered is None or answered > next_death:
            return None
        return answered - max(death, min(began for began, _, _ in later))
