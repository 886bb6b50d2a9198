"""Taking an import out of the ledger. Rooms.

An import leaves a sighting at every transaction that it holds. Taking it out is removing a link from each chain of
sightings: the next one inherits what was before; the last one gone restores it; the only one gone takes the row along.
"""

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    MetaData,
    String,
    Table,
    Uuid,
    and_,
    cast,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session, aliased

from core.earnings import rollups
from core.earnings.models import Fan, Sighting, Transaction
from core.earnings.staging import TOLD, temporary

_UNDONE = Table(
    "undone_stage",
    MetaData(),
    Column("transaction_id", Uuid),
    Column("is_first", Boolean),
    Column("next_number", BigInteger),
    Column("previous", JSONB),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


def take_out(session: Session, workspace_id: UUID, number: int) -> None:
    """Leave the ledger as if import `number` had never been. The caller holds the ledger's lock."""
    with temporary(session, _UNDONE):
        _stage_undone(session, workspace_id, number)
        last = _UNDONE.c.next_number.is_(None)
        restored = select(_UNDONE.c.transaction_id).where(last, _UNDONE.c.previous.is_not(None))
        gone = select(_UNDONE.c.transaction_id).where(last, _UNDONE.c.is_first)
        rollups.subtract(session, workspace_id, restored.union_all(gone))
        _pass_on(session, workspace_id)
        _restore(session, workspace_id)
        session.execute(
            delete(Transaction).where(Transaction.workspace_id == workspace_id, Transaction.id.in_(gone)),
            execution_options={"synchronize_session": False},
        )
        session.execute(
            delete(Sighting).where(Sighting.workspace_id == workspace_id, Sighting.import_number == number),
            execution_options={"synchronize_session": False},
        )
        rollups.add(session, workspace_id, restored)
        _forget_fans(session, workspace_id)


def _stage_undone(session: Session, workspace_id: UUID, number: int) -> None:
    other = aliased(Sighting)
    same = and_(other.workspace_id == Sighting.workspace_id, other.transaction_id == Sighting.transaction_id)
    seen = (
        select(
            Sighting.transaction_id,
            func.min(other.import_number) == number,
            func.min(other.import_number).filter(other.import_number > number),
            Sighting.previous,
        )
        .join(other, same)
        .where(Sighting.workspace_id == workspace_id, Sighting.import_number == number)
        .group_by(Sighting.workspace_id, Sighting.transaction_id, Sighting.import_number)
    )
    session.execute(insert(_UNDONE).from_select([column.name for column in _UNDONE.columns], seen))


def _pass_on(session: Session, workspace_id: UUID) -> None:
    """The next sighting takes over what was before, unless this one had changed nothing."""
    session.execute(
        update(Sighting)
        .where(
            Sighting.workspace_id == workspace_id,
            Sighting.transaction_id == _UNDONE.c.transaction_id,
            Sighting.import_number == _UNDONE.c.next_number,
            or_(_UNDONE.c.is_first, _UNDONE.c.previous.is_not(None)),
        )
        .values(previous=_UNDONE.c.previous)
        .execution_options(synchronize_session=False)
    )


def _restore(session: Session, workspace_id: UUID) -> None:
    before = {name: cast(_UNDONE.c.previous[name].astext, getattr(Transaction, name).type) for name in TOLD}
    fan_id = cast(_UNDONE.c.previous["fan_id"].astext, Uuid)
    session.execute(
        update(Transaction)
        .where(
            Transaction.workspace_id == workspace_id,
            Transaction.id == _UNDONE.c.transaction_id,
            _UNDONE.c.next_number.is_(None),
            _UNDONE.c.previous.is_not(None),
        )
        .values(fan_id=fan_id, **before)
        .execution_options(synchronize_session=False)
    )


def _forget_fans(session: Session, workspace_id: UUID) -> None:
    """Fans that no transaction names, now or in what a sighting could restore."""
    pays = exists().where(Transaction.workspace_id == workspace_id, Transaction.fan_id == Fan.id)
    paid = exists().where(
        Sighting.workspace_id == workspace_id,
        Sighting.previous.is_not(None),
        Sighting.previous["fan_id"].astext == cast(Fan.id, String),
    )
    session.execute(
        delete(Fan).where(Fan.workspace_id == workspace_id, ~pays, ~paid),
        execution_options={"synchronize_session": False},
    )
