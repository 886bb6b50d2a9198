"""An empty Demo beside somebody's own creator."""

from uuid import UUID

from sqlalchemy.orm import Session

from core.access import Permission, Role, Scope
from core.use_case import use_case
from core.workspaces.service import create_workspace, open_scope
from tests.people import Made


def demo_of(person: Made) -> Scope:
    """The person, looking at a new Demo of theirs."""
    workspace_id = _add(person.scope)
    return open_scope(person.user_id).narrowed_to(workspace_id)


@use_case(Permission.MANAGE_CREATORS)
def _add(session: Session, scope: Scope) -> UUID:
    return create_workspace(session, scope.account_id, scope.user_id, "Demo", Role.CREATOR, is_demo=True)
