"""The shadow sample of drafts: chosen when a draft has ended, asked in a worker, shown to nobody, kept as its usage.

Off until the account's owner switches it on, and held to a budget of its own.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core import queue
from core.access import Permission, Scope
from core.ai import ledger
from core.ai.budget import SHADOW, budget_in, gate_for
from core.ai.chain import Run
from core.ai.protocol import AIError, Request
from core.ai.providers import CALL_SECONDS, choice_for
from core.ai.requests import Asked
from core.ai.routing import Reason, Tier
from core.ai.shadow import is_sampled
from core.content.briefs import Brief, Voice
from core.content.models import Generation
from core.content.prompts import PROMPT_VERSION, draft_request
from core.content.service import voice_in
from core.queue import Claimed
from core.use_case import use_case

SHADOW_JOB = "content.shadow"
TRIES = 1
"""A sample can do without one of its requests; asked twice it would pay twice."""
RUN = 0
"""Of its attempts in the ledger: the draft's own runs count from 1."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    task: str
    request: Request


def sample(session: Session, scope: Scope, generation_id: UUID, asked: Asked) -> None:
    """Room: have a draft that has just ended put to the large model as well, when it is one of the sample.

    One that the large model wrote at once, or that cannot be compared, says nothing.
    """
    if asked.tier is Tier.LARGE or asked.baseline is None or asked.baseline.low is None:
        return
    if _is_wanted(session, scope, generation_id):
        payload = {"generation_id": str(generation_id), "prompt_version": asked.prompt_version}
        queue.enqueue(session, scope, SHADOW_JOB, payload, f"shadow:{generation_id}")


def compare(job: Claimed) -> None:
    """The handler of `content.shadow`. What fails is kept as it failed, and nothing is tried again."""
    if job.workspace_id is None or job.account_id is None:
        return
    scope, generation_id = Scope.for_workspace(job.workspace_id, job.account_id), UUID(job.payload["generation_id"])
    wanted = _begin(scope, generation_id, job.payload["prompt_version"])
    if wanted is None:
        return
    small = choice_for(wanted.task, datetime.now(UTC).date(), (Tier.SMALL, Reason.TIER))
    if small is None or small.larger is None:
        return
    run = small.larger.chain.run(
        wanted.request, CALL_SECONDS, gate=gate_for(scope, SHADOW), purpose=SHADOW, tier=Tier.LARGE
    )
    try:
        run.complete()
    except AIError:
        pass
    finally:
        _end(scope, generation_id, run)


def _is_wanted(session: Session, scope: Scope, generation_id: UUID) -> bool:
    chosen = budget_in(session, scope.account_id)
    return chosen.shadow_monthly > 0 and is_sampled(generation_id, chosen.shadow_per_mille)


@use_case(Permission.WRITE_CONTENT)
def _begin(session: Session, scope: Scope, generation_id: UUID, prompt_version: str) -> _Wanted | None:
    """The same request once more; None where it is no longer the same, or no longer wanted."""
    held = session.get(Generation, (scope.workspace_id, generation_id))
    if held is None or held.account_id != scope.account_id or prompt_version != PROMPT_VERSION:
        return None
    if not _is_wanted(session, scope, generation_id):
        return None
    brief, voice = Brief.of(**held.brief), voice_in(session, scope.workspace_id) or Voice()
    return _Wanted(brief.task, draft_request(brief, voice))


@use_case(Permission.WRITE_CONTENT)
def _end(session: Session, scope: Scope, generation_id: UUID, run: Run) -> None:
    ledger.record(session, scope.workspace_id, generation_id, RUN, run.attempts)
