"""One row for each thing asked of models: why that model, what it is compared with, and what became of it. Rooms."""

from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import Scope
from core.ai.models import AiRequest, AiRoute
from core.ai.routing import Reason, Tier


class Became(StrEnum):
    """What a person did with an answer."""

    UNEDITED = "unedited"
    EDITED = "edited"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the same request would have cost on another model, at least and at most, in nano-dollars."""

    model: str
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known when a request has been answered or given up."""

    task: str
    tier: Tier
    reason: Reason
    prompt_version: str
    baseline: Baseline | None
    failed_checks: tuple[str, ...] = ()
    was_repaired: bool = False
    was_escalated: bool = False
    characters: int | None = None


def keep_request(session: Session, scope: Scope, request_id: UUID, asked: Asked) -> None:
    """Room: store a request of the one workspace in view, or store it anew where a run before this one was lost."""
    values = {
        "account_id": scope.account_id,
        "user_id": scope.user_id,
        "task": asked.task,
        "tier": asked.tier,
        "reason": asked.reason,
        "prompt_version": asked.prompt_version,
        "baseline_model": asked.baseline.model if asked.baseline else None,
        "baseline_low_nano": asked.baseline.low if asked.baseline else None,
        "baseline_high_nano": asked.baseline.high if asked.baseline else None,
        "failed_checks": list(asked.failed_checks),
        "was_repaired": asked.was_repaired,
        "was_escalated": asked.was_escalated,
        "characters": asked.characters,
    }
    session.execute(
        insert(AiRequest)
        .values(workspace_id=scope.workspace_id, id=request_id, **values)
        .on_conflict_do_update(index_elements=["workspace_id", "id"], set_=values)
    )


def note_outcome(session: Session, workspace_id: UUID, request_id: UUID, offered: str, kept: str | None) -> None:
    """Room: what became of an answer: kept as it was, kept otherwise, or dismissed (None). The last counts."""
    if kept is None:
        became, changed = Became.DISMISSED, None
    else:
        changed = edited_characters(offered, kept)
        became = Became.EDITED if changed else Became.UNEDITED
    session.execute(
        update(AiRequest)
        .where(AiRequest.workspace_id == workspace_id, AiRequest.id == request_id)
        .values(outcome=became, edited_characters=changed)
    )


def edited_characters(offered: str, kept: str) -> int:
    """Characters that were taken out or put in to make one text of the other; spaces at the ends do not count."""
    one, other = offered.strip(), kept.strip()
    if one == other:
        return 0
    same = sum(block.size for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks())
    return max(len(one), len(other)) - same or 1


def tier_in(session: Session, workspace_id: UUID, task: str) -> Tier | None:
    """Room: the tier that the workspace chose for a task, None as long as the table's counts."""
    kept = session.get(AiRoute, (workspace_id, task))
    return None if kept is None else Tier(kept.tier)
