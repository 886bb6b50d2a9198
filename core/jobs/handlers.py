"""What each kind of job does. The one list; a kind that is not here is never claimed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from core.queue import Claimed


@dataclass(frozen=True, slots=True)
class Handler:
    """`run` does the work and may be called again after a crash; `on_give_up` releases what was reserved."""

    run: Callable[[Claimed], None]
    on_give_up: Callable[[Claimed], None] | None = None
    lease: timedelta = timedelta(seconds=60)
    tries: int = 3


HANDLERS: Mapping[str, Handler] = {}

POLLS: tuple[Callable[[], bool], ...] = ()
"""Other queues that the worker serves: each does one piece of work and says whether there was one."""
