"""The people who are shown, and the documents that were seen of them. The documents themselves are never kept."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.audit import record
from core.content.kinds import AssetStatus
from core.content.models import ContentAsset
from core.errors import BadInput, NotFound
from core.publishing.consent import as_document, documents_of, one_at_a_time, scheduled_without
from core.publishing.local_time import local
from core.publishing.models import AssetPerformer, Performer, PerformerDocument
from core.publishing.papers import DocumentKind, Gap, gaps
from core.publishing.texts import move, note, zone_of
from core.text import unsafe_reason
from core.use_case import use_case
from core.workspaces.models import Workspace

LONGEST_NAME = 120
SOON = timedelta(days=30)
_HASH_BYTES = 32
_EARLIEST = date(1990, 1, 1)


@dataclass(frozen=True, slots=True)
class DocumentView:
    """`sha256` is hexadecimal, None where no file was hashed."""

    id: UUID
    kind: DocumentKind
    verified_on: date
    expires_on: date | None
    sha256: str | None
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class PerformerView:
    """Somebody who is shown. `gaps`: what is missing today, on the creator's calendar."""

    id: UUID
    name: str
    is_creator: bool
    is_archived: bool
    documents: tuple[DocumentView, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Expiring:
    """A document that ends within thirty days, or has ended, with none of its kind to follow."""

    name: str
    kind: DocumentKind
    expires_on: date


@dataclass(frozen=True, slots=True)
class Appearance:
    """A text that somebody is shown with."""

    asset_id: UUID
    title: str
    status: AssetStatus
    scheduled_at: datetime | None
    published_at: datetime | None


@use_case(Permission.WRITE_CONTENT)
def performers(session: Session, scope: Scope) -> tuple[PerformerView, ...]:
    """Everybody who is or was shown, the creator first, who is there from the first time that anybody looks."""
    workspace = session.get_one(Workspace, scope.workspace_id)
    session.execute(
        insert(Performer)
        .values(workspace_id=workspace.id, name=workspace.name, is_creator=True)
        .on_conflict_do_nothing(index_elements=["workspace_id"], index_where=text("is_creator"))
    )
    found = session.scalars(
        select(Performer)
        .where(Performer.workspace_id == workspace.id)
        .order_by(Performer.is_creator.desc(), Performer.name, Performer.id)
        .execution_options(populate_existing=True)
    ).all()
    held = documents_of(session, workspace.id, [one.id for one in found])
    today = local(datetime.now(UTC), workspace.time_zone).date()
    return tuple(
        PerformerView(
            id=one.id,
            name=one.name,
            is_creator=one.is_creator,
            is_archived=one.archived_at is not None,
            documents=tuple(map(_document_view, held.get(one.id, ()))),
            gaps=gaps(map(as_document, held.get(one.id, ())), today),
        )
        for one in found
    )


@use_case(Permission.EDIT_WORKSPACE)
def add_performer(session: Session, scope: Scope, name: str) -> UUID:
    """Raises BadInput for no name, a long one, and one that is taken."""
    tidy = _checked_name(name)
    taken = Performer.workspace_id == scope.workspace_id, func.lower(Performer.name) == tidy.lower()
    if session.scalar(select(Performer.id).where(*taken).limit(1)) is not None:
        raise BadInput("consent.name_taken")
    made = Performer(workspace_id=scope.workspace_id, name=tidy)
    session.add(made)
    session.flush()
    record(session, scope, "performer_added", str(made.id), workspace_id=scope.workspace_id)
    return made.id


@use_case(Permission.EDIT_WORKSPACE)
def rename_performer(session: Session, scope: Scope, performer_id: UUID, name: str) -> None:
    """Raises NotFound, BadInput."""
    _locked(session, scope, performer_id).name = _checked_name(name)


@use_case(Permission.EDIT_WORKSPACE)
def archive_performer(session: Session, scope: Scope, performer_id: UUID, *, archived: bool = True) -> None:
    """Offer somebody no longer for new texts, or again. What is planned with them stays as it is. Raises NotFound."""
    found = _locked(session, scope, performer_id)
    if (found.archived_at is not None) != archived:
        found.archived_at = datetime.now(UTC) if archived else None
        deed = "performer_archived" if archived else "performer_restored"
        record(session, scope, deed, str(found.id), workspace_id=scope.workspace_id)


@use_case(Permission.EDIT_WORKSPACE)
def add_document(
    session: Session,
    scope: Scope,
    performer_id: UUID,
    *,
    kind: DocumentKind,
    verified_on: date,
    expires_on: date | None = None,
    sha256: str = "",
) -> UUID:
    """Note that a document was seen; `sha256` is that of its file in hexadecimal, empty for none. Returns its id.

    Raises NotFound, and BadInput for a day to come, an end before the beginning, and what is no SHA-256.
    """
    found = _locked(session, scope, performer_id)
    today = local(datetime.now(UTC), zone_of(session, scope.workspace_id)).date()
    if not _EARLIEST <= verified_on <= today:
        raise BadInput("consent.bad_verified_on")
    if expires_on is not None and expires_on < verified_on:
        raise BadInput("consent.bad_expires_on")
    made = PerformerDocument(
        workspace_id=scope.workspace_id,
        performer_id=found.id,
        kind=DocumentKind(kind),
        verified_on=verified_on,
        expires_on=expires_on,
        sha256=_checked_hash(sha256),
        verified_by=scope.user_id,
    )
    session.add(made)
    session.flush()
    after = {"kind": str(kind), "verified_on": str(verified_on), "expires_on": str(expires_on or "")}
    record(session, scope, "performer_document_added", str(found.id), workspace_id=scope.workspace_id, after=after)
    return made.id


@use_case(Permission.EDIT_WORKSPACE)
def withdraw_document(session: Session, scope: Scope, performer_id: UUID, document_id: UUID) -> tuple[str, ...]:
    """One document holds no longer. Returns the titles of the scheduled texts that went back to draft for it.

    Raises NotFound. Twice is once.
    """
    one_at_a_time(session, scope)
    found = session.get(PerformerDocument, (scope.workspace_id, document_id), with_for_update=True)
    if found is None or found.performer_id != performer_id:
        raise NotFound("access.not_found")
    found.withdrawn_at = found.withdrawn_at or datetime.now(UTC)
    session.flush()
    record(session, scope, "performer_document_withdrawn", str(performer_id), workspace_id=scope.workspace_id)
    return _send_back(session, scope, performer_id)


@use_case(Permission.EDIT_WORKSPACE)
def withdraw_consent(session: Session, scope: Scope, performer_id: UUID) -> tuple[str, ...]:
    """Somebody agrees no longer: every release of theirs ends. Returns the titles of the texts that went back to draft.

    What is published stays listed under their name (`appearances`), for a person to take down. Raises NotFound.
    """
    one_at_a_time(session, scope)
    _locked(session, scope, performer_id)
    session.execute(
        update(PerformerDocument)
        .where(
            PerformerDocument.workspace_id == scope.workspace_id,
            PerformerDocument.performer_id == performer_id,
            PerformerDocument.kind == DocumentKind.RELEASE,
            PerformerDocument.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=func.now())
    )
    record(session, scope, "performer_consent_withdrawn", str(performer_id), workspace_id=scope.workspace_id)
    return _send_back(session, scope, performer_id)


@use_case(Permission.WRITE_CONTENT)
def appearances(session: Session, scope: Scope, performer_id: UUID) -> tuple[Appearance, ...]:
    """Every text that somebody is shown with, archived ones too, the last saved first."""
    found = session.scalars(
        select(ContentAsset)
        .join(
            AssetPerformer,
            (AssetPerformer.workspace_id == ContentAsset.workspace_id) & (AssetPerformer.asset_id == ContentAsset.id),
        )
        .where(AssetPerformer.workspace_id == scope.workspace_id, AssetPerformer.performer_id == performer_id)
        .order_by(ContentAsset.updated_at.desc(), ContentAsset.id)
    )
    return tuple(
        Appearance(one.id, one.title, AssetStatus(one.status), one.scheduled_at, one.published_at) for one in found
    )


@use_case(Permission.WRITE_CONTENT)
def expiring(session: Session, scope: Scope) -> tuple[Expiring, ...]:
    """Of those not archived: kinds whose last document ends within thirty days or has ended, the soonest first."""
    today = local(datetime.now(UTC), zone_of(session, scope.workspace_id)).date()
    people = session.execute(
        select(Performer.id, Performer.name).where(
            Performer.workspace_id == scope.workspace_id, Performer.archived_at.is_(None)
        )
    ).all()
    held = documents_of(session, scope.workspace_id, [one.id for one in people])
    found: list[Expiring] = []
    for one in people:
        for kind in DocumentKind:
            ends = [
                document.expires_on or date.max
                for document in held.get(one.id, ())
                if document.kind == kind and document.withdrawn_at is None
            ]
            if ends and max(ends) <= today + SOON:
                found.append(Expiring(one.name, kind, max(ends)))
    return tuple(sorted(found, key=lambda one: (one.expires_on, one.name, one.kind)))


def _send_back(session: Session, scope: Scope, performer_id: UUID) -> tuple[str, ...]:
    titles = []
    for asset in scheduled_without(session, scope, performer_id):
        titles.append(asset.title)
        if asset.status == AssetStatus.ARCHIVED:
            asset.archived_from, asset.scheduled_at = AssetStatus.DRAFT, None
            note(session, scope, asset, "text_held")
        else:
            move(session, scope, asset, AssetStatus.DRAFT, "text_held")
    return tuple(titles)


def _locked(session: Session, scope: Scope, performer_id: UUID) -> Performer:
    found = session.get(Performer, (scope.workspace_id, performer_id), with_for_update=True)
    if found is None:
        raise NotFound("access.not_found")
    return found


def _checked_name(name: str) -> str:
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > LONGEST_NAME or unsafe_reason(tidy):
        raise BadInput("consent.bad_name", most=LONGEST_NAME)
    return tidy


def _checked_hash(text: str) -> bytes | None:
    if not text.strip():
        return None
    try:
        found = bytes.fromhex(text.strip())
    except ValueError:
        raise BadInput("consent.bad_hash") from None
    if len(found) != _HASH_BYTES:
        raise BadInput("consent.bad_hash")
    return found


def _document_view(one: PerformerDocument) -> DocumentView:
    return DocumentView(
        id=one.id,
        kind=DocumentKind(one.kind),
        verified_on=one.verified_on,
        expires_on=one.expires_on,
        sha256=one.sha256.hex() if one.sha256 else None,
        is_withdrawn=one.withdrawn_at is not None,
    )
