"""What a campaign and its messages look like to its people. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from core.errors import sentences
from core.messages.briefs import MessageBrief
from core.messages.kinds import Authorship, CampaignStatus, MessageStatus


@dataclass(frozen=True, slots=True)
class TemplateView:
    """One template. `failed`: why a variant of the model's was refused; its text is not kept then."""

    text: str
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CampaignView:
    """`counts` are messages by status. `fans`: in the segment, None before it was filled. `skipped`: fans by why.

    `provider` is None where no model wrote the templates. `cost` is exact US dollars, None when it cannot be known.
    """

    id: UUID
    brief: MessageBrief
    status: CampaignStatus
    templates: tuple[TemplateView, ...]
    counts: Mapping[MessageStatus, int]
    flagged: int
    fans: int | None
    skipped: Mapping[str, int]
    provider: str | None
    model: str | None
    reason: str | None
    cost: Decimal | None
    problem_code: str | None
    problem_facts: Mapping[str, str]
    created_at: datetime

    @property
    def is_open(self) -> bool:
        return self.status is CampaignStatus.DRAFTING

    @property
    def messages(self) -> int:
        return sum(self.counts.values())

    def problem(self, language: str) -> str | None:
        """What went wrong, as a sentence."""
        return sentences().text(language, self.problem_code, **self.problem_facts) if self.problem_code else None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message. `fan` is what the statements call the fan; `decided_by` and `sent_by` are names, None when gone."""

    id: UUID
    campaign_id: UUID | None
    fan: str
    handle: str | None
    body: str
    variant: int
    status: MessageStatus
    authorship: Authorship
    edited_characters: int
    flags: tuple[str, ...]
    decided_by: str | None
    decided_at: datetime | None
    sent_by: str | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessagePage:
    messages: tuple[MessageView, ...]
    total: int
