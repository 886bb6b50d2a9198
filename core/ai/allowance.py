"""How many model drafts an account has used in a month, and room for one more. Rooms.

Months are UTC. One statement takes a place and counts it, so forty wishes at once on ten places get ten.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.ai.models import UsageCounter

GENERATIONS = "generations"


def month_of(instant: datetime) -> date:
    """The first day of the month of an aware UTC instant."""
    return instant.date().replace(day=1)


def used(session: Session, account_id: UUID, month: date) -> int:
    """Room: places taken, those of drafts that still run included."""
    counted = session.scalar(
        select(UsageCounter.used).where(
            UsageCounter.account_id == account_id, UsageCounter.month == month, UsageCounter.kind == GENERATIONS
        )
    )
    return counted or 0


def take_place(session: Session, account_id: UUID, month: date, most: int | None) -> bool:
    """Room: take one place, when fewer than `most` are taken; None is no limit. False: none was left."""
    if most == 0:
        return False
    first = insert(UsageCounter).values(account_id=account_id, month=month, kind=GENERATIONS, used=1)
    taken = session.execute(
        first.on_conflict_do_update(
            index_elements=["account_id", "month", "kind"],
            set_={"used": UsageCounter.used + 1},
            where=None if most is None else UsageCounter.used < most,
        ).returning(UsageCounter.used)
    )
    return taken.one_or_none() is not None


def give_back(session: Session, account_id: UUID, month: date) -> None:
    """Room: one place less. Whoever calls it makes sure that it happens once."""
    session.execute(
        update(UsageCounter)
        .where(UsageCounter.account_id == account_id, UsageCounter.month == month, UsageCounter.kind == GENERATIONS)
        .values(used=UsageCounter.used - 1)
    )
