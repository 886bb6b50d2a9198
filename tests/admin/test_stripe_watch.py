"""What staff see of Stripe: sweeps with what they found, and the alarms when it is silent, slow, or does not count."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing.models import StripeEvent, StripeSync, SweepReport, UsageReport
from core.db import transaction
from core.errors import NotAllowed
from core.insights.health import health
from core.insights.operations import SweepSeen, sweeps
from core.settings import settings
from core.use_case import use_case
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.paying import subscribe
from tests.people import Made

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


def keep(*kept: object) -> None:
    with transaction(None) as session:
        session.add_all(kept)


def report(at: datetime, missed: int = 0, differing: int | None = None, error: str | None = None) -> SweepReport:
    return SweepReport(
        began_at=at,
        ended_at=at + timedelta(seconds=9),
        events_listed=41,
        events_missed=missed,
        customers_asked=7,
        subscriptions_differing=differing,
        last_error=error,
    )


def event(received_at: datetime, key: str | None = None, processed_at: datetime | None = None) -> StripeEvent:
    return StripeEvent(
        id=f"evt_{received_at.timestamp()}",
        dedupe=f"evt_{received_at.timestamp()}",
        type="invoice.paid",
        created=NOON,
        livemode=False,
        sync_key=key,
        payload=b"{}",
        received_at=received_at,
        processed_at=processed_at,
    )


@use_case(Permission.MANAGE_BILLING)
def use(session: Session, scope: Scope, made_at: datetime, sent_at: datetime | None = None) -> None:
    month = date(2026, 11, 1)
    session.add(
        UsageReport(
            account_id=scope.account_id, month=month, quantity=3, customer_id="cus_1", made_at=made_at, sent_at=sent_at
        )
    )


def test_sweeps_show_what_they_found_the_newest_first(staff: Made, ada: Made) -> None:
    keep(report(NOON, missed=3), report(NOON + timedelta(hours=1), differing=2, error="Boom"))
    seen = sweeps(staff.scope)
    later = NOON + timedelta(hours=1)
    assert seen[0] == SweepSeen(later, later + timedelta(seconds=9), 41, 0, 7, 2, "Boom")
    assert (seen[1].missed, seen[1].differing, seen[1].last_error) == (3, None, None)
    with pytest.raises(NotAllowed):
        sweeps(ada.scope)


@pytest.mark.parametrize(("minutes", "is_late"), [(14, False), (16, True)])
def test_a_question_that_waits_too_long_is_an_alarm(staff: Made, minutes: int, is_late: bool) -> None:
    rang = ago(minutes=minutes)
    retried = datetime.now(UTC) + timedelta(minutes=5)
    keep(
        StripeSync(key="customer:cus_1", dirty=2, synced=1, next_at=retried, attempts=3), event(rang, "customer:cus_1")
    )
    now = health(staff.scope)
    assert (now.asking_since, now.is_late) == (rang, is_late)


def test_what_is_settled_or_given_up_is_not_late(staff: Made) -> None:
    keep(
        StripeSync(key="customer:cus_1", dirty=2, synced=2, next_at=ago(hours=5)),
        StripeSync(key="customer:cus_2", dirty=2, synced=1, next_at=ago(hours=5), dead_at=ago(hours=1)),
        event(ago(hours=5), "customer:cus_2"),
        event(ago(hours=6), "customer:cus_1", processed_at=ago(hours=5)),
    )
    now = health(staff.scope)
    assert (now.asking_since, now.is_late) == (None, False)


def test_silence_is_an_alarm_only_where_somebody_pays(staff: Made, ada: Made) -> None:
    assert not health(staff.scope).is_silent
    subscribe(ada)
    assert health(staff.scope).is_silent, "nothing ever rang"
    keep(event(ago(hours=25)))
    assert health(staff.scope).is_silent
    keep(event(rang := ago(hours=23)))
    now = health(staff.scope)
    assert (now.rang_at, now.is_silent) == (rang, False)


def test_what_a_sweep_found_did_not_ring(staff: Made, ada: Made) -> None:
    """With a webhook that is broken each event comes by a sweep, and the alarm is for just that."""
    subscribe(ada)
    swept, rang = ago(hours=1), ago(hours=30)
    keep(event(rang), report(swept - timedelta(seconds=4), missed=1), event(swept))
    now = health(staff.scope)
    assert (now.rang_at, now.is_silent) == (rang, True)
    keep(report(ago(minutes=30, seconds=4)), event(rang := ago(minutes=30)))
    now = health(staff.scope)
    assert (now.rang_at, now.is_silent) == (rang, False)


def test_use_that_stripe_does_not_count_is_an_alarm(staff: Made, ada: Made) -> None:
    scope = Scope.for_account(ada.account_id)
    use(scope, ago(minutes=50))
    use(scope, ago(hours=2), ago(hours=1))
    assert health(staff.scope).unsent_reports == 0
    use(scope, ago(hours=2))
    assert health(staff.scope).unsent_reports == 1


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_x")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.usefixtures("key")
def test_the_page_says_what_is_wrong_and_lists_the_sweeps(open_page: OpenPage, staff: Made, ada: Made) -> None:
    page = open_page("admin", staff)
    page.segmented_control(key="admin_tab").set_value("operations").run()
    assert_no_crash(page)
    assert not page.warning
    subscribe(ada)
    use(Scope.for_account(ada.account_id), ago(hours=2))
    keep(StripeSync(key="customer:cus_1", dirty=1, next_at=ago(minutes=20)), report(NOON, missed=3))
    page.run()
    said = " ".join(one.value for one in page.warning)
    assert "has been open since" in said
    assert "Stripe has not rung for a day" in said
    assert "1 report of drafts beyond a plan" in said
    page.segmented_control(key="operations_view").set_value("events").run()
    assert_no_crash(page)
    table = page.dataframe[-1].value.to_dict("records")
    assert [(row["Never rang"], row["Subscriptions differing"]) for row in table] == [("3", "not compared")]
    assert "once a night all subscriptions are compared" in words(page)
