"""What the frame around every page must know, in one question."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.identity.models import User, WebSession
from core.use_case import use_case
from core.workspaces.models import Workspace
from core.workspaces.service import WorkspaceView


@dataclass(frozen=True, slots=True)
class Glance:
    """The person, the creators that they may look at (by name, Demo last), and the one looked at last, if any."""

    display_name: str
    language: str
    time_zone: str
    last_chosen: UUID | None
    workspaces: tuple[WorkspaceView, ...]


@use_case(Permission.OWN_PROFILE)
def glance(session: Session, scope: Scope, web_session_id: UUID | None) -> Glance:
    """Asked at every rerun, hence one row for the person and one query for the creators."""
    mine = and_(WebSession.user_id == User.id, WebSession.id == web_session_id)
    person = session.execute(
        select(User.display_name, User.language, User.time_zone, WebSession.chosen)
        .outerjoin(WebSession, mine)
        .where(User.id == scope.user_id)
    ).one()
    held = select(
        Workspace.id,
        Workspace.account_id,
        Workspace.name,
        Workspace.time_zone,
        Workspace.currency,
        Workspace.platforms,
        Workspace.skipped_steps,
        Workspace.is_demo,
    ).order_by(Workspace.is_demo, Workspace.name, Workspace.id)
    return Glance(*person, workspaces=tuple(_view(row, scope) for row in session.execute(held)))


def _view(row: tuple[UUID, UUID, str, str, str, list[str], list[str], bool], scope: Scope) -> WorkspaceView:
    workspace_id, account_id, name, time_zone, currency, platforms, skipped, is_demo = row
    return WorkspaceView(
        workspace_id,
        account_id,
        name,
        time_zone,
        currency,
        tuple(platforms),
        tuple(skipped),
        is_demo,
        scope.roles[workspace_id],
    )
