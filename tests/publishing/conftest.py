"""Texts in whatever state a test needs, brought there through the product's own doors."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from core.access import Scope
from core.content.assets import AssetText, archive_asset, asset, save_asset, update_asset
from core.content.kinds import AssetStatus, AssetType
from core.content.platforms import Platform
from core.db import transaction
from core.publishing import approving, planning, states

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date()
NOON = time(12)


def written(scope: Scope, body: str = "The sea, at last", **more: object) -> UUID:
    kinds = {"type": AssetType.POST, "platform": Platform.INSTAGRAM, "language": "en"} | more
    return save_asset(scope, AssetText.of(title="", body=body), **kinds).id  # type: ignore[arg-type]


def edited(scope: Scope, asset_id: UUID, body: str) -> None:
    update_asset(scope, asset_id, AssetText.of(title="", body=body), version=asset(scope, asset_id).version)


def state(scope: Scope, asset_id: UUID) -> AssetStatus:
    return asset(scope, asset_id).status


def in_state(scope: Scope, wanted: AssetStatus, **more: object) -> UUID:
    """A text that came to that state by one approval of the same person."""
    asset_id = written(scope, **more)  # type: ignore[arg-type]
    if wanted is AssetStatus.ARCHIVED:
        archive_asset(scope, asset_id)
    if wanted in (AssetStatus.DRAFT, AssetStatus.ARCHIVED):
        return asset_id
    states.submit(scope, asset_id, version=1)
    if wanted is AssetStatus.IN_REVIEW:
        return asset_id
    approving.approve(scope, asset_id, version=1)
    if wanted is AssetStatus.SCHEDULED:
        planning.schedule(scope, asset_id, version=1, day=TOMORROW, clock=NOON)
    elif wanted is AssetStatus.PUBLISHED:
        states.mark_published(scope, asset_id, version=1)
    return asset_id


def with_picture(scope: Scope, asset_id: UUID, picture: str = "a hat on a chair") -> None:
    with transaction(scope) as session:
        session.execute(
            text("UPDATE content_assets SET picture = :picture WHERE id = :id"), {"picture": picture, "id": asset_id}
        )


@pytest.fixture
def deeds(database: Connection) -> Callable[[Scope], list[str]]:
    """The deeds that the audit log holds for a scope's account, the earliest first."""

    def told(scope: Scope) -> list[str]:
        with transaction(scope) as session:
            found = session.execute(
                text("SELECT deed FROM audit_log WHERE account_id = :one ORDER BY at, id"), {"one": scope.account_id}
            )
            return [row.deed for row in found]

    return told


def days_from_now(days: int) -> date:
    return (datetime.now(UTC) + timedelta(days=days)).date()
