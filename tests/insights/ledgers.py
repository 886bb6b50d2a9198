"""Requests to models as they are kept, for tests that sum them up."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import update

from core.access import Scope
from core.ai import ledger
from core.ai.chain import Attempt
from core.ai.models import AiRequest
from core.ai.protocol import Usage
from core.ai.requests import Asked, keep_request
from core.ai.routing import Reason, Tier
from core.ai.savings import baseline_of
from core.db import transaction

SMALL, SOL = "gpt-6-luna", "gpt-6.1-sol"
"""At 100 and 500, and at 2,000 and 10,000 nano-dollars a token in and out."""


def attempt(
    usage: Usage | None, *, model: str = SMALL, outcome: str = "ok", purpose: str = "draft", provider: str = "openai"
) -> Attempt:
    return Attempt(provider, model, None, outcome, usage, 1.0, purpose=purpose, tier="small")


def kept(
    scope: Scope,
    request_id: UUID,
    attempts: Sequence[Attempt],
    *,
    task: str = "caption",
    shadow: Sequence[Attempt] = (),
    became: str | None = None,
    characters: int | None = None,
    edited: int | None = None,
    failed: tuple[str, ...] = (),
    repaired: bool = False,
    escalated: bool = False,
    baseline: str = SOL,
) -> None:
    """One request with its attempts, as drafting keeps it, and what a person did with its answer."""
    asked = Asked(
        task=task,
        tier=Tier.SMALL,
        reason=Reason.TIER,
        prompt_version="draft-1",
        baseline=baseline_of([one for one in attempts if one.purpose != "moderation"], "openai", baseline),
        failed_checks=failed,
        was_repaired=repaired,
        was_escalated=escalated,
        characters=characters,
    )
    with transaction(scope) as session:
        ledger.record(session, scope.workspace_id, request_id, 1, attempts)
        ledger.record(session, scope.workspace_id, request_id, 0, shadow)
        keep_request(session, scope, request_id, asked)
        session.execute(
            update(AiRequest).where(AiRequest.id == request_id).values(outcome=became, edited_characters=edited)
        )
