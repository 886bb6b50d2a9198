"""Questions about fans, for writing to them: a segment with its facts in one, what they had before in another."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, any_, case, cast, func, literal, not_, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

from core.earnings.kinds import REVERSALS
from core.earnings.models import Fan, FanTotal, Transaction
from core.messages.assigning import Past
from core.messages.briefs import Segment
from core.messages.facts import Record
from core.messages.kinds import PURCHASES, MessageStatus, SegmentRule
from core.messages.models import Message, MessageOptOut

ALIKE_WITHIN = timedelta(days=30)
"""How long a text is remembered as one that another must differ from."""
_stood = and_(
    Transaction.kind.not_in((*REVERSALS, "payout", "referral")),
    Transaction.status.in_(("done", "loading")),
    func.coalesce(Transaction.gross_minor, Transaction.net_minor) > 0,
)
"""Payments that were not returned."""


def segment_records(
    session: Session, workspace_id: UUID, platform: str, segment: Segment, now: datetime
) -> list[Record]:
    """Room: every fan of a platform whom the segment's rule fits, with what may be said of them; one query."""
    return [_record(row) for row in session.execute(_records(workspace_id, platform, segment, now))]


def count_segment(session: Session, workspace_id: UUID, platform: str, segment: Segment, now: datetime) -> int:
    """Room: how many they are."""
    chosen = _records(workspace_id, platform, segment, now).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(chosen)) or 0


def records_of(session: Session, workspace_id: UUID, fan_ids: Iterable[UUID], currency: str) -> list[Record]:
    """Room: the same facts of named fans."""
    whole = _facts(workspace_id, currency).where(Fan.id.in_(list(fan_ids)))
    return [_record(row) for row in session.execute(whole)]


def _record(row: Any) -> Record:
    net = row.net if row.net_unknown == 0 else None
    return Record(
        row.id, row.name, row.handle, row.since, row.active, row.bought, row.bought_at, net, bool(row.opted_out)
    )


def _facts(workspace_id: UUID, currency: str) -> Select[Any]:
    is_purchase = and_(_stood, Transaction.kind.in_(PURCHASES))
    latest = func.array_agg(aggregate_order_by(Transaction.kind, Transaction.occurred_at.desc(), Transaction.id.desc()))
    paid = (
        select(
            Transaction.fan_id,
            func.min(Transaction.occurred_at).filter(_stood).label("since"),
            func.max(Transaction.occurred_at).filter(_stood).label("active"),
            latest.filter(is_purchase)[1].label("bought"),
            func.max(Transaction.occurred_at).filter(is_purchase).label("bought_at"),
            func.array_agg(Transaction.kind.distinct()).filter(_stood).label("kinds"),
        )
        .where(Transaction.workspace_id == workspace_id, Transaction.fan_id.is_not(None))
        .group_by(Transaction.fan_id)
        .subquery("paid")
    )
    opted_out = (
        select(literal(1))
        .where(
            MessageOptOut.workspace_id == workspace_id,
            MessageOptOut.platform == Fan.platform,
            or_(
                MessageOptOut.identity == Fan.identity,
                MessageOptOut.identity == func.concat("@", func.lower(Fan.handle)),
            ),
        )
        .exists()
    )
    return (
        select(
            Fan.id,
            Fan.name,
            Fan.handle,
            paid.c.since,
            paid.c.active,
            paid.c.bought,
            paid.c.bought_at,
            paid.c.kinds,
            func.coalesce(FanTotal.net_minor, 0).label("net"),
            func.coalesce(FanTotal.net_unknown, 0).label("net_unknown"),
            func.coalesce(FanTotal.gross_minor, 0).label("gross"),
            opted_out.label("opted_out"),
        )
        .outerjoin(paid, paid.c.fan_id == Fan.id)
        .outerjoin(
            FanTotal,
            and_(
                FanTotal.workspace_id == Fan.workspace_id,
                FanTotal.fan_id == Fan.id,
                FanTotal.currency == currency,
            ),
        )
        .where(Fan.workspace_id == workspace_id)
    )


def _records(workspace_id: UUID, platform: str, segment: Segment, now: datetime) -> Select[Any]:
    facts = _facts(workspace_id, segment.currency).where(Fan.platform == platform).subquery("facts")
    since, active = facts.c.since, facts.c.active
    days_ago = now - timedelta(days=segment.days)
    value = case((facts.c.net_unknown > 0, facts.c.gross), else_=facts.c.net)
    rules: dict[SegmentRule, ColumnElement[bool]] = {
        SegmentRule.ALL: true(),
        SegmentRule.NEW: since > days_ago,
        SegmentRule.LOYAL: and_(since <= days_ago, active > now - timedelta(days=45)),
        SegmentRule.BIG_SPENDER: value >= segment.minor,
        SegmentRule.LAPSED: active <= days_ago,
        SegmentRule.BOUGHT: literal(segment.bought) == any_(facts.c.kinds),
    }
    return select(facts).where(rules[segment.rule]).order_by(facts.c.id)


def past_of(
    session: Session, workspace_id: UUID, campaign_id: UUID, fan_ids: list[UUID], *, days_between: int, now: datetime
) -> dict[UUID, Past]:
    """Room: what those fans were given before, other campaigns' open messages included. One query.

    Too soon: a message was sent within `days_between` days, or waits in the queue since then; 0 is never too soon.
    """
    recent = now - timedelta(days=days_between)
    is_live = Message.status != MessageStatus.DROPPED
    too_soon = and_(
        literal(days_between > 0),
        is_live,
        func.coalesce(Message.sent_at, Message.created_at) > recent,
    )
    body = case((and_(is_live, Message.created_at > now - ALIKE_WITHIN), Message.body))
    chosen = cast(fan_ids, ARRAY(PG_UUID(as_uuid=True)))
    rows = session.execute(
        select(
            Message.fan_id,
            func.array_agg(Message.text_key),
            func.array_remove(func.array_agg(body), None),
            func.bool_or(too_soon),
        )
        .where(
            Message.workspace_id == workspace_id,
            Message.fan_id == any_(chosen),
            not_(func.coalesce(Message.campaign_id == campaign_id, False)),
        )
        .group_by(Message.fan_id)
    )
    return {fan_id: Past(frozenset(keys), tuple(texts), soon) for fan_id, keys, texts, soon in rows}


def opted_out_fans(workspace_id: UUID) -> Select[UUID]:
    """The ids of the fans who are not to be written to, as a subquery."""
    return (
        select(Fan.id)
        .join(
            MessageOptOut,
            and_(
                MessageOptOut.workspace_id == Fan.workspace_id,
                MessageOptOut.platform == Fan.platform,
                MessageOptOut.identity.in_((Fan.identity, func.concat("@", func.lower(Fan.handle)))),
            ),
        )
        .where(Fan.workspace_id == workspace_id)
    )


def already_written(session: Session, workspace_id: UUID, campaign_id: UUID) -> set[UUID]:
    """Room: the fans whose message of the campaign is there."""
    mine = select(Message.fan_id).where(Message.workspace_id == workspace_id, Message.campaign_id == campaign_id)
    return set(session.scalars(mine))
