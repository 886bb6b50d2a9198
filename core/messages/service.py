"""Campaigns: who is written to, what for, and how far it is. What a worker does with one is in `writing`.

Nothing is ever sent from here: messages go into a queue for a person.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import queue
from core.access import Permission, Scope
from core.ai import allowance, ledger
from core.ai.prices import dollars
from core.ai.providers import chosen_providers
from core.billing import metering
from core.billing.service import entitlement_of
from core.content.house_rules import rules_for
from core.content.service import stop_if_blocked
from core.earnings.models import Fan
from core.errors import BadInput, NotFound, PlanLimit, TooManyTries
from core.messages.briefs import MessageBrief, Segment
from core.messages.kinds import CampaignStatus, MessageStatus
from core.messages.models import Message, MessageCampaign
from core.messages.queries import count_segment
from core.messages.views import CampaignView, TemplateView
from core.settings import settings
from core.use_case import use_case
from core.workspaces.models import Account

WRITE_JOB = "messages.write"
PLACE = "place"
"""In a job: the month (ISO) whose place goes back should the campaign's row be gone before a model was asked."""
MOST_OPEN = 5
"""Campaigns that an account may have waiting or being written."""
SHOWN = 50
"""Campaigns in a list, the latest first."""


@use_case(Permission.WRITE_CONTENT)
def plan_campaign(session: Session, scope: Scope, brief: MessageBrief) -> UUID:
    """Ask for a campaign's messages; a worker writes them. Returns the campaign's id.

    Raises BadInput where nobody fits the segment, ContentBlocked for a wish that no platform allows, TooManyTries while
    the account has MOST_OPEN campaigns open, PlanLimit when this month's drafts are used up, and NotConfigured when the
    model's settings are incomplete. Templates that no model wrote take no place in the allowance.
    """
    said = "\n".join((brief.about, brief.offer.item, brief.offer.link))
    stop_if_blocked(said, brief.platform, rules_for(session, scope.workspace_id))
    _stop_if_nobody(session, scope.workspace_id, brief)
    _stop_if_busy(session, scope)
    month = _place(session, scope) if chosen_providers(settings()) else None
    wanted = MessageCampaign(
        workspace_id=scope.workspace_id,
        account_id=scope.account_id,
        user_id=scope.user_id,
        kind=brief.kind,
        platform=brief.platform,
        language=brief.language,
        brief=brief.as_json(),
        reserved_month=month,
    )
    session.add(wanted)
    session.flush()
    place = {PLACE: month.isoformat()} if month else {}
    queue.enqueue(session, scope, WRITE_JOB, {"campaign_id": str(wanted.id), **place}, job_name(wanted.id))
    return wanted.id


def job_name(campaign_id: UUID) -> str:
    """What tells a campaign's job from every other."""
    return f"messages:{campaign_id}"


def _stop_if_nobody(session: Session, workspace_id: UUID, brief: MessageBrief) -> None:
    if not count_segment(session, workspace_id, brief.platform, brief.segment, datetime.now(UTC)):
        raise BadInput("messages.nobody_fits")


def _stop_if_busy(session: Session, scope: Scope) -> None:
    # The account's row is held until the wish is in the queue, so that many at once are counted one by one.
    session.execute(select(Account.id).where(Account.id == scope.account_id).with_for_update(key_share=True))
    if queue.count_open(session, scope.account_id, WRITE_JOB) >= MOST_OPEN:
        raise TooManyTries("messages.too_many_open", most=MOST_OPEN)


def _place(session: Session, scope: Scope) -> date:
    most = entitlement_of(session, scope.account_id).most_generations
    month = allowance.month_of(datetime.now(UTC))
    if not allowance.take_place(session, scope.account_id, month, most):
        raise PlanLimit("content.allowance_used", most=most)
    if most is None:
        metering.note_use(session, scope.account_id, month, allowance.used(session, scope.account_id, month))
    return month


@use_case(Permission.WRITE_CONTENT)
def segment_size(session: Session, scope: Scope, platform: str, segment: Segment) -> int:
    """How many fans a segment holds now."""
    return count_segment(session, scope.workspace_id, platform, segment, datetime.now(UTC))


@use_case(Permission.WRITE_CONTENT)
def fans_known(session: Session, scope: Scope) -> Mapping[str, int]:
    """How many fans the ledger knows, by platform; none before a statement was imported."""
    counted = select(Fan.platform, func.count()).where(Fan.workspace_id == scope.workspace_id).group_by(Fan.platform)
    return {row[0]: row[1] for row in session.execute(counted)}


@use_case(Permission.WRITE_CONTENT)
def campaigns(session: Session, scope: Scope) -> tuple[CampaignView, ...]:
    """The latest campaigns of the creator in view, SHOWN at most."""
    found = session.scalars(
        select(MessageCampaign)
        .where(MessageCampaign.workspace_id == scope.workspace_id)
        .order_by(MessageCampaign.created_at.desc(), MessageCampaign.id.desc())
        .limit(SHOWN)
    ).all()
    counts = _counts(session, scope.workspace_id, [one.id for one in found])
    return tuple(_view(session, one, counts.get(one.id, {})) for one in found)


@use_case(Permission.WRITE_CONTENT)
def campaign(session: Session, scope: Scope, campaign_id: UUID) -> CampaignView:
    """One campaign as it stands now; asked again and again while it is open. Raises NotFound."""
    found = session.get(MessageCampaign, (scope.workspace_id, campaign_id))
    if found is None:
        raise NotFound("access.not_found")
    return _view(session, found, _counts(session, scope.workspace_id, [campaign_id]).get(campaign_id, {}))


@use_case(Permission.WRITE_CONTENT)
def close_campaign(session: Session, scope: Scope, campaign_id: UUID) -> None:
    """End a campaign that is still being written; what is in the queue stays. Raises NotFound."""
    held = locked(session, scope.workspace_id, campaign_id)
    if held.status == CampaignStatus.DRAFTING:
        stop(session, held)


def stop_all(session: Session, workspace_id: UUID) -> None:
    """Room: end every open campaign of a workspace, while who pays for them is still in view."""
    is_open = MessageCampaign.status == CampaignStatus.DRAFTING
    chosen = select(MessageCampaign).where(MessageCampaign.workspace_id == workspace_id, is_open)
    for held in session.scalars(chosen.with_for_update()).all():
        stop(session, held)


def stop(session: Session, held: MessageCampaign) -> None:
    """Room: end an open campaign whose row is locked. Its place goes back unless a model may be owed for it."""
    queue.withdraw(session, job_name(held.id))
    held.status = CampaignStatus.CLOSED
    if held.provider is None and ledger.bill(session, held.workspace_id, held.id).cost_nano == 0:
        give_back_place(session, held)


def locked(session: Session, workspace_id: UUID, campaign_id: UUID) -> MessageCampaign:
    """Room: a campaign's row, held until the transaction ends. Raises NotFound."""
    found = session.get(MessageCampaign, (workspace_id, campaign_id), with_for_update=True)
    if found is None:
        raise NotFound("access.not_found")
    return found


def give_back_place(session: Session, held: MessageCampaign) -> None:
    """Room: the campaign holds no place in the allowance any more. Its row is locked, so this happens once."""
    if held.reserved_month is not None:
        allowance.give_back(session, held.account_id, held.reserved_month)
        queue.take_out(session, job_name(held.id), PLACE)
        held.reserved_month = None


_Counts = dict[str, int]
_FLAGGED = "flagged"


def _counts(session: Session, workspace_id: UUID, campaign_ids: list[UUID]) -> dict[UUID, _Counts]:
    """By campaign and status, and how many of those that wait are flagged."""
    is_waiting = (func.cardinality(Message.flags) > 0) & (Message.status == MessageStatus.QUEUED)
    rows = session.execute(
        select(Message.campaign_id, Message.status, func.count(), func.count().filter(is_waiting))
        .where(Message.workspace_id == workspace_id, Message.campaign_id.in_(campaign_ids))
        .group_by(Message.campaign_id, Message.status)
    )
    counted: dict[UUID, _Counts] = {}
    for campaign_id, status, count, flagged in rows:
        if campaign_id is None:
            continue
        held = counted.setdefault(campaign_id, {_FLAGGED: 0})
        held[status] = count
        held[_FLAGGED] += flagged
    return counted


def _view(session: Session, found: MessageCampaign, counts: _Counts) -> CampaignView:
    cost = ledger.bill(session, found.workspace_id, found.id).cost_nano
    return CampaignView(
        id=found.id,
        brief=MessageBrief.from_json(found.brief),
        status=CampaignStatus(found.status),
        templates=tuple(_template(one) for one in found.templates),
        counts={status: counts.get(status, 0) for status in MessageStatus},
        flagged=counts.get(_FLAGGED, 0),
        fans=found.fans,
        skipped=found.skipped,
        provider=found.provider,
        model=found.model,
        reason=found.reason,
        cost=None if cost is None else dollars(cost),
        problem_code=found.problem_code,
        problem_facts=found.problem_facts,
        created_at=found.created_at,
    )


def _template(kept: dict[str, Any]) -> TemplateView:
    return TemplateView(kept["text"], tuple(kept["failed"]))
