"""The library: texts that were kept, with every version of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.ai.requests import note_outcome
from core.audit import record
from core.content.house_rules import rules_for
from core.content.kinds import AssetStatus, AssetType, Authorship, Subject
from core.content.models import ContentAsset, ContentAssetVersion, Generation
from core.content.moderation import Finding
from core.content.platforms import Platform
from core.content.reviewing import review_if_warned
from core.content.service import locked, stop_if_blocked
from core.content.texts import PLANNED, AssetPage, AssetText, AssetVersionView, AssetView, asset_view
from core.errors import BadInput, Conflict, NotFound
from core.language import LANGUAGES
from core.use_case import use_case

__all__ = [
    "PAGE",
    "AssetPage",
    "AssetText",
    "AssetVersionView",
    "AssetView",
    "archive_asset",
    "asset",
    "asset_versions",
    "assets",
    "keep_draft",
    "restore_asset",
    "save_asset",
    "update_asset",
]
PAGE = 20


@use_case(Permission.WRITE_CONTENT)
def save_asset(
    session: Session,
    scope: Scope,
    content: AssetText,
    *,
    type: AssetType,  # noqa: A002
    platform: Platform,
    language: str,
    generation_id: UUID | None = None,
    variant: int = 0,
) -> AssetView:
    """Keep a text as version 1. The draft that it came from, if any, is put away; `variant` is the text of it at hand.

    A draft is kept once: saved again, from another tab or by a second try, it is the asset that is there.
    Raises ContentBlocked for a text that no platform allows, BadInput, NotFound for a draft that is not there, and
    Conflict for a draft that was already kept with another text, which would be lost without a word.
    """
    if language not in LANGUAGES:
        raise BadInput("content.bad_choice")
    asset = ContentAsset(type=type, platform=platform, language=language)
    if generation_id is None:
        return keep(session, scope, asset, content)
    return keep_draft(
        session, scope, locked(session, scope.workspace_id, generation_id), content, variant=variant, asset=asset
    )


def keep_draft(
    session: Session, scope: Scope, held: Generation, content: AssetText, *, variant: int, asset: ContentAsset
) -> AssetView:
    """Room: keep a text of a draft whose row is locked, and note what became of it; else as `save_asset` says."""
    texts = (held.draft, *held.variants)
    if not 0 <= variant < len(texts):
        raise BadInput("content.bad_choice")
    if kept := _kept_from(session, scope, held.id):
        if (kept.title, kept.body) != (content.title, content.body):
            raise Conflict("content.changed_elsewhere")
        return asset_view(kept)
    held.put_away_at = datetime.now(UTC)
    asset.generation_id = held.id
    if held.provider is not None:
        asset.authorship = Authorship.AI if texts[variant].strip() == content.body else Authorship.AI_EDITED
    if day := held.brief.get("day"):
        asset.details = {PLANNED: day}
    view = keep(session, scope, asset, content)
    note_outcome(session, scope.workspace_id, held.id, texts[variant], content.body)
    return view


def keep(session: Session, scope: Scope, asset: ContentAsset, content: AssetText) -> AssetView:
    """Room: fill a new row with a text and keep it as version 1. Raises ContentBlocked."""
    findings = _allowed(session, scope, content, Platform(asset.platform))
    asset.workspace_id, asset.created_by = scope.workspace_id, scope.user_id
    asset.title, asset.body = content.title, content.body
    asset.authorship = asset.authorship or Authorship.PERSON
    _describe(asset, content, findings)
    session.add(asset)
    session.flush()
    _keep_version(session, scope, asset)
    review_if_warned(session, scope, asset.body, findings, subject=Subject.ASSET, subject_id=asset.id)
    return asset_view(asset)


def _allowed(session: Session, scope: Scope, content: AssetText, platform: Platform) -> tuple[Finding, ...]:
    rules = rules_for(session, scope.workspace_id)
    stop_if_blocked(content.picture, platform, rules)
    return stop_if_blocked(content.body, platform, rules)


def _describe(asset: ContentAsset, content: AssetText, findings: Sequence[Finding]) -> None:
    asset.category, asset.tags, asset.picture = content.category, list(content.tags), content.picture
    planned = {name: value for name, value in (asset.details or {}).items() if name == PLANNED}
    asset.details = {**planned, **_noted(findings)}


def _approve_anew(session: Session, scope: Scope, asset: ContentAsset) -> None:
    """What was approved is this text no longer: it goes back to draft, off the calendar. A published one stays so."""
    no_longer = (AssetStatus.APPROVED, AssetStatus.SCHEDULED)
    was = asset.archived_from if asset.status == AssetStatus.ARCHIVED else asset.status
    if was not in no_longer:
        return
    if asset.status == AssetStatus.ARCHIVED:
        asset.archived_from = AssetStatus.DRAFT
    else:
        asset.status = AssetStatus.DRAFT
    asset.scheduled_at = None
    record(
        session,
        scope,
        "text_changed",
        str(asset.id),
        account_id=scope.account_of[asset.workspace_id],
        workspace_id=asset.workspace_id,
        before={"status": was},
    )


def _kept_from(session: Session, scope: Scope, generation_id: UUID) -> ContentAsset | None:
    """What a draft was kept as. The draft's row is locked, so nobody keeps it meanwhile."""
    return session.scalar(
        select(ContentAsset).where(
            ContentAsset.workspace_id == scope.workspace_id, ContentAsset.generation_id == generation_id
        )
    )


@use_case(Permission.WRITE_CONTENT)
def update_asset(session: Session, scope: Scope, asset_id: UUID, content: AssetText, *, version: int) -> AssetView:
    """Save a text anew; the one before stays as a version. `version` is the one that was being edited.

    A new version of an approved or scheduled text is a draft again, for approvals hold for one version only.
    Raises Conflict when somebody saved another version meanwhile, ContentBlocked, NotFound.
    """
    asset = _locked(session, scope, asset_id)
    if asset.version != version:
        raise Conflict("content.changed_elsewhere")
    is_other_picture = asset.picture != content.picture
    findings = _allowed(session, scope, content, Platform(asset.platform))
    _describe(asset, content, findings)
    asset.updated_at = datetime.now(UTC)
    asset.shows_nobody = asset.shows_nobody and not is_other_picture
    if is_other_picture or (asset.title, asset.body) != (content.title, content.body):
        if asset.body != content.body and asset.authorship == Authorship.AI:
            asset.authorship = Authorship.AI_EDITED
        asset.title, asset.body = content.title, content.body
        asset.version += 1
        _keep_version(session, scope, asset)
        _approve_anew(session, scope, asset)
        review_if_warned(session, scope, asset.body, findings, subject=Subject.ASSET, subject_id=asset.id)
    return asset_view(asset)


@use_case(Permission.WRITE_CONTENT)
def archive_asset(session: Session, scope: Scope, asset_id: UUID) -> AssetView:
    """Put a text out of the way; `restore_asset` undoes it. Twice is once. Raises NotFound."""
    asset = _locked(session, scope, asset_id)
    if asset.status != AssetStatus.ARCHIVED:
        asset.archived_from, asset.status = asset.status, AssetStatus.ARCHIVED
    return asset_view(asset)


@use_case(Permission.WRITE_CONTENT)
def restore_asset(session: Session, scope: Scope, asset_id: UUID) -> AssetView:
    """Bring an archived text back as what it was. Any other stays as it is. Raises NotFound."""
    asset = _locked(session, scope, asset_id)
    if asset.status == AssetStatus.ARCHIVED:
        asset.status, asset.archived_from = asset.archived_from or AssetStatus.DRAFT, None
    return asset_view(asset)


@use_case(Permission.WRITE_CONTENT)
def asset(session: Session, scope: Scope, asset_id: UUID) -> AssetView:
    """One text. Raises NotFound."""
    found = session.get(ContentAsset, (scope.workspace_id, asset_id))
    if found is None:
        raise NotFound("access.not_found")
    return asset_view(found)


@use_case(Permission.WRITE_CONTENT)
def assets(
    session: Session,
    scope: Scope,
    *,
    search: str = "",
    status: AssetStatus | None = None,
    type: AssetType | None = None,  # noqa: A002
    platform: Platform | None = None,
    language: str | None = None,
    tags: Sequence[str] = (),
    page: int = 0,
) -> AssetPage:
    """A page of the library, the last saved first. Without a status: all that is not archived.

    `search` is looked for in title, text, category and tags, letter for letter, without regard to case. Of `tags` each
    must be there.
    """
    is_wanted = ContentAsset.status == status if status else ContentAsset.status != AssetStatus.ARCHIVED
    wanted = select(ContentAsset).where(ContentAsset.workspace_id == scope.workspace_id, is_wanted)
    chosen = {ContentAsset.type: type, ContentAsset.platform: platform, ContentAsset.language: language}
    wanted = wanted.where(*(column == value for column, value in chosen.items() if value is not None))
    if tags:
        wanted = wanted.where(ContentAsset.tags.contains([tag.replace("\x00", "") for tag in tags]))
    if words := search.replace("\x00", "").strip():
        labels = func.array_to_string(cast(ContentAsset.tags, ARRAY(Text)), " ")
        fields = (ContentAsset.title, ContentAsset.body, ContentAsset.category, labels)
        wanted = wanted.where(or_(*(field.icontains(words, autoescape=True) for field in fields)))
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    found = session.scalars(
        wanted.order_by(ContentAsset.updated_at.desc(), ContentAsset.id.desc()).limit(PAGE).offset(max(0, page) * PAGE)
    )
    return AssetPage(tuple(asset_view(one) for one in found), total)


@use_case(Permission.WRITE_CONTENT)
def asset_versions(session: Session, scope: Scope, asset_id: UUID) -> tuple[AssetVersionView, ...]:
    """Every version of a text, the latest first; none for one that is not there."""
    found = session.scalars(
        select(ContentAssetVersion)
        .where(ContentAssetVersion.workspace_id == scope.workspace_id, ContentAssetVersion.asset_id == asset_id)
        .order_by(ContentAssetVersion.version.desc())
    )
    return tuple(AssetVersionView(one.version, one.title, one.body, one.saved_at) for one in found)


def _locked(session: Session, scope: Scope, asset_id: UUID) -> ContentAsset:
    found = session.get(ContentAsset, (scope.workspace_id, asset_id), with_for_update=True)
    if found is None:
        raise NotFound("access.not_found")
    return found


def _keep_version(session: Session, scope: Scope, asset: ContentAsset) -> None:
    session.add(
        ContentAssetVersion(
            workspace_id=asset.workspace_id,
            asset_id=asset.id,
            version=asset.version,
            title=asset.title,
            body=asset.body,
            saved_by=scope.user_id,
        )
    )


def _noted(findings: Sequence[Finding]) -> dict[str, object]:
    """The warnings that a text was saved with, and the version of the lists that gave them."""
    if not findings:
        return {}
    return {
        "rules_version": findings[0].version,
        "warnings": [{"category": one.category, "term": one.term} for one in findings],
    }
