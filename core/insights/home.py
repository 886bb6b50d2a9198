"""How things stand: this month beside the same days of the last one, and what was worked on. Questions only.

Days and months are those of each creator's time zone. A partial month compares with the same days of the month before;
where that one was shorter, with the whole of it. Sums never mix currencies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import starmap
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Date, Select, cast, func, literal, select
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.ai import allowance
from core.billing.plans import PlanName
from core.billing.service import entitlement_of
from core.content.kinds import AssetStatus
from core.content.models import ContentAsset
from core.earnings.models import DailyRevenue, Import, Transaction
from core.earnings.rollups import follow_moves
from core.use_case import use_case
from core.workspaces.models import Workspace

LATEST = 3
"""How many texts Home lists."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Minor units; None where a statement leaves out an amount, so that the sum is not defined."""

    gross: int | None
    fee: int | None
    net: int | None


@dataclass(frozen=True, slots=True)
class Month:
    """One creator's month so far in one currency, `first` to `last` included, and the same days of the month before."""

    workspace_id: UUID
    currency: str
    first: date
    last: date
    now: Sums
    before: Sums


@dataclass(frozen=True, slots=True)
class Fed:
    """When a creator's figures were last fed, and the newest payment known."""

    workspace_id: UUID
    last_import_at: datetime | None
    last_payment_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Of every creator in view: months in which something was earned, the larger first, and how fresh they are."""

    months: tuple[Month, ...]
    fed: tuple[Fed, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A kept text. `status` is a `core.content.kinds.AssetStatus`."""

    title: str
    status: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """What one creator works with: the latest texts, the plan, and the month's model drafts (None: no limit)."""

    texts: tuple[Text, ...]
    plan: PlanName
    drafts_used: int
    drafts_most: int | None


def change(now: int | None, before: int | None) -> Decimal | None:
    """The change as a share of 1. None, not defined, when either is unknown or there was nothing before."""
    if now is None or not before:
        return None
    return Decimal(now - before) / abs(before)


@use_case(Permission.VIEW_ANALYTICS)
def overview(session: Session, _scope: Scope, now: datetime) -> Overview:
    """The month so far at `now` of every creator in view. Two queries, however many creators there are."""
    follow_moves(session)
    today = cast(func.timezone(Workspace.time_zone, now), Date)
    first = cast(func.date_trunc("month", today), Date)
    before = cast(first - func.make_interval(0, 1), Date)
    same_day = func.least(before + (today - first), first - 1)
    this_month, month_before = DailyRevenue.day.between(first, today), DailyRevenue.day.between(before, same_day)
    rows: Sequence[Sequence[Any]] = session.execute(
        select(Workspace.id, DailyRevenue.currency, first, today, *_sums(this_month), *_sums(month_before))
        .join(DailyRevenue, DailyRevenue.workspace_id == Workspace.id)
        .where(this_month | month_before)
        .group_by(Workspace.id, DailyRevenue.currency, first, today)
    ).all()
    months = [_month(row) for row in rows]
    months.sort(key=lambda month: (-(month.now.net or 0), month.currency, month.workspace_id))
    return Overview(tuple(months), tuple(starmap(Fed, session.execute(_fed()))))


def _sums(within: ColumnElement[bool]) -> list[ColumnElement[int]]:
    columns = (
        DailyRevenue.gross_minor,
        DailyRevenue.fee_minor,
        DailyRevenue.net_minor,
        DailyRevenue.gross_unknown,
        DailyRevenue.net_unknown,
    )
    return [func.coalesce(cast(func.sum(column).filter(within), BigInteger), literal(0)) for column in columns]


def _month(row: Sequence[Any]) -> Month:
    workspace_id, currency, first, last, *sums = row
    return Month(workspace_id, currency, first, last, _said(*sums[:5]), _said(*sums[5:]))


def _said(gross: int, fee: int, net: int, gross_unknown: int, net_unknown: int) -> Sums:
    """A sum with a hole in it is not shown as a number."""
    return Sums(
        None if gross_unknown else gross, None if gross_unknown or net_unknown else fee, None if net_unknown else net
    )


def _fed() -> Select[UUID, datetime | None, datetime | None]:
    imported = select(func.max(Import.created_at)).where(
        Import.workspace_id == Workspace.id, Import.undone_at.is_(None)
    )
    paid = select(func.max(Transaction.occurred_at)).where(Transaction.workspace_id == Workspace.id)
    return select(Workspace.id, imported.scalar_subquery(), paid.scalar_subquery())


@use_case(Permission.VIEW_WORKSPACE)
def desk(session: Session, scope: Scope, now: datetime) -> Desk:
    """What the one creator in view works with at `now`. Drafts are counted for the whole account."""
    texts = session.execute(
        select(ContentAsset.title, ContentAsset.status, ContentAsset.updated_at)
        .where(ContentAsset.workspace_id == scope.workspace_id, ContentAsset.status != AssetStatus.ARCHIVED)
        .order_by(ContentAsset.updated_at.desc(), ContentAsset.id)
        .limit(LATEST)
    )
    entitled = entitlement_of(session, scope.account_id)
    return Desk(
        tuple(Text(*row) for row in texts),
        entitled.plan,
        allowance.used(session, scope.account_id, allowance.month_of(now)),
        entitled.most_generations,
    )
