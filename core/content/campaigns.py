"""Several drafts on one subject, asked for, seen, kept and dismissed together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.content.assets import AssetText, AssetView, keep_draft
from core.content.briefs import MOST_PARTS, Brief
from core.content.kinds import AssetType
from core.content.models import ContentAsset, Generation
from core.content.platforms import Platform
from core.content.service import KEPT_IN_VIEW, ask, dismiss_in, stop, stop_if_busy, views_in
from core.content.views import OPEN, GenerationView
from core.errors import BadInput, NotFound
from core.use_case import use_case


@dataclass(frozen=True, slots=True)
class Kept:
    """One text of a campaign that is kept: which of its draft's texts it was, and how it reads now."""

    variant: int
    body: str


def briefs_of(one: Brief, platforms: Sequence[Platform], posts: int, first_day: date | None, apart: int) -> list[Brief]:
    """The wishes of a campaign: the platforms in turn, `apart` days from one post to the next. Pure.

    Raises BadInput for more than MOST_PARTS posts, and without a platform.
    """
    if not platforms or not 1 <= posts <= MOST_PARTS or not 0 <= apart <= 30:
        raise BadInput("content.bad_campaign", most=MOST_PARTS)
    return [
        replace(
            one,
            platform=platforms[place % len(platforms)],
            part=place + 1,
            parts=posts,
            day=first_day + timedelta(days=place * apart) if first_day else None,
        )
        for place in range(posts)
    ]


@use_case(Permission.WRITE_CONTENT)
def request_campaign(session: Session, scope: Scope, briefs: Sequence[Brief]) -> UUID:
    """Ask for several drafts, for all or none of them. Returns the campaign's id.

    Raises as `request_draft` does, and BadInput for none and for more than MOST_PARTS.
    """
    if not 1 <= len(briefs) <= MOST_PARTS:
        raise BadInput("content.bad_campaign", most=MOST_PARTS)
    stop_if_busy(session, scope, len(briefs))
    plan_id = uuid4()
    for brief in briefs:
        ask(session, scope, Generation(plan_id=plan_id), brief)
    return plan_id


@use_case(Permission.WRITE_CONTENT)
def current_campaign(session: Session, scope: Scope) -> tuple[GenerationView, ...]:
    """The asker's latest campaign of which a draft was neither kept nor dismissed; none of it is left out."""
    latest = session.scalar(
        select(Generation.plan_id)
        .where(
            Generation.workspace_id == scope.workspace_id,
            Generation.user_id == scope.user_id,
            Generation.created_at > func.now() - KEPT_IN_VIEW,
            Generation.put_away_at.is_(None),
            Generation.plan_id.is_not(None),
        )
        .order_by(Generation.created_at.desc(), Generation.id.desc())
        .limit(1)
    )
    return () if latest is None else views_in(session, session.scalars(_of(scope, latest)).all())


@use_case(Permission.WRITE_CONTENT)
def campaign(session: Session, scope: Scope, plan_id: UUID) -> tuple[GenerationView, ...]:
    """Its drafts that were neither kept nor dismissed, in order, as they stand now; none for one that is not there."""
    return views_in(session, session.scalars(_of(scope, plan_id)).all())


@use_case(Permission.WRITE_CONTENT)
def keep_campaign(session: Session, scope: Scope, plan_id: UUID, kept: Mapping[UUID, Kept]) -> tuple[AssetView, ...]:
    """Keep texts of a campaign's drafts, all or none. Raises ContentBlocked, BadInput, NotFound, Conflict."""
    held = {one.id: one for one in session.scalars(_of(scope, plan_id).with_for_update())}
    if not kept.keys() <= held.keys():
        raise NotFound("access.not_found")
    return tuple(_keep(session, scope, held[one], text) for one, text in kept.items())


@use_case(Permission.WRITE_CONTENT)
def dismiss_campaign(session: Session, scope: Scope, plan_id: UUID) -> None:
    """Stop what of a campaign still waits or is written, and put all of it out of view."""
    for held in session.scalars(_of(scope, plan_id).with_for_update()).all():
        if held.status in OPEN:
            stop(session, held)
        dismiss_in(session, scope.workspace_id, held.id)


def _keep(session: Session, scope: Scope, held: Generation, text: Kept) -> AssetView:
    asset = ContentAsset(type=AssetType(held.task), platform=held.platform, language=held.language)
    content = AssetText.of(title="", body=text.body, picture=held.brief.get("picture", ""))
    return keep_draft(session, scope, held, content, variant=text.variant, asset=asset)


def _of(scope: Scope, plan_id: UUID) -> Select[Generation]:
    return (
        select(Generation)
        .where(
            Generation.workspace_id == scope.workspace_id,
            Generation.user_id == scope.user_id,
            Generation.plan_id == plan_id,
            Generation.put_away_at.is_(None),
        )
        .order_by(Generation.id)
    )
