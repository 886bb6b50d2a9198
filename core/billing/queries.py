"""What the stored facts say about an account's plan."""

from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from core.access import AccountRole, Role
from core.billing.models import PlanGrant, StripeCustomer, SubscriptionRecord
from core.billing.plans import Discount, GrantedPlan, Item, PlanName, Subscription
from core.identity.models import User
from core.workspaces.invitations import waiting
from core.workspaces.models import AccountMember, Invitation, Membership, Workspace


def subscriptions_in(session: Session, account_id: UUID) -> tuple[Subscription, ...]:
    """Room: every subscription that Stripe ever told us of for the account, the oldest first."""
    found = session.scalars(
        select(SubscriptionRecord)
        .where(SubscriptionRecord.account_id == account_id)
        .order_by(SubscriptionRecord.created, SubscriptionRecord.stripe_id)
    )
    return tuple(facts(each) for each in found)


def facts(record: SubscriptionRecord) -> Subscription:
    return Subscription(
        stripe_id=record.stripe_id,
        customer_id=record.customer_id,
        status=record.status,
        lookup_key=record.lookup_key,
        quantity=record.quantity,
        created=record.created,
        current_period_start=record.current_period_start,
        current_period_end=record.current_period_end,
        unpaid_since=record.unpaid_since,
        trial_end=record.trial_end,
        cancel_at=record.cancel_at,
        cancel_at_period_end=record.cancel_at_period_end,
        price_id=record.price_id,
        items=tuple(Item(**each) for each in record.items),
        discounts=tuple(_discount(each) for each in record.discounts),
        started_at=record.started_at,
        ended_at=record.ended_at,
        cancel_reason=record.cancel_reason,
        schedule_id=record.schedule_id,
        next_lookup_key=record.next_lookup_key,
        next_at=record.next_at,
    )


def columns(told: Subscription) -> dict[str, Any]:
    """The same facts as a record holds them: items and discounts as JSON, decimals and instants in it as text."""
    kept = {field.name: getattr(told, field.name) for field in fields(told)}
    return kept | {
        "items": [asdict(each) for each in told.items],
        "discounts": [
            asdict(each)
            | {
                "percent_off": None if each.percent_off is None else str(each.percent_off),
                "ends_at": None if each.ends_at is None else each.ends_at.isoformat(),
            }
            for each in told.discounts
        ],
    }


def _discount(kept: dict[str, Any]) -> Discount:
    percent, ends_at = kept["percent_off"], kept["ends_at"]
    return Discount(
        percent_off=None if percent is None else Decimal(percent),
        amount_off=kept["amount_off"],
        currency=kept["currency"],
        ends_at=None if ends_at is None else datetime.fromisoformat(ends_at),
    )


def grants_in(session: Session, account_id: UUID) -> tuple[GrantedPlan, ...]:
    """Room: every plan that staff gave the account, also those that are over or taken back."""
    found = session.scalars(select(PlanGrant).where(PlanGrant.account_id == account_id).order_by(PlanGrant.id))
    return tuple(GrantedPlan(PlanName(each.plan), each.starts_at, each.ends_at, each.revoked_at) for each in found)


def customer_in(session: Session, account_id: UUID) -> str | None:
    """Room: the account's customer at Stripe, once there is one."""
    return session.scalar(select(StripeCustomer.stripe_id).where(StripeCustomer.account_id == account_id))


def creators_in(session: Session, account_id: UUID) -> int:
    """Room: the account's creators, Demo aside, also those that the asker may not look at: they count all the same."""
    session.execute(select(func.set_config("app.counting", "on", True)))
    counted = select(func.count()).where(Workspace.account_id == account_id, Workspace.is_demo.is_(False))
    count = session.scalar(counted) or 0
    session.execute(select(func.set_config("app.counting", "off", True)))
    return count


def owners_in(session: Session, account_id: UUID) -> dict[UUID, str]:
    """Room: who may choose the account's plan, names by user id."""
    owning = AccountMember.account_id == account_id, AccountMember.role == AccountRole.OWNER
    found = select(User.id, User.display_name).join(AccountMember, AccountMember.user_id == User.id).where(*owning)
    return dict(session.execute(found.order_by(User.display_name, User.id)).all())


def has_tried(session: Session, account_id: UUID) -> bool:
    """Room: whether the account ever had a trial. One an account."""
    tried = exists().where(SubscriptionRecord.account_id == account_id, SubscriptionRecord.trial_end.is_not(None))
    return bool(session.scalar(select(tried)))


def team_in(session: Session, account_id: UUID, beside: str) -> int:
    """Room: who looks after creators in the account: its owner, managers and analysts, and those invited as such.

    Creators with their own workspace are counted as creators. `beside` is an address that is not counted as invited.
    """
    of_account = AccountMember.account_id == account_id
    looking = exists().where(Membership.user_id == AccountMember.user_id, Membership.role != Role.CREATOR)
    there = select(func.count()).where(of_account, (AccountMember.role == AccountRole.OWNER) | looking)
    invited = select(func.count()).where(
        Invitation.account_id == account_id, Invitation.role != Role.CREATOR, Invitation.email != beside, *waiting()
    )
    return (session.scalar(there) or 0) + (session.scalar(invited) or 0)
