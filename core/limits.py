"""How often something may be tried, counted in PostgreSQL, so that all processes count together."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Index, LargeBinary, delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base
from core.errors import TooManyTries
from core.use_case import unscoped


class Hits(Base):
    """Tries of one kind by one subject within one window."""

    __tablename__ = "rate_limits"
    __table_args__ = (Index("rate_limits_window_start_idx", "window_start"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True, comment="SHA-256 of who or what is limited")
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    hits: Mapped[int]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` tries of `name` by one subject within each `window` of the clock."""

    name: str
    most: int
    window: timedelta


@unscoped("tries are counted before anybody is known; a subject is kept as a hash")
def count(session: Session, limit: Limit, subject: str) -> None:
    """Count one try before it is made. Raises TooManyTries once there were `most` in this window.

    Windows follow the clock, so twice `most` tries can fall close together around a window's end.
    """
    start = func.date_bin(limit.window, func.now(), func.to_timestamp(0))
    statement = insert(Hits).values(name=limit.name, subject=_hash(subject), window_start=start, hits=1)
    hits = session.execute(
        statement.on_conflict_do_update(
            index_elements=["name", "subject", "window_start"], set_={"hits": Hits.hits + 1}
        ).returning(Hits.hits)
    ).scalar_one()
    if hits == 1:
        session.execute(delete(Hits).where(Hits.name == limit.name, Hits.window_start < func.now() - 2 * limit.window))
    if hits > limit.most:
        raise TooManyTries("limits.too_many", minutes=max(1, int(limit.window.total_seconds() // 60)))


def _hash(subject: str) -> bytes:
    return hashlib.sha256(subject.encode("utf-8", "surrogatepass")).digest()
