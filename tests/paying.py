"""Accounts with a plan, for tests in which Stripe plays no part: the row that its answer would have left."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing.models import SubscriptionRecord
from core.use_case import use_case
from tests.people import Made


def subscribe(made: Made, lookup_key: str = "pro_monthly") -> None:
    """Have the person's account pay for a plan."""
    _keep(Scope.for_account(made.account_id), lookup_key)


@use_case(Permission.MANAGE_BILLING)
def _keep(session: Session, scope: Scope, lookup_key: str) -> None:
    now = datetime.now(UTC)
    session.add(
        SubscriptionRecord(
            account_id=scope.account_id,
            stripe_id=f"sub_{scope.account_id}",
            customer_id=f"cus_{scope.account_id}",
            status="active",
            lookup_key=lookup_key,
            quantity=1,
            created=now,
            current_period_start=now,
            current_period_end=now + timedelta(days=30),
            cancel_at_period_end=False,
        )
    )
