"""Nobody is erased while Stripe goes on charging them."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.access import AccountRole, Permission, Scope
from core.billing.plans import LIVING
from core.billing.queries import subscriptions_in
from core.errors import Conflict
from core.use_case import use_case
from core.workspaces import privacy


@use_case(Permission.OWN_PROFILE)
def request_deletion(session: Session, scope: Scope) -> datetime:
    """Have the asker's account erased in thirty days. Returns when. `scope` is everything of theirs.

    Raises Conflict while a plan of theirs renews itself, and what `privacy.note_deletion` raises.
    """
    owned = [account_id for account_id, role in scope.account_roles.items() if role is AccountRole.OWNER]
    for account_id in owned:
        for one in subscriptions_in(session, account_id):
            if one.status in LIVING and not one.cancel_at_period_end and one.cancel_at is None:
                raise Conflict("privacy.plan_renews")
    return privacy.note_deletion(session, scope)
