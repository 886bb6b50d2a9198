"""Bringing staged lines into the ledger. Rooms.

The caller holds the ledger's lock, so what the staged lines were matched with stays true.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    Uuid,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from core.earnings import rollups
from core.earnings.models import Fan, Sighting, Transaction
from core.earnings.staging import STAGE, TOLD, told


def _staged_ids(*states: str) -> Select[Any]:
    return select(STAGE.c.transaction_id).where(STAGE.c.state.in_(states))


def merge(session: Session, workspace_id: UUID, platform: str, number: int) -> None:
    """Write the staged lines into the ledger as import `number`, and move the sums along."""
    _merge_fans(session, workspace_id, platform)
    rollups.subtract(session, workspace_id, _staged_ids("changed"))
    _insert_new(session, workspace_id, platform)
    _insert_sightings(session, workspace_id, number)
    _update_changed(session, workspace_id, platform)
    rollups.add(session, workspace_id, _staged_ids("new", "changed"))


def _merge_fans(session: Session, workspace_id: UUID, platform: str) -> None:
    """New fans, and newer names of known ones, from lines that tell something new."""
    latest = (
        select(STAGE.c.fan_identity, STAGE.c.fan_handle, STAGE.c.fan_name)
        .where(STAGE.c.fan_identity.is_not(None), STAGE.c.state != "same")
        .ext(distinct_on(STAGE.c.fan_identity))
        .order_by(STAGE.c.fan_identity, STAGE.c.occurred_at.desc(), STAGE.c.source_row)
        .subquery()
    )
    rows = select(cast(workspace_id, Uuid), cast(platform, String), *latest.c).order_by(latest.c.fan_identity)
    statement = insert(Fan).from_select(["workspace_id", "platform", "identity", "handle", "name"], rows)
    handle = func.coalesce(statement.excluded.handle, Fan.handle)
    name = func.coalesce(statement.excluded.name, Fan.name)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "platform", "identity"],
            set_={"handle": handle, "name": name},
            where=or_(handle.is_distinct_from(Fan.handle), name.is_distinct_from(Fan.name)),
        )
    )


def _fan_of_line(workspace_id: UUID, platform: str) -> ColumnElement[bool]:
    return and_(Fan.workspace_id == workspace_id, Fan.platform == platform, Fan.identity == STAGE.c.fan_identity)


def _insert_new(session: Session, workspace_id: UUID, platform: str) -> None:
    rows = (
        select(
            cast(workspace_id, Uuid),
            STAGE.c.transaction_id,
            cast(platform, String),
            STAGE.c.fingerprint,
            Fan.id,
            *told(STAGE.c),
        )
        .outerjoin(Fan, _fan_of_line(workspace_id, platform))
        .where(STAGE.c.state == "new")
    )
    columns = ["workspace_id", "id", "platform", "fingerprint", "fan_id", *TOLD]
    session.execute(insert(Transaction).from_select(columns, rows))


def _insert_sightings(session: Session, workspace_id: UUID, number: int) -> None:
    """Before the changed rows are written over: their sightings keep what they were."""
    kept = [part for name in ("fan_id", *TOLD) for part in (text(f"'{name}'"), getattr(Transaction, name))]
    previous = case((STAGE.c.state == "changed", func.jsonb_build_object(*kept)), else_=None)
    seen = select(
        Transaction.workspace_id, Transaction.id, cast(number, BigInteger), STAGE.c.source_row, previous
    ).join(STAGE, and_(Transaction.workspace_id == workspace_id, Transaction.id == STAGE.c.transaction_id))
    columns = ["workspace_id", "transaction_id", "import_number", "source_row", "previous"]
    session.execute(insert(Sighting).from_select(columns, seen))


def _update_changed(session: Session, workspace_id: UUID, platform: str) -> None:
    rows = (
        select(STAGE.c.transaction_id, Fan.id.label("fan_id"), *told(STAGE.c))
        .outerjoin(Fan, _fan_of_line(workspace_id, platform))
        .where(STAGE.c.state == "changed")
        .subquery()
    )
    session.execute(
        update(Transaction)
        .where(Transaction.workspace_id == workspace_id, Transaction.id == rows.c.transaction_id)
        .values({name: rows.c[name] for name in ("fan_id", *TOLD)})
        .execution_options(synchronize_session=False)
    )
