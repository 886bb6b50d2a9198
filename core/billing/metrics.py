"""What subscriptions are worth, and how that changes. Pure: whole minor units and fractions.

Amounts of different currencies never meet: a `Book` is of one, and what reads bills is told which. Windows are from
`start` to before `end`; months are those of UTC. A figure whose denominator is 0 is not defined: None.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from core.billing.plans import Discount, Item, Status, Subscription

COUNTING = frozenset({Status.ACTIVE, Status.PAST_DUE})
"""Who pays or still owes. Trials pay nothing yet; paused, unpaid, incomplete, canceled and gone pay nothing more."""


class Kind(StrEnum):
    """How an account's monthly recurring revenue changed."""

    NEW = "new"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURNED = "churned"
    REACTIVATED = "reactivated"


def currency_of(subscription: Subscription) -> str | None:
    """The one currency of all that the subscription pays for; None when it holds nothing with an amount."""
    return next((each.currency for each in subscription.items if _monthly(each) is not None), None)


def monthly_value(subscription: Subscription, at: datetime) -> int:
    """Minor units a month of what the subscription pays, after discounts; 0 unless it is active or past due.

    Definition "MRR": yearly ÷ 12, without trials, taxes and metered usage. Discounts count while they run, in the
    order in which Stripe holds them: a share off what is left, an amount off spread over the invoice's period, which
    is the shortest among the items. A coupon for one invoice (`once`) is no recurring price and does not count; what
    reads Stripe's answer leaves it out. Rounded half to even once, for the whole subscription.
    """
    if subscription.status not in COUNTING:
        return 0
    paying = [each for each in subscription.items if _monthly(each) is not None]
    value = sum((_monthly(each) or Fraction() for each in paying), Fraction())
    for discount in subscription.discounts:
        if discount.ends_at is None or at < discount.ends_at:
            value = max(value - _off(discount, value, paying), Fraction())
    return round(value)


def _monthly(item: Item) -> Fraction | None:
    """None for what is metered, or has not one amount, or no interval of whole months."""
    if item.is_metered or item.unit_amount is None or not item.months:
        return None
    return Fraction(item.unit_amount * item.quantity, item.months)


def _off(discount: Discount, value: Fraction, paying: Iterable[Item]) -> Fraction:
    if discount.percent_off is not None:
        return value * Fraction(discount.percent_off) / 100
    same = [each.months for each in paying if each.months and each.currency == discount.currency]
    return Fraction(discount.amount_off or 0, min(same)) if same else Fraction()


def movement(before: int, after: int, had_before: bool) -> Kind | None:
    """What an account's change from one monthly value to another is called; None when nothing changed.

    `had_before` says whether the account was worth something at any time before: then it comes back, else it is new.
    Giving up one of two subscriptions is a contraction.
    """
    if before == after:
        return None
    if before == 0:
        return Kind.REACTIVATED if had_before else Kind.NEW
    if after == 0:
        return Kind.CHURNED
    return Kind.EXPANSION if after > before else Kind.CONTRACTION


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of an account's monthly recurring revenue: by `amount`, signed, to `mrr`."""

    account_id: UUID
    at: datetime
    kind: Kind
    currency: str
    amount: int
    mrr: int


@dataclass(frozen=True, slots=True)
class Book:
    """One currency in one window: what each account was worth when it began, and what moved before it ended."""

    currency: str
    start: datetime
    end: datetime
    opening: Mapping[UUID, int]
    movements: tuple[Movement, ...]

    @classmethod
    def of(cls, movements: Iterable[Movement], currency: str, start: datetime, end: datetime) -> "Book":
        """The same out of every movement there ever was."""
        ours = sorted((each for each in movements if each.currency == currency), key=lambda each: each.at)
        opening = _sums(each for each in ours if each.at < start)
        return cls(currency, start, end, opening, tuple(each for each in ours if start <= each.at < end))

    @property
    def closing(self) -> Mapping[UUID, int]:
        """What each account is worth at the end."""
        return _sums(self.movements, self.opening)

    @property
    def mrr_before(self) -> int:
        return sum(self.opening.values())

    @property
    def mrr(self) -> int:
        """Monthly recurring revenue at the end of the window."""
        return sum(self.closing.values())

    @property
    def arr(self) -> int:
        """Annual run rate: twelve times the monthly one."""
        return 12 * self.mrr

    @property
    def subscribers(self) -> int:
        """Accounts that pay something at the end."""
        return sum(1 for value in self.closing.values() if value)


def _sums(movements: Iterable[Movement], before: Mapping[UUID, int] | None = None) -> dict[UUID, int]:
    sums = defaultdict(int, before or {})
    for each in movements:
        sums[each.account_id] += each.amount
    return {account_id: value for account_id, value in sums.items() if value}


@dataclass(frozen=True, slots=True)
class Month:
    """How one month went, losses negative: start + movements = end. A month that the window cuts is cut here too."""

    first: date
    start: int
    new: int = 0
    expansion: int = 0
    contraction: int = 0
    churned: int = 0
    reactivated: int = 0

    @property
    def end(self) -> int:
        return self.start + self.new + self.expansion + self.contraction + self.churned + self.reactivated


def by_month(book: Book) -> tuple[Month, ...]:
    """One row a month of the window, also where nothing moved, the earliest first."""
    moved: dict[tuple[date, Kind], int] = defaultdict(int)
    for each in book.movements:
        moved[_month(each.at), each.kind] += each.amount
    rows, first, start = [], _month(book.start), book.mrr_before
    while first <= (book.end - timedelta(microseconds=1)).astimezone(UTC).date():
        row = Month(first, start, **{kind.value: moved[first, kind] for kind in Kind})
        rows.append(row)
        first, start = (first + timedelta(days=31)).replace(day=1), row.end
    return tuple(rows)


def _month(at: datetime) -> date:
    return at.astimezone(UTC).date().replace(day=1)


def by_day(book: Book) -> tuple[tuple[date, int], ...]:
    """The monthly recurring revenue at the end of each day on which it changed, after that of the window's start."""
    value, days = book.mrr_before, {book.start.astimezone(UTC).date(): book.mrr_before}
    for each in book.movements:
        value += each.amount
        days[each.at.astimezone(UTC).date()] = value
    return tuple(days.items())


@dataclass(frozen=True, slots=True)
class Cohort:
    """What became, by the end, of the accounts that paid at the start. Whoever came since, or came back, is not here.

    An account counts by its net change over the window: who left and is there again at the end has not churned.
    """

    start: int
    expansion: int
    contraction: int
    churned: int
    accounts: int
    accounts_churned: int

    @classmethod
    def of(cls, book: Book) -> "Cohort":
        closing = book.closing
        changes = [(before, closing.get(account_id, 0)) for account_id, before in book.opening.items()]
        return cls(
            start=book.mrr_before,
            expansion=sum(after - before for before, after in changes if after > before),
            contraction=sum(before - after for before, after in changes if 0 < after < before),
            churned=sum(before for before, after in changes if after == 0),
            accounts=len(changes),
            accounts_churned=sum(1 for _, after in changes if after == 0),
        )

    @property
    def net_retention(self) -> Fraction | None:
        """(start + expansion - contraction - churn) ÷ start."""
        return _share(self.start + self.expansion - self.contraction - self.churned, self.start)

    @property
    def gross_churn(self) -> Fraction | None:
        """(contraction + churn) ÷ start."""
        return _share(self.contraction + self.churned, self.start)

    @property
    def subscriber_churn(self) -> Fraction | None:
        """Accounts lost ÷ accounts at the start."""
        return _share(self.accounts_churned, self.accounts)


def quick_ratio(book: Book) -> Fraction | None:
    """(new + expansion) ÷ (contraction + churned), of all movements in the window."""
    sums: dict[Kind, int] = defaultdict(int)
    for each in book.movements:
        sums[each.kind] += each.amount
    return _share(sums[Kind.NEW] + sums[Kind.EXPANSION], -(sums[Kind.CONTRACTION] + sums[Kind.CHURNED]))


@dataclass(frozen=True, slots=True)
class Conversion:
    """Trials that ended, and those of them that paid."""

    ended: int
    paid: int

    @property
    def rate(self) -> Fraction | None:
        return _share(self.paid, self.ended)


@dataclass(frozen=True, slots=True)
class Trial:
    """When a trial ends, when its subscription did, and whether any money came in on its invoices."""

    trial_end: datetime
    ended_at: datetime | None
    has_paid: bool

    @property
    def over(self) -> datetime:
        """With its subscription where that ended first."""
        return self.trial_end if self.ended_at is None else min(self.trial_end, self.ended_at)


def conversion(trials: Iterable[Trial], start: datetime, end: datetime) -> Conversion:
    """Of the trials that ended in the window, early or in time, how many paid. `end` may not be after now."""
    over = [each for each in trials if start <= each.over < end]
    return Conversion(len(over), sum(1 for each in over if each.has_paid))


@dataclass(frozen=True, slots=True)
class Bill:
    """What of an invoice matters here."""

    currency: str
    status: str
    amount_due: int
    amount_paid: int
    amount_remaining: int
    failed_at: datetime | None
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class Failed:
    """Invoices of which a payment failed: recovered is what was paid after all, open what still may be."""

    count: int
    amount: int
    recovered_count: int
    recovered_amount: int
    open_count: int
    open_amount: int

    @property
    def rate(self) -> Fraction | None:
        """Recovered ÷ failed, by amount."""
        return _share(self.recovered_amount, self.amount)


def failed(bills: Iterable[Bill], currency: str, start: datetime, end: datetime) -> Failed:
    """Those that first failed in the window, whenever they were paid. One that was voided is neither paid nor open."""
    ours = [
        each
        for each in bills
        if each.currency == currency and each.failed_at is not None and start <= each.failed_at < end
    ]
    recovered = [each for each in ours if each.paid_at is not None]
    still = [each for each in ours if each.paid_at is None and each.status == "open"]
    return Failed(
        count=len(ours),
        amount=sum(each.amount_due for each in ours),
        recovered_count=len(recovered),
        recovered_amount=sum(each.amount_paid for each in recovered),
        open_count=len(still),
        open_amount=sum(each.amount_remaining for each in still),
    )


@dataclass(frozen=True, slots=True)
class Returned:
    """Of the payments received in a window, what went back to customers and what their banks took back."""

    received: int = 0
    refunded: int = 0
    refunds: int = 0
    disputed: int = 0
    disputes: int = 0

    @property
    def refund_rate(self) -> Fraction | None:
        """Refunded ÷ received, by amount."""
        return _share(self.refunded, self.received)

    @property
    def dispute_rate(self) -> Fraction | None:
        """Disputed ÷ received, by amount."""
        return _share(self.disputed, self.received)


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None
