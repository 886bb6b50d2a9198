"""Letters to an account's owners about what they pay, written in the transaction that keeps what Stripe said."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import AccountRole
from core.billing.causes import Amount, Cause, Sold, causes
from core.billing.invoices import Invoice, PaymentMethod
from core.billing.models import BillingNotice
from core.billing.plans import OFFERS, Subscription
from core.errors import sentences
from core.identity.letters import Reader
from core.identity.models import User
from core.language import day, money, supported
from core.settings import settings
from core.workspaces.letters import write_to
from core.workspaces.models import Account, AccountMember


@dataclass(frozen=True, slots=True)
class _Owner:
    to: Reader
    time_zone: str


def notify(  # noqa: PLR0917
    session: Session,
    account_id: UUID,
    before: tuple[Subscription, ...],
    after: tuple[Subscription, ...],
    invoices: tuple[Invoice, ...],
    method: PaymentMethod | None,
    now: datetime,
) -> None:
    """Room: write to the owners what they have not been told yet. Each cause once an account, whatever rings.

    `before` is what was held of the subscriptions until this transaction, `after` what is held now.
    """
    found = causes(before, after, invoices, method, now)
    known = _known(session, account_id, found)
    may_be_told = [each for each in found if each.key not in known and each.only_after in {None, *known}]
    untold = [each for each in may_be_told if _is_first(session, account_id, each)]
    if not untold:
        return
    billing = f"{settings().public_url.rstrip('/')}/billing"
    usual = {"account": session.get_one(Account, account_id).name, "billing": billing, "invoice": billing}
    for owner in _owners(session, account_id):
        for each in untold:
            write_to(session, owner.to, "paying", each.letter.value, **usual | _said(each.facts, owner))


def _known(session: Session, account_id: UUID, found: Iterable[Cause]) -> set[str]:
    """Which of the keys that the causes name were told of before: asked for at once, however long a history is."""
    named = {key for each in found for key in (each.key, each.only_after) if key is not None}
    if not named:
        return set()
    told = select(BillingNotice.key).where(BillingNotice.account_id == account_id, BillingNotice.key.in_(named))
    return set(session.scalars(told))


def _is_first(session: Session, account_id: UUID, cause: Cause) -> bool:
    noted = insert(BillingNotice).values(account_id=account_id, key=cause.key).on_conflict_do_nothing()
    return session.scalar(noted.returning(BillingNotice.key)) is not None


def _owners(session: Session, account_id: UUID) -> list[_Owner]:
    found = session.execute(
        select(User.email, User.language, User.time_zone)
        .join(AccountMember, AccountMember.user_id == User.id)
        .where(AccountMember.account_id == account_id, AccountMember.role == AccountRole.OWNER)
        .where(User.deleted_at.is_(None))
        .order_by(User.id)
    )
    return [_Owner(Reader(row.email, row.language), row.time_zone) for row in found]


def _said(facts: Mapping[str, object], owner: _Owner) -> dict[str, object]:
    return {name: _word(fact, owner) for name, fact in facts.items()}


def _word(fact: object, owner: _Owner) -> object:
    """An amount, a date or a plan, as this owner reads them."""
    language = supported(owner.to.language)
    if isinstance(fact, Amount):
        return money(fact.minor, fact.currency, language)
    if isinstance(fact, datetime):
        return day(fact.astimezone(ZoneInfo(owner.time_zone)).date(), language, "long")
    if isinstance(fact, Sold):
        sold = OFFERS.get(fact.lookup_key)
        return sentences().text(language, f"paying.offer_{sold.lookup_key}" if sold else "paying.offer_unknown")
    return fact
