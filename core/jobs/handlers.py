"""What each kind of job does. The one list; a kind that is not here is never claimed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from core.billing import sweep, sync
from core.content import drafting, shadowing
from core.content.service import DRAFT_JOB
from core.insights import metering, packing
from core.mail import outbox
from core.messages import writing
from core.messages.service import WRITE_JOB
from core.queue import Claimed
from core.workspaces import packs, privacy


@dataclass(frozen=True, slots=True)
class Handler:
    """`run` does the work and may be called again after a crash, `tries` times in all.

    `on_give_up` then releases what was reserved, and may be called again too. Raises Refusal when nothing is left to.
    """

    run: Callable[[Claimed], None]
    on_give_up: Callable[[Claimed], None] | None = None
    lease: timedelta = timedelta(seconds=60)
    tries: int = 3


HANDLERS: Mapping[str, Handler] = {
    DRAFT_JOB: Handler(drafting.write, drafting.give_up, tries=drafting.TRIES),
    shadowing.SHADOW_JOB: Handler(shadowing.compare, tries=shadowing.TRIES),
    WRITE_JOB: Handler(writing.write, writing.give_up, tries=writing.TRIES),
    packs.MAKE: Handler(packing.make, packs.give_up),
    packs.EXPIRE: Handler(packs.expire),
    privacy.ERASE: Handler(privacy.erase, tries=100),
}

POLLS: tuple[Callable[[], bool], ...] = (sync.run_once, sweep.sweep_once, metering.report_once, outbox.send_one)
"""Other queues that the worker serves, a thread for each: one piece of work at a time, and whether there was one."""
