"""Questions about earnings of the workspaces in view. Frames hold integer minor units, one currency a row.

An amount that the statements do not tell (a fee, where a file has none) leaves a hole: sums over it are <NA> in
frames and None in totals, never a number that is too small.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Executable, and_, case, cast, desc, func, select
from sqlalchemy.orm import Session

from core.earnings.models import DailyRevenue, Fan, FanTotal, Import, RevenueCalendar, Transaction
from core.earnings.rollups import DAY, MEASURES
from core.earnings.windows import FIRST_DAY, LAST_DAY, Window

_NEEDS_GROSS = ("gross_minor", "fee_minor")
_NEEDS_NET = ("fee_minor", "refunds_minor", "chargebacks_minor", "net_minor", "pending_minor")


@dataclass(frozen=True, slots=True)
class Totals:
    """The numbers of `definitions.md` in minor units of one currency; None where one is not defined.

    `gross_unknown` and `net_unknown` count the transactions that make it so. Pending is part of net.
    """

    currency: str
    gross: int | None
    fee: int | None
    refunds: int | None
    chargebacks: int | None
    net: int | None
    pending: int | None
    transactions: int
    gross_unknown: int
    net_unknown: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a statement was last imported, and the newest payment known.

    `changes` counts imports and undone imports: it differs whenever the ledger does.
    """

    last_import_at: datetime | None
    last_transaction_at: datetime | None
    changes: int


def currencies(session: Session) -> tuple[str, ...]:
    """The currencies of the ledger, the one with the most transactions first."""
    used = select(DailyRevenue.currency).group_by(DailyRevenue.currency)
    return tuple(session.scalars(used.order_by(desc(func.sum(DailyRevenue.transactions)), DailyRevenue.currency)))


def totals(session: Session, window: Window) -> tuple[Totals, ...]:
    """One for each currency with payments in the window, the one with the most first."""
    sums = select(DailyRevenue.currency, *_sums(DailyRevenue)).where(_within(window)).group_by(DailyRevenue.currency)
    rows = session.execute(sums.order_by(desc("transactions"), DailyRevenue.currency))
    return tuple(_totals(dict(row)) for row in rows.mappings())


def _totals(row: dict[str, Any]) -> Totals:
    hidden = {*(_NEEDS_GROSS if row["gross_unknown"] else ()), *(_NEEDS_NET if row["net_unknown"] else ())}
    told: dict[str, Any] = {name.removesuffix("_minor"): None if name in hidden else row[name] for name in MEASURES}
    return Totals(currency=row["currency"], **told)


def revenue_by_day(session: Session, window: Window, currency: str) -> pd.DataFrame:
    """day, platform, and the measures of `rollups`, ordered by day. Days without payments have no row."""
    key = (DailyRevenue.day, DailyRevenue.platform)
    sums = select(*key, *_sums(DailyRevenue)).where(_within(window), DailyRevenue.currency == currency)
    return _frame(session, sums.group_by(*key).order_by(*key), "day", "platform")


def revenue_by_kind(session: Session, window: Window, currency: str) -> pd.DataFrame:
    """kind and the measures of `rollups`, the largest gross first."""
    sums = select(DailyRevenue.kind, *_sums(DailyRevenue)).where(_within(window), DailyRevenue.currency == currency)
    return _frame(session, sums.group_by(DailyRevenue.kind).order_by(desc("gross_minor"), DailyRevenue.kind), "kind")


def top_fans(session: Session, window: Window | None, currency: str, limit: int) -> pd.DataFrame:
    """fan (name, else handle, else id), handle, platform and the measures, by net, or gross where net is unknown.

    Without a window: over all time, from the totals that are kept for each fan.
    """
    fan = func.coalesce(Fan.name, Fan.handle, Fan.identity).label("fan")
    key = (Fan.id, Fan.workspace_id, fan, Fan.handle, Fan.platform)
    sums = select(fan, Fan.handle, Fan.platform)
    if window is None:
        sums = (
            sums.add_columns(*_sums(FanTotal)).join(FanTotal, _same_fan(FanTotal)).where(FanTotal.currency == currency)
        )
    else:
        sums = (
            sums.add_columns(*(cast(func.sum(one), BigInteger).label(name) for name, one in MEASURES.items()))
            .join(Transaction, _same_fan(Transaction))
            .join(RevenueCalendar, RevenueCalendar.workspace_id == Transaction.workspace_id)
            .where(Transaction.currency == currency, Transaction.kind != "payout", _occurred_within(window))
        )
    ranked = sums.group_by(*key).subquery()
    value = case((ranked.c.net_unknown > 0, ranked.c.gross_minor), else_=ranked.c.net_minor)
    return _frame(session, select(ranked).order_by(desc(value), ranked.c.fan).limit(limit), "fan", "handle", "platform")


def freshness(session: Session) -> Freshness:
    live = func.max(Import.created_at).filter(Import.undone_at.is_(None))
    newest = select(func.max(Transaction.occurred_at)).scalar_subquery()
    return Freshness(*session.execute(select(live, newest, func.count() + func.count(Import.undone_at))).one())


def _sums(table: Any) -> list[ColumnElement[int]]:
    return [cast(func.sum(getattr(table, name)), BigInteger).label(name) for name in MEASURES]


def _within(window: Window) -> ColumnElement[bool]:
    return DailyRevenue.day.between(window.first, window.last)


def _occurred_within(window: Window) -> ColumnElement[bool]:
    """By the day that counts; the instants, a day wider for every zone, let the index find the rows."""
    first, last = max(window.first, FIRST_DAY), min(window.last, LAST_DAY)
    wider = timedelta(days=1)
    return and_(DAY.between(first, last), Transaction.occurred_at.between(first - wider, last + 2 * wider))


def _same_fan(table: Any) -> ColumnElement[bool]:
    return and_(table.workspace_id == Fan.workspace_id, table.fan_id == Fan.id)


def _frame(session: Session, question: Executable, *keys: str) -> pd.DataFrame:
    frame = pd.DataFrame(session.execute(question).all(), columns=[*keys, *MEASURES])
    frame = frame.astype(dict.fromkeys(MEASURES, "Int64"))
    frame.loc[frame["gross_unknown"] > 0, list(_NEEDS_GROSS)] = pd.NA
    frame.loc[frame["net_unknown"] > 0, list(_NEEDS_NET)] = pd.NA
    return frame
