"""Read lines in a temporary table, each matched with the transaction that it is. Rooms.

COPY goes into a table without indexes; what it holds is then one set for plain statements.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Date,
    DateTime,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    and_,
    case,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from core.earnings.models import Fan, Transaction
from core.earnings.rows import Line

TOLD = (
    "provider_id",
    "occurred_at",
    "stated_day",
    "kind",
    "status",
    "gross_minor",
    "fee_minor",
    "net_minor",
    "stated_net_minor",
    "currency",
    "description",
    "post_id",
)
"""What a line tells of its transaction, besides the fan."""

STAGE = Table(
    "import_stage",
    MetaData(),
    Column("source_row", BigInteger),
    Column("fingerprint", LargeBinary),
    *(Column(name, Transaction.__table__.c[name].type) for name in TOLD),
    Column("fan_identity", String),
    Column("fan_handle", String),
    Column("fan_name", String),
    Column("transaction_id", Uuid, server_default=text("uuidv7()")),
    Column("state", String, server_default=text("'new'")),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
_COPIED = [column.name for column in STAGE.columns if column.name not in ("transaction_id", "state")]
_COPY = f"COPY {STAGE.name} ({', '.join(_COPIED)}) FROM STDIN (FORMAT BINARY)"
_PG_TYPES = {BigInteger: "int8", LargeBinary: "bytea", String: "text", DateTime: "timestamptz", Date: "date"}


@dataclass(frozen=True, slots=True)
class Counts:
    """Lines by what they are to the ledger: not in it yet, in it with another word for it, in it as they are."""

    new: int
    changed: int
    unchanged: int


@contextmanager
def staged(session: Session, workspace_id: UUID, platform: str, lines: Iterable[Line]) -> Iterator[Counts]:
    """The lines in the temporary table, each matched with its transaction. Writes nothing that lasts."""
    with temporary(session, STAGE):
        connection: Any = session.connection().connection.driver_connection
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types([_PG_TYPES[type(STAGE.c[name].type)] for name in _COPIED])
            for line in lines:
                copy.write_row(_as_row(line))
        session.execute(text(f"ANALYZE {STAGE.name}"))
        _match(session, workspace_id, platform)
        states = select(STAGE.c.state, func.count().label("lines")).group_by(STAGE.c.state)
        counted = {row.state: row.lines for row in session.execute(states)}
        yield Counts(counted.get("new", 0), counted.get("changed", 0), counted.get("same", 0))


@contextmanager
def temporary(session: Session, table: Table) -> Iterator[None]:
    """A temporary table, and plans that join it as a set while it lasts.

    The ledger of a fresh installation has no statistics: the planner takes it for empty, and would join ten thousand
    rows with ten thousand one by one.
    """
    table.create(session.connection())
    session.execute(select(func.set_config("enable_nestloop", "off", True)))
    yield
    session.execute(select(func.set_config("enable_nestloop", "on", True)))
    table.drop(session.connection())


def _as_row(line: Line) -> tuple[object, ...]:
    identity, handle, name = line.fan or (None, None, None)
    told = (
        line.provider_id,
        line.occurred_at,
        line.day,
        line.kind,
        line.status,
        line.gross,
        line.fee,
        line.net,
        line.stated_net,
        line.currency,
        line.description,
        line.post_id,
    )
    return (line.row, bytes.fromhex(line.fingerprint), *told, identity, handle, name)


def _match(session: Session, workspace_id: UUID, platform: str) -> None:
    """Find the transactions that the staged lines are. A fan known by name only never replaces a better known one."""
    known = (
        select(Transaction.id, Transaction.fingerprint, *told(Transaction.__table__.c), Fan.identity)
        .outerjoin(Fan, and_(Fan.workspace_id == Transaction.workspace_id, Fan.id == Transaction.fan_id))
        .where(Transaction.workspace_id == workspace_id, Transaction.platform == platform)
        .subquery("known")
    )
    weaker = _strength(STAGE.c.fan_identity) < _strength(known.c.identity)
    identity = case((weaker, known.c.identity), else_=STAGE.c.fan_identity)
    differs = or_(
        identity.is_distinct_from(known.c.identity),
        *(STAGE.c[name].is_distinct_from(known.c[name]) for name in TOLD),
    )
    session.execute(
        update(STAGE)
        .where(known.c.fingerprint == STAGE.c.fingerprint)
        .values(transaction_id=known.c.id, fan_identity=identity, state=case((differs, "changed"), else_="same"))
    )


def told(columns: Any) -> list[Any]:
    return [columns[name] for name in TOLD]


def _strength(identity: ColumnElement[str]) -> ColumnElement[int]:
    ranks = ((identity.startswith("id:"), 3), (identity.startswith("@"), 2), (identity.is_not(None), 1))
    return case(*ranks, else_=0)
