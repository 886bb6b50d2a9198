"""A creator's voice, and the drafts that they ask for. What a worker does with a wish is in `drafting`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import queue
from core.access import Permission, Scope
from core.ai import allowance, ledger
from core.ai.prices import dollars
from core.ai.providers import chosen_providers
from core.billing import metering
from core.billing.service import entitlement_of
from core.content.briefs import Brief, Tone, Voice
from core.content.house_rules import rules_for
from core.content.kinds import GenerationStatus
from core.content.models import Generation, VoiceRecord
from core.content.moderation import OWN, Finding, Rules, blocking, shipped_rules
from core.content.platforms import PLATFORM_NAMES, Platform
from core.errors import ContentBlocked, NotFound, PlanLimit, TooManyTries, sentences
from core.settings import settings
from core.use_case import use_case
from core.workspaces.models import Account

DRAFT_JOB = "content.draft"
PLACE = "place"
"""In a job: the month (ISO) whose place goes back should the draft's row be gone, a Demo's for one, before it is asked
of a model. The row is what counts as long as it is there."""
KEPT_IN_VIEW = timedelta(days=1)
"""How long a finished draft that was neither saved nor dismissed is found again."""
MOST_OPEN = 5
"""Drafts that an account may have waiting or being written: others' drafts come after them in the one queue."""
OPEN = frozenset({GenerationStatus.QUEUED, GenerationStatus.RUNNING})


@dataclass(frozen=True, slots=True)
class GenerationView:
    """One draft as its people see it.

    `text` grows while it is open. `provider` is None for a template draft, which no model wrote. `cost` is exact US
    dollars, None when it cannot be known. `reason` is a `routing.Reason`, or "template".
    """

    id: UUID
    status: GenerationStatus
    brief: Brief
    text: str
    provider: str | None
    model: str | None
    reason: str | None
    tokens_in: int
    tokens_out: int
    is_estimated: bool
    cost: Decimal | None
    problem_code: str | None
    problem_facts: dict[str, str]
    created_at: datetime

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_template(self) -> bool:
        return self.reason == TEMPLATE

    def problem(self, language: str) -> str | None:
        """Why there is no draft, as a sentence."""
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


TEMPLATE = "template"


@use_case(Permission.WRITE_CONTENT)
def voice(session: Session, scope: Scope) -> Voice | None:
    """The creator's voice, or None as long as none was saved."""
    return voice_in(session, scope.workspace_id)


def voice_in(session: Session, workspace_id: UUID) -> Voice | None:
    """Room: the same, of a workspace in view."""
    kept = session.get(VoiceRecord, workspace_id)
    if kept is None:
        return None
    return Voice(
        Tone(kept.tone),
        tuple(kept.traits),
        tuple(kept.sample_lines),
        tuple(kept.words_to_use),
        tuple(kept.words_to_avoid),
        tuple(kept.languages),
        tuple(kept.emojis),
    )


@use_case(Permission.WRITE_CONTENT)
def save_voice(session: Session, scope: Scope, new: Voice) -> None:
    """Keep the voice; `Voice.of` makes one. Raises ContentBlocked when a line of it breaks a rule of all platforms."""
    lines = "\n".join([*new.traits, *new.sample_lines, *new.words_to_use])
    stop_if_blocked(lines, None, rules_for(session, scope.workspace_id))
    values = {
        "tone": new.tone,
        "traits": list(new.traits),
        "sample_lines": list(new.sample_lines),
        "words_to_use": list(new.words_to_use),
        "words_to_avoid": list(new.words_to_avoid),
        "languages": list(new.languages),
        "emojis": list(new.emojis),
        "updated_at": func.now(),
    }
    session.execute(
        insert(VoiceRecord)
        .values(workspace_id=scope.workspace_id, **values)
        .on_conflict_do_update(index_elements=["workspace_id"], set_=values)
    )


@use_case(Permission.WRITE_CONTENT)
def request_draft(session: Session, scope: Scope, brief: Brief) -> UUID:
    """Ask for a draft; a worker writes it. Returns the generation's id.

    Raises ContentBlocked for a subject that no platform allows, TooManyTries while the account has MOST_OPEN drafts
    open, PlanLimit when this month's drafts are used up, and NotConfigured when the model's settings are incomplete.
    A template draft takes no place in the allowance.
    """
    stop_if_blocked(brief.about, brief.platform, rules_for(session, scope.workspace_id))
    _stop_if_busy(session, scope)
    month = _place(session, scope) if chosen_providers(settings()) else None
    wanted = Generation(
        workspace_id=scope.workspace_id,
        account_id=scope.account_id,
        user_id=scope.user_id,
        brief=brief.as_json(),
        task=brief.task,
        platform=brief.platform,
        language=brief.language,
        reserved_month=month,
    )
    session.add(wanted)
    session.flush()
    place = {PLACE: month.isoformat()} if month else {}
    queue.enqueue(session, scope, DRAFT_JOB, {"generation_id": str(wanted.id), **place}, job_name(wanted.id))
    return wanted.id


def job_name(generation_id: UUID) -> str:
    """What tells a draft's job from every other."""
    return f"draft:{generation_id}"


def _stop_if_busy(session: Session, scope: Scope) -> None:
    # The account's row is held until the wish is in the queue, so that many at once are counted one by one.
    session.execute(select(Account.id).where(Account.id == scope.account_id).with_for_update(key_share=True))
    if queue.count_open(session, scope.account_id, DRAFT_JOB) >= MOST_OPEN:
        raise TooManyTries("content.too_many_open", most=MOST_OPEN)


def _place(session: Session, scope: Scope) -> date:
    entitled = entitlement_of(session, scope.account_id)
    most = entitled.most_generations
    month = allowance.month_of(datetime.now(UTC))
    if not allowance.take_place(session, scope.account_id, month, most):
        raise PlanLimit("content.allowance_used", most=most)
    if most is None:
        metering.note_use(session, scope.account_id, month, allowance.used(session, scope.account_id, month))
    return month


@use_case(Permission.WRITE_CONTENT)
def generation(session: Session, scope: Scope, generation_id: UUID) -> GenerationView:
    """One draft as it stands now; asked again and again while it is open. Raises NotFound."""
    found = session.get(Generation, (scope.workspace_id, generation_id))
    if found is None:
        raise NotFound("access.not_found")
    return _view(found)


@use_case(Permission.WRITE_CONTENT)
def current_draft(session: Session, scope: Scope) -> GenerationView | None:
    """The asker's latest draft here that was neither saved nor dismissed: what an open page shows after a reload."""
    found = session.scalars(
        select(Generation)
        .where(
            Generation.workspace_id == scope.workspace_id,
            Generation.user_id == scope.user_id,
            Generation.created_at > func.now() - KEPT_IN_VIEW,
        )
        .order_by(Generation.created_at.desc(), Generation.id.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None or found.put_away_at is not None else _view(found)


@use_case(Permission.WRITE_CONTENT)
def cancel_generation(session: Session, scope: Scope, generation_id: UUID) -> GenerationView:
    """Stop a draft; what was written stays. It counts as used once a model was asked, text or none. Raises NotFound.

    A draft that has ended stays as it is. A worker that still writes finds out with its next words.
    """
    found = locked(session, scope.workspace_id, generation_id)
    if found.status in OPEN:
        stop(session, found)
    return _view(found)


@use_case(Permission.WRITE_CONTENT)
def dismiss_generation(session: Session, scope: Scope, generation_id: UUID) -> None:
    """Put a draft out of view; an open one goes on. Raises NotFound."""
    put_away(session, scope.workspace_id, generation_id)


@use_case(Permission.WRITE_CONTENT)
def drafts_left(session: Session, scope: Scope) -> AllowanceView:
    """What the account has used of this month's model drafts."""
    month = allowance.month_of(datetime.now(UTC))
    return AllowanceView(
        used=allowance.used(session, scope.account_id, month),
        most=entitlement_of(session, scope.account_id).most_generations,
        month=month,
        has_model=bool(chosen_providers(settings())),
    )


def put_away(session: Session, workspace_id: UUID, generation_id: UUID) -> None:
    """Room: the person is done with a draft, whose row stays held until the transaction ends. Raises NotFound."""
    locked(session, workspace_id, generation_id).put_away_at = datetime.now(UTC)


def stop_all(session: Session, workspace_id: UUID) -> None:
    """Room: end every open draft of a workspace, while who pays for them is still in view."""
    open_ones = select(Generation).where(Generation.workspace_id == workspace_id, Generation.status.in_(OPEN))
    for held in session.scalars(open_ones.with_for_update()).all():
        stop(session, held)


def locked(session: Session, workspace_id: UUID, generation_id: UUID) -> Generation:
    """Room: a draft's row, held until the transaction ends. Raises NotFound."""
    found = session.get(Generation, (workspace_id, generation_id), with_for_update=True)
    if found is None:
        raise NotFound("access.not_found")
    return found


def stop(session: Session, held: Generation) -> None:
    """Room: end an open draft whose row is locked. Its place goes back unless a model may be owed for it."""
    if held.status == GenerationStatus.QUEUED:
        queue.withdraw(session, job_name(held.id))
    held.status = GenerationStatus.CANCELLED
    held.finished_at = datetime.now(UTC)
    if not _was_sent(session, held):
        give_back_place(session, held)


def _was_sent(session: Session, held: Generation) -> bool:
    """Whether a model may be owed for it: this run names one before it asks, and earlier runs left their calls."""
    return held.provider is not None or ledger.bill(session, held.workspace_id, held.id).cost_nano != 0


def give_back_place(session: Session, held: Generation) -> None:
    """Room: the draft holds no place in the allowance any more. Its row is locked, so this happens once."""
    if held.reserved_month is not None:
        allowance.give_back(session, held.account_id, held.reserved_month)
        queue.take_out(session, job_name(held.id), PLACE)
        held.reserved_month = None


def stop_if_blocked(text: str, platform: Platform | None, rules: Rules | None = None) -> tuple[Finding, ...]:
    """The findings that are no more than warnings. Raises ContentBlocked for one that nobody may override.

    `rules` are the workspace's, of `rules_for`; None: those of the product alone.
    """
    findings = (rules or shipped_rules()).moderate(text, platform)
    if stopped := blocking(findings):
        raise ContentBlocked(stopped.code, **finding_facts(stopped, platform))
    return findings


def finding_facts(finding: Finding, platform: Platform | None) -> dict[str, str]:
    """What fills the blanks of the finding's sentence `Finding.code`."""
    return {
        "found": finding.found,
        "platform": PLATFORM_NAMES[platform] if platform else "",
        "version": finding.version.removeprefix(OWN),
    }


def _view(found: Generation) -> GenerationView:
    return GenerationView(
        id=found.id,
        status=GenerationStatus(found.status),
        brief=Brief.of(**found.brief),
        text=found.draft,
        provider=found.provider,
        model=found.model,
        reason=found.reason,
        tokens_in=sum(filter(None, (found.input_tokens, found.cache_read_tokens, found.cache_write_tokens))),
        tokens_out=sum(filter(None, (found.output_tokens, found.reasoning_tokens))),
        is_estimated=found.is_estimated,
        cost=None if found.cost_nano_usd is None else dollars(found.cost_nano_usd),
        problem_code=found.problem_code,
        problem_facts=found.problem_facts,
        created_at=found.created_at,
    )
