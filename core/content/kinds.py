"""What states a draft and a text can be in, and what a text can be. Pure."""

from enum import StrEnum


class GenerationStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AssetType(StrEnum):
    POST = "post"
    STORY = "story"
    VIDEO = "video"
    IMAGE = "image"
    CAPTION = "caption"
    IDEAS = "ideas"
    HASHTAGS = "hashtags"


class Authorship(StrEnum):
    """Who wrote a kept text. A template is people's work."""

    PERSON = "person"
    AI = "ai"
    AI_EDITED = "ai_edited"


class AssetStatus(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Direction(StrEnum):
    """Whether a text goes to fans or came from one."""

    OUT = "out"
    IN = "in"


class Subject(StrEnum):
    """What a text in review is of."""

    DRAFT = "draft"
    ASSET = "asset"
    MESSAGE = "message"
    CAMPAIGN = "campaign"
    PASTED = "pasted"


class ReviewStatus(StrEnum):
    OPEN = "open"
    ALLOWED = "allowed"
    STOPPED = "stopped"
