"""What a changed list would have found in the texts that are there, before it is saved."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.content.house_rules import rules_for
from core.content.models import ContentAsset, Generation
from core.content.moderation import Finding, Rules
from core.content.own_lists import OwnList, with_own
from core.content.platforms import Platform
from core.messages.models import Message, MessageCampaign
from core.use_case import use_case

MOST_TEXTS = 5_000
MOST_EXAMPLES = 10
MOST_SECONDS = 15.0
"""A person waits for it: what was not looked at by then is said."""
_NEXT = -1
"""Stands for a version that is not there yet; such rules are not kept ready."""


@dataclass(frozen=True, slots=True)
class Example:
    """One text with what is found in it under one list and not under the other. `kind`: asset, draft or message."""

    kind: str
    body: str
    platform: Platform | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """`tried` of the `total` newest texts. `before` and `after` count those with a finding, then and with the list.

    `gained` and `lost` count texts with a finding more, and one less; of each the newest MOST_EXAMPLES are shown.
    """

    total: int
    tried: int
    before: int
    after: int
    gained: int
    lost: int
    examples_gained: tuple[Example, ...]
    examples_lost: tuple[Example, ...]

    @property
    def rate(self) -> float:
        """The share of texts with a finding under the new list, from 0 to 1."""
        return self.after / self.tried if self.tried else 0.0


@dataclass(frozen=True, slots=True)
class _Past:
    kind: str
    body: str
    platform: Platform | None


def try_list(
    scope: Scope, new: OwnList, *, seconds: float = MOST_SECONDS, clock: Callable[[], float] = time.monotonic
) -> Trial:
    """Hold the workspace's newest texts against its rules as they are and as they would be. Nothing is saved."""
    now, texts = _current(scope)
    then = with_own(new, _NEXT)
    until = clock() + seconds
    before = after = tried = 0
    gained: list[Example] = []
    lost: list[Example] = []
    for one in texts:
        if clock() > until:
            break
        tried += 1
        old, fresh = now.moderate(one.body, one.platform), then.moderate(one.body, one.platform)
        before, after = before + bool(old), after + bool(fresh)
        gained += _example(one, fresh, old)
        lost += _example(one, old, fresh)
    return Trial(
        len(texts),
        tried,
        before,
        after,
        len(gained),
        len(lost),
        tuple(gained[:MOST_EXAMPLES]),
        tuple(lost[:MOST_EXAMPLES]),
    )


def _example(text: _Past, here: Sequence[Finding], there: Sequence[Finding]) -> list[Example]:
    known = {(one.category, one.action, one.start) for one in there}
    only = tuple(one for one in here if (one.category, one.action, one.start) not in known)
    return [Example(text.kind, text.body, text.platform, only)] if only else []


@use_case(Permission.MODERATE)
def _current(session: Session, scope: Scope) -> tuple[Rules, tuple[_Past, ...]]:
    here = scope.workspace_id
    kept = select(literal("asset"), ContentAsset.body, ContentAsset.platform, ContentAsset.updated_at.label("at"))
    drafts = select(literal("draft"), Generation.draft, Generation.platform, Generation.created_at)
    sent = select(literal("message"), Message.body, MessageCampaign.platform, Message.created_at)
    sent = sent.outerjoin(
        MessageCampaign,
        (MessageCampaign.workspace_id == Message.workspace_id) & (MessageCampaign.id == Message.campaign_id),
    )
    together = union_all(
        kept.where(ContentAsset.workspace_id == here),
        drafts.where(Generation.workspace_id == here, Generation.draft != ""),
        sent.where(Message.workspace_id == here),
    ).subquery()
    rows = session.execute(select(together).order_by(together.c.at.desc()).limit(MOST_TEXTS))
    texts = tuple(_Past(kind, body, Platform(platform) if platform else None) for kind, body, platform, _ in rows)
    return rules_for(session, here), texts
