"""Asks a model for a campaign's templates, and takes those that pass every check. No transaction is open here."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.access import Scope
from core.ai.budget import gate_for
from core.ai.cascade import Cascade, Outcome
from core.ai.chain import Attempt, Deployment, Gate, Settle
from core.ai.opinion import opinion_on
from core.ai.protocol import AIError, Request, Result
from core.ai.providers import CALL_SECONDS, Choice, moderator
from core.ai.requests import Asked
from core.ai.routing import Reason, Tier
from core.ai.savings import baseline_of
from core.content.briefs import Voice
from core.content.moderation import Rules
from core.messages.briefs import MessageBrief
from core.messages.handwritten import templates_for
from core.messages.prompts import ENOUGH, PROMPT_VERSION, Crowd, Variant, Variants, template_request
from core.messages.templates import EXPLAINED, BadTemplate, failed_variants, parse

TASK = "message"
MOST_CALLS = 6
"""To models for one campaign, which is in one language: tries, repair and escalation together."""

OPINION_SECONDS = 10.0
"""For the provider's own moderation of all templates at once."""


@dataclass(frozen=True, slots=True)
class Work:
    """A campaign in hand. `run` fences what is written. `decided` is None when no model may be asked.

    `templates` are those of a run before this one. `crowd` is what may leave about the segment, None for nothing.
    """

    id: UUID
    run: int
    brief: MessageBrief
    voice: Voice
    rules: Rules
    decided: tuple[Tier, Reason] | None
    templates: tuple[str, ...]
    days_between: int
    crowd: Crowd | None


@dataclass(frozen=True, slots=True)
class Drafted:
    """Templates: those that pass every check, the failed checks of the others, and how they came to be."""

    texts: tuple[str, ...]
    refused: tuple[tuple[str, ...], ...] = ()
    provider: str | None = None
    model: str | None = None
    reason: str = "template"
    problem: str | None = None
    attempts: Sequence[Attempt] = ()
    asked: Asked | None = None


def from_model(scope: Scope, work: Work, choice: Choice) -> Drafted:
    request = template_request(work.brief, work.voice, work.crowd)
    asked = Cascade(
        choice,
        request,
        lambda result: _failed(result, work),
        _at_most(MOST_CALLS, gate_for(scope)),
        CALL_SECONDS,
        EXPLAINED,
    )
    outcome: Outcome | None = None
    problem = None
    try:
        outcome = asked.complete()
    except AIError as error:
        problem = f"ai.{error.kind}"
    known = _asked(choice, asked, outcome)
    if outcome is None:
        return Drafted(templates_for(work.brief), problem=problem, attempts=asked.attempts, asked=known)
    variants = _variants(outcome.result)
    failed = _each_failed(variants, work)
    good = tuple(one.text.strip() for one, wrong in zip(variants, failed, strict=True) if not wrong)
    refused = tuple(wrong for wrong in failed if wrong)
    # only platforms for adults have messages to fans
    opinion = opinion_on(good, moderator(), OPINION_SECONDS, is_adult=True) if good else None
    calls = (*asked.attempts, *(opinion.attempts if opinion else ()))
    if opinion is None or opinion.blocked is not None:
        ours = templates_for(work.brief)
        return Drafted(ours, refused, problem="messages.none_passed", attempts=calls, asked=known)
    result, route = outcome.result, outcome.route
    return Drafted(good, refused, result.provider, route.model, route.reason, None, calls, known)


def _failed(result: Result, work: Work) -> tuple[str, ...]:
    """What an answer fails: nothing as long as enough of its variants pass every check."""
    failed = _each_failed(_variants(result), work)
    good = sum(not wrong for wrong in failed)
    if good >= ENOUGH:
        return ()
    return tuple(dict.fromkeys(["too_few", *(name for wrong in failed for name in wrong)]))


def _each_failed(variants: Sequence[Variant], work: Work) -> tuple[tuple[str, ...], ...]:
    failed = failed_variants([one.text.strip() for one in variants], work.brief, work.voice, work.rules)
    return tuple(
        wrong or (() if _says_its_slots(one) else ("wrong_slots",)) for one, wrong in zip(variants, failed, strict=True)
    )


def _says_its_slots(variant: Variant) -> bool:
    try:
        used = {slot for part in parse(variant.text) for slot in part.slots}
    except BadTemplate:
        return False
    return used == {slot.strip("{}[] ") for slot in variant.slots_used}


def _variants(result: Result) -> list[Variant]:
    return result.parsed.variants if isinstance(result.parsed, Variants) else []


def _at_most(calls: int, gate: Gate) -> Gate:
    """The same gate, closed after so many calls."""
    made = 0

    def counted(deployment: Deployment, request: Request) -> Settle | None:
        nonlocal made
        if made >= calls:
            return None
        settle = gate(deployment, request)
        made += settle is not None
        return settle

    return counted


def _asked(choice: Choice, asked: Cascade, outcome: Outcome | None) -> Asked:
    first = (choice.larger or choice).chain.deployments[0]
    return Asked(
        task=TASK,
        tier=choice.routes[0].tier,
        reason=choice.routes[0].reason,
        prompt_version=PROMPT_VERSION,
        baseline=baseline_of(asked.attempts, first.provider.name, first.model),
        failed_checks=outcome.failed if outcome else (),
        was_repaired=bool(outcome and outcome.was_repaired),
        was_escalated=bool(outcome and outcome.was_escalated),
        characters=sum(len(one.text.strip()) for one in _variants(outcome.result)) if outcome else None,
    )
