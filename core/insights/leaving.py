"""The deed of leaving, over every domain that it touches: drafts end, the workspace moves, a pack is ordered."""

from uuid import UUID

from sqlalchemy.orm import Session

from core.access import AccountRole, Permission, Scope
from core.billing.seats import require_creator_slot
from core.content.service import stop_all
from core.errors import NotFound
from core.insights.packing import audit_rows
from core.messages.service import stop_all as stop_campaigns
from core.use_case import use_case
from core.workspaces import packs
from core.workspaces.leaving import movable, move_out
from core.workspaces.service import found_account


def leave_account(scope: Scope, workspace_id: UUID, to_account_id: UUID | None = None) -> UUID:
    """Take one's workspace out of an agency, into an account of one's own or, without one, into a new one.

    `scope` is everything of the person's.

    Returns the account that pays from here on. A pack of all its data is ordered, with what was recorded about it until
    now. Drafts and campaigns being written end, and their places go back to whoever paid.
    Raises NotFound for a workspace or account of others, Conflict where there is nothing to leave, PlanLimit when the
    chosen account has no room for one more creator.
    """
    one = scope.narrowed_to(workspace_id, keeping=to_account_id)
    is_last = list(scope.account_of.values()).count(scope.account_of[workspace_id]) == 1
    return _leave(one, to_account_id, is_last=is_last)


@use_case(Permission.LEAVE_ACCOUNT)
def _leave(session: Session, scope: Scope, to_account_id: UUID | None, *, is_last: bool) -> UUID:
    workspace = movable(session, scope)
    if to_account_id is None:
        to_account_id = found_account(session, scope.user_id, workspace.name)
    elif scope.account_roles[to_account_id] is not AccountRole.OWNER:
        raise NotFound("access.not_found")
    else:
        require_creator_slot(session, to_account_id)
    stop_all(session, workspace.id)
    stop_campaigns(session, workspace.id)
    until_now = audit_rows(session, workspace.id)
    move_out(session, scope, workspace, to_account_id, is_last=is_last)
    packs.order(session, scope.user_id, packs.WORKSPACE, workspace.id, workspace.name, before=until_now)
    return to_account_id
