"""Events that come in while a commit is under way share the next one: a burst costs a few commits, not one each.

Nobody waits for others to come: the first begins at once, and each is answered after its commit.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from core.billing.deliveries import Delivery
from core.billing.events import keep_all, keep_all_on_loop
from core.own_connection import has_own_connection
from core.sidecar.problems import DATABASE_AWAY

MOST = 64
"""Events in one commit."""
THREADS = 4
"""One is enough for a loop; tests have several."""

_Waiting = tuple[Delivery, "asyncio.Future[bool]"]


@dataclass
class _Line:
    waiting: list[_Waiting] = field(default_factory=list)
    writer: "asyncio.Task[None] | None" = None


_writers = ThreadPoolExecutor(THREADS, "webhooks")
_lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()


async def keep(delivery: Delivery) -> bool:
    """Whether the event is new; it is committed when this returns. Raises what the database raises."""
    loop = asyncio.get_running_loop()
    line = _lines.setdefault(loop, _Line())
    kept: asyncio.Future[bool] = loop.create_future()
    line.waiting.append((delivery, kept))
    if line.writer is None or line.writer.done():
        line.writer = loop.create_task(_write(line))
    return await kept


async def _write(line: _Line) -> None:
    await asyncio.sleep(0)  # whatever has come in by now goes along
    while line.waiting:
        together, line.waiting = line.waiting[:MOST], line.waiting[MOST:]
        await _write_together(together)


async def _write_together(together: list[_Waiting]) -> None:
    """One that the database refuses takes none of the others with it: then each is kept alone."""
    try:
        deliveries = [delivery for delivery, _ in together]
        answers = await _keep_all(deliveries)
    except Exception as error:
        if len(together) == 1 or isinstance(error, DATABASE_AWAY):
            for _, kept in together:
                if not kept.done():
                    kept.set_exception(error)
            return
        for each in together:
            await _write_together([each])
    else:
        for (_, kept), is_new in zip(together, answers, strict=True):
            if not kept.done():  # whoever rang may be gone
                kept.set_result(is_new)


async def _keep_all(deliveries: list[Delivery]) -> list[bool]:
    """Over the loop's own connection, or by a thread where a loop cannot have one."""
    if has_own_connection():
        return await keep_all_on_loop(deliveries)
    return await asyncio.get_running_loop().run_in_executor(_writers, keep_all, deliveries)
