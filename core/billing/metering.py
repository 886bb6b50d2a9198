"""Model drafts beyond a plan's allowance, told to Stripe's meter: each once, whoever dies on the way. Rooms.

Of a month is owed what was used beyond the allowance since it is charged. A report is stored before Stripe is told, and
its id is what Stripe knows it by. How much was used is counted elsewhere and passed in.
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.billing.models import StripeCustomer, UsageMeter, UsageReport
from core.billing.plans import PLANS
from core.use_case import unscoped

ALLOWANCE = next(plan.generations for plan in PLANS.values() if plan.generations_metered)
EVERY = timedelta(minutes=5)
"""How often an account's use is reported, and how long a worker that died keeps others from trying."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An account whose use is to be reported, and its customer at Stripe."""

    account_id: UUID
    customer_id: str


@dataclass(frozen=True, slots=True)
class Report:
    """Drafts to be told of. `at` lies in the month whose they are. Instants are aware UTC."""

    id: UUID
    customer_id: str
    quantity: int
    at: datetime
    made_at: datetime


def note_use(session: Session, account_id: UUID, month: date, used: int) -> None:
    """Room: a draft was taken that is charged if it is beyond the allowance; it is the `used`th of the month.

    What was used beyond the allowance before the first that is charged stays free.
    """
    beyond = used - ALLOWANCE
    if beyond <= 0:
        return
    session.execute(
        insert(UsageMeter).values(account_id=account_id, month=month, baseline=beyond - 1).on_conflict_do_nothing()
    )
    unmarked = StripeCustomer.account_id == account_id, StripeCustomer.report_at.is_(None)
    session.execute(update(StripeCustomer).where(*unmarked).values(report_at=func.now()))


@unscoped("a queue of ids: whose use is to be reported, and no use itself")
def take_turn(session: Session) -> Turn | None:
    """The account that waits longest, for EVERY; None when none is due."""
    due = (
        select(StripeCustomer.stripe_id)
        .where(StripeCustomer.report_at <= func.now())
        .order_by(StripeCustomer.report_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = session.execute(
        update(StripeCustomer)
        .where(StripeCustomer.stripe_id == due)
        .values(report_at=func.now() + EVERY)
        .returning(StripeCustomer.account_id, StripeCustomer.stripe_id)
    ).one_or_none()
    return None if taken is None else Turn(*taken)


def rest(session: Session, account_id: UUID) -> None:
    """Room: look no more until a draft beyond the allowance is taken again."""
    session.execute(update(StripeCustomer).where(StripeCustomer.account_id == account_id).values(report_at=None))


def baselines(session: Session, account_id: UUID) -> dict[date, int]:
    """Room: the months of which drafts are charged, each with how many beyond the allowance are not.

    They stay locked to the end of the transaction: of two who report at once one comes after the other.
    """
    found = select(UsageMeter).where(UsageMeter.account_id == account_id).order_by(UsageMeter.month).with_for_update()
    return {each.month: each.baseline for each in session.scalars(found)}


def baseline(session: Session, account_id: UUID, month: date) -> int | None:
    """Room: the same of one month, unlocked; None where no draft of it is charged."""
    of_month = UsageMeter.account_id == account_id, UsageMeter.month == month
    return session.scalar(select(UsageMeter.baseline).where(*of_month))


def owed(used: int, free: int) -> int:
    """Drafts to be charged of a month in which so many were used; `free` of those beyond the allowance are not."""
    return max(0, used - ALLOWANCE - free)


def reported(session: Session, account_id: UUID) -> dict[date, int]:
    """Room: drafts that reports name, by month, those that Stripe does not know yet too."""
    found = select(UsageReport.month, func.sum(UsageReport.quantity)).where(UsageReport.account_id == account_id)
    return {month: int(quantity) for month, quantity in session.execute(found.group_by(UsageReport.month))}


def store_reports(session: Session, turn: Turn, owing: Mapping[date, int], now: datetime) -> None:
    """Room: reports of whatever is owed and not named by one yet, by month.

    A draft that is given back after its report is taken off what comes next, also in a later month.
    """
    named = reported(session, turn.account_id)
    given_back = 0
    for month in sorted(owing):
        open_now = owing[month] - named.get(month, 0) - given_back
        given_back = max(0, -open_now)
        if open_now > 0:
            session.add(
                UsageReport(
                    account_id=turn.account_id,
                    month=month,
                    quantity=open_now,
                    customer_id=turn.customer_id,
                    made_at=now,
                )
            )


def open_reports(session: Session, account_id: UUID) -> tuple[Report, ...]:
    """Room: what Stripe is not known to have counted, the oldest first."""
    found = select(UsageReport).where(UsageReport.account_id == account_id, UsageReport.sent_at.is_(None))
    return tuple(_report(each) for each in session.scalars(found.order_by(UsageReport.id)))


def sent_within(session: Session, account_id: UUID, start: datetime, end: datetime) -> int:
    """Room: drafts of reports that Stripe counted, dated from `start` to before `end`."""
    found = select(UsageReport).where(UsageReport.account_id == account_id, UsageReport.sent_at.is_not(None))
    return sum(each.quantity for each in map(_report, session.scalars(found)) if start <= each.at < end)


def settle_report(session: Session, account_id: UUID, report_id: UUID, refused: str | None = None) -> None:
    """Room: Stripe counted it, or `refused` says why not: it is told of again."""
    session.execute(
        update(UsageReport)
        .where(UsageReport.account_id == account_id, UsageReport.id == report_id)
        .values(last_error=refused, **({} if refused else {"sent_at": func.now()}))
    )


def _report(kept: UsageReport) -> Report:
    return Report(kept.id, kept.customer_id, kept.quantity, dated(kept.month, kept.made_at), kept.made_at)


def dated(month: date, made_at: datetime) -> datetime:
    """When a report's use is said to have been: when it was made, or the last second of its month."""
    last = month.replace(day=calendar.monthrange(month.year, month.month)[1])
    return min(made_at, datetime.combine(last, time(23, 59, 59), UTC))
