"""Three faults that the design exists to exclude, planted in our own code at run time, so that it is seen who notices.

As a launcher, `python -m tests.billing.planted FAULT MODULE WORD…` runs a module of the product with the fault in it.
"""

import runpy
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core.billing import events, sync
from core.billing.deliveries import Delivery
from core.billing.failpoints import reach
from core.billing.models import StripeEvent, StripeSync
from core.use_case import unscoped

Patches = dict[tuple[object, str], object]


def no_fence() -> Patches:
    """Whoever asked writes, whether or not the lease is still theirs."""

    def let_go(session: Session, claim: sync.Claim, **values: object) -> None:
        session.execute(
            update(StripeSync).where(StripeSync.key == claim.key).values(lease=None, lease_until=None, **values)
        )

    return {(sync, "_holds"): lambda session, claim: True, (sync, "_let_go"): let_go}


def mark_after_commit() -> Patches:
    """The event is kept in one transaction, and its customer marked in another."""

    @unscoped("a planted fault")
    def insert(session: Session, deliveries: Sequence[Delivery]) -> list[str]:
        kept = []
        for each in deliveries:
            columns = {name: getattr(each, name) for name in events._COLUMNS}
            found = session.execute(
                text(
                    "INSERT INTO stripe_events (id, dedupe, type, api_version, created, livemode, sync_key, payload) "
                    "VALUES (:id, :dedupe, :type, :api_version, :created, :livemode, :sync_key, :payload) "
                    "ON CONFLICT DO NOTHING RETURNING id"
                ),
                columns,
            )
            kept += found.scalars()
        return kept

    @unscoped("a planted fault")
    def mark(session: Session, keys: Sequence[str]) -> None:
        for key in sorted(keys):
            events.ring(session, key)

    def keep(deliveries: Sequence[Delivery]) -> set[str]:
        kept = set(insert(deliveries))
        reach("i_committed")
        mark([each.sync_key for each in deliveries if each.id in kept and each.sync_key])
        return kept

    async def keep_on_loop(deliveries: Sequence[Delivery]) -> set[str]:
        return keep(deliveries)

    return {(events, "_keep"): keep, (events, "_keep_on_loop"): keep_on_loop}


def dirty_read_late() -> Patches:
    """What the answer settles is read after Stripe was asked, not before."""
    close = sync._close

    def close_late(session: Session, claim: sync.Claim) -> None:
        dirty = session.scalars(select(StripeSync.dirty).where(StripeSync.key == claim.key)).one()
        session.execute(
            update(StripeEvent)
            .where(StripeEvent.sync_key == claim.key, StripeEvent.processed_at.is_(None))
            .values(processed_at=func.now())
        )
        close(session, replace(claim, dirty=dirty))

    return {(sync, "_close"): close_late}


FAULTS: dict[str, Callable[[], Patches]] = {
    each.__name__: each for each in (no_fence, mark_after_commit, dirty_read_late)
}


def main(fault: str, module: str) -> None:
    for (where, name), spoiled in FAULTS[fault]().items():
        setattr(where, name, spoiled)
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
