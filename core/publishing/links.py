"""A client without an account decides about one version of a text, by a link that holds a secret.

The secret is shown once and kept only as its SHA-256, in a pointer that leads to the account and the link. Unknown,
expired, taken back and used links answer alike.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core import limits
from core.access import Permission, Scope
from core.content.kinds import AssetStatus
from core.content.models import ContentAsset
from core.content.platforms import PLATFORM_NAMES, Platform
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.publishing import approving
from core.publishing.approving import ClientAnswer, Decision
from core.publishing.models import ApprovalLink
from core.publishing.texts import locked, note, require, require_version, zone_of
from core.settings import settings
from core.text import unsafe_reason
from core.use_case import use_case
from core.workspaces.models import Workspace
from core.workspaces.pointers import Lead, drop, lead_of, point
from core.workspaces.team import whole_account

PATH = "/approve"
LONGEST = 30
"""Days that a link may last."""
MOST_WAITING = 20
"""Links of one text that wait for their answer."""
LONGEST_NAME = 120
_KIND = "approval"
_TRIES = limits.Limit("approve", 120, timedelta(minutes=10))
"""Of one network, in all: pages opened and answers given."""


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link just made. `url` is shown now and never again."""

    id: UUID
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link as the team sees it: waiting, used, or over."""

    id: UUID
    version: int
    client_name: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    def is_waiting(self, now: datetime) -> bool:
        return self.used_at is None and self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client decides about: nothing else of the tenant's is here. `zone` is the creator's, for the time."""

    creator: str
    client_name: str
    platform: str
    body: str
    picture: str
    scheduled_at: datetime | None
    zone: str


@use_case(Permission.APPROVE_CONTENT)
def make_link(
    session: Session, scope: Scope, asset_id: UUID, *, version: int, client_name: str, days: int = 7
) -> NewLink:
    """A link for a client to decide about a version in review.

    Raises NotFound; Conflict from another state, for another version, and for too many that wait; BadInput for a name
    or a time that cannot be; NotAllowed for whoever saved the version where the rule wants somebody else, since they
    could answer their own link.
    """
    name = " ".join(client_name.split())
    if not name or len(name) > LONGEST_NAME or unsafe_reason(name):
        raise BadInput("approve.bad_client", most=LONGEST_NAME)
    if not 1 <= days <= LONGEST:
        raise BadInput("approve.bad_days", most=LONGEST)
    asset = locked(session, scope, asset_id)
    require(asset, "link", (AssetStatus.IN_REVIEW,))
    require_version(asset, version)
    rule = approving.rule_in(session, asset.workspace_id)
    if not rule.author_may_approve and scope.user_id == approving.author_of(session, asset):
        raise NotAllowed("approve.own_text")
    waiting = select(func.count()).select_from(ApprovalLink).where(_of(asset), *_waiting())
    if (session.scalar(waiting) or 0) >= MOST_WAITING:
        raise Conflict("approve.too_many", most=MOST_WAITING)
    token = secrets.token_urlsafe(32)
    made = ApprovalLink(
        workspace_id=asset.workspace_id,
        asset_id=asset.id,
        version=asset.version,
        client_name=name,
        created_by=scope.user_id,
        expires_at=datetime.now(UTC) + timedelta(days=days),
    )
    session.add(made)
    session.flush()
    point(session, _KIND, token, Lead(scope.account_of[asset.workspace_id], made.id))
    note(session, scope, asset, "approval_link_made", link=made.id)
    url = f"{settings().public_url.rstrip('/')}{PATH}?{urlencode({'token': token})}"
    return NewLink(made.id, url, made.expires_at)


@use_case(Permission.WRITE_CONTENT)
def links_of(session: Session, scope: Scope, asset_id: UUID) -> tuple[LinkView, ...]:
    """The links of a text, the latest first; none for one that is not there."""
    found = session.scalars(
        select(ApprovalLink)
        .where(ApprovalLink.workspace_id == scope.workspace_id, ApprovalLink.asset_id == asset_id)
        .order_by(ApprovalLink.created_at.desc(), ApprovalLink.id.desc())
    )
    return tuple(
        LinkView(one.id, one.version, one.client_name, one.created_at, one.expires_at, one.used_at, one.revoked_at)
        for one in found
    )


@use_case(Permission.APPROVE_CONTENT)
def revoke_link(session: Session, scope: Scope, link_id: UUID) -> None:
    """Take a link back; it opens nothing any more. Raises NotFound for one that does not wait."""
    found = _one_waiting(session, scope, link_id)
    found.revoked_at = datetime.now(UTC)
    drop(session, _KIND, [link_id])
    note(session, scope, locked(session, scope, found.asset_id), "approval_link_revoked", link=link_id)


def admit(network: str) -> None:
    """Count a visit before its secret is looked at. Raises TooManyTries."""
    limits.count(_TRIES, network)


def offer(token: str) -> Offer:
    """What a link asks about.

    Raises NotFound, the same for unknown, expired, taken back and used; Conflict for a text that has changed since or
    that nobody asks about any more, without saying a word of it.
    """
    lead = _lead(token)
    return _offer(_into(lead), lead.object_id)


def decide(token: str, what: Decision, remark: str = "") -> Decision:
    """Decide by a link, once. Raises what `offer` raises, also for the slower of two, and BadInput."""
    lead = _lead(token)
    wish = approving.checked_note(remark)
    if what is Decision.CHANGES_ASKED and not wish:
        raise BadInput("publishing.say_what")
    _decide(_into(lead), lead.object_id, what, wish)
    return what


def _lead(token: str) -> Lead:
    found = lead_of(_KIND, token)
    if found is None:
        raise NotFound("approve.bad_link")
    return found


def _into(lead: Lead) -> Scope:
    """The creator whose text it is, for the product to look into: gone from the account, gone from the link."""
    whole = whole_account(Scope.for_account(lead.account_id))
    if not whole.workspace_ids:
        raise NotFound("approve.bad_link")
    return whole.narrowed_to(_whose(whole, lead.object_id))


@use_case(Permission.APPROVE_CONTENT)
def _whose(session: Session, scope: Scope, link_id: UUID) -> UUID:
    here = ApprovalLink.workspace_id.in_(scope.workspace_ids)
    found = session.scalar(select(ApprovalLink.workspace_id).where(here, ApprovalLink.id == link_id))
    if found is None:
        raise NotFound("approve.bad_link")
    return found


@use_case(Permission.APPROVE_CONTENT)
def _offer(session: Session, scope: Scope, link_id: UUID) -> Offer:
    link, asset = _asked(session, scope, link_id)
    return Offer(
        creator=session.get_one(Workspace, asset.workspace_id).name,
        client_name=link.client_name,
        platform=PLATFORM_NAMES[Platform(asset.platform)],
        body=asset.body,
        picture=asset.picture,
        scheduled_at=asset.scheduled_at,
        zone=zone_of(session, asset.workspace_id),
    )


@use_case(Permission.APPROVE_CONTENT)
def _decide(session: Session, scope: Scope, link_id: UUID, what: Decision, remark: str) -> None:
    link, asset = _asked(session, scope, link_id)
    link.used_at = datetime.now(UTC)
    drop(session, _KIND, [link.id])
    approving.decide_by_link(session, scope, asset, ClientAnswer(link.id, what, remark))


def _asked(session: Session, scope: Scope, link_id: UUID) -> tuple[ApprovalLink, ContentAsset]:
    """A waiting link and its text, both locked. Raises NotFound, and Conflict for another version or state."""
    link = _one_waiting(session, scope, link_id)
    asset = locked(session, scope, link.asset_id)
    if asset.version != link.version or AssetStatus(asset.status) not in approving.UNDECIDED:
        raise Conflict("approve.changed")
    return link, asset


def _one_waiting(session: Session, scope: Scope, link_id: UUID) -> ApprovalLink:
    found = session.scalars(
        select(ApprovalLink)
        .where(ApprovalLink.workspace_id == scope.workspace_id, ApprovalLink.id == link_id, *_waiting())
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound("approve.bad_link")
    return found


def _waiting() -> tuple[ColumnElement[bool], ...]:
    return ApprovalLink.used_at.is_(None), ApprovalLink.revoked_at.is_(None), ApprovalLink.expires_at > func.now()


def _of(asset: ContentAsset) -> ColumnElement[bool]:
    return (ApprovalLink.workspace_id == asset.workspace_id) & (ApprovalLink.asset_id == asset.id)
