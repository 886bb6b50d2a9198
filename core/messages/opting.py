"""Who is not to be written to, and how often a workspace writes."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import audit
from core.access import Permission, Scope
from core.earnings.models import Fan
from core.errors import BadInput, NotFound
from core.messages.kinds import PLATFORMS, MessageStatus
from core.messages.models import Message, MessageOptOut, MessageRule
from core.text import unsafe_reason
from core.use_case import use_case

LONGEST_REASON = 200
MOST_DAYS = 90
USUAL_DAYS_BETWEEN = 3
_HANDLE = re.compile(r"@[\w.-]{1,64}")
SHOWN = 500


@dataclass(frozen=True, slots=True)
class OptOut:
    """`identity` is what the statements call the fan: `@handle`, `id:…` or `name:…`; `fan` how they are shown."""

    platform: str
    identity: str
    fan: str
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Rule:
    """`days_between` messages to one fan at least, 0 for no limit. `facts_may_leave`: sums over a segment, no fan's."""

    days_between: int = USUAL_DAYS_BETWEEN
    facts_may_leave: bool = False


@use_case(Permission.WRITE_CONTENT)
def opt_out(session: Session, scope: Scope, platform: str, who: str, reason: str = "") -> int:
    """Write to a fan no more; `who` is a handle with its @. Returns how many waiting messages were dropped.

    It holds for a fan who is not in the ledger yet, too. Raises BadInput for what is no handle.
    """
    handle = who.strip().lower()
    if platform not in PLATFORMS or not _HANDLE.fullmatch(handle):
        raise BadInput("messages.unknown_fan")
    return _keep(session, scope, platform, handle, reason)


@use_case(Permission.WRITE_CONTENT)
def opt_out_of_message(session: Session, scope: Scope, message_id: UUID, reason: str = "") -> int:
    """The same for the fan of a message in the queue. Raises NotFound."""
    found = session.execute(
        select(Fan.platform, Fan.identity)
        .join(Message, and_(Message.workspace_id == Fan.workspace_id, Message.fan_id == Fan.id))
        .where(Message.workspace_id == scope.workspace_id, Message.id == message_id)
    ).one_or_none()
    if found is None:
        raise NotFound("access.not_found")
    return _keep(session, scope, found.platform, found.identity, reason)


def _keep(session: Session, scope: Scope, platform: str, identity: str, reason: str) -> int:
    told = " ".join(reason.split())
    if len(told) > LONGEST_REASON or unsafe_reason(told):
        raise BadInput("messages.bad_reason", most=LONGEST_REASON)
    values = {"reason": told, "created_by": scope.user_id}
    session.execute(
        insert(MessageOptOut)
        .values(workspace_id=scope.workspace_id, platform=platform, identity=identity, **values)
        .on_conflict_do_update(index_elements=["workspace_id", "platform", "identity"], set_={"reason": told})
    )
    audit.record(session, scope, "fan_opted_out", workspace_id=scope.workspace_id)
    same = select(Fan.id).where(Fan.workspace_id == scope.workspace_id, Fan.platform == platform, _is(identity))
    dropped = session.execute(
        update(Message)
        .where(
            Message.workspace_id == scope.workspace_id,
            Message.fan_id.in_(same),
            Message.status.in_((MessageStatus.QUEUED, MessageStatus.APPROVED)),
        )
        .values(status=MessageStatus.DROPPED, decided_by=scope.user_id, decided_at=func.now(), updated_at=func.now())
        .returning(Message.id)
    )
    return len(dropped.all())


def _is(identity: str) -> ColumnElement[bool]:
    return or_(Fan.identity == identity, func.concat("@", func.lower(Fan.handle)) == identity)


@use_case(Permission.WRITE_CONTENT)
def opt_in(session: Session, scope: Scope, platform: str, identity: str) -> None:
    """They may be written to again. Raises NotFound."""
    gone = session.execute(
        delete(MessageOptOut)
        .where(
            MessageOptOut.workspace_id == scope.workspace_id,
            MessageOptOut.platform == platform,
            MessageOptOut.identity == identity,
        )
        .returning(MessageOptOut.identity)
    )
    if gone.one_or_none() is None:
        raise NotFound("access.not_found")
    audit.record(session, scope, "fan_opted_in", workspace_id=scope.workspace_id)


@use_case(Permission.WRITE_CONTENT)
def opt_outs(session: Session, scope: Scope) -> tuple[OptOut, ...]:
    """Who is not to be written to, the latest first."""
    same = and_(
        Fan.workspace_id == MessageOptOut.workspace_id,
        Fan.platform == MessageOptOut.platform,
        Fan.identity == MessageOptOut.identity,
    )
    rows = session.execute(
        select(MessageOptOut, func.coalesce(Fan.name, Fan.handle))
        .outerjoin(Fan, same)
        .where(MessageOptOut.workspace_id == scope.workspace_id)
        .order_by(MessageOptOut.created_at.desc(), MessageOptOut.identity)
        .limit(SHOWN)
    )
    return tuple(
        OptOut(one.platform, one.identity, name or one.identity, one.reason, one.created_at) for one, name in rows
    )


@use_case(Permission.WRITE_CONTENT)
def rule(session: Session, scope: Scope) -> Rule:
    kept = session.get(MessageRule, scope.workspace_id)
    return Rule() if kept is None else Rule(kept.days_between, kept.fan_facts_may_leave)


@use_case(Permission.WRITE_CONTENT)
def save_rule(session: Session, scope: Scope, new: Rule) -> None:
    """Raises BadInput for days out of range."""
    if not 0 <= new.days_between <= MOST_DAYS:
        raise BadInput("messages.bad_days", most=MOST_DAYS)
    before = session.get(MessageRule, scope.workspace_id)
    was = Rule() if before is None else Rule(before.days_between, before.fan_facts_may_leave)
    values = {
        "days_between": new.days_between,
        "fan_facts_may_leave": new.facts_may_leave,
        "updated_by": scope.user_id,
        "updated_at": func.now(),
    }
    session.execute(
        insert(MessageRule)
        .values(workspace_id=scope.workspace_id, **values)
        .on_conflict_do_update(index_elements=["workspace_id"], set_=values)
    )
    if was != new:
        audit.record(
            session,
            scope,
            "message_rule_changed",
            workspace_id=scope.workspace_id,
            before={"days": was.days_between, "sums_may_leave": was.facts_may_leave},
            after={"days": new.days_between, "sums_may_leave": new.facts_may_leave},
        )
