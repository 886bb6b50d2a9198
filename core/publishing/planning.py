"""When a text is planned for, and the calendar that shows it. Instants are UTC; days are the creator's own."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.content.kinds import AssetStatus, AssetType
from core.content.models import ContentAsset
from core.content.platforms import Platform
from core.errors import BadInput
from core.publishing import approving, consent
from core.publishing.conflicts import AGAIN, Concern, Slot, concerns
from core.publishing.local_time import instant, local, span
from core.publishing.texts import locked, move, require, require_version, unlocked, zone_of
from core.use_case import use_case
from core.workspaces.models import Workspace

FARTHEST = timedelta(days=366)
MOST_SHOWN = 1_000
_LONGEST_SPAN = 62
_PLANNABLE = (AssetStatus.APPROVED, AssetStatus.SCHEDULED)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """When a text is planned for. `is_twice`: the creator's clock shows that time twice, and the first is meant."""

    at: datetime
    is_twice: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A text as the calendar and the list of what is under way show it. `at` is None where no time is set."""

    workspace_id: UUID
    creator: str
    asset_id: UUID
    title: str
    body: str
    picture: str
    type: AssetType
    platform: Platform
    status: AssetStatus
    version: int
    at: datetime | None

    def is_overdue(self, now: datetime) -> bool:
        """Planned for a time that has passed, and nobody has said that it was posted."""
        return self.status is AssetStatus.SCHEDULED and self.at is not None and self.at < now


@use_case(Permission.WRITE_CONTENT)
def schedule(session: Session, scope: Scope, asset_id: UUID, *, version: int, day: date, clock: time) -> Scheduled:
    """Plan an approved text for a day and time of the creator's own clock, or move one that is planned.

    Raises NotFound; BadInput for a time that has passed, lies more than a year ahead or does not exist; Conflict from
    another state, for another version, where the rule has come to want more approvals, and where nobody said who is
    shown in a picture; ConsentMissing where a document of somebody shown is missing or will have expired by then.
    """
    consent.one_at_a_time(session, scope)
    asset = locked(session, scope, asset_id)
    require(asset, "schedule", _PLANNABLE)
    require_version(asset, version)
    approving.require_approved(session, asset)
    planned = instant(day, clock, zone_of(session, asset.workspace_id))
    now = datetime.now(UTC)
    if planned.at <= now:
        raise BadInput("publishing.time_passed")
    if planned.at > now + FARTHEST:
        raise BadInput("publishing.too_far")
    consent.require_consent(session, asset, planned.at)
    asset.scheduled_at = planned.at
    deed = "text_rescheduled" if asset.status == AssetStatus.SCHEDULED else "text_scheduled"
    move(session, scope, asset, AssetStatus.SCHEDULED, deed, at=planned.at.isoformat())
    return Scheduled(planned.at, planned.is_twice)


@use_case(Permission.WRITE_CONTENT)
def unschedule(session: Session, scope: Scope, asset_id: UUID) -> AssetStatus:
    """Take a planned text off the calendar; it stays approved. Raises NotFound, Conflict."""
    asset = locked(session, scope, asset_id)
    require(asset, "unschedule", (AssetStatus.SCHEDULED,))
    move(session, scope, asset, AssetStatus.APPROVED, "text_unscheduled")
    return AssetStatus.APPROVED


@use_case(Permission.WRITE_CONTENT)
def concerns_about(session: Session, scope: Scope, asset_id: UUID, *, day: date, clock: time) -> tuple[Concern, ...]:
    """What speaks against a time, before anybody plans it. Raises NotFound, BadInput as `schedule` does."""
    asset = unlocked(session, scope, asset_id)
    zone = zone_of(session, asset.workspace_id)
    at = instant(day, clock, zone).at
    when = func.coalesce(ContentAsset.published_at, ContentAsset.scheduled_at)
    beside = session.scalars(
        select(ContentAsset)
        .where(
            ContentAsset.workspace_id == scope.workspace_id,
            ContentAsset.platform == asset.platform,
            ContentAsset.status.in_((AssetStatus.SCHEDULED, AssetStatus.PUBLISHED)),
            when.between(at - AGAIN, at + AGAIN),
        )
        .order_by(when, ContentAsset.id)
    )
    others = [_slot(one, there) for one in beside if (there := one.published_at or one.scheduled_at) is not None]
    return concerns(_slot(asset, at), others, zone)


@use_case(Permission.WRITE_CONTENT)
def calendar(
    session: Session,
    scope: Scope,
    first: date,
    last: date,
    *,
    zone: str,
    platform: Platform | None = None,
    status: AssetStatus | None = None,
) -> tuple[Entry, ...]:
    """What is planned or was published on the days from `first` to `last` of a zone, of every creator in view.

    In the order of time, at most MOST_SHOWN. Raises BadInput for more than two months at once.
    """
    if not 0 <= (last - first).days <= _LONGEST_SPAN:
        raise BadInput("publishing.bad_day")
    begin, after = span(first, last, zone)
    when = func.coalesce(ContentAsset.published_at, ContentAsset.scheduled_at)
    wanted: list[ColumnElement[bool]] = [
        when >= begin,
        when < after,
        ContentAsset.status.in_((AssetStatus.SCHEDULED, AssetStatus.PUBLISHED)),
    ]
    if platform is not None:
        wanted.append(ContentAsset.platform == platform)
    if status is not None:
        wanted.append(ContentAsset.status == status)
    found = session.execute(
        select(ContentAsset, Workspace.name)
        .join(Workspace, Workspace.id == ContentAsset.workspace_id)
        .where(ContentAsset.workspace_id.in_(scope.workspace_ids), *wanted)
        .order_by(when, ContentAsset.id)
        .limit(MOST_SHOWN)
    )
    return tuple(_entry(asset, name) for asset, name in found)


@use_case(Permission.WRITE_CONTENT)
def under_way(
    session: Session, scope: Scope, *, platform: Platform | None = None, status: AssetStatus | None = None
) -> tuple[Entry, ...]:
    """The texts of the creators in view that are neither published nor archived, the last saved first."""
    going = (AssetStatus.DRAFT, AssetStatus.IN_REVIEW, AssetStatus.APPROVED, AssetStatus.SCHEDULED)
    wanted: list[ColumnElement[bool]] = [ContentAsset.status.in_(going)]
    if platform is not None:
        wanted.append(ContentAsset.platform == platform)
    if status is not None:
        wanted.append(ContentAsset.status == status)
    found = session.execute(
        select(ContentAsset, Workspace.name)
        .join(Workspace, Workspace.id == ContentAsset.workspace_id)
        .where(ContentAsset.workspace_id.in_(scope.workspace_ids), *wanted)
        .order_by(ContentAsset.updated_at.desc(), ContentAsset.id)
        .limit(MOST_SHOWN)
    )
    return tuple(_entry(asset, name) for asset, name in found)


@use_case(Permission.WRITE_CONTENT)
def entry(session: Session, scope: Scope, asset_id: UUID) -> Entry:
    """One text of the one creator in view. Raises NotFound."""
    asset = unlocked(session, scope, asset_id)
    return _entry(asset, session.get_one(Workspace, asset.workspace_id).name)


def today_of(zone: str) -> date:
    """The day that it is now in a zone."""
    return local(datetime.now(UTC), zone).date()


def _slot(asset: ContentAsset, at: datetime) -> Slot:
    return Slot(asset.id, asset.title, asset.body, Platform(asset.platform), at)


def _entry(asset: ContentAsset, creator: str) -> Entry:
    return Entry(
        workspace_id=asset.workspace_id,
        creator=creator,
        asset_id=asset.id,
        title=asset.title,
        body=asset.body,
        picture=asset.picture,
        type=AssetType(asset.type),
        platform=Platform(asset.platform),
        status=AssetStatus(asset.status),
        version=asset.version,
        at=asset.published_at or asset.scheduled_at,
    )
