"""Revenue as staff see it: out of the ledger, the invoices and the subscriptions of every account."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from core.access import Role, Scope
from core.billing.metrics import Book, Cohort, Conversion, Failed, Kind, Month, Movement, Returned, by_month
from core.billing.models import InvoiceRecord, MrrMovement, SubscriptionRecord
from core.billing.revenue import Revenue, Window, months, movements, revenue
from core.db import transaction
from core.errors import BadInput, NotAllowed, NotFound
from core.insights.takings import takings
from tests.people import Made, make_person

MARCH = Window(date(2026, 3, 1), date(2026, 3, 31))


@pytest.fixture
def staff(database: Connection) -> Made:
    return make_person("Stefan", Role.ADMIN)


def at(month: int, day: int = 1) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


@contextmanager
def of(made: Made) -> Iterator[Session]:
    with transaction(Scope.for_account(made.account_id)) as session:
        yield session


def moved(made: Made, when: datetime, kind: Kind, amount: int, mrr: int, currency: str = "USD", plan: str = "") -> None:
    with of(made) as session:
        facts = {"kind": kind, "currency": currency, "amount": amount, "mrr": mrr}
        session.add(MrrMovement(account_id=made.account_id, at=when, lookup_key=plan or "pro_monthly", **facts))


def invoice(made: Made, name: str, **facts: object) -> None:
    plain: dict[str, object] = {
        "account_id": made.account_id,
        "stripe_id": name,
        "customer_id": "cus_1",
        "subscription_id": "sub_1",
        "status": "paid",
        "currency": "USD",
        "total": 29_00,
        "amount_due": 29_00,
        "amount_paid": 29_00,
        "amount_remaining": 0,
        "created": at(3),
        "paid_at": at(3, 2),
    }
    with of(made) as session:
        session.add(InvoiceRecord(**plain | facts))


def trial(made: Made, name: str, ends: datetime, ended_at: datetime | None = None) -> None:
    with of(made) as session:
        session.add(
            SubscriptionRecord(
                account_id=made.account_id,
                stripe_id=name,
                customer_id="cus_1",
                status="active",
                lookup_key="pro_monthly",
                quantity=1,
                created=at(1),
                current_period_start=at(1),
                current_period_end=at(4),
                trial_end=ends,
                ended_at=ended_at,
                cancel_at_period_end=False,
            )
        )


@pytest.fixture
def ledger(ada: Made, bob: Made) -> None:
    moved(ada, at(1, 5), Kind.NEW, 29_00, 29_00)
    moved(bob, at(2, 1), Kind.NEW, 99_00, 99_00)
    moved(bob, at(3, 1), Kind.EXPANSION, 12_00, 111_00, plan="enterprise_monthly")
    moved(ada, at(3, 9), Kind.CHURNED, -29_00, 0)
    moved(bob, at(3, 10), Kind.NEW, 7_00, 7_00, currency="EUR")
    moved(ada, at(4, 1), Kind.REACTIVATED, 24_17, 24_17)


def test_a_month_out_of_the_ledger(staff: Made, ledger: None) -> None:
    found = revenue(staff.scope, MARCH)
    assert (found.currency, found.currencies) == ("USD", ("USD", "EUR"))
    assert (found.mrr, found.arr, found.subscribers) == (111_00, 1332_00, 1)
    assert found.months == (Month(date(2026, 3, 1), 128_00, expansion=12_00, churned=-29_00),)
    assert found.days == ((date(2026, 3, 1), 140_00), (date(2026, 3, 9), 111_00))
    assert found.cohort == Cohort(128_00, 12_00, 0, 29_00, 2, 1)
    assert found.quick_ratio == Fraction(12, 29)
    assert (found.trials, found.returned) == (Conversion(0, 0), Returned())
    assert found.failed == Failed(0, 0, 0, 0, 0, 0)


def test_another_currency_is_another_book(staff: Made, ledger: None) -> None:
    euros = revenue(staff.scope, MARCH, "EUR")
    assert (euros.currency, euros.mrr, euros.subscribers) == ("EUR", 7_00, 1)
    assert euros.months == (Month(date(2026, 3, 1), 0, new=7_00),)
    assert euros.quick_ratio is None
    assert revenue(staff.scope, MARCH, "XXX").currency == "USD"


def test_without_anything_nothing_is_defined(staff: Made) -> None:
    found = revenue(staff.scope, MARCH)
    assert (found.currency, found.currencies, found.mrr) == ("USD", (), 0)
    assert (found.cohort.net_retention, found.quick_ratio, found.trials.rate, found.failed.rate) == (None,) * 4


def test_the_database_sums_as_the_pure_rules_do(staff: Made, ledger: None) -> None:
    every = movements(staff.scope, Window(date(2026, 1, 1), date(2026, 12, 31)))
    plain = [Movement(one.account_id, one.at, one.kind, one.currency, one.amount, one.mrr) for one in every]
    assert len(plain) == 6
    for first, last in [(date(2026, 1, 5), date(2026, 3, 9)), (date(2026, 3, 9), date(2026, 4, 1))]:
        window = Window(first, last)
        found = revenue(staff.scope, window)
        book = Book.of(plain, "USD", window.start, window.end)
        assert (found.months, found.cohort, found.mrr) == (by_month(book), Cohort.of(book), book.mrr)


def test_trials_that_paid(staff: Made, ada: Made, bob: Made) -> None:
    trial(ada, "sub_1", at(3, 5))
    invoice(ada, "in_free", amount_paid=0)
    trial(ada, "sub_2", at(3, 6), ended_at=at(3, 2))
    trial(ada, "sub_3", at(4, 6), ended_at=at(3, 31))
    trial(ada, "sub_4", at(2, 6))
    trial(bob, "sub_1", at(3, 31))
    invoice(bob, "in_1")
    assert revenue(staff.scope, MARCH).trials == Conversion(4, 1)


def test_a_trial_that_still_runs_has_not_ended(staff: Made, ada: Made) -> None:
    now = datetime.now(UTC)
    trial(ada, "sub_1", now + timedelta(minutes=1))
    trial(ada, "sub_2", now - timedelta(minutes=1))
    days = Window((now - timedelta(days=1)).date(), (now + timedelta(days=1)).date())
    assert revenue(staff.scope, days).trials == Conversion(1, 0)


def test_payments_that_failed_and_money_that_went_back(staff: Made, ada: Made, bob: Made) -> None:
    invoice(ada, "in_1", failed_at=at(3, 1), amount_refunded=9_00)
    invoice(bob, "in_2", failed_at=at(3, 31), status="open", paid_at=None, amount_paid=0, amount_remaining=29_00)
    invoice(bob, "in_3", failed_at=at(4, 1), paid_at=at(4, 2))
    invoice(bob, "in_4", currency="EUR", failed_at=at(3, 3), amount_disputed=29_00)
    invoice(bob, "in_5", amount_disputed=29_00, paid_at=at(3, 1))
    invoice(bob, "in_6", amount_refunded=29_00, paid_at=at(2, 28))
    dollars, euros = revenue(staff.scope, MARCH, "USD"), revenue(staff.scope, MARCH, "EUR")
    assert dollars.failed == Failed(2, 58_00, 1, 29_00, 1, 29_00)
    assert dollars.returned == Returned(58_00, 9_00, 1, 29_00, 1)
    assert euros.failed == Failed(1, 29_00, 1, 29_00, 0, 0)
    assert euros.returned == Returned(29_00, 0, 0, 29_00, 1)


def test_more_accounts_are_not_more_questions(staff: Made, ledger: None, bob: Made, database: Connection) -> None:
    def asked() -> int:
        many: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            many.append(statement)

        event.listen(database, "before_cursor_execute", note)
        try:
            revenue(staff.scope, MARCH)
        finally:
            event.remove(database, "before_cursor_execute", note)
        return len(many)

    before = asked()
    for each in range(5):
        moved(bob, at(3, 11 + each), Kind.EXPANSION, 1, 111_01 + each)
        invoice(bob, f"in_{each}", failed_at=at(3, 2))
    assert asked() == before


@pytest.mark.parametrize("door", [revenue, movements, months])
def test_only_staff_see_it(ada: Made, door: object) -> None:
    with pytest.raises(NotAllowed):
        door(ada.scope, MARCH)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 3, 2), date(2026, 3, 1)),
        (date(1999, 12, 31), date(2026, 3, 1)),
        (date(2026, 3, 1), date(2100, 1, 1)),
        (date.min, date.max),
    ],
)
def test_days_without_figures_are_refused(first: date, last: date) -> None:
    with pytest.raises(BadInput) as refused:
        Window(first, last)
    assert refused.value.code == "paying.no_such_days"


def test_windows_of_months() -> None:
    today = date(2026, 2, 17)
    assert Window.of_months(today, 1) == Window(date(2026, 2, 1), today)
    assert Window.of_months(today, 3) == Window(date(2025, 12, 1), today)
    assert Window.of_months(today, 12) == Window(date(2025, 3, 1), today)
    assert Window.of_months(date(2026, 12, 1), 12) == Window(date(2026, 1, 1), date(2026, 12, 1))
    assert (MARCH.start, MARCH.end) == (at(3), at(4))


def _table(content: bytes) -> list[dict[str, str]]:
    assert content.startswith("\ufeff".encode())
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_the_movements_as_a_file(staff: Made, ledger: None, bob: Made) -> None:
    moved(bob, at(3, 20), Kind.EXPANSION, 1_00, 112_00, plan='=HYPERLINK("x")')
    rows = _table(takings(staff.scope, "movements", MARCH))
    assert [(one["kind"], one["currency"], one["amount"], one["mrr"]) for one in rows] == [
        ("expansion", "USD", "1200", "11100"),
        ("churned", "USD", "-2900", "0"),
        ("new", "EUR", "700", "700"),
        ("expansion", "USD", "100", "11200"),
    ]
    assert rows[0] == rows[0] | {
        "at": "2026-03-01T00:00:00+00:00",
        "account_id": str(bob.account_id),
        "lookup_key": "enterprise_monthly",
    }
    assert rows[3]["lookup_key"] == '\'=HYPERLINK("x")'


def test_the_months_as_a_file(staff: Made, ledger: None) -> None:
    rows = _table(takings(staff.scope, "months", Window(date(2026, 2, 1), date(2026, 4, 30))))
    assert [(one["currency"], one["first"], one["start"], one["end"]) for one in rows] == [
        ("USD", "2026-02-01", "2900", "12800"),
        ("USD", "2026-03-01", "12800", "11100"),
        ("USD", "2026-04-01", "11100", "13517"),
        ("EUR", "2026-02-01", "0", "0"),
        ("EUR", "2026-03-01", "0", "700"),
        ("EUR", "2026-04-01", "700", "700"),
    ]
    kinds = [kind.value for kind in Kind]
    assert all(int(one["start"]) + sum(int(one[kind]) for kind in kinds) == int(one["end"]) for one in rows)


def test_no_other_file_exists(staff: Made) -> None:
    with pytest.raises(NotFound):
        takings(staff.scope, "secrets", MARCH)


def test_what_is_told_can_be_kept_a_while(staff: Made, ledger: None) -> None:
    import pickle

    found = revenue(staff.scope, MARCH)
    kept: Revenue = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert kept == found
