"""Writes a draft in a worker: begin (door) → the model, streamed → end (door). No transaction spans the call.

It may die at any point and be called again: a run that is not the latest writes nothing, a place in the allowance is
given back once, and what a lost run cost counts as unknown.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from core import queue
from core.access import Permission, Scope
from core.ai import allowance, ledger
from core.ai.budget import gate_for, standing_in
from core.ai.cascade import Cascade, Outcome
from core.ai.chain import Attempt, Restarted
from core.ai.protocol import AIError, Delta, ErrorKind
from core.ai.providers import CALL_SECONDS, Choice, choice_for
from core.ai.requests import Asked, keep_request, note_outcome, tier_in
from core.ai.routing import Reason, Route, Tier, decide
from core.ai.savings import baseline_of
from core.content.briefs import Brief, Voice
from core.content.checks import EXPLAINED
from core.content.house_rules import rules_for
from core.content.kinds import GenerationStatus
from core.content.models import Generation
from core.content.prompts import PROMPT_VERSION, draft_request
from core.content.service import (
    PLACE,
    give_back_place,
    job_name,
    locked,
    stop_if_blocked,
    voice_in,
)
from core.content.shadowing import sample
from core.content.variants import growing, parted
from core.content.views import OPEN, TEMPLATE
from core.content.work import Work
from core.errors import ContentBlocked, NotConfigured, NotFound, NotSignedIn, Refusal, Unavailable
from core.queue import Claimed
from core.use_case import use_case
from core.workspaces.service import open_scope

TRIES = 3
"""How often a draft is taken up, whether it failed or its worker was killed."""
FLUSH_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: with texts, the best first, or with a problem and nothing to show."""

    texts: tuple[str, ...] = ()
    route: Route | None = None
    provider: str | None = None
    problem: Refusal | None = None
    attempts: Sequence[Attempt] = ()
    asked: Asked | None = None
    doubts: Sequence[str] = ()
    instead: str | None = None
    """Why a template stands for what a model was to write: the code of a sentence."""


def write(job: Claimed) -> None:
    """The handler of `content.draft`. Raises Refusal when there is no use in another try."""
    if job.user_id is None or job.workspace_id is None:
        raise NotSignedIn("identity.sign_in_again")
    scope = open_scope(job.user_id).narrowed_to(job.workspace_id)
    work = _begin(scope, UUID(job.payload["generation_id"]))
    if work is None:
        return
    try:
        choice = choice_for(work.brief.task, datetime.now(UTC).date(), work.decided) if work.decided else None
        ending = Ending(work.from_template()) if choice is None else _from_model(scope, work, choice)
    except (ContentBlocked, NotConfigured) as refusal:
        ending = Ending(problem=refusal)
    _end(scope, work, ending)


def give_up(job: Claimed) -> None:
    """The handler's last word, when nothing will try again: the draft failed, and its place is given back.

    A draft that went with its workspace has a place to give back too, unless a model was asked.
    """
    if job.workspace_id is None or job.account_id is None:
        return
    scope, generation_id = Scope.for_workspace(job.workspace_id, job.account_id), UUID(job.payload["generation_id"])
    try:
        _abandon(scope, generation_id)
    except NotFound:
        _release(scope, generation_id)


def _from_model(scope: Scope, work: Work, choice: Choice) -> Ending:
    """Stream the answer into the row. A blocked piece is never written."""
    provider, route = choice.chain.deployments[0].provider.name, choice.routes[0]
    if not _choose(scope, work, provider, route):
        return Ending(provider=provider, route=route)
    asked = Cascade(
        choice,
        draft_request(work.brief, work.voice),
        work.failed,
        gate_for(scope),
        CALL_SECONDS,
        EXPLAINED,
    )
    texts: tuple[str, ...] = ()
    outcome, problem = None, None
    began = time.monotonic()
    try:
        texts, outcome = _streamed(scope, work, asked)
    except AIError as error:
        if error.kind is ErrorKind.OVER_BUDGET and not any(one.usage is None for one in asked.attempts):
            return Ending(work.from_template(), attempts=asked.attempts, instead="content.for_want_of_money")
        problem = Refusal(f"ai.{error.kind}")
    except ContentBlocked as refusal:
        problem = refusal
    if outcome is None:
        return Ending(texts, route, provider, problem, asked.attempts, _asked(work, choice, asked, outcome))
    opinion = work.opinion(texts, CALL_SECONDS - (time.monotonic() - began))
    if opinion.blocked is not None:
        texts, problem = (), ContentBlocked("moderation.by_provider", category=opinion.blocked)
    return Ending(
        texts,
        outcome.route,
        outcome.result.provider,
        problem,
        (*asked.attempts, *opinion.attempts),
        _asked(work, choice, asked, outcome),
        opinion.doubts,
    )


def _asked(work: Work, choice: Choice, asked: Cascade, outcome: Outcome | None) -> Asked:
    larger = choice.larger or choice
    first = larger.chain.deployments[0]
    return Asked(
        task=work.brief.task,
        tier=choice.routes[0].tier,
        reason=choice.routes[0].reason,
        prompt_version=PROMPT_VERSION,
        baseline=baseline_of(asked.attempts, first.provider.name, first.model),
        failed_checks=tuple(dict.fromkeys(outcome.failed)) if outcome else (),
        was_repaired=bool(outcome and outcome.was_repaired),
        was_escalated=bool(outcome and outcome.was_escalated),
        characters=sum(map(len, parted(outcome.result.text))) if outcome else None,
    )


def _streamed(scope: Scope, work: Work, asked: Cascade) -> tuple[tuple[str, ...], Outcome | None]:
    """The texts, and the outcome when it came to its end; without one the draft was stopped by its person."""
    text, flushed_at = "", time.monotonic()
    with closing(asked.stream()) as pieces:
        for piece in pieces:
            if isinstance(piece, Outcome):
                return work.best(piece.result), piece
            text = "" if isinstance(piece, Restarted) else text + piece.text
            if isinstance(piece, Delta) and time.monotonic() - flushed_at < FLUSH_SECONDS:
                continue
            so_far = growing(text)
            for one in so_far:
                stop_if_blocked(one, work.brief.platform, work.rules)
            if not _note(scope, work, so_far):
                return so_far, None
            flushed_at = time.monotonic()
    return growing(text), None


@use_case(Permission.WRITE_CONTENT)
def _begin(session: Session, scope: Scope, generation_id: UUID) -> Work | None:
    """Take the draft up; None when there is nothing left to do."""
    held = locked(session, scope.workspace_id, generation_id)
    if held.run and held.provider and held.model:
        ledger.record_lost(session, held.workspace_id, held.id, held.run, provider=held.provider, model=held.model)
    if held.status not in OPEN:
        return None
    held.status = GenerationStatus.RUNNING
    held.run += 1
    held.draft, held.variants = "", []
    held.provider = held.model = None
    held.started_at = datetime.now(UTC)
    voice = voice_in(session, scope.workspace_id) or Voice()
    decided = _decided(session, scope, held) if held.reserved_month is not None else None
    return Work(held.id, held.run, Brief.of(**held.brief), voice, decided, rules_for(session, scope.workspace_id))


def _decided(session: Session, scope: Scope, held: Generation) -> tuple[Tier, Reason]:
    month = standing_in(session, scope.account_id, allowance.month_of(datetime.now(UTC)))
    return decide(
        held.task,
        chosen=tier_in(session, scope.workspace_id, held.task),
        wants_large=held.wants_large,
        spent_per_cent=month.per_cent,
    )


@use_case(Permission.WRITE_CONTENT)
def _choose(session: Session, scope: Scope, work: Work, provider: str, route: Route) -> bool:
    """Say where the draft goes before it goes there. False: it was stopped."""
    if not _write(session, scope, work, provider=provider, model=route.model, tier=route.tier, reason=route.reason):
        return False
    queue.take_out(session, job_name(work.id), PLACE)
    return True


@use_case(Permission.WRITE_CONTENT)
def _note(session: Session, scope: Scope, work: Work, texts: Sequence[str]) -> bool:
    """Show the texts so far. False: the draft was stopped, or another worker has it."""
    first, *others = texts or ("",)
    return _write(session, scope, work, draft=first, variants=others)


def _write(session: Session, scope: Scope, work: Work, **values: object) -> bool:
    changed = session.execute(
        update(Generation)
        .where(
            Generation.workspace_id == scope.workspace_id,
            Generation.id == work.id,
            Generation.run == work.run,
            Generation.status == GenerationStatus.RUNNING,
        )
        .values(**values)
        .returning(Generation.id)
    )
    return changed.one_or_none() is not None


@use_case(Permission.WRITE_CONTENT)
def _end(session: Session, scope: Scope, work: Work, ending: Ending) -> None:
    """Keep the text, the calls and their cost; on failure give the place back. Only the latest run may.

    A text that a model was paid for and that our rules then blocked counts as used: else whoever asks for what is
    forbidden has calls without end.
    """
    held = locked(session, scope.workspace_id, work.id)
    ledger.record(session, held.workspace_id, held.id, work.run, ending.attempts)
    if ending.asked is not None:
        keep_request(session, scope, held.id, ending.asked)
        if held.put_away_at is not None:
            note_outcome(session, held.workspace_id, held.id, "", None)
    if held.run != work.run:
        return
    bill = ledger.bill(session, held.workspace_id, held.id)
    held.input_tokens, held.output_tokens = bill.usage.input, bill.usage.output
    held.cache_read_tokens, held.cache_write_tokens = bill.usage.cache_read, bill.usage.cache_write
    held.reasoning_tokens, held.is_estimated = bill.usage.reasoning, bill.usage.estimated
    held.cost_nano_usd = bill.cost_nano
    if held.status != GenerationStatus.RUNNING:
        return
    held.provider = ending.provider
    held.model = ending.route.model if ending.route else None
    held.tier = ending.route.tier if ending.route else None
    held.reason = ending.route.reason if ending.route else TEMPLATE
    held.prompt_version = PROMPT_VERSION if ending.route else None
    held.finished_at = datetime.now(UTC)
    if ending.problem is None:
        held.status = GenerationStatus.DONE
        held.draft, *held.variants = ending.texts or ("",)
        held.problem_code = ending.instead
        held.failed_checks = [*(ending.asked.failed_checks if ending.asked else ()), *ending.doubts]
        if ending.asked is not None:
            sample(session, scope, held.id, ending.asked)
        if ending.route is None:
            give_back_place(session, held)
    else:
        was_billed = bill.cost_nano != 0
        _fail(session, held, ending.problem, counts=was_billed and isinstance(ending.problem, ContentBlocked))


@use_case(Permission.WRITE_CONTENT)
def _abandon(session: Session, scope: Scope, generation_id: UUID) -> None:
    held = locked(session, scope.workspace_id, generation_id)
    if held.run and held.provider and held.model:
        ledger.record_lost(session, held.workspace_id, held.id, held.run, provider=held.provider, model=held.model)
    if held.status in OPEN:
        held.finished_at = datetime.now(UTC)
        _fail(session, held, Unavailable("content.draft_broke"), counts=False)


@use_case(Permission.WRITE_CONTENT)
def _release(session: Session, scope: Scope, generation_id: UUID) -> None:
    month = queue.take_out(session, job_name(generation_id), PLACE)
    if month is not None:
        allowance.give_back(session, scope.account_id, date.fromisoformat(month))


def _fail(session: Session, held: Generation, problem: Refusal, *, counts: bool) -> None:
    held.status = GenerationStatus.FAILED
    held.draft, held.variants = "", []
    held.problem_code = problem.code
    held.problem_facts = {name: str(value) for name, value in problem.facts.items()}
    if not counts:
        give_back_place(session, held)
