"""What the doors of publishing share: a text's row under lock, its creator's zone, and the note of what was done."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from core.access import Scope
from core.audit import record
from core.content.kinds import AssetStatus
from core.content.models import ContentAsset
from core.errors import Conflict, NotFound
from core.workspaces.models import Workspace


def locked(session: Session, scope: Scope, asset_id: UUID) -> ContentAsset:
    """Room: a text of the one creator in view, held until the transaction ends. Raises NotFound."""
    key = (scope.workspace_id, asset_id)
    found = session.get(ContentAsset, key, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("access.not_found")
    return found


def unlocked(session: Session, scope: Scope, asset_id: UUID) -> ContentAsset:
    """Room: a text of the one creator in view, to read. Raises NotFound."""
    found = session.get(ContentAsset, (scope.workspace_id, asset_id), populate_existing=True)
    if found is None:
        raise NotFound("access.not_found")
    return found


def require(asset: ContentAsset, deed: str, allowed: Collection[AssetStatus]) -> None:
    """Raises Conflict with the sentence `publishing.cannot_<deed>` from a state that the deed does not start from."""
    if AssetStatus(asset.status) not in allowed:
        raise Conflict(f"publishing.cannot_{deed}")


def require_version(asset: ContentAsset, version: int) -> None:
    """Raises Conflict when the text is no longer the one that was looked at."""
    if asset.version != version:
        raise Conflict("publishing.changed_meanwhile")


def zone_of(session: Session, workspace_id: UUID) -> str:
    return session.get_one(Workspace, workspace_id).time_zone


def move(session: Session, scope: Scope, asset: ContentAsset, status: AssetStatus, deed: str, **more: object) -> None:
    """Room: set the state and note the deed; a text that is not planned has no planned time."""
    before = asset.status
    asset.status = status
    if status not in (AssetStatus.SCHEDULED, AssetStatus.PUBLISHED):
        asset.scheduled_at = None
    note(session, scope, asset, deed, status_before=before, **more)


def note(
    session: Session, scope: Scope, asset: ContentAsset, deed: str, status_before: str = "", **more: object
) -> None:
    """Room: an audit entry about a text, named by its id; never its words."""
    after = {"status": asset.status, "version": asset.version, **{key: str(value) for key, value in more.items()}}
    record(
        session,
        scope,
        deed,
        str(asset.id),
        account_id=scope.account_of[asset.workspace_id],
        workspace_id=asset.workspace_id,
        before={"status": status_before or asset.status},
        after=after,
    )
