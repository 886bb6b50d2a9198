"""Letters about payments: to the owners, in their words, once each."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, event, select
from sqlalchemy.orm import Session

from core.access import AccountRole, Role, Scope
from core.billing.invoices import Invoice, PaymentMethod
from core.billing.models import BillingNotice
from core.billing.notices import notify
from core.billing.plans import Subscription
from core.db import transaction
from core.mail.outbox import Mail
from core.use_case import unscoped
from core.workspaces.models import AccountMember
from tests.billing.test_causes import CARD, END, NOW, invoice, subscription
from tests.people import Made, make_person

Held = tuple[Subscription, ...]


def tell(
    made: Made,
    before: Held = (),
    after: Held = (),
    invoices: tuple[Invoice, ...] = (),
    method: PaymentMethod | None = CARD,
    now: datetime = NOW,
) -> None:
    with transaction(Scope.for_account(made.account_id)) as session:
        notify(session, made.account_id, before, after, invoices, method, now)


@unscoped("letters belong to nobody")
def posted(session: Session, email: str) -> list[Mail]:
    return list(session.scalars(select(Mail).where(Mail.to_address == email).order_by(Mail.id)))


def kinds(made: Made) -> list[str]:
    return [each.kind for each in posted(made.email)]


def keys(made: Made) -> set[str]:
    with transaction(Scope.for_account(made.account_id)) as session:
        return set(session.scalars(select(BillingNotice.key)))


def join(made: Made, other: Made, role: AccountRole) -> None:
    with transaction(Scope.for_account(made.account_id)) as session:
        session.add(AccountMember(account_id=made.account_id, user_id=other.user_id, role=role))


OWING = subscription("past_due", unpaid_since=NOW - timedelta(hours=3))


def test_a_failed_payment_is_told_with_amount_date_and_links(ada: Made) -> None:
    tell(ada, (subscription(),), (OWING,), (invoice(),))
    (letter,) = posted(ada.email)
    assert letter.kind == "paying.payment_failed"
    assert letter.subject == "A payment did not go through"
    for said in ("$29.00", "A-0001", "November 22, 2026", "https://pay.example/in_1", "/billing"):
        assert said in letter.body, said


def test_each_owner_reads_it_in_their_language_and_zone(database: Connection) -> None:
    made = make_person("Léa", Role.CREATOR, language="fr", time_zone="Asia/Tokyo")
    other, hired = make_person("Owen", Role.MANAGER, creators=0), make_person("Mel", Role.MANAGER, creators=0)
    join(made, other, AccountRole.OWNER)
    join(made, hired, AccountRole.MEMBER)
    late = replace(OWING, unpaid_since=datetime(2026, 11, 14, 20, tzinfo=UTC))
    tell(made, (subscription(),), (late,), (invoice(amount_remaining=1_234_50),))
    (french,), (english,) = posted(made.email), posted(other.email)
    assert french.subject == "Un paiement n’a pas abouti"
    assert "1\u202f234,50\xa0$US" in french.body
    assert "22 novembre 2026" in french.body
    assert "$1,234.50" in english.body
    assert "November 21, 2026" in english.body
    assert posted(hired.email) == []


def test_told_often_it_is_written_once(ada: Made) -> None:
    for _ in range(5):
        tell(ada, (subscription(),), (OWING,), (invoice(),))
        tell(ada, (OWING,), (OWING,), (invoice(attempts=2),))
    assert kinds(ada) == ["paying.payment_failed"]
    assert keys(ada) == {"payment_failed:in_1"}


def test_whatever_the_order_each_cause_is_written_once(ada: Made) -> None:
    """The states of one history, told a hundred times in any order, as repeated and late answers would be."""
    trial = subscription("trialing", trial_end=NOW + timedelta(days=1))
    team = subscription(lookup_key="enterprise_monthly")
    ending = subscription(lookup_key="enterprise_monthly", cancel_at=END)
    over = subscription("canceled", lookup_key="enterprise_monthly", cancel_at=END, ended_at=NOW)
    steps = [((), (trial,)), ((trial,), (subscription(),)), ((subscription(),), (team,))]
    steps += [((team,), (ending,)), ((ending,), (over,)), ((over,), (over,))]
    shuffled = steps * 20
    random.Random(4).shuffle(shuffled)
    for before, after in [*shuffled, *steps]:
        tell(ada, before, after, (invoice(),))
    assert sorted(kinds(ada)) == [
        "paying.cancellation_scheduled",
        "paying.ended",
        "paying.payment_open",
        "paying.plan_changed",
        "paying.trial_ending",
    ]


def test_recovery_is_told_of_only_where_the_failure_was(ada: Made, bob: Made) -> None:
    paid = invoice(status="paid", paid_at=NOW, amount_paid=29_00, amount_remaining=0)
    tell(bob, (subscription(),), (subscription(),), (paid,))
    assert kinds(bob) == []
    tell(ada, (subscription(),), (OWING,), (invoice(),))
    for _ in range(3):
        tell(ada, (OWING,), (subscription(),), (paid,))
    assert kinds(ada) == ["paying.payment_failed", "paying.payment_recovered"]


def test_accounts_do_not_share_what_was_told(ada: Made, bob: Made) -> None:
    for made in (ada, bob):
        tell(made, (subscription(),), (OWING,), (invoice(),))
    assert kinds(ada) == kinds(bob) == ["paying.payment_failed"]


def test_what_is_rolled_back_was_never_told(ada: Made) -> None:
    with transaction(Scope.for_account(ada.account_id)) as session:
        notify(session, ada.account_id, (subscription(),), (OWING,), (invoice(),), CARD, NOW)
        session.rollback()
    assert (kinds(ada), keys(ada)) == ([], set())
    tell(ada, (subscription(),), (OWING,), (invoice(),))
    assert kinds(ada) == ["paying.payment_failed"]


def test_the_same_turn_on_another_day_is_told_again(ada: Made) -> None:
    ending = subscription(cancel_at_period_end=True)
    for days in (0, 0, 1):
        tell(ada, (subscription(),), (ending,), now=NOW + timedelta(days=days))
    assert kinds(ada) == ["paying.cancellation_scheduled"] * 2


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_letter_can_be_written(database: Connection, language: str) -> None:
    made = make_person("Lou", Role.CREATOR, language=language)
    later = subscription(lookup_key="enterprise_yearly", next_lookup_key="pro_yearly", next_at=END)
    soon = subscription("trialing", trial_end=NOW + timedelta(days=1), current_period_end=END)
    old = replace(CARD, expires_month=11, expires_year=2026)
    paid = invoice(status="paid", paid_at=NOW)
    other = invoice(stripe_id="in_2", hosted_url=None)
    tell(made, (subscription(lookup_key="enterprise_yearly"),), (later,), method=old)
    tell(made, (later,), (replace(later, next_lookup_key="enterprise_yearly"),))
    tell(made, (), (soon,))
    tell(made, (), (replace(soon, stripe_id="sub_2"),), method=None)
    tell(made, (subscription(),), (OWING,), (invoice(),))
    tell(made, (subscription(),), (subscription(),), (paid, other))
    tell(made, (subscription(),), (subscription(lookup_key="enterprise_monthly", cancel_at=END),))
    tell(made, (subscription(),), (subscription("paused"),))
    tell(made, (subscription("paused"),), (subscription(),))
    tell(made, (subscription(lookup_key=None),), (subscription("canceled", lookup_key=None, ended_at=NOW),))
    failed = subscription("canceled", stripe_id="sub_2", ended_at=NOW, cancel_reason="payment_failed")
    tell(made, (subscription(stripe_id="sub_2"),), (failed,))
    written = posted(made.email)
    assert len({each.kind for each in written}) == len(written) == 14
    for each in written:
        assert "{" not in each.subject + each.body, each.kind
        assert "http" not in each.subject, each.kind
        assert "/billing" in each.body, each.kind


def test_a_long_history_is_one_question(ada: Made) -> None:
    """Each answer of Stripe's names every payment that ever was recovered."""
    paid = invoice(status="paid", paid_at=NOW, amount_paid=29_00, amount_remaining=0)
    history = tuple(replace(paid, stripe_id=f"in_{number}") for number in range(50))
    asked: list[str] = []
    with transaction(Scope.for_account(ada.account_id)) as session:
        here = session.connection()
        event.listen(here, "before_cursor_execute", lambda *told: asked.append(told[2]))
        notify(session, ada.account_id, (subscription(),), (subscription(),), history, CARD, NOW)
    assert len([each for each in asked if "billing_notices" in each]) == 1
    assert kinds(ada) == []
