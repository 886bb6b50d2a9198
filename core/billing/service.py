"""Plans for those who pay and those who only look."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.billing.plans import Entitlement, entitlement
from core.billing.queries import subscriptions_in


def entitlement_of(session: Session, account_id: UUID) -> Entitlement:
    """Room: what the account may use now. The account must be in the session's scope, or it seems to pay nothing."""
    return entitlement(subscriptions_in(session, account_id), datetime.now(UTC))
