"""The inbox of Stripe's bells, which customers must be asked about, and what Stripe said.

The plain tables route: they hold a tenant's id and none of its data (`core.db.PLAIN_TABLES`).
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, new_id, stamped


class StripeEvent(Base):
    """One event, once, with the bytes that were signed: jsonb would change them and cannot hold every text.

    One that never rang has the bytes of Stripe's list.
    """

    __tablename__ = "stripe_events"
    __table_args__ = (
        Index("stripe_events_waiting_idx", "sync_key", postgresql_where=text("processed_at IS NULL")),
        Index("stripe_events_received_at_idx", "received_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    dedupe: Mapped[str] = mapped_column(
        unique=True, comment="The snapshot event's id: its thin twin names it too, and the two are one event"
    )
    type: Mapped[str]
    api_version: Mapped[str | None]
    created: Mapped[datetime]
    livemode: Mapped[bool]
    sync_key: Mapped[str | None]
    payload: Mapped[bytes]
    received_at: Mapped[datetime] = stamped()
    processed_at: Mapped[datetime | None]


class StripeSync(Base):
    """What Stripe must be asked about. `dirty` counts the bells, `synced` up to which of them the answer is known."""

    __tablename__ = "stripe_sync"
    __table_args__ = (
        CheckConstraint("synced <= dirty", name="synced"),
        Index("stripe_sync_due_idx", "next_at", postgresql_where=text("dirty > synced AND dead_at IS NULL")),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    dirty: Mapped[int] = mapped_column(server_default=text("0"))
    synced: Mapped[int] = mapped_column(server_default=text("0"))
    lease: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_at: Mapped[datetime] = stamped()
    last_error: Mapped[str | None]
    dead_at: Mapped[datetime | None]


class StripeCustomer(Base):
    """Which account a customer at Stripe is. One customer an account.

    `ask_at` is when to ask about it though nothing rang: a day after the last answer, or when a period ends.
    `report_at` is when its use beyond the plan is reported next, NULL as long as there is none.
    """

    __tablename__ = "stripe_customers"
    __table_args__ = (
        Index("stripe_customers_ask_at_idx", "ask_at"),
        Index("stripe_customers_report_at_idx", "report_at", postgresql_where=text("report_at IS NOT NULL")),
    )

    stripe_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), unique=True)
    created_at: Mapped[datetime] = stamped()
    ask_at: Mapped[datetime] = stamped()
    report_at: Mapped[datetime | None]


class StripeSweep(Base):
    """When Stripe's list of events is gone through next, and up to when it was. One row."""

    __tablename__ = "stripe_sweeps"

    key: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
    swept_until: Mapped[datetime | None]


class SubscriptionRecord(Base):
    """A subscription as Stripe last told it. Never deleted: one that ended says so."""

    __tablename__ = "subscriptions"
    __table_args__ = (CheckConstraint("quantity >= 0", name="quantity"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    stripe_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    status: Mapped[str]
    lookup_key: Mapped[str | None]
    quantity: Mapped[int]
    created: Mapped[datetime]
    current_period_start: Mapped[datetime]
    current_period_end: Mapped[datetime]
    unpaid_since: Mapped[datetime | None]
    trial_end: Mapped[datetime | None]
    cancel_at: Mapped[datetime | None]
    cancel_at_period_end: Mapped[bool]
    price_id: Mapped[str | None]
    fetched_at: Mapped[datetime] = stamped()
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    discounts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    schedule_id: Mapped[str | None]
    next_lookup_key: Mapped[str | None]
    next_at: Mapped[datetime | None]


class SubscriptionChange(Base):
    """What a subscription had become each time that Stripe's answer differed."""

    __tablename__ = "subscription_changes"
    __table_args__ = (Index("subscription_changes_stripe_id_idx", "account_id", "stripe_id", "id"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = new_id()
    stripe_id: Mapped[str]
    status: Mapped[str]
    lookup_key: Mapped[str | None]
    quantity: Mapped[int]
    current_period_end: Mapped[datetime]
    trial_end: Mapped[datetime | None]
    cancel_at: Mapped[datetime | None]
    cancel_at_period_end: Mapped[bool]
    noticed_at: Mapped[datetime] = stamped()


class InvoiceRecord(Base):
    """An invoice as Stripe last told it, amounts in minor units of its currency. Never deleted.

    `failed_at` is when a payment of it was first known to have failed; with `paid_at` as well it was recovered.
    """

    __tablename__ = "invoices"
    __table_args__ = (Index("invoices_created_idx", "account_id", "created"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    stripe_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    subscription_id: Mapped[str | None]
    number: Mapped[str | None]
    status: Mapped[str]
    reason: Mapped[str | None] = mapped_column(comment="Stripe's billing_reason")
    currency: Mapped[str]
    total: Mapped[int]
    tax: Mapped[int] = mapped_column(server_default=text("0"))
    amount_due: Mapped[int]
    amount_paid: Mapped[int]
    amount_remaining: Mapped[int]
    amount_refunded: Mapped[int] = mapped_column(server_default=text("0"))
    amount_disputed: Mapped[int] = mapped_column(server_default=text("0"))
    charge_id: Mapped[str | None] = mapped_column(comment="What paid it, and can be refunded")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    created: Mapped[datetime]
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    hosted_url: Mapped[str | None]
    pdf_url: Mapped[str | None]
    fetched_at: Mapped[datetime] = stamped()


class PaymentMethodRecord(Base):
    """What the account pays with by default, as Stripe last told it: never a number, only what names it."""

    __tablename__ = "payment_methods"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    stripe_id: Mapped[str]
    kind: Mapped[str]
    brand: Mapped[str | None]
    last4: Mapped[str | None]
    expires_month: Mapped[int | None]
    expires_year: Mapped[int | None]
    fetched_at: Mapped[datetime] = stamped()


class MrrMovement(Base):
    """A change of an account's monthly recurring revenue, in minor units; an account's movements sum to what it has.

    Kept when the account is erased, as books are: it names an account's id and nobody.
    """

    __tablename__ = "mrr_movements"
    __table_args__ = (
        CheckConstraint("kind IN ('new', 'expansion', 'contraction', 'churned', 'reactivated')", name="kind"),
        CheckConstraint("amount <> 0", name="amount"),
        Index("mrr_movements_at_idx", "at"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = new_id()
    at: Mapped[datetime]
    kind: Mapped[str]
    currency: Mapped[str]
    amount: Mapped[int] = mapped_column(comment="Signed: what the account's revenue changed by")
    mrr: Mapped[int] = mapped_column(comment="What it is since")
    lookup_key: Mapped[str | None] = mapped_column(comment="The plan since; at a churn the last one")
    noticed_at: Mapped[datetime] = stamped()


class BillingNotice(Base):
    """A letter about billing that was written: each cause once, whatever rings."""

    __tablename__ = "billing_notices"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True, comment="The kind of letter and what caused it")
    created_at: Mapped[datetime] = stamped()


class UsageMeter(Base):
    """A month (UTC) of which model drafts beyond the allowance are charged, from the first such draft on."""

    __tablename__ = "usage_meters"
    __table_args__ = (CheckConstraint("baseline >= 0", name="baseline"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    baseline: Mapped[int] = mapped_column(comment="Drafts beyond the allowance before that: nobody pays for them")


class UsageReport(Base):
    """Model drafts beyond the allowance, told to Stripe's meter once: its id is the identifier of the meter event."""

    __tablename__ = "usage_reports"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("usage_reports_open_idx", "account_id", "id", postgresql_where=text("sent_at IS NULL")),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = new_id()
    month: Mapped[date]
    quantity: Mapped[int]
    customer_id: Mapped[str]
    made_at: Mapped[datetime] = stamped()
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class SweepReport(Base):
    """What one sweep found that had never rung."""

    __tablename__ = "stripe_sweep_reports"

    id: Mapped[UUID] = new_id()
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    events_listed: Mapped[int]
    events_missed: Mapped[int]
    customers_asked: Mapped[int]
    subscriptions_differing: Mapped[int | None] = mapped_column(comment="NULL when they were not compared")
    last_error: Mapped[str | None]


class BillingIntent(Base):
    """Something asked of Stripe once: stored first, and its id is the idempotency key of the asking.

    Of each kind an account has one that is not closed, so a second click finds the first.
    """

    __tablename__ = "billing_intents"
    __table_args__ = (
        Index(
            "billing_intents_open_key", "account_id", "kind", unique=True, postgresql_where=text("closed_at IS NULL")
        ),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = new_id()
    kind: Mapped[str]
    params_hash: Mapped[str]
    stripe_id: Mapped[str | None]
    url: Mapped[str | None]
    created_at: Mapped[datetime] = stamped()
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class PlanGrant(Base):
    """A plan given by staff for a time, without a subscription."""

    __tablename__ = "plan_grants"
    __table_args__ = (CheckConstraint("plan IN ('pro', 'enterprise')", name="plan"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[UUID] = new_id()
    plan: Mapped[str]
    reason: Mapped[str]
    granted_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    starts_at: Mapped[datetime] = stamped()
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
