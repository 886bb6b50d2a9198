"""Writes a campaign in a worker: templates from a model or our own, then each fan's text into the queue.

begin (door) → the model → keep the templates (door) → fill, some hundred fans a door → end (door). It may die at any
point and be called again: templates that are there are not asked for again, a fan has one message of a campaign, and a
run that is not the latest writes nothing.
"""

from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import queue
from core.access import Permission, Scope
from core.ai import allowance, ledger
from core.ai.budget import standing_in
from core.ai.providers import Choice, choice_for
from core.ai.requests import keep_request, tier_in
from core.ai.routing import Reason, Tier, decide
from core.content.briefs import Voice
from core.content.house_rules import rules_for
from core.content.service import voice_in
from core.errors import NotConfigured, NotFound, NotSignedIn, Unavailable
from core.messages.assigning import Assignment
from core.messages.briefs import MessageBrief
from core.messages.facts import Record
from core.messages.handwritten import templates_for
from core.messages.kinds import Authorship, CampaignStatus, Skip
from core.messages.models import Message, MessageCampaign, MessageRule
from core.messages.prompts import Crowd
from core.messages.queries import already_written, past_of, segment_records
from core.messages.service import PLACE, give_back_place, job_name, locked
from core.messages.variants import TASK, Drafted, Work, from_model
from core.queue import Claimed
from core.use_case import use_case
from core.workspaces.service import open_scope

TRIES = 3
AT_ONCE = 250
"""Fans whose texts are made in one transaction."""
USUAL_DAYS_BETWEEN = 3


def write(job: Claimed) -> None:
    """The handler of `messages.write`. Raises Refusal when there is no use in another try."""
    if job.user_id is None or job.workspace_id is None:
        raise NotSignedIn("identity.sign_in_again")
    scope = open_scope(job.user_id).narrowed_to(job.workspace_id)
    work = _begin(scope, UUID(job.payload["campaign_id"]))
    if work is None:
        return
    texts = work.templates
    if not texts:
        drafted = _drafted(scope, work)
        if not _keep_templates(scope, work, drafted):
            return
        texts = drafted.texts
    _fill(scope, work, texts)


def give_up(job: Claimed) -> None:
    """The handler's last word: the campaign failed, what is in its queue stays, its place is given back."""
    if job.workspace_id is None or job.account_id is None:
        return
    scope, campaign_id = Scope.for_workspace(job.workspace_id, job.account_id), UUID(job.payload["campaign_id"])
    try:
        _abandon(scope, campaign_id)
    except NotFound:
        _release(scope, campaign_id)


def _drafted(scope: Scope, work: Work) -> Drafted:
    """A model's templates; our own where there is no model, no budget, or nothing that passes the checks."""
    try:
        choice = choice_for(TASK, datetime.now(UTC).date(), work.decided) if work.decided else None
    except NotConfigured as refusal:
        return Drafted(templates_for(work.brief), problem=refusal.code)
    if choice is None or not _choose(scope, work, choice):
        return Drafted(templates_for(work.brief))
    return from_model(scope, work, choice)


def _fill(scope: Scope, work: Work, texts: tuple[str, ...]) -> None:
    """One query for the segment, then some hundred fans at a time; whoever has a message of it is left alone."""
    now = datetime.now(UTC)
    found = _segment(scope, work, now)
    if found is None:
        return
    records, done = found
    assignment = Assignment(work.id, work.brief, texts, work.rules, now)
    ordered = assignment.ordered(records)
    for first in range(0, len(ordered), AT_ONCE):
        batch = [record for record in ordered[first : first + AT_ONCE] if record.fan_id not in done]
        if batch and not _store(scope, work, assignment, batch, first=first):
            return
    _finish(scope, work, dict(assignment.skipped))


@use_case(Permission.WRITE_CONTENT)
def _begin(session: Session, scope: Scope, campaign_id: UUID) -> Work | None:
    """Take the campaign up; None when there is nothing left to do."""
    held = locked(session, scope.workspace_id, campaign_id)
    if held.status != CampaignStatus.DRAFTING:
        return None
    if held.run and held.provider and held.model and not held.templates:
        ledger.record_lost(session, held.workspace_id, held.id, held.run, provider=held.provider, model=held.model)
    held.run += 1
    rule = session.get(MessageRule, scope.workspace_id)
    brief = MessageBrief.from_json(held.brief)
    asks = held.reserved_month is not None and not held.templates
    return Work(
        held.id,
        held.run,
        brief,
        voice_in(session, scope.workspace_id) or Voice(),
        rules_for(session, scope.workspace_id),
        _decided(session, scope) if asks else None,
        tuple(one["text"] for one in held.templates if not one["failed"]),
        rule.days_between if rule else USUAL_DAYS_BETWEEN,
        _crowd(session, scope, brief) if asks and rule and rule.fan_facts_may_leave else None,
    )


def _decided(session: Session, scope: Scope) -> tuple[Tier, Reason]:
    month = standing_in(session, scope.account_id, allowance.month_of(datetime.now(UTC)))
    chosen = tier_in(session, scope.workspace_id, TASK)
    return decide(TASK, chosen=chosen, wants_large=False, spent_per_cent=month.per_cent)


def _crowd(session: Session, scope: Scope, brief: MessageBrief) -> Crowd:
    fans = segment_records(session, scope.workspace_id, brief.platform, brief.segment, datetime.now(UTC))
    return Crowd(len(fans), sum(fan.bought is not None for fan in fans))


def _current(session: Session, scope: Scope, work: Work) -> MessageCampaign | None:
    """The campaign's row, held, as long as this run may write."""
    held = locked(session, scope.workspace_id, work.id)
    return held if held.run == work.run and held.status == CampaignStatus.DRAFTING else None


@use_case(Permission.WRITE_CONTENT)
def _choose(session: Session, scope: Scope, work: Work, choice: Choice) -> bool:
    """Say where the request goes before it goes there. False: it was stopped."""
    held = _current(session, scope, work)
    if held is None:
        return False
    held.provider, held.model = choice.chain.deployments[0].provider.name, choice.routes[0].model
    queue.take_out(session, job_name(work.id), PLACE)
    return True


@use_case(Permission.WRITE_CONTENT)
def _keep_templates(session: Session, scope: Scope, work: Work, drafted: Drafted) -> bool:
    """Keep the templates, the calls and their cost; a place is given back where no model answered. False: stopped."""
    ledger.record(session, scope.workspace_id, work.id, work.run, drafted.attempts)
    if drafted.asked is not None:
        keep_request(session, scope, work.id, drafted.asked)
    held = _current(session, scope, work)
    if held is None:
        return False
    held.templates = [{"text": text, "failed": []} for text in drafted.texts]
    held.templates += [{"text": "", "failed": list(failed)} for failed in drafted.refused]
    held.provider, held.model, held.reason = drafted.provider, drafted.model, drafted.reason
    held.problem_code = drafted.problem
    if not any(one.outcome == "ok" for one in drafted.attempts):
        give_back_place(session, held)
    return True


@use_case(Permission.WRITE_CONTENT)
def _segment(session: Session, scope: Scope, work: Work, now: datetime) -> tuple[list[Record], frozenset[UUID]] | None:
    """The fans of the segment, and those who have their message. None: stopped."""
    held = _current(session, scope, work)
    if held is None:
        return None
    found = segment_records(session, scope.workspace_id, work.brief.platform, work.brief.segment, now)
    held.fans = len(found)
    return found, frozenset(already_written(session, scope.workspace_id, work.id))


@use_case(Permission.WRITE_CONTENT)
def _store(
    session: Session, scope: Scope, work: Work, assignment: Assignment, records: list[Record], *, first: int
) -> bool:
    """Make the texts of some fans and put them into the queue. False: stopped.

    One campaign of a workspace does this at a time, so that two cannot write to one fan too soon.
    """
    workspace_id = scope.workspace_id
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"messages:{workspace_id}", 0))))
    held = _current(session, scope, work)
    if held is None:
        return False
    ids = [record.fan_id for record in records]
    past = past_of(session, workspace_id, work.id, ids, days_between=work.days_between, now=assignment.now)
    authorship = Authorship.AI if held.provider else Authorship.TEMPLATE
    rows = [
        {
            "workspace_id": workspace_id,
            "campaign_id": work.id,
            "fan_id": one.fan_id,
            "variant": one.variant,
            "body": one.text,
            "text_key": one.key,
            "authorship": authorship,
            "flags": list(one.flags),
        }
        for one in assignment.written(records, past, first)
    ]
    if rows:
        kept = session.execute(insert(Message).values(rows).on_conflict_do_nothing().returning(Message.fan_id)).all()
        assignment.skipped[Skip.SAME_TEXT] += len(rows) - len(kept)
    return True


@use_case(Permission.WRITE_CONTENT)
def _finish(session: Session, scope: Scope, work: Work, skipped: dict[str, int]) -> None:
    held = _current(session, scope, work)
    if held is not None:
        held.status = CampaignStatus.READY
        held.skipped = {why: count for why, count in skipped.items() if count}


@use_case(Permission.WRITE_CONTENT)
def _abandon(session: Session, scope: Scope, campaign_id: UUID) -> None:
    held = locked(session, scope.workspace_id, campaign_id)
    if held.run and held.provider and held.model and not held.templates:
        ledger.record_lost(session, held.workspace_id, held.id, held.run, provider=held.provider, model=held.model)
    if held.status == CampaignStatus.DRAFTING:
        held.status = CampaignStatus.FAILED
        held.problem_code = Unavailable("messages.campaign_broke").code
        if not held.templates:
            give_back_place(session, held)


@use_case(Permission.WRITE_CONTENT)
def _release(session: Session, scope: Scope, campaign_id: UUID) -> None:
    month = queue.take_out(session, job_name(campaign_id), PLACE)
    if month is not None:
        allowance.give_back(session, scope.account_id, date.fromisoformat(month))
