"""The queue of a person: look, edit, approve or drop, and say what was sent. Each decision can be taken back.

Nothing is sent from here. Whoever decides last counts; a message that was decided about meanwhile is looked at again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from core import audit
from core.access import Permission, Scope
from core.ai.models import AiRequest
from core.ai.requests import Became, edited_characters
from core.content.house_rules import rules_for
from core.content.service import stop_if_blocked
from core.earnings.models import Fan
from core.errors import BadInput, Conflict, NotFound
from core.identity.models import User
from core.messages.briefs import MessageBrief
from core.messages.facts import facts
from core.messages.kinds import EDITED, Authorship, MessageStatus
from core.messages.models import Message, MessageCampaign
from core.messages.queries import opted_out_fans, records_of
from core.messages.service import locked
from core.messages.templates import Checker, text_key
from core.messages.views import MessagePage, MessageView
from core.text import unsafe_reason
from core.use_case import use_case

PAGE = 20
SAMPLE = 10
MOST_FLAGGED = 200
LONGEST = 5000
_HARD = ("unfilled", "too_long", "too_many_hashtags", "spend_spoken")
"""Checks that no edit may fail; for the others a person answers, and the message is flagged."""
_BEFORE = {
    MessageStatus.APPROVED: MessageStatus.QUEUED,
    MessageStatus.DROPPED: MessageStatus.QUEUED,
    MessageStatus.SENT: MessageStatus.APPROVED,
}


@dataclass(frozen=True, slots=True)
class Filter:
    status: MessageStatus | None = None
    only_flagged: bool = False
    search: str = ""


@use_case(Permission.WRITE_CONTENT)
def messages(session: Session, scope: Scope, campaign_id: UUID, wanted: Filter, page: int = 0) -> MessagePage:
    """A campaign's messages, a page of PAGE at a time, in the order in which fans took turns."""
    chosen = _matching(scope.workspace_id, campaign_id, wanted)
    total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    rows = session.execute(chosen.order_by(Message.id).limit(PAGE).offset(page * PAGE))
    return MessagePage(tuple(_view(row) for row in rows), total)


@use_case(Permission.WRITE_CONTENT)
def samples(session: Session, scope: Scope, campaign_id: UUID, turn: int = 0) -> tuple[MessageView, ...]:
    """Before all are approved: every flagged message that waits, MOST_FLAGGED at most, and SAMPLE others by chance.

    `turn` throws the dice anew.
    """
    waiting = Filter(MessageStatus.QUEUED)
    flagged = _matching(scope.workspace_id, campaign_id, Filter(MessageStatus.QUEUED, only_flagged=True))
    by_chance = func.md5(func.concat(cast(Message.id, String), str(turn)))
    plain = _matching(scope.workspace_id, campaign_id, waiting).where(func.cardinality(Message.flags) == 0)
    found = [
        *session.execute(flagged.order_by(Message.id).limit(MOST_FLAGGED)),
        *session.execute(plain.order_by(by_chance).limit(SAMPLE)),
    ]
    return tuple(_view(row) for row in found)


@use_case(Permission.WRITE_CONTENT)
def approve(session: Session, scope: Scope, message_id: UUID) -> None:
    """This message may be sent. Raises NotFound, and Conflict when it does not wait any more."""
    _decide(session, scope, message_id, MessageStatus.QUEUED, MessageStatus.APPROVED)


@use_case(Permission.WRITE_CONTENT)
def drop(session: Session, scope: Scope, message_id: UUID) -> None:
    """This message is not to be sent. Raises NotFound, and Conflict when it does not wait any more."""
    _decide(session, scope, message_id, MessageStatus.QUEUED, MessageStatus.DROPPED)


@use_case(Permission.WRITE_CONTENT)
def mark_sent(session: Session, scope: Scope, message_id: UUID) -> None:
    """The person has sent it by themselves. Raises NotFound, and Conflict for one that is not approved."""
    held = _held(session, scope.workspace_id, message_id)
    if held.status != MessageStatus.APPROVED:
        raise Conflict("messages.approve_first")
    held.status, held.sent_by, held.sent_at = MessageStatus.SENT, scope.user_id, datetime.now(UTC)


@use_case(Permission.WRITE_CONTENT)
def take_back(session: Session, scope: Scope, message_id: UUID) -> MessageStatus:
    """Undo the last decision: sent becomes approved, approved and dropped wait again. Returns what it is now.

    Raises NotFound, and Conflict for one that waits already, or whose fan does not want to be written to.
    """
    held = _held(session, scope.workspace_id, message_id)
    before = _BEFORE.get(MessageStatus(held.status))
    if before is None:
        raise Conflict("messages.not_open")
    gone = opted_out_fans(scope.workspace_id).where(Fan.id == held.fan_id)
    if held.status == MessageStatus.DROPPED and session.scalar(gone) is not None:
        raise Conflict("messages.opted_out")
    if held.status == MessageStatus.SENT:
        held.sent_by = held.sent_at = None
    else:
        held.decided_by = held.decided_at = None
    held.status = before
    _note_outcome(session, scope, held.campaign_id)
    return before


@use_case(Permission.WRITE_CONTENT)
def approve_all(session: Session, scope: Scope, campaign_id: UUID, expected: int) -> datetime:
    """Approve whatever waits in a campaign; `expected` is the number that the person was shown.

    Returns the instant that takes it back. Raises NotFound, and Conflict when another number waits now.
    """
    at = _decide_all(session, scope, campaign_id, MessageStatus.APPROVED, expected)
    held = locked(session, scope.workspace_id, campaign_id)
    held.approved_by, held.approved_at = scope.user_id, at
    return at


@use_case(Permission.WRITE_CONTENT)
def drop_all(session: Session, scope: Scope, campaign_id: UUID, expected: int) -> datetime:
    """Drop whatever waits in a campaign; otherwise as `approve_all`."""
    return _decide_all(session, scope, campaign_id, MessageStatus.DROPPED, expected)


@use_case(Permission.WRITE_CONTENT)
def take_back_all(session: Session, scope: Scope, campaign_id: UUID, at: datetime) -> int:
    """What was decided about together at that instant, and was not sent, waits again. Returns how many.

    What was dropped stays so where its fan does not want to be written to.
    """
    held = locked(session, scope.workspace_id, campaign_id)
    back = session.execute(
        update(Message)
        .where(
            _of(scope.workspace_id, campaign_id),
            Message.decided_at == at,
            Message.decided_by == scope.user_id,
            Message.status.in_((MessageStatus.APPROVED, MessageStatus.DROPPED)),
            Message.fan_id.not_in(opted_out_fans(scope.workspace_id)),
        )
        .values(status=MessageStatus.QUEUED, decided_by=None, decided_at=None, updated_at=func.now())
        .returning(Message.id)
    )
    count = len(back.all())
    if held.approved_at == at:
        held.approved_by = held.approved_at = None
    audit.record(
        session,
        scope,
        "messages_taken_back",
        workspace_id=scope.workspace_id,
        after={"kind": held.kind, "count": count},
    )
    _note_outcome(session, scope, campaign_id)
    return count


@use_case(Permission.WRITE_CONTENT)
def edit(session: Session, scope: Scope, message_id: UUID, text: str) -> tuple[str, ...]:
    """Change a message that waits or is approved; it waits again. Returns what a person should look at.

    Raises ContentBlocked for what no platform allows, BadInput for what no message may be, Conflict for one that was
    sent or dropped, and for a text that this fan was given before.
    """
    new = _clean(text)
    held = _held(session, scope.workspace_id, message_id)
    if held.status not in (MessageStatus.QUEUED, MessageStatus.APPROVED):
        raise Conflict("messages.not_open")
    if new == held.body:
        return tuple(held.flags)
    flags = _checked(session, scope, held, new)
    changed = edited_characters(held.body, new)
    held.edited_characters += changed
    is_another = changed >= len(new)
    held.authorship = Authorship.PERSON if is_another else EDITED.get(Authorship(held.authorship), held.authorship)
    held.body, held.text_key, held.flags = new, text_key(new), list(flags)
    held.status, held.decided_by, held.decided_at = MessageStatus.QUEUED, None, None
    held.updated_at = datetime.now(UTC)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("messages.same_text") from None
    _note_outcome(session, scope, held.campaign_id)
    return flags


def _clean(text: str) -> str:
    new = text.strip()
    if not new:
        raise BadInput("content.empty_body")
    if len(new) > LONGEST or unsafe_reason(new):
        raise BadInput("messages.bad_text", most=LONGEST)
    return new


def _checked(session: Session, scope: Scope, held: Message, new: str) -> tuple[str, ...]:
    """What is wrong with an edited text that a person may answer for."""
    campaign = session.get(MessageCampaign, (scope.workspace_id, held.campaign_id))
    if campaign is None:
        raise NotFound("access.not_found")
    brief, rules = MessageBrief.from_json(campaign.brief), rules_for(session, scope.workspace_id)
    stop_if_blocked(new, brief.platform, rules)
    checker = Checker(brief, rules)
    records = records_of(session, scope.workspace_id, [held.fan_id], brief.segment.currency)
    if records[0].opted_out:
        raise Conflict("messages.opted_out")
    known = facts(records[0], brief.offer, brief.language, datetime.now(UTC), checker.is_sayable)
    failed = checker.failed(new, known, is_edited=True)
    if hard := next((name for name in _HARD if name in failed), None):
        raise BadInput(f"messages.{hard}")
    return failed


def _decide(session: Session, scope: Scope, message_id: UUID, expected: MessageStatus, new: MessageStatus) -> None:
    held = _held(session, scope.workspace_id, message_id)
    if held.status != expected:
        raise Conflict("messages.not_open")
    held.status, held.decided_by, held.decided_at = new, scope.user_id, datetime.now(UTC)
    session.flush()
    _note_outcome(session, scope, held.campaign_id)


def _decide_all(session: Session, scope: Scope, campaign_id: UUID, new: MessageStatus, expected: int) -> datetime:
    held = locked(session, scope.workspace_id, campaign_id)
    at = datetime.now(UTC)
    decided = session.execute(
        update(Message)
        .where(_of(scope.workspace_id, campaign_id), Message.status == MessageStatus.QUEUED)
        .values(status=new, decided_by=scope.user_id, decided_at=at, updated_at=at)
        .returning(Message.id)
    )
    count = len(decided.all())
    if count != expected:
        raise Conflict("messages.queue_changed", count=count)
    deed = "messages_approved" if new is MessageStatus.APPROVED else "messages_dropped"
    audit.record(session, scope, deed, workspace_id=scope.workspace_id, after={"kind": held.kind, "count": count})
    _note_outcome(session, scope, campaign_id)
    return at


def _note_outcome(session: Session, scope: Scope, campaign_id: UUID | None) -> None:
    """What became of the model's answer: edited as soon as one message was, dismissed when all were dropped."""
    kept, edited, waiting = session.execute(
        select(
            func.count().filter(Message.status.in_((MessageStatus.APPROVED, MessageStatus.SENT))),
            func.coalesce(func.sum(Message.edited_characters), 0),
            func.count().filter(Message.status == MessageStatus.QUEUED),
        ).where(Message.workspace_id == scope.workspace_id, Message.campaign_id == campaign_id)
    ).one()
    became = (Became.EDITED if edited else Became.UNEDITED) if kept else None if waiting else Became.DISMISSED
    session.execute(
        update(AiRequest)
        .where(AiRequest.workspace_id == scope.workspace_id, AiRequest.id == campaign_id)
        .values(outcome=became, edited_characters=int(edited) if kept else None)
    )


def _held(session: Session, workspace_id: UUID, message_id: UUID) -> Message:
    found = session.get(Message, (workspace_id, message_id), with_for_update=True)
    if found is None:
        raise NotFound("access.not_found")
    return found


def _of(workspace_id: UUID, campaign_id: UUID) -> ColumnElement[bool]:
    return and_(Message.workspace_id == workspace_id, Message.campaign_id == campaign_id)


_Decider, _Sender = aliased(User), aliased(User)


def _matching(workspace_id: UUID, campaign_id: UUID, wanted: Filter) -> Select[Any]:
    chosen: Any = (
        select(
            Message,
            func.coalesce(Fan.name, Fan.handle, Fan.identity).label("fan"),
            Fan.handle,
            _Decider.display_name.label("decided_by"),
            _Sender.display_name.label("sent_by"),
        )
        .join(Fan, and_(Fan.workspace_id == Message.workspace_id, Fan.id == Message.fan_id))
        .outerjoin(_Decider, _Decider.id == Message.decided_by)
        .outerjoin(_Sender, _Sender.id == Message.sent_by)
        .where(_of(workspace_id, campaign_id))
    )
    narrowed: Select[Any] = chosen.where(*_conditions(wanted))
    return narrowed


def _conditions(wanted: Filter) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(Message.status == wanted.status)
    if wanted.only_flagged:
        conditions.append(func.cardinality(Message.flags) > 0)
    if sought := wanted.search.strip():
        in_any = (Message.body, Fan.name, Fan.handle)
        conditions.append(or_(*(one.icontains(sought, autoescape=True) for one in in_any)))
    return conditions


def _view(row: Any) -> MessageView:
    held: Message = row.Message
    return MessageView(
        id=held.id,
        campaign_id=held.campaign_id,
        fan=row.fan,
        handle=row.handle,
        body=held.body,
        variant=held.variant,
        status=MessageStatus(held.status),
        authorship=Authorship(held.authorship),
        edited_characters=held.edited_characters,
        flags=tuple(held.flags),
        decided_by=row.decided_by,
        decided_at=held.decided_at,
        sent_by=row.sent_by,
        sent_at=held.sent_at,
    )
