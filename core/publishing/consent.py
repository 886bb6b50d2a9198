"""Who is shown in what goes with a text, and that each of them proved who they are, their age, and agreed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.content.kinds import AssetStatus, AssetType
from core.content.models import ContentAsset
from core.errors import BadInput, Conflict
from core.publishing.local_time import local
from core.publishing.models import AssetPerformer, Performer, PerformerDocument
from core.publishing.papers import ConsentMissing, Document, DocumentKind, Missing, gaps
from core.publishing.texts import locked, note, unlocked, zone_of
from core.use_case import use_case

_PICTURES = frozenset({AssetType.IMAGE, AssetType.VIDEO})
_CHANGEABLE = frozenset({AssetStatus.DRAFT, AssetStatus.IN_REVIEW, AssetStatus.APPROVED, AssetStatus.SCHEDULED})


@dataclass(frozen=True, slots=True)
class Shown:
    """Who is shown with a text. `nobody`: somebody said so. `is_asked`: there is a picture, and neither was said."""

    performer_ids: tuple[UUID, ...]
    nobody: bool
    is_asked: bool


@use_case(Permission.WRITE_CONTENT)
def shown_in(session: Session, scope: Scope, asset_id: UUID) -> Shown:
    """Raises NotFound."""
    return _shown(session, unlocked(session, scope, asset_id))


@use_case(Permission.WRITE_CONTENT)
def name_shown(
    session: Session, scope: Scope, asset_id: UUID, performer_ids: Collection[UUID], *, nobody: bool = False
) -> Shown:
    """Say who is shown with a text, or that nobody is; what was said before is replaced.

    Raises NotFound; BadInput for both at once and for a performer who is not there; Conflict for a published or
    archived text; and ConsentMissing where the text is scheduled and somebody named lacks a document then.
    """
    one_at_a_time(session, scope)
    asset = locked(session, scope, asset_id)
    named = frozenset(performer_ids)
    if AssetStatus(asset.status) not in _CHANGEABLE:
        raise Conflict("consent.too_late")
    if nobody and named:
        raise BadInput("consent.somebody_or_nobody")
    here = Performer.workspace_id == asset.workspace_id, Performer.archived_at.is_(None)
    if len(session.scalars(select(Performer.id).where(*here, Performer.id.in_(named))).all()) != len(named):
        raise BadInput("consent.unknown_performer")
    session.execute(
        delete(AssetPerformer).where(
            AssetPerformer.workspace_id == asset.workspace_id, AssetPerformer.asset_id == asset.id
        )
    )
    session.add_all(
        AssetPerformer(workspace_id=asset.workspace_id, asset_id=asset.id, performer_id=one) for one in sorted(named)
    )
    asset.shows_nobody = nobody
    session.flush()
    if asset.status == AssetStatus.SCHEDULED and asset.scheduled_at is not None:
        require_consent(session, asset, asset.scheduled_at)
    note(session, scope, asset, "performers_named", people=len(named), nobody=nobody)
    return _shown(session, asset)


@use_case(Permission.WRITE_CONTENT)
def missing_for(session: Session, scope: Scope, asset_id: UUID, at: datetime) -> tuple[Missing, ...]:
    """Who of those shown lacks what at an instant. Raises NotFound."""
    asset = unlocked(session, scope, asset_id)
    return _missing(session, asset, at)


def one_at_a_time(session: Session, scope: Scope) -> None:
    """Room: what plans with somebody and what withdraws their consent take turns, creator by creator.

    To be called before any row is locked, so that nobody withdraws a document while a text is being scheduled by it.
    """
    turn = int.from_bytes(scope.workspace_id.bytes[-8:], signed=True)
    session.execute(select(func.pg_advisory_xact_lock(turn)))


def require_consent(session: Session, asset: ContentAsset, at: datetime) -> None:
    """Room: raises Conflict where nobody said who is shown in a picture, and ConsentMissing with names and gaps.

    The documents must hold on the creator's own day of that instant. The caller began with `one_at_a_time`.
    """
    if _shown(session, asset).is_asked:
        raise Conflict("consent.who_is_shown")
    if missing := _missing(session, asset, at):
        raise ConsentMissing(missing)


def scheduled_without(session: Session, scope: Scope, performer_id: UUID) -> tuple[ContentAsset, ...]:
    """Room: the scheduled texts that show somebody and whose consent no longer holds, archived ones included.

    Each is locked. The caller sends them back.
    """
    shows = exists().where(
        AssetPerformer.workspace_id == ContentAsset.workspace_id,
        AssetPerformer.asset_id == ContentAsset.id,
        AssetPerformer.performer_id == performer_id,
    )
    planned = (ContentAsset.status == AssetStatus.SCHEDULED) | (ContentAsset.archived_from == AssetStatus.SCHEDULED)
    found = session.scalars(
        select(ContentAsset)
        .where(ContentAsset.workspace_id == scope.workspace_id, planned, shows)
        .order_by(ContentAsset.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return tuple(one for one in found if _missing(session, one, one.scheduled_at or datetime.now(UTC)))


def _shown(session: Session, asset: ContentAsset) -> Shown:
    found = session.scalars(
        select(AssetPerformer.performer_id)
        .where(AssetPerformer.workspace_id == asset.workspace_id, AssetPerformer.asset_id == asset.id)
        .order_by(AssetPerformer.performer_id)
    )
    named = tuple(found)
    has_picture = asset.type in _PICTURES or bool(asset.picture.strip())
    return Shown(named, asset.shows_nobody and not named, has_picture and not named and not asset.shows_nobody)


def _missing(session: Session, asset: ContentAsset, at: datetime) -> tuple[Missing, ...]:
    day = local(at, zone_of(session, asset.workspace_id)).date()
    people = session.execute(
        select(Performer.id, Performer.name)
        .join(
            AssetPerformer,
            (AssetPerformer.workspace_id == Performer.workspace_id) & (AssetPerformer.performer_id == Performer.id),
        )
        .where(AssetPerformer.workspace_id == asset.workspace_id, AssetPerformer.asset_id == asset.id)
        .order_by(Performer.name, Performer.id)
    ).all()
    held = documents_of(session, asset.workspace_id, [one.id for one in people])
    lacking = (Missing(one.name, gaps(map(as_document, held.get(one.id, ())), day)) for one in people)
    return tuple(one for one in lacking if one.gaps)


def documents_of(
    session: Session, workspace_id: UUID, performer_ids: Iterable[UUID]
) -> dict[UUID, Sequence[PerformerDocument]]:
    """Room: the documents of each of them, the latest first."""
    found: dict[UUID, list[PerformerDocument]] = {}
    question = (
        select(PerformerDocument)
        .where(PerformerDocument.workspace_id == workspace_id, PerformerDocument.performer_id.in_(list(performer_ids)))
        .order_by(PerformerDocument.created_at.desc(), PerformerDocument.id.desc())
        .execution_options(populate_existing=True)
    )
    for one in session.scalars(question):
        found.setdefault(one.performer_id, []).append(one)
    return dict(found)


def as_document(one: PerformerDocument) -> Document:
    return Document(DocumentKind(one.kind), one.verified_on, one.expires_on, one.withdrawn_at)
