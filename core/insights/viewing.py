"""What the frame around every page must know, in one question."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select, true
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
    """Asked at every rerun, hence one query: the person, once for each of their creators."""
    rows: Sequence[Sequence[Any]] = session.execute(
        select(
            User.display_name,
            User.language,
            User.time_zone,
            WebSession.chosen,
            Workspace.id,
            Workspace.account_id,
            Workspace.name,
            Workspace.time_zone,
            Workspace.currency,
            Workspace.platforms,
            Workspace.skipped_steps,
            Workspace.is_demo,
        )
        .outerjoin(WebSession, and_(WebSession.user_id == User.id, WebSession.id == web_session_id))
        .outerjoin(Workspace, true())
        .where(User.id == scope.user_id)
        .order_by(Workspace.is_demo, Workspace.name, Workspace.id)
    ).all()
    held = [row[4:] for row in rows if row[4] is not None]
    display_name, language, time_zone, last_chosen = rows[0][:4]
    return Glance(display_name, language, time_zone, last_chosen, tuple(_view(one, scope) for one in held))


def _view(row: Sequence[Any], scope: Scope) -> WorkspaceView:
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
