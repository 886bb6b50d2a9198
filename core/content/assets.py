"""The library: texts that were kept, with every version of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.content.house_rules import rules_for
from core.content.kinds import AssetStatus, AssetType
from core.content.models import ContentAsset, ContentAssetVersion
from core.content.moderation import Finding
from core.content.platforms import Platform
from core.content.service import put_away, stop_if_blocked
from core.errors import BadInput, Conflict, NotFound
from core.language import LANGUAGES
from core.text import unsafe_reason
from core.use_case import use_case

LONGEST_TITLE = 120
LONGEST_BODY = 20_000
LONGEST_TAG = 40
MOST_TAGS = 20
PAGE = 20


@dataclass(frozen=True, slots=True)
class AssetView:
    """A kept text. `warnings` counts the platform's rules that it broke when it was saved."""

    id: UUID
    type: AssetType
    title: str
    body: str
    category: str
    tags: tuple[str, ...]
    status: AssetStatus
    platform: Platform
    language: str
    generation_id: UUID | None
    version: int
    warnings: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AssetVersionView:
    version: int
    title: str
    body: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class AssetPage:
    """Some of the assets that match, and how many match in all."""

    assets: tuple[AssetView, ...]
    total: int


@dataclass(frozen=True, slots=True)
class AssetText:
    """What a person saves: checked and tidied by `of`."""

    title: str
    body: str
    category: str = ""
    tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, *, title: str, body: str, category: str = "", tags: Sequence[str] = ()) -> "AssetText":
        """Raises BadInput that says what to change. Without a title, the first words of the body are it."""
        if not body.strip():
            raise BadInput("content.empty_body")
        if len(body) > LONGEST_BODY or unsafe_reason(body):
            raise BadInput("content.bad_body", most=LONGEST_BODY)
        named = " ".join(title.split()) or _first_words(body)
        shelf = " ".join(category.split())
        labels = tuple(dict.fromkeys(label for label in (" ".join(tag.split()).lstrip("#") for tag in tags) if label))
        if len(named) > LONGEST_TITLE or len(shelf) > LONGEST_TITLE or unsafe_reason(named + shelf):
            raise BadInput("content.bad_title", most=LONGEST_TITLE)
        if len(labels) > MOST_TAGS or any(len(label) > LONGEST_TAG or unsafe_reason(label) for label in labels):
            raise BadInput("content.bad_tags", tags=MOST_TAGS, most=LONGEST_TAG)
        return cls(named, body.strip(), shelf, labels)


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
) -> AssetView:
    """Keep a text as version 1. The draft that it came from, if any, is put away.

    A draft is kept once: saved again, from another tab or by a second try, it is the asset that is there.
    Raises ContentBlocked for a text that no platform allows, BadInput, NotFound for a draft that is not there, and
    Conflict for a draft that was already kept with another text, which would be lost without a word.
    """
    if language not in LANGUAGES:
        raise BadInput("content.bad_choice")
    if generation_id is not None:
        put_away(session, scope.workspace_id, generation_id)
        if kept := _kept_from(session, scope, generation_id):
            if (kept.title, kept.body) != (content.title, content.body):
                raise Conflict("content.changed_elsewhere")
            return _view(kept)
    asset = ContentAsset(
        workspace_id=scope.workspace_id,
        type=type,
        title=content.title,
        body=content.body,
        category=content.category,
        tags=list(content.tags),
        details=_noted(stop_if_blocked(content.body, platform, rules_for(session, scope.workspace_id))),
        platform=platform,
        language=language,
        generation_id=generation_id,
        created_by=scope.user_id,
    )
    session.add(asset)
    session.flush()
    _keep_version(session, scope, asset)
    return _view(asset)


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

    Raises Conflict when somebody saved another version meanwhile, ContentBlocked, NotFound.
    """
    asset = _locked(session, scope, asset_id)
    if asset.version != version:
        raise Conflict("content.changed_elsewhere")
    findings = stop_if_blocked(content.body, Platform(asset.platform), rules_for(session, scope.workspace_id))
    asset.category, asset.tags = content.category, list(content.tags)
    asset.details = _noted(findings)
    asset.updated_at = datetime.now(UTC)
    if (asset.title, asset.body) != (content.title, content.body):
        asset.title, asset.body = content.title, content.body
        asset.version += 1
        _keep_version(session, scope, asset)
    return _view(asset)


@use_case(Permission.WRITE_CONTENT)
def archive_asset(session: Session, scope: Scope, asset_id: UUID) -> AssetView:
    """Put a text out of the way; `restore_asset` undoes it. Twice is once. Raises NotFound."""
    asset = _locked(session, scope, asset_id)
    if asset.status != AssetStatus.ARCHIVED:
        asset.archived_from, asset.status = asset.status, AssetStatus.ARCHIVED
    return _view(asset)


@use_case(Permission.WRITE_CONTENT)
def restore_asset(session: Session, scope: Scope, asset_id: UUID) -> AssetView:
    """Bring an archived text back as what it was. Any other stays as it is. Raises NotFound."""
    asset = _locked(session, scope, asset_id)
    if asset.status == AssetStatus.ARCHIVED:
        asset.status, asset.archived_from = asset.archived_from or AssetStatus.DRAFT, None
    return _view(asset)


@use_case(Permission.WRITE_CONTENT)
def asset(session: Session, scope: Scope, asset_id: UUID) -> AssetView:
    """One text. Raises NotFound."""
    found = session.get(ContentAsset, (scope.workspace_id, asset_id))
    if found is None:
        raise NotFound("access.not_found")
    return _view(found)


@use_case(Permission.WRITE_CONTENT)
def assets(
    session: Session, scope: Scope, *, search: str = "", status: AssetStatus | None = None, page: int = 0
) -> AssetPage:
    """A page of the library, the last saved first. Without a status: all that is not archived.

    `search` is looked for in title, text, category and tags, letter for letter, without regard to case.
    """
    is_wanted = ContentAsset.status == status if status else ContentAsset.status != AssetStatus.ARCHIVED
    wanted = select(ContentAsset).where(ContentAsset.workspace_id == scope.workspace_id, is_wanted)
    if words := search.replace("\x00", "").strip():
        tags = func.array_to_string(cast(ContentAsset.tags, ARRAY(Text)), " ")
        fields = (ContentAsset.title, ContentAsset.body, ContentAsset.category, tags)
        wanted = wanted.where(or_(*(field.icontains(words, autoescape=True) for field in fields)))
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    found = session.scalars(
        wanted.order_by(ContentAsset.updated_at.desc(), ContentAsset.id.desc()).limit(PAGE).offset(max(0, page) * PAGE)
    )
    return AssetPage(tuple(_view(one) for one in found), total)


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


def _first_words(body: str) -> str:
    words = " ".join(body.split())
    return words if len(words) <= 60 else words[:60].rsplit(" ", 1)[0] + "…"


def _view(asset: ContentAsset) -> AssetView:
    return AssetView(
        id=asset.id,
        type=AssetType(asset.type),
        title=asset.title,
        body=asset.body,
        category=asset.category,
        tags=tuple(asset.tags),
        status=AssetStatus(asset.status),
        platform=Platform(asset.platform),
        language=asset.language,
        generation_id=asset.generation_id,
        version=asset.version,
        warnings=len(asset.details.get("warnings", ())),
        created_at=asset.created_at,
        updated_at=asset.updated_at,
    )
