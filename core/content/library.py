"""What is done with many texts of the library at once, with its versions, and what they can be found by."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.content.assets import AssetText, AssetView, asset, update_asset
from core.content.kinds import AssetStatus
from core.content.models import ContentAsset, ContentAssetVersion
from core.errors import NotFound
from core.use_case import use_case

MOST_OFFERED = 100
"""Tags to filter by, those used most first."""


@use_case(Permission.WRITE_CONTENT)
def used_tags(session: Session, scope: Scope) -> tuple[str, ...]:
    """Every tag that a text which is not archived bears, up to MOST_OFFERED, in the order of the alphabet."""
    tag = func.unnest(ContentAsset.tags).label("tag")
    borne = select(tag).where(
        ContentAsset.workspace_id == scope.workspace_id, ContentAsset.status != AssetStatus.ARCHIVED
    )
    counted = borne.subquery()
    most = select(counted.c.tag).group_by(counted.c.tag).order_by(func.count().desc(), counted.c.tag)
    return tuple(sorted(session.scalars(most.limit(MOST_OFFERED)), key=str.casefold))


@use_case(Permission.WRITE_CONTENT)
def archive_assets(session: Session, scope: Scope, asset_ids: Sequence[UUID]) -> tuple[UUID, ...]:
    """Put several texts out of the way. Returns those that were not there before, for `bring_back` to undo."""
    moved = session.scalars(
        update(ContentAsset)
        .where(
            ContentAsset.workspace_id == scope.workspace_id,
            ContentAsset.id.in_(asset_ids),
            ContentAsset.status != AssetStatus.ARCHIVED,
        )
        .values(archived_from=ContentAsset.status, status=AssetStatus.ARCHIVED)
        .returning(ContentAsset.id)
    )
    return tuple(moved)


@use_case(Permission.WRITE_CONTENT)
def bring_back(session: Session, scope: Scope, asset_ids: Sequence[UUID]) -> int:
    """Bring archived texts back as what they were. Returns how many; the others stay as they are."""
    back = session.scalars(
        update(ContentAsset)
        .where(
            ContentAsset.workspace_id == scope.workspace_id,
            ContentAsset.id.in_(asset_ids),
            ContentAsset.status == AssetStatus.ARCHIVED,
        )
        .values(status=func.coalesce(ContentAsset.archived_from, AssetStatus.DRAFT), archived_from=None)
        .returning(ContentAsset.id)
    )
    return len(back.all())


def restore_version(scope: Scope, asset_id: UUID, number: int, *, version: int) -> AssetView:
    """Save an earlier version anew, as the latest; `version` is the latest that the person saw.

    Raises NotFound, Conflict when somebody saved another meanwhile, and ContentBlocked when the rules have changed.
    """
    now, then = asset(scope, asset_id), _version(scope, asset_id, number)
    return update_asset(scope, asset_id, AssetText(*then, now.category, now.tags, now.picture), version=version)


@use_case(Permission.WRITE_CONTENT)
def _version(session: Session, scope: Scope, asset_id: UUID, number: int) -> tuple[str, str]:
    found = session.get(ContentAssetVersion, (scope.workspace_id, asset_id, number))
    if found is None:
        raise NotFound("access.not_found")
    return found.title, found.body
