"""What staff see of subscriptions: all of them to search in, and the file of one account."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.access import AccountRole, Permission, Scope
from core.billing.grants import Grant, view
from core.billing.invoices import Invoice, PaymentMethod, invoices_in, method_in
from core.billing.metrics import currency_of, monthly_value
from core.billing.models import (
    BillingIntent,
    InvoiceRecord,
    PlanGrant,
    StripeEvent,
    StripeSync,
    SubscriptionChange,
    SubscriptionRecord,
)
from core.billing.plans import Entitlement, Subscription, counting
from core.billing.queries import customer_in, facts, owners_in, subscriptions_in
from core.billing.service import entitlement_of
from core.errors import NotFound
from core.identity.models import User
from core.text import unsafe_reason
from core.use_case import use_case
from core.workspaces.models import Account, AccountMember

PAGE = 20
LATEST = 50
"""Events and changes in a file; the Operations tab shows every event that waits."""

Cursor = tuple[datetime, str]
"""When the last subscription of a page was made, and its id."""


@dataclass(frozen=True, slots=True)
class FoundSubscription:
    """A subscription and who pays it: the account, its owner's e-mail, and its monthly value in minor units."""

    account_id: UUID
    account: str
    email: str | None
    subscription: Subscription
    monthly: int
    currency: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of subscriptions, the newest first. `more` is where the next one begins, None on the last one."""

    subscriptions: tuple[FoundSubscription, ...]
    more: Cursor | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a subscription had become when Stripe's answer differed from the one before."""

    stripe_id: str
    status: str
    lookup_key: str | None
    quantity: int
    current_period_end: datetime
    trial_end: datetime | None
    ends_at: datetime | None
    noticed_at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """Something asked of Stripe. `stripe_id` is what it was done to; closed without one it was given up."""

    id: UUID
    kind: str
    created_at: datetime
    closed_at: datetime | None
    stripe_id: str | None


@dataclass(frozen=True, slots=True)
class Rung:
    """An event of Stripe's about the customer or about one of its payments."""

    stripe_id: str
    type: str
    created: datetime
    received_at: datetime
    processed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Asked:
    """How far Stripe's answers are known. `waiting` counts the bells that no answer settles yet."""

    key: str
    waiting: int
    attempts: int
    next_at: datetime
    last_error: str | None
    is_given_up: bool


@dataclass(frozen=True, slots=True)
class SubscriptionFile:
    """All that is known of what an account pays, each list the newest first.

    `counts` is the subscription that deeds are about: the living one whose plan counts, None without any. `asked` is
    None for an account that is no customer of Stripe's yet.
    """

    account_id: UUID
    account: str
    owners: tuple[str, ...]
    customer_id: str | None
    entitlement: Entitlement
    counts: Subscription | None
    subscriptions: tuple[Subscription, ...]
    changes: tuple[Change, ...]
    invoices: tuple[Invoice, ...]
    method: PaymentMethod | None
    grants: tuple[Grant, ...]
    wishes: tuple[Wish, ...]
    events: tuple[Rung, ...]
    asked: Asked | None


@use_case(Permission.MANAGE_SUBSCRIPTIONS)
def find_subscriptions(
    session: Session, _scope: Scope, text: str = "", status: str | None = None, after: Cursor | None = None
) -> Found:
    """Subscriptions whose account's name or owner's e-mail contains the text, or that have it as an id of Stripe's.

    Ids of the subscription, its customer, its invoices and their charges fit from their beginning, and so does an
    invoice's number; all subscriptions fit an empty text. `status` is Stripe's; None is any.
    """
    if unsafe_reason(text):
        return Found((), None)
    owner = (
        select(func.min(User.email))
        .join(AccountMember, AccountMember.user_id == User.id)
        .where(AccountMember.account_id == Account.id, AccountMember.role == AccountRole.OWNER)
        .scalar_subquery()
    )
    place = SubscriptionRecord.created, SubscriptionRecord.stripe_id
    question = (
        select(SubscriptionRecord, Account.name, owner)
        .join(Account, Account.id == SubscriptionRecord.account_id)
        .where(_fits(text.strip()), true() if status is None else SubscriptionRecord.status == status)
        .order_by(*(column.desc() for column in place))
        .limit(PAGE + 1)
    )
    if after is not None:
        question = question.where(tuple_(*place) < tuple_(*after))
    found = session.execute(question).all()
    shown, now = found[:PAGE], datetime.now(UTC)
    last = shown[-1][0] if len(found) > PAGE else None
    return Found(
        tuple(_found(record, account, email, now) for record, account, email in shown),
        (last.created, last.stripe_id) if last else None,
    )


def _found(record: SubscriptionRecord, account: str, email: str | None, now: datetime) -> FoundSubscription:
    told = facts(record)
    return FoundSubscription(record.account_id, account, email, told, monthly_value(told, now), currency_of(told))


def _fits(text: str) -> ColumnElement[bool]:
    if not text:
        return true()
    owned = (
        select(AccountMember.account_id)
        .join(User, User.id == AccountMember.user_id)
        .where(AccountMember.role == AccountRole.OWNER, User.email.icontains(text, autoescape=True))
    )
    billed = select(InvoiceRecord.account_id).where(
        or_(*(_begins(one, text) for one in (InvoiceRecord.stripe_id, InvoiceRecord.charge_id, InvoiceRecord.number)))
    )
    return or_(
        Account.name.icontains(text, autoescape=True),
        _begins(SubscriptionRecord.stripe_id, text),
        _begins(SubscriptionRecord.customer_id, text),
        SubscriptionRecord.account_id.in_(owned),
        SubscriptionRecord.account_id.in_(billed),
    )


def _begins(column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], text: str) -> ColumnElement[bool]:
    return column.startswith(text, autoescape=True)


@use_case(Permission.MANAGE_SUBSCRIPTIONS)
def subscription_file(session: Session, _scope: Scope, account_id: UUID) -> SubscriptionFile:
    """All that is known of one account's payments. Raises NotFound for an unknown account."""
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound("access.not_found")
    customer_id = customer_in(session, account_id)
    subscriptions, invoices = subscriptions_in(session, account_id), invoices_in(session, account_id)
    return SubscriptionFile(
        account_id=account_id,
        account=account.name,
        owners=tuple(owners_in(session, account_id).values()),
        customer_id=customer_id,
        entitlement=entitlement_of(session, account_id),
        counts=counting(subscriptions, datetime.now(UTC)),
        subscriptions=subscriptions[::-1],
        changes=_changes(session, account_id),
        invoices=invoices,
        method=method_in(session, account_id),
        grants=_grants(session, account_id),
        wishes=_wishes(session, account_id),
        events=_events(session, customer_id, subscriptions, invoices),
        asked=_asked(session, customer_id),
    )


def _changes(session: Session, account_id: UUID) -> tuple[Change, ...]:
    found = session.scalars(
        select(SubscriptionChange)
        .where(SubscriptionChange.account_id == account_id)
        .order_by(SubscriptionChange.id.desc())
        .limit(LATEST)
    )
    return tuple(
        Change(
            one.stripe_id,
            one.status,
            one.lookup_key,
            one.quantity,
            one.current_period_end,
            one.trial_end,
            one.cancel_at or (one.current_period_end if one.cancel_at_period_end else None),
            one.noticed_at,
        )
        for one in found
    )


def _grants(session: Session, account_id: UUID) -> tuple[Grant, ...]:
    given = select(PlanGrant).where(PlanGrant.account_id == account_id, PlanGrant.revoked_at.is_(None))
    return tuple(view(one) for one in session.scalars(given.order_by(PlanGrant.id.desc())))


def _wishes(session: Session, account_id: UUID) -> tuple[Wish, ...]:
    found = session.scalars(
        select(BillingIntent)
        .where(BillingIntent.account_id == account_id)
        .order_by(BillingIntent.created_at.desc(), BillingIntent.id)
        .limit(LATEST)
    )
    return tuple(Wish(one.id, one.kind, one.created_at, one.closed_at, one.stripe_id) for one in found)


def _events(
    session: Session, customer_id: str | None, subscriptions: Iterable[Subscription], invoices: Iterable[Invoice]
) -> tuple[Rung, ...]:
    """An event that names no customer rang for its charge, a thin one for its own object."""
    if customer_id is None:
        return ()
    keys = {
        f"customer:{customer_id}",
        *(f"subscription:{each.stripe_id}" for each in subscriptions),
        *(f"invoice:{each.stripe_id}" for each in invoices),
        *(f"charge:{each.charge_id}" for each in invoices if each.charge_id),
    }
    found = session.scalars(
        select(StripeEvent)
        .where(StripeEvent.sync_key.in_(keys))
        .order_by(StripeEvent.created.desc(), StripeEvent.received_at.desc())
        .limit(LATEST)
    )
    return tuple(Rung(one.id, one.type, one.created, one.received_at, one.processed_at) for one in found)


def _asked(session: Session, customer_id: str | None) -> Asked | None:
    state = session.get(StripeSync, f"customer:{customer_id}")
    if state is None:
        return None
    waiting = state.dirty - state.synced
    return Asked(state.key, waiting, state.attempts, state.next_at, state.last_error, state.dead_at is not None)
