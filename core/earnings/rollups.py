"""The sums kept beside the ledger: what a transaction counts for, and how the sums follow it. Rooms.

Sums move by plain statements in the transaction that changes the ledger: subtract what a row counted for, change it,
add what it counts for now. Rows are taken in key order. Whoever changes a ledger holds its workspace's lock.

    gross        what fans paid: payments of any status, before reversals
    fee          the platform's cut of those payments
    refunds      net of payments about to be returned, and of refund rows
    chargebacks  net of payments charged back, and of chargeback rows
    net          gross − fee − refunds − chargebacks
    pending      the part of net that is not yet payable

Refunds and chargebacks are what they take from the creator, hence net of the fee. A negative row that is no chargeback
is a refund. Payouts count in nothing. A payment of which the gross or the net is unknown is counted in
`gross_unknown` or `net_unknown`, so that a sum with a hole in it is never shown as a number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Select,
    SelectBase,
    and_,
    case,
    cast,
    delete,
    except_,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.earnings.kinds import REVERSALS
from core.earnings.models import DailyRevenue, FanTotal, RevenueCalendar, Transaction
from core.workspaces.models import Workspace

_reversed = or_(func.coalesce(Transaction.gross_minor, Transaction.net_minor) < 0, Transaction.kind.in_(REVERSALS))
_charged_back = or_(Transaction.kind == "chargeback", Transaction.status == "undo")
_returned = and_(not_(_charged_back), or_(_reversed, Transaction.status == "pending_return"))
_net = func.coalesce(Transaction.net_minor, 0)
_loss = case((_reversed, -_net), else_=_net)


def _where(condition: ColumnElement[bool], value: Any) -> ColumnElement[int]:
    return case((condition, func.coalesce(value, 0)), else_=0)


MEASURES: Mapping[str, ColumnElement[int]] = {
    "gross_minor": _where(not_(_reversed), Transaction.gross_minor),
    "fee_minor": _where(not_(_reversed), Transaction.fee_minor),
    "refunds_minor": _where(_returned, _loss),
    "chargebacks_minor": _where(_charged_back, _loss),
    "net_minor": _where(or_(_reversed, Transaction.status.not_in(("undo", "pending_return"))), _net),
    "pending_minor": _where(Transaction.status == "loading", _net),
    "gross_unknown": _where(and_(not_(_reversed), Transaction.gross_minor.is_(None)), 1),
    "net_unknown": _where(Transaction.net_minor.is_(None), 1),
    "transactions": literal(1),
}
"""What one transaction adds to each sum, in minor units or as a count."""

DAY = func.coalesce(
    Transaction.stated_day, cast(func.timezone(RevenueCalendar.time_zone, Transaction.occurred_at), Date)
)
"""The day that a transaction counts for: as stated, else that of its instant in the workspace's zone."""

_DAILY_KEY = ("workspace_id", "day", "platform", "kind", "currency")
_FAN_KEY = ("workspace_id", "fan_id", "currency")


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of sums that the ledger gives and the table lacks (`missing`), or the other way round (`extra`)."""

    table: str
    side: str
    row: tuple[object, ...]


def lock_ledger(session: Session, workspace_id: UUID) -> None:
    """One change of a workspace's ledger at a time, until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"ledger:{workspace_id}", 0))))


def add(session: Session, workspace_id: UUID, transactions: SelectBase) -> None:
    """Count the transactions whose ids are selected."""
    _count(session, workspace_id, transactions, 1)


def subtract(session: Session, workspace_id: UUID, transactions: SelectBase) -> None:
    """Take the transactions whose ids are selected out of every sum, as they stand now."""
    _count(session, workspace_id, transactions, -1)


def _count(session: Session, workspace_id: UUID, transactions: SelectBase, sign: int) -> None:
    chosen = and_(Transaction.workspace_id == workspace_id, Transaction.id.in_(transactions))
    _merge(session, DailyRevenue, _DAILY_KEY, _by_day(sign).where(chosen))
    _merge(session, FanTotal, _FAN_KEY, _by_fan(sign).where(chosen))
    for table in (DailyRevenue, FanTotal):
        session.execute(delete(table).where(table.workspace_id == workspace_id, table.transactions == 0))


def _merge(session: Session, table: type[DailyRevenue] | type[FanTotal], key: Sequence[str], sums: Select[Any]) -> None:
    statement = insert(table).from_select([*key, *MEASURES], sums)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=key,
            set_={name: getattr(table, name) + statement.excluded[name] for name in MEASURES},
        )
    )


def _by_day(sign: int = 1) -> Select[Any]:
    key = (Transaction.workspace_id, DAY.label("day"), Transaction.platform, Transaction.kind, Transaction.currency)
    return _summed(key, sign).join(RevenueCalendar, RevenueCalendar.workspace_id == Transaction.workspace_id)


def _by_fan(sign: int = 1) -> Select[Any]:
    key = (Transaction.workspace_id, Transaction.fan_id, Transaction.currency)
    return _summed(key, sign).where(Transaction.fan_id.is_not(None))


def _summed(key: Sequence[Any], sign: int) -> Select[Any]:
    sums = (cast(func.sum(sign * one), BigInteger).label(name) for name, one in MEASURES.items())
    return select(*key, *sums).where(Transaction.kind != "payout").group_by(*key).order_by(*key)


def keep_calendar(session: Session, workspace_id: UUID) -> None:
    """Have the days counted in the workspace's zone. The caller holds the ledger's lock."""
    zone = session.execute(select(Workspace.time_zone).where(Workspace.id == workspace_id)).scalar_one()
    kept = session.get(RevenueCalendar, workspace_id)
    if kept is None:
        session.add(RevenueCalendar(workspace_id=workspace_id, time_zone=zone))
        session.flush()
    elif kept.time_zone != zone:
        session.execute(
            update(RevenueCalendar).where(RevenueCalendar.workspace_id == workspace_id).values(time_zone=zone)
        )
        rebuild(session, workspace_id)


def follow_moves(session: Session) -> None:
    """Recount the workspaces in view whose time zone was changed since their days were counted."""
    moved = select(Workspace.id).join(
        RevenueCalendar,
        and_(RevenueCalendar.workspace_id == Workspace.id, RevenueCalendar.time_zone != Workspace.time_zone),
    )
    for workspace_id in session.scalars(moved.order_by(Workspace.id)).all():
        lock_ledger(session, workspace_id)
        keep_calendar(session, workspace_id)


def rebuild(session: Session, workspace_id: UUID) -> None:
    """Make every sum of a workspace anew from its ledger."""
    for table in (DailyRevenue, FanTotal):
        session.execute(delete(table).where(table.workspace_id == workspace_id))
    add(session, workspace_id, select(Transaction.id).where(Transaction.workspace_id == workspace_id))


def differences(session: Session) -> tuple[Difference, ...]:
    """Where the sums of the workspaces in view are not what their ledgers give. Empty when all is well."""
    found: list[Difference] = []
    for table, key, sums in ((DailyRevenue, _DAILY_KEY, _by_day()), (FanTotal, _FAN_KEY, _by_fan())):
        columns: list[InstrumentedAttribute[Any]] = [getattr(table, name) for name in (*key, *MEASURES)]
        stored, counted = select(*columns), sums.order_by(None)
        for side, rows in (("missing", except_(counted, stored)), ("extra", except_(stored, counted))):
            found.extend(Difference(table.__tablename__, side, tuple(row)) for row in session.execute(rows))
    return tuple(found)
