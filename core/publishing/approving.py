"""Who approves a text, and how many must. Decisions hold for one version and never for the next."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.audit import record
from core.content.kinds import AssetStatus
from core.content.models import ContentAsset, ContentAssetVersion
from core.content.reviewing import is_stopped
from core.errors import BadInput, Conflict, NotAllowed
from core.identity.models import User
from core.publishing.models import ApprovalLink, ApprovalRule, AssetDecision
from core.publishing.texts import locked, move, note, require, require_version, unlocked
from core.text import unsafe_reason
from core.use_case import use_case

MOST_APPROVALS = 5
LONGEST_NOTE = 1_000
UNDECIDED = (AssetStatus.IN_REVIEW, AssetStatus.APPROVED, AssetStatus.SCHEDULED)
"""From these somebody can still ask for changes."""


class Decision(StrEnum):
    APPROVED = "approved"
    CHANGES_ASKED = "changes_asked"


@dataclass(frozen=True, slots=True)
class Rule:
    """How many people must approve a version before it can be scheduled, and whether who saved it counts."""

    approvals: int = 1
    author_may_approve: bool = True


@dataclass(frozen=True, slots=True)
class DecisionView:
    """One decision. `name` is the member's, or the client's as it was given to their link."""

    version: int
    decision: Decision
    name: str
    by_link: bool
    note: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a version is: `approvals` by distinct people of the `needed`, and whether somebody asks for changes."""

    approvals: int
    needed: int
    changes_asked: bool

    @property
    def is_approved(self) -> bool:
        return self.approvals >= self.needed and not self.changes_asked


@use_case(Permission.WRITE_CONTENT)
def rule(session: Session, scope: Scope) -> Rule:
    return rule_in(session, scope.workspace_id)


def rule_in(session: Session, workspace_id: UUID) -> Rule:
    """Room: the rule of a workspace, one approval by anybody as long as none was saved."""
    kept = session.get(ApprovalRule, workspace_id, populate_existing=True)
    return Rule(kept.approvals, kept.author_may_approve) if kept else Rule()


@use_case(Permission.EDIT_WORKSPACE)
def save_rule(session: Session, scope: Scope, new: Rule) -> None:
    """Keep the rule. It holds from now on, also for what is approved and not yet scheduled. Raises BadInput."""
    if not 0 <= new.approvals <= MOST_APPROVALS:
        raise BadInput("publishing.bad_rule", most=MOST_APPROVALS)
    before = rule_in(session, scope.workspace_id)
    values = {
        "approvals": new.approvals,
        "author_may_approve": new.author_may_approve,
        "updated_by": scope.user_id,
        "updated_at": func.now(),
    }
    statement = insert(ApprovalRule).values(workspace_id=scope.workspace_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["workspace_id"], set_=values))
    told = [{"approvals": one.approvals, "author_may_approve": one.author_may_approve} for one in (before, new)]
    record(session, scope, "approval_rule_changed", workspace_id=scope.workspace_id, before=told[0], after=told[1])


@use_case(Permission.APPROVE_CONTENT)
def approve(session: Session, scope: Scope, asset_id: UUID, *, version: int, remark: str = "") -> AssetStatus:
    """Approve one version in review. Twice by one person is once. Returns the state that the text is in then.

    Raises NotFound; Conflict from another state or for another version; NotAllowed for whoever saved this version
    where the rule wants somebody else; BadInput for a remark that cannot be kept.
    """
    asset = locked(session, scope, asset_id)
    require(asset, "approve", (AssetStatus.IN_REVIEW,))
    require_version(asset, version)
    if not rule_in(session, asset.workspace_id).author_may_approve and scope.user_id == author_of(session, asset):
        raise NotAllowed("publishing.own_text")
    _decide(session, asset, Decision.APPROVED, checked_note(remark), user_id=scope.user_id)
    note(session, scope, asset, "text_approval_given")
    return settle(session, scope, asset)


@use_case(Permission.APPROVE_CONTENT)
def ask_changes(session: Session, scope: Scope, asset_id: UUID, *, version: int, remark: str) -> AssetStatus:
    """Send a text back to draft and say why. Approved and scheduled ones come back too.

    Raises NotFound, Conflict as `approve` does, and BadInput without a remark.
    """
    asset = locked(session, scope, asset_id)
    require(asset, "ask_changes", UNDECIDED)
    require_version(asset, version)
    wish = checked_note(remark)
    if not wish:
        raise BadInput("publishing.say_what")
    _decide(session, asset, Decision.CHANGES_ASKED, wish, user_id=scope.user_id)
    move(session, scope, asset, AssetStatus.DRAFT, "text_changes_asked")
    return AssetStatus.DRAFT


@use_case(Permission.WRITE_CONTENT)
def decisions(session: Session, scope: Scope, asset_id: UUID) -> tuple[DecisionView, ...]:
    """Everything that was decided about a text, of every version, the latest first."""
    found = session.execute(
        select(AssetDecision, User.display_name, ApprovalLink.client_name)
        .outerjoin(User, User.id == AssetDecision.user_id)
        .outerjoin(
            ApprovalLink,
            (ApprovalLink.workspace_id == AssetDecision.workspace_id) & (ApprovalLink.id == AssetDecision.link_id),
        )
        .where(AssetDecision.workspace_id == scope.workspace_id, AssetDecision.asset_id == asset_id)
        .order_by(AssetDecision.decided_at.desc(), AssetDecision.id.desc())
    )
    return tuple(
        DecisionView(
            version=one.version,
            decision=Decision(one.decision),
            name=member or client or "",
            by_link=one.link_id is not None,
            note=one.note,
            decided_at=one.decided_at,
        )
        for one, member, client in found
    )


@use_case(Permission.WRITE_CONTENT)
def standing_of(session: Session, scope: Scope, asset_id: UUID) -> Standing:
    """How far the current version of a text is. Raises NotFound."""
    return standing(session, unlocked(session, scope, asset_id))


def standing(session: Session, asset: ContentAsset) -> Standing:
    """Room: what people last decided about the current version.

    Clients count as one person however many links there were: a name given to a link is nobody's proof.
    """
    now = rule_in(session, asset.workspace_id)
    found = session.execute(
        select(AssetDecision.user_id, AssetDecision.decision)
        .where(
            AssetDecision.workspace_id == asset.workspace_id,
            AssetDecision.asset_id == asset.id,
            AssetDecision.version == asset.version,
        )
        .order_by(AssetDecision.decided_at, AssetDecision.id)
    )
    last = {one.user_id: one.decision for one in found}
    asked = Decision.CHANGES_ASKED in last.values()
    author = None if now.author_may_approve else author_of(session, asset)
    if author is not None:
        last.pop(author, None)
    return Standing(sum(1 for one in last.values() if one == Decision.APPROVED), now.approvals, asked)


def is_approved(session: Session, asset: ContentAsset) -> bool:
    return standing(session, asset).is_approved


def require_approved(session: Session, asset: ContentAsset) -> None:
    """Raises Conflict where the rule has come to want more than the text got, and while a review holds it."""
    now = standing(session, asset)
    if not now.is_approved:
        raise Conflict("publishing.rule_wants_more", needed=now.needed, approvals=now.approvals)
    if is_stopped(session, asset.workspace_id, asset.id):
        raise Conflict("publishing.held_by_review")


def author_of(session: Session, asset: ContentAsset) -> UUID | None:
    """Room: who saved the current version."""
    return session.scalar(
        select(ContentAssetVersion.saved_by).where(
            ContentAssetVersion.workspace_id == asset.workspace_id,
            ContentAssetVersion.asset_id == asset.id,
            ContentAssetVersion.version == asset.version,
        )
    )


def settle(session: Session, scope: Scope, asset: ContentAsset) -> AssetStatus:
    """Room: a text in review that has what the rule wants is approved. Returns its state."""
    if asset.status == AssetStatus.IN_REVIEW and is_approved(session, asset):
        move(session, scope, asset, AssetStatus.APPROVED, "text_approved")
    return AssetStatus(asset.status)


@dataclass(frozen=True, slots=True)
class ClientAnswer:
    """What a client said through a link."""

    link_id: UUID
    decision: Decision
    remark: str


def decide_by_link(session: Session, scope: Scope, asset: ContentAsset, answer: ClientAnswer) -> None:
    """Room: what a client decided about the current version; the caller has locked the text and checked the link."""
    _decide(session, asset, answer.decision, answer.remark, link_id=answer.link_id)
    if answer.decision is Decision.CHANGES_ASKED:
        move(session, scope, asset, AssetStatus.DRAFT, "client_changes_asked", link=answer.link_id)
        return
    note(session, scope, asset, "client_approval_given", link=answer.link_id)
    settle(session, scope, asset)


def checked_note(text: str) -> str:
    """A note as it is kept. Raises BadInput."""
    if len(text) > LONGEST_NOTE or unsafe_reason(text):
        raise BadInput("publishing.bad_note", most=LONGEST_NOTE)
    return text.strip()


def _decide(
    session: Session,
    asset: ContentAsset,
    what: Decision,
    remark: str,
    *,
    user_id: UUID | None = None,
    link_id: UUID | None = None,
) -> None:
    """The latest of a person counts, so a decision that says nothing new is not written again."""
    if user_id is not None:
        last = session.execute(
            select(AssetDecision.decision, AssetDecision.note)
            .where(
                AssetDecision.workspace_id == asset.workspace_id,
                AssetDecision.asset_id == asset.id,
                AssetDecision.version == asset.version,
                AssetDecision.user_id == user_id,
            )
            .order_by(AssetDecision.decided_at.desc(), AssetDecision.id.desc())
            .limit(1)
        ).one_or_none()
        if last is not None and tuple(last) == (what, remark):
            return
    session.add(
        AssetDecision(
            workspace_id=asset.workspace_id,
            asset_id=asset.id,
            version=asset.version,
            decision=what,
            note=remark,
            user_id=user_id,
            link_id=link_id,
            decided_at=func.clock_timestamp(),
        )
    )
    session.flush()
