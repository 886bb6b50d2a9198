"""A text's way from draft to published. What a person does is said here; nothing is published by itself.

draft → in review → approved → scheduled → published. From each of the middle three a text can go back to draft, and
an edit sends it there by itself (`assets.update_asset`). Archiving is the library's, from any state and back to it.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.content.kinds import AssetStatus
from core.errors import BadInput
from core.publishing import approving, consent
from core.publishing.texts import locked, move, require, require_version
from core.use_case import use_case

_CLOCKS_DIFFER = timedelta(minutes=5)
_POSTABLE = (AssetStatus.APPROVED, AssetStatus.SCHEDULED)
_UNDER_WAY = (AssetStatus.IN_REVIEW, AssetStatus.APPROVED, AssetStatus.SCHEDULED)


@use_case(Permission.WRITE_CONTENT)
def submit(session: Session, scope: Scope, asset_id: UUID, *, version: int) -> AssetStatus:
    """Ask for approval of a draft. Returns the state it is in then.

    That is "approved" at once where the workspace's rule asks for nobody, or where enough people approved this very
    version before. Raises NotFound, and Conflict from another state or for another version than the current one.
    """
    asset = locked(session, scope, asset_id)
    require(asset, "submit", (AssetStatus.DRAFT,))
    require_version(asset, version)
    asset.asked_review_by = scope.user_id
    move(session, scope, asset, AssetStatus.IN_REVIEW, "text_submitted")
    return approving.settle(session, scope, asset)


@use_case(Permission.WRITE_CONTENT)
def back_to_draft(session: Session, scope: Scope, asset_id: UUID) -> AssetStatus:
    """Take a text out of review, or back from approved or scheduled, to work on it. Raises NotFound, Conflict."""
    asset = locked(session, scope, asset_id)
    require(asset, "draft", _UNDER_WAY)
    move(session, scope, asset, AssetStatus.DRAFT, "text_back_to_draft")
    return AssetStatus.DRAFT


@use_case(Permission.WRITE_CONTENT)
def mark_published(
    session: Session, scope: Scope, asset_id: UUID, *, version: int, at: datetime | None = None
) -> AssetStatus:
    """Say that a person has posted an approved text: now, or at an instant that has passed.

    Raises NotFound; Conflict from another state, for another version, and while consent of somebody shown is missing
    at that instant, so that there is no way around what holds the scheduling; BadInput for a time to come.
    """
    now = datetime.now(UTC)
    consent.one_at_a_time(session, scope)
    asset = locked(session, scope, asset_id)
    require(asset, "publish", _POSTABLE)
    require_version(asset, version)
    posted = at or now
    if posted > now + _CLOCKS_DIFFER:
        raise BadInput("publishing.not_yet_posted")
    approving.require_approved(session, asset)
    consent.require_consent(session, asset, posted)
    asset.published_at = posted
    move(session, scope, asset, AssetStatus.PUBLISHED, "text_published", at=posted.isoformat())
    return AssetStatus.PUBLISHED


@use_case(Permission.WRITE_CONTENT)
def take_back_published(session: Session, scope: Scope, asset_id: UUID) -> AssetStatus:
    """It was not posted after all: the text is approved again, if that version still is. Raises NotFound, Conflict."""
    asset = locked(session, scope, asset_id)
    require(asset, "take_back", (AssetStatus.PUBLISHED,))
    asset.published_at = None
    move(session, scope, asset, AssetStatus.DRAFT, "text_not_published")
    if approving.is_approved(session, asset):
        move(session, scope, asset, AssetStatus.APPROVED, "text_approved")
    return AssetStatus(asset.status)
