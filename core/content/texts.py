"""A text that is kept: what a person saves, and how it is seen. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from core.content.briefs import LONGEST_ABOUT
from core.content.kinds import AssetStatus, AssetType, Authorship
from core.content.models import ContentAsset
from core.content.platforms import Platform
from core.errors import BadInput
from core.text import unsafe_reason

LONGEST_TITLE = 120
LONGEST_BODY = 20_000
LONGEST_TAG = 40
MOST_TAGS = 20
PLANNED = "planned_for"
"""In an asset's details: the day (ISO) that a campaign named for it."""


@dataclass(frozen=True, slots=True)
class AssetView:
    """A kept text. `warnings` counts the platform's rules that it broke when it was saved.

    `picture` says what the picture shows that goes with it. `authorship` is None for texts older than its record.
    `planned_for` is the day that a campaign's wish named.
    """

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
    picture: str
    authorship: Authorship | None
    planned_for: date | None
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
    picture: str = ""

    @classmethod
    def of(
        cls, *, title: str, body: str, category: str = "", tags: Sequence[str] = (), picture: str = ""
    ) -> "AssetText":
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
        seen = " ".join(picture.split())
        if len(seen) > LONGEST_ABOUT or unsafe_reason(seen):
            raise BadInput("content.bad_about", most=LONGEST_ABOUT)
        return cls(named, body.strip(), shelf, labels, seen)


def _first_words(body: str) -> str:
    words = " ".join(body.split())
    return words if len(words) <= 60 else words[:60].rsplit(" ", 1)[0] + "…"


def asset_view(asset: ContentAsset) -> AssetView:
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
        picture=asset.picture,
        authorship=Authorship(asset.authorship) if asset.authorship else None,
        planned_for=date.fromisoformat(asset.details[PLANNED]) if PLANNED in asset.details else None,
        created_at=asset.created_at,
        updated_at=asset.updated_at,
    )
