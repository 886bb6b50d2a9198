"""What messages are for, whom they go to, and what becomes of them. Pure."""

from enum import StrEnum

from core.content.platforms import Platform

PLATFORMS = (Platform.ONLYFANS, Platform.FANSLY)
"""Where fans are written to; fans come from these platforms' statements."""


class Kind(StrEnum):
    GREETING = "greeting"
    UPSELL = "upsell"
    PPV_OFFER = "ppv_offer"
    REACTIVATION = "reactivation"
    THANK_YOU = "thank_you"
    CUSTOM = "custom"


OFFERING = frozenset({Kind.UPSELL, Kind.PPV_OFFER})
"""Kinds that are about something on offer, which each of their texts names."""


class SegmentRule(StrEnum):
    """Which fans: its thresholds are the person's own."""

    ALL = "all"
    NEW = "new"
    LOYAL = "loyal"
    BIG_SPENDER = "big_spender"
    LAPSED = "lapsed"
    BOUGHT = "bought"


class CampaignStatus(StrEnum):
    DRAFTING = "drafting"
    READY = "ready"
    FAILED = "failed"
    CLOSED = "closed"


class MessageStatus(StrEnum):
    QUEUED = "queued"
    APPROVED = "approved"
    SENT = "sent"
    DROPPED = "dropped"


class Authorship(StrEnum):
    """Who wrote it: a person, our own templates or a model's, with the record's facts filled in, edited or not."""

    PERSON = "person"
    TEMPLATE = "template"
    TEMPLATE_EDITED = "template_edited"
    AI = "ai"
    AI_EDITED = "ai_edited"


EDITED = {Authorship.TEMPLATE: Authorship.TEMPLATE_EDITED, Authorship.AI: Authorship.AI_EDITED}


class Skip(StrEnum):
    """Why a fan of the segment gets no message; its words are `messages.skip_<value>`."""

    OPTED_OUT = "opted_out"
    WRITTEN_RECENTLY = "written_recently"
    SAME_TEXT = "same_text"
    SIMILAR_TEXT = "similar_text"
    CHECK_FAILED = "check_failed"


PURCHASES = ("message", "post", "stream", "custom")
"""Kinds of payments that buy something that can be named without speaking of money."""
