"""A draft in hand: what a worker knows of it, and what an answer to it is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.ai.opinion import Opinion, opinion_on
from core.ai.protocol import Result
from core.ai.providers import moderator
from core.ai.routing import Reason, Tier
from core.content import templates
from core.content.briefs import Brief, Voice
from core.content.checks import best_first, failed_checks, failed_together
from core.content.moderation import Rules
from core.content.platforms import Platform
from core.content.service import stop_if_blocked
from core.content.variants import parted

_FOR_EVERYBODY = frozenset({Platform.INSTAGRAM, Platform.TIKTOK, Platform.THREADS})
"""Where adult texts are not allowed."""


@dataclass(frozen=True, slots=True)
class Work:
    """`run` fences what is written. `decided` is the draft's tier, None when it may use no model at all.

    Its methods raise ContentBlocked for a text that nobody may be shown.
    """

    id: UUID
    run: int
    brief: Brief
    voice: Voice
    decided: tuple[Tier, Reason] | None
    rules: Rules

    def from_template(self) -> tuple[str, ...]:
        """What is offered where no model writes."""
        texts = templates.drafts(self.brief, self.voice, seed=self.id.int)
        for text in texts:
            stop_if_blocked(text, self.brief.platform, self.rules)
        return texts

    def failed(self, answer: Result) -> tuple[str, ...]:
        """The checks that an answer fails, each as often as it does."""
        return failed_together([self._failed(text) for text in parted(answer.text)], self.brief)

    def best(self, answer: Result) -> tuple[str, ...]:
        """The texts of an answer that are offered."""
        texts = parted(answer.text)
        return best_first(texts, [self._failed(text) for text in texts], self.brief.variants)

    def opinion(self, texts: Sequence[str], seconds: float) -> Opinion:
        """What the provider that was chosen thinks of the texts, where it can be asked. Raises nothing."""
        is_adult = self.brief.platform not in _FOR_EVERYBODY
        return opinion_on(texts, moderator(), seconds, is_adult=is_adult)

    def _failed(self, text: str) -> tuple[str, ...]:
        findings = stop_if_blocked(text, self.brief.platform, self.rules)
        return failed_checks(text, self.brief, self.voice, findings)
