"""The worker: a few threads, each claims a job, runs its handler, and finishes or puts it back.

Every other queue has a thread of its own, so that nobody waits for a draft because Stripe is slow.
"""

import logging
import random
import threading
from collections.abc import Callable
from datetime import timedelta

from core import queue
from core.errors import Refusal
from core.jobs.handlers import HANDLERS, POLLS, Handler
from core.queue import Claimed

log = logging.getLogger("huntaze.jobs")
IDLE = 0.25
"""Seconds between looks at an empty queue."""
OUT_OF_TRIES = "out of tries"
LAST_WORDS = 5
"""How often `on_give_up` is tried again when it crashes. After that the job ends without it."""


def run_once() -> bool:
    """Do one job. False when there was none."""
    if not HANDLERS:
        return False
    longest = max(handler.lease for handler in HANDLERS.values())
    job = queue.claim(tuple(HANDLERS), longest)
    if job is None:
        return False
    handler = HANDLERS[job.kind]
    held = threading.Event()
    keeper = threading.Thread(target=_keep, args=(job, handler.lease, held), daemon=True)
    keeper.start()
    try:
        if job.attempt > handler.tries:
            # Its workers died with it, or could not give it up.
            _abandon(job, handler, OUT_OF_TRIES)
        else:
            _run(job, handler)
    finally:
        held.set()
        keeper.join()
    return True


def _run(job: Claimed, handler: Handler) -> None:
    try:
        handler.run(job)
    except Refusal as refusal:
        _abandon(job, handler, refusal.code)
    except Exception as crash:
        log.exception("job %s (%s) failed, try %d", job.id, job.kind, job.attempt)
        if job.attempt >= handler.tries:
            _abandon(job, handler, type(crash).__name__)
        else:
            queue.put_back(job, type(crash).__name__, _backoff(job.attempt))
    else:
        queue.finish(job)


def _abandon(job: Claimed, handler: Handler, reason: str) -> None:
    """End a job for good. Every job comes to this, whatever `on_give_up` does: a refusal says that nothing is left."""
    if handler.on_give_up is not None and job.attempt <= handler.tries + LAST_WORDS:
        try:
            handler.on_give_up(job)
        except Refusal as refusal:
            log.info("job %s (%s) had nothing to release: %s", job.id, job.kind, refusal.code)
        except Exception as crash:
            log.exception("job %s (%s) could not be given up, try %d", job.id, job.kind, job.attempt)
            queue.put_back(job, type(crash).__name__, _backoff(job.attempt))
            return
    queue.give_up(job, reason)


def _keep(job: Claimed, lease: timedelta, over: threading.Event) -> None:
    """Renew the lease while the handler runs, so that it is lost only when this process is.

    A database that does not answer once is asked again in time.
    """
    while not over.wait(lease.total_seconds() / 3):
        try:
            is_ours = queue.extend(job, lease)
        except Exception:
            log.exception("the lease of job %s (%s) was not renewed", job.id, job.kind)
            continue
        if not is_ours:
            log.warning("job %s (%s) lost its lease", job.id, job.kind)
            return


def _backoff(attempt: int) -> timedelta:
    return timedelta(seconds=min(60.0, 2.0**attempt) * random.uniform(0.5, 1.5))  # noqa: S311


def work(stop: threading.Event, threads: int = 2) -> None:
    """Serve the queues until `stop` is set, jobs with so many threads; what is in hand is finished first."""
    loops = [threading.Thread(target=_loop, args=(stop, run_once), name=f"worker-{n}") for n in range(threads)]
    loops += [threading.Thread(target=_loop, args=(stop, poll), name=f"poll-{n}") for n, poll in enumerate(POLLS)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()


def _loop(stop: threading.Event, work_once: Callable[[], bool]) -> None:
    while not stop.is_set():
        try:
            busy = work_once()
        except Exception:
            log.exception("the queue did not answer")
            busy = False
        if not busy:
            stop.wait(IDLE)
