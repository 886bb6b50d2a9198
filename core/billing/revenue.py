"""What the product earns, for staff: revenue and how it moves, who stays, trials, and payments that failed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from uuid import UUID

from sqlalchemy import case, exists, func, select, union_all
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing.metrics import (
    Bill,
    Book,
    Cohort,
    Conversion,
    Failed,
    Kind,
    Month,
    Movement,
    Returned,
    Trial,
    by_day,
    by_month,
    conversion,
    failed,
    quick_ratio,
)
from core.billing.models import InvoiceRecord, MrrMovement, SubscriptionRecord
from core.errors import BadInput
from core.use_case import use_case

USUAL_CURRENCY = "USD"
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)


@dataclass(frozen=True, slots=True)
class Window:
    """Whole days of UTC, both ends included. Raises BadInput for days that there are no figures of."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not FIRST_DAY <= self.first <= self.last <= LAST_DAY:
            raise BadInput("paying.no_such_days")

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, datetime.min.time(), UTC)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return datetime.combine(self.last + timedelta(days=1), datetime.min.time(), UTC)

    @classmethod
    def of_months(cls, last: date, months: int) -> "Window":
        """From the first day of a month up to `last`: with 1, of its own month."""
        many = last.year * 12 + last.month - months
        return cls(date(many // 12, many % 12 + 1, 1), last)


@dataclass(frozen=True, slots=True)
class Revenue:
    """One currency in one window, amounts in its minor units. What is not defined is None in the figures of its parts.

    `currencies` are all that there are, the most used first; `trials` counts those of every currency.
    """

    currency: str
    currencies: tuple[str, ...]
    as_of: datetime
    mrr: int
    arr: int
    subscribers: int
    months: tuple[Month, ...]
    days: tuple[tuple[date, int], ...]
    cohort: Cohort
    quick_ratio: Fraction | None
    trials: Conversion
    failed: Failed
    returned: Returned


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement as staff take it along."""

    at: datetime
    account_id: UUID
    kind: Kind
    currency: str
    amount: int
    mrr: int
    lookup_key: str | None


@use_case(Permission.SEE_REVENUE)
def revenue(session: Session, _scope: Scope, window: Window, currency: str | None = None) -> Revenue:
    """Every figure of the window; in the currency asked for where there is one, else in the most used one."""
    found = _currencies(session)
    chosen = currency if currency in found else next(iter(found), USUAL_CURRENCY)
    book, now = _book(session, window, chosen), datetime.now(UTC)
    return Revenue(
        currency=chosen,
        currencies=found,
        as_of=now,
        mrr=book.mrr,
        arr=book.arr,
        subscribers=book.subscribers,
        months=by_month(book),
        days=by_day(book),
        cohort=Cohort.of(book),
        quick_ratio=quick_ratio(book),
        trials=_trials(session, window.start, min(window.end, now)),
        failed=_failed(session, window, chosen),
        returned=_returned(session, window, chosen),
    )


@use_case(Permission.SEE_REVENUE)
def movements(session: Session, _scope: Scope, window: Window) -> tuple[Moved, ...]:
    """Every movement of the window, of all currencies, the earliest first."""
    found = session.scalars(
        select(MrrMovement)
        .where(MrrMovement.at >= window.start, MrrMovement.at < window.end)
        .order_by(MrrMovement.at, MrrMovement.id)
    )
    return tuple(
        Moved(each.at, each.account_id, Kind(each.kind), each.currency, each.amount, each.mrr, each.lookup_key)
        for each in found
    )


@use_case(Permission.SEE_REVENUE)
def months(session: Session, _scope: Scope, window: Window) -> tuple[tuple[str, Month], ...]:
    """The monthly table of each currency, one after the other."""
    return tuple(_monthly(session, window))


def _monthly(session: Session, window: Window) -> Iterator[tuple[str, Month]]:
    for currency in _currencies(session):
        for month in by_month(_book(session, window, currency)):
            yield currency, month


def _currencies(session: Session) -> tuple[str, ...]:
    used = union_all(select(MrrMovement.currency), select(InvoiceRecord.currency)).subquery()
    ordered = select(used.c.currency).group_by(used.c.currency).order_by(func.count().desc(), used.c.currency)
    return tuple(session.scalars(ordered))


def _book(session: Session, window: Window, currency: str) -> Book:
    """What every account was worth at the start is summed by the database, so a long history costs no more."""
    worth = func.sum(MrrMovement.amount)
    opening = session.execute(
        select(MrrMovement.account_id, worth)
        .where(MrrMovement.currency == currency, MrrMovement.at < window.start)
        .group_by(MrrMovement.account_id)
        .having(worth != 0)
    )
    moved = session.execute(
        select(MrrMovement.account_id, MrrMovement.at, MrrMovement.kind, MrrMovement.amount, MrrMovement.mrr)
        .where(MrrMovement.currency == currency, MrrMovement.at >= window.start, MrrMovement.at < window.end)
        .order_by(MrrMovement.at, MrrMovement.id)
    )
    return Book(
        currency,
        window.start,
        window.end,
        {account_id: int(value) for account_id, value in opening},
        tuple(Movement(who, at, Kind(kind), currency, amount, mrr) for who, at, kind, amount, mrr in moved),
    )


def _trials(session: Session, start: datetime, end: datetime) -> Conversion:
    over = func.least(SubscriptionRecord.trial_end, SubscriptionRecord.ended_at)
    paid = exists().where(
        InvoiceRecord.account_id == SubscriptionRecord.account_id,
        InvoiceRecord.subscription_id == SubscriptionRecord.stripe_id,
        InvoiceRecord.amount_paid > 0,
    )
    found = session.execute(
        select(SubscriptionRecord.trial_end, SubscriptionRecord.ended_at, paid).where(
            SubscriptionRecord.trial_end.is_not(None), over >= start, over < end
        )
    )
    return conversion((Trial(ends, ended, has_paid=paid) for ends, ended, paid in found if ends), start, end)


def _failed(session: Session, window: Window, currency: str) -> Failed:
    bills = session.execute(
        select(
            InvoiceRecord.currency,
            InvoiceRecord.status,
            InvoiceRecord.amount_due,
            InvoiceRecord.amount_paid,
            InvoiceRecord.amount_remaining,
            InvoiceRecord.failed_at,
            InvoiceRecord.paid_at,
        ).where(
            InvoiceRecord.currency == currency,
            InvoiceRecord.failed_at >= window.start,
            InvoiceRecord.failed_at < window.end,
        )
    )
    return failed((Bill(*row) for row in bills), currency, window.start, window.end)


def _returned(session: Session, window: Window, currency: str) -> Returned:
    """Refunds and disputes are counted with the payment that they undo."""
    row = session.execute(
        select(
            func.coalesce(func.sum(InvoiceRecord.amount_paid), 0),
            func.coalesce(func.sum(InvoiceRecord.amount_refunded), 0),
            func.count(case((InvoiceRecord.amount_refunded > 0, 1))),
            func.coalesce(func.sum(InvoiceRecord.amount_disputed), 0),
            func.count(case((InvoiceRecord.amount_disputed > 0, 1))),
        ).where(
            InvoiceRecord.currency == currency,
            InvoiceRecord.paid_at >= window.start,
            InvoiceRecord.paid_at < window.end,
        )
    ).one()
    return Returned(*map(int, row))
