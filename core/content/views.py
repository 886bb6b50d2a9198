"""A draft and an allowance as their people see them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from core.ai.models import AiRequest
from core.ai.opinion import Doubt
from core.ai.prices import dollars
from core.content.briefs import Brief, Voice
from core.content.checks import failed_checks
from core.content.kinds import GenerationStatus
from core.content.models import Generation
from core.content.moderation import Rules
from core.errors import sentences

OPEN = frozenset({GenerationStatus.QUEUED, GenerationStatus.RUNNING})
TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class GenerationView:
    """One draft as its people see it.

    `text` grows while it is open, and `others` come after it. `failed` are the checks that each of the texts fails, the
    first of `text`; empty until a model's draft is done. `provider` is None for a template draft, which no model wrote.
    `cost` is exact US dollars, None when it cannot be known. `reason` is a `routing.Reason`, or "template".
    """

    id: UUID
    status: GenerationStatus
    brief: Brief
    text: str
    others: tuple[str, ...]
    failed: tuple[tuple[str, ...], ...]
    provider: str | None
    model: str | None
    tier: str | None
    reason: str | None
    tokens_in: int
    tokens_out: int
    is_estimated: bool
    cost: Decimal | None
    was_repaired: bool
    was_escalated: bool
    problem_code: str | None
    problem_facts: dict[str, str]
    created_at: datetime
    parent_id: UUID | None
    plan_id: UUID | None

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text that came; none while the first has not begun."""
        return (self.text, *self.others) if self.text else ()

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_template(self) -> bool:
        return self.reason == TEMPLATE

    def problem(self, language: str) -> str | None:
        """Why there is no draft, or a template in place of a model's, as a sentence."""
        return sentences().text(language, self.problem_code, **self.problem_facts) if self.problem_code else None


@dataclass(frozen=True, slots=True)
class AllowanceView:
    """Model drafts of the account in the current month (UTC). `most` None: charged by use instead of refused.

    `has_model` False: no model is configured here, so drafts are templates and take no place.
    """

    used: int
    most: int | None
    month: date
    has_model: bool


@dataclass(frozen=True, slots=True)
class Held:
    """What a model's texts are held against, and what is known about how they came about."""

    voice: Voice
    rules: Rules
    request: AiRequest | None


def view_of(found: Generation, held: Held | None) -> GenerationView:
    """`held` is None for a draft whose texts are not checked: one that still grows, and a template."""
    brief = Brief.of(**found.brief)
    texts = (found.draft, *found.variants)
    doubts = tuple(name for name in found.failed_checks if name in {*Doubt})
    request = held.request if held else None
    return GenerationView(
        id=found.id,
        status=GenerationStatus(found.status),
        brief=brief,
        text=found.draft,
        others=tuple(found.variants),
        failed=tuple((*_failed(text, brief, held), *doubts) for text in texts) if held else (),
        provider=found.provider,
        model=found.model,
        tier=found.tier,
        reason=found.reason,
        tokens_in=sum(filter(None, (found.input_tokens, found.cache_read_tokens, found.cache_write_tokens))),
        tokens_out=sum(filter(None, (found.output_tokens, found.reasoning_tokens))),
        is_estimated=found.is_estimated,
        cost=None if found.cost_nano_usd is None else dollars(found.cost_nano_usd),
        was_repaired=request is not None and request.was_repaired,
        was_escalated=request is not None and request.was_escalated,
        problem_code=found.problem_code,
        problem_facts=found.problem_facts,
        created_at=found.created_at,
        parent_id=found.parent_id,
        plan_id=found.plan_id,
    )


def _failed(text: str, brief: Brief, held: Held) -> tuple[str, ...]:
    return failed_checks(text, brief, held.voice, held.rules.moderate(text, brief.platform))
