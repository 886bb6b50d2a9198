"""A creator's voice, and the drafts that they ask for. What a worker does with a wish is in `drafting`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import queue
from core.access import Permission, Scope
from core.ai import allowance, ledger
from core.ai.models import AiRequest
from core.ai.providers import chosen_providers, larger_model
from core.ai.requests import note_outcome
from core.billing import metering
from core.billing.service import entitlement_of
from core.content.briefs import Brief, Tone, Voice
from core.content.house_rules import rules_for
from core.content.kinds import GenerationStatus
from core.content.models import Generation, VoiceRecord
from core.content.moderation import OWN, Finding, Rules, blocking, shipped_rules
from core.content.platforms import PLATFORM_NAMES, Platform
from core.content.views import OPEN, AllowanceView, GenerationView, Held, view_of
from core.errors import ContentBlocked, NotFound, PlanLimit, TooManyTries
from core.settings import settings
from core.use_case import use_case
from core.workspaces.models import Account

DRAFT_JOB = "content.draft"
PLACE = "place"
"""In a job: the month (ISO) whose place goes back should the draft's row be gone, a Demo's for one, before it is asked
of a model. The row is what counts as long as it is there."""
KEPT_IN_VIEW = timedelta(days=1)
"""How long a finished draft that was neither saved nor dismissed is found again."""
MOST_OPEN = 10
"""Drafts that an account may have waiting or being written: others' drafts come after them in the one queue."""


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
def request_draft(
    session: Session, scope: Scope, brief: Brief, *, parent_id: UUID | None = None, wants_large: bool = False
) -> UUID:
    """Ask for a draft; a worker writes it. Returns the generation's id.

    `parent_id` is the draft that this one takes the place of, which is put away. `wants_large`: by the larger model.
    Raises ContentBlocked for a wish that no platform allows, TooManyTries while the account has MOST_OPEN drafts
    open, PlanLimit when this month's drafts are used up, NotFound for a parent that is not there, and NotConfigured
    when the model's settings are incomplete. A template draft takes no place in the allowance.
    """
    if parent_id is not None:
        dismiss_in(session, scope.workspace_id, parent_id)
    stop_if_busy(session, scope)
    return ask(session, scope, Generation(parent_id=parent_id, wants_large=wants_large), brief)


def ask(session: Session, scope: Scope, wanted: Generation, brief: Brief) -> UUID:
    """Room: put a wish into the queue, with its place in the allowance; else as `request_draft` says."""
    stop_if_blocked(brief.words, brief.platform, rules_for(session, scope.workspace_id))
    wanted.workspace_id, wanted.account_id, wanted.user_id = scope.workspace_id, scope.account_id, scope.user_id
    wanted.brief, wanted.note = brief.as_json(), brief.note
    wanted.task, wanted.platform, wanted.language = brief.task, brief.platform, brief.language
    wanted.reserved_month = _place(session, scope) if chosen_providers(settings()) else None
    session.add(wanted)
    session.flush()
    place = {PLACE: wanted.reserved_month.isoformat()} if wanted.reserved_month else {}
    queue.enqueue(session, scope, DRAFT_JOB, {"generation_id": str(wanted.id), **place}, job_name(wanted.id))
    return wanted.id


def job_name(generation_id: UUID) -> str:
    """What tells a draft's job from every other."""
    return f"draft:{generation_id}"


def stop_if_busy(session: Session, scope: Scope, wanted: int = 1) -> None:
    """Room: raises TooManyTries when the account would have more than MOST_OPEN drafts open."""
    # The account's row is held until the wish is in the queue, so that many at once are counted one by one.
    session.execute(select(Account.id).where(Account.id == scope.account_id).with_for_update(key_share=True))
    if queue.count_open(session, scope.account_id, DRAFT_JOB) + wanted > MOST_OPEN:
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
    return view_in(session, found)


@use_case(Permission.WRITE_CONTENT)
def current_draft(session: Session, scope: Scope) -> GenerationView | None:
    """The asker's latest draft here that was neither saved nor dismissed: what an open page shows after a reload."""
    found = session.scalars(
        select(Generation)
        .where(
            Generation.workspace_id == scope.workspace_id,
            Generation.user_id == scope.user_id,
            Generation.created_at > func.now() - KEPT_IN_VIEW,
            Generation.put_away_at.is_(None),
            Generation.plan_id.is_(None),
        )
        .order_by(Generation.created_at.desc(), Generation.id.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else view_in(session, found)


@use_case(Permission.WRITE_CONTENT)
def cancel_generation(session: Session, scope: Scope, generation_id: UUID) -> GenerationView:
    """Stop a draft; what was written stays. It counts as used once a model was asked, text or none. Raises NotFound.

    A draft that has ended stays as it is. A worker that still writes finds out with its next words.
    """
    found = locked(session, scope.workspace_id, generation_id)
    if found.status in OPEN:
        stop(session, found)
    return view_in(session, found)


@use_case(Permission.WRITE_CONTENT)
def dismiss_generation(session: Session, scope: Scope, generation_id: UUID) -> None:
    """Put a draft out of view; an open one goes on. Raises NotFound."""
    dismiss_in(session, scope.workspace_id, generation_id)


@use_case(Permission.WRITE_CONTENT)
def back_to_parent(session: Session, scope: Scope, generation_id: UUID) -> None:
    """Take up again the draft that this one was written anew from; this one is put away. Raises NotFound."""
    parent_id = locked(session, scope.workspace_id, generation_id).parent_id
    if parent_id is None:
        raise NotFound("access.not_found")
    dismiss_in(session, scope.workspace_id, generation_id)
    locked(session, scope.workspace_id, parent_id).put_away_at = None


def larger_model_for(brief: Brief) -> str | None:
    """The model that would write it if the person wanted the larger one; None where there is none."""
    return larger_model(brief.task, datetime.now(UTC).date())


def dismiss_in(session: Session, workspace_id: UUID, generation_id: UUID) -> None:
    """Room: the person wants no text of a draft. One that was kept stays noted as kept. Raises NotFound."""
    held = locked(session, workspace_id, generation_id)
    if held.put_away_at is None:
        held.put_away_at = datetime.now(UTC)
        note_outcome(session, workspace_id, generation_id, held.draft, None)


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


def view_in(session: Session, found: Generation) -> GenerationView:
    """Room: a draft as its people see it."""
    return views_in(session, [found])[0]


def views_in(session: Session, found: Sequence[Generation]) -> tuple[GenerationView, ...]:
    """Room: the same of several of one workspace, with as many questions as for one."""
    written = [one.id for one in found if one.status == GenerationStatus.DONE and one.provider is not None]
    if not written:
        return tuple(view_of(one, None) for one in found)
    workspace_id = found[0].workspace_id
    asked = select(AiRequest).where(AiRequest.workspace_id == workspace_id, AiRequest.id.in_(written))
    requests = {one.id: one for one in session.scalars(asked)}
    against = voice_in(session, workspace_id) or Voice(), rules_for(session, workspace_id)
    return tuple(view_of(one, Held(*against, requests.get(one.id)) if one.id in written else None) for one in found)
