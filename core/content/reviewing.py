"""Texts that a person looks at before they go further: asked for, decided with a reason, and decided anew.

What a hard block stops cannot be allowed here either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.access import SYSTEM, Permission, Scope
from core.content.house_rules import own_list_in, rules_for
from core.content.kinds import Direction, ReviewStatus, Subject
from core.content.masking import Masked, masked
from core.content.models import ModerationReview
from core.content.moderation import OWN, Action, Finding, blocking
from core.content.platforms import PLATFORM_NAMES, Platform
from core.content.service import stop_if_blocked
from core.errors import BadInput, Conflict, NotFound, sentences
from core.text import unsafe_reason
from core.use_case import use_case

LONGEST_CHECKED = 20_000
LONGEST_REASON = 500
PAGE = 20


@dataclass(frozen=True, slots=True)
class Checked:
    """What the rules say of a text, and how it would be shown to a model. Nothing of it was kept."""

    findings: tuple[Finding, ...]
    masked: Masked
    rules_version: str

    @property
    def is_stopped(self) -> bool:
        return blocking(self.findings) is not None


@dataclass(frozen=True, slots=True)
class ReviewView:
    """One text in the queue. `decided_by` and `reason` are of the latest decision, empty while it is open."""

    id: UUID
    direction: Direction
    subject: Subject
    subject_id: UUID | None
    platform: Platform | None
    body: str
    findings: tuple[Finding, ...]
    rules_version: str
    status: ReviewStatus
    created_by: UUID | None
    created_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    reason: str

    @property
    def can_be_allowed(self) -> bool:
        return blocking(self.findings) is None


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """Some of the texts, and how many there are in all."""

    reviews: tuple[ReviewView, ...]
    total: int


def said(finding: Finding, language: str) -> str:
    """One sentence with the term, its category, the platform and the rule that it breaks."""
    words = sentences()
    name = "own_rule" if finding.is_own else "our_rule"
    place = PLATFORM_NAMES[finding.platform] if finding.platform else words.text(language, "moderation.everywhere")
    return words.text(
        language,
        f"moderation.said_{finding.action}",
        found=finding.found,
        term=finding.term,
        category=words.text(language, f"moderation.label_{finding.category}"),
        platform=place,
        rule=words.text(language, f"moderation.{name}", version=finding.version.removeprefix(OWN)),
    )


@use_case(Permission.WRITE_CONTENT)
def check_text(session: Session, scope: Scope, body: str, platform: Platform | None) -> Checked:
    """What would be found in a text, against the workspace's rules as they are now. Raises BadInput."""
    text, rules = _fit(body), rules_for(session, scope.workspace_id)
    return Checked(rules.moderate(text, platform), masked(text), rules.version)


@use_case(Permission.WRITE_CONTENT)
def ask_review(
    session: Session,
    scope: Scope,
    body: str,
    platform: Platform | None,
    *,
    subject: Subject = Subject.PASTED,
    subject_id: UUID | None = None,
    direction: Direction = Direction.OUT,
) -> UUID:
    """Put a text in the queue; one that waits there already stays the one. Returns its id. Raises BadInput."""
    rules = rules_for(session, scope.workspace_id)
    kept = _Kept(subject, subject_id, platform, direction)
    found = rules.moderate(body.strip(), platform)
    return _put(session, scope, _fit(body), kept, Checked(found, masked(body), rules.version))


def review_if_warned(
    session: Session, scope: Scope, body: str, findings: Sequence[Finding], *, subject: Subject, subject_id: UUID
) -> UUID | None:
    """Room: queue a text whose warnings are of a category that the workspace wants looked at. None: it is not."""
    wanted = own_list_in(session, scope.workspace_id)[0].reviewed
    if all(finding.category not in wanted for finding in findings):
        return None
    platform = next((one.platform for one in findings if one.platform), None)
    found = Checked(tuple(findings), masked(body), rules_for(session, scope.workspace_id).version)
    return _put(session, scope, body, _Kept(subject, subject_id, platform, Direction.OUT), found)


def is_stopped(session: Session, workspace_id: UUID, subject_id: UUID) -> bool:
    """Room: whether the latest review of a text waits for a person or was decided against it."""
    latest = session.scalars(
        select(ModerationReview.status)
        .where(ModerationReview.workspace_id == workspace_id, ModerationReview.subject_id == subject_id)
        .order_by(ModerationReview.created_at.desc(), ModerationReview.id.desc())
        .limit(1)
    ).one_or_none()
    return latest in (ReviewStatus.OPEN, ReviewStatus.STOPPED)


@use_case(Permission.WRITE_CONTENT)
def reviews(session: Session, scope: Scope, *, is_open: bool = True, page: int = 0) -> ReviewPage:
    """The texts that wait, the oldest first; or those decided, the latest first."""
    which = ModerationReview.status == ReviewStatus.OPEN
    wanted = select(ModerationReview).where(
        ModerationReview.workspace_id == scope.workspace_id, which if is_open else ~which
    )
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    order = (
        (ModerationReview.created_at, ModerationReview.id)
        if is_open
        else (ModerationReview.decided_at.desc(), ModerationReview.id.desc())
    )
    rows = session.scalars(wanted.order_by(*order).limit(PAGE).offset(max(0, page) * PAGE))
    return ReviewPage(tuple(_view(row) for row in rows), total)


@use_case(Permission.MODERATE)
def decide(session: Session, scope: Scope, review_id: UUID, *, allow: bool, reason: str) -> ReviewView:
    """Allow a text or stop it, with a reason that is kept.

    Raises ContentBlocked when a hard block stands in it by the rules as they are now, BadInput without a reason,
    Conflict for one that is decided already, and NotFound.
    """
    why = " ".join(reason.split())
    if not why or len(why) > LONGEST_REASON or unsafe_reason(why):
        raise BadInput("moderation.say_why", most=LONGEST_REASON)
    held = _locked(session, scope, review_id)
    if held.status != ReviewStatus.OPEN:
        raise Conflict("moderation.decided_already")
    if allow:
        platform = Platform(held.platform) if held.platform else None
        stop_if_blocked(held.body, platform, rules_for(session, scope.workspace_id))
    held.status = ReviewStatus.ALLOWED if allow else ReviewStatus.STOPPED
    held.decided_by, held.decided_at, held.reason = scope.user_id, datetime.now(UTC), why
    _note(session, scope, held, "moderation_decided", ReviewStatus.OPEN)
    return _view(held)


@use_case(Permission.MODERATE)
def reopen(session: Session, scope: Scope, review_id: UUID) -> ReviewView:
    """Take a decision back; the audit log keeps it. One that is open stays so. Raises NotFound."""
    held = _locked(session, scope, review_id)
    if held.status != ReviewStatus.OPEN:
        before = held.status
        held.status, held.decided_by, held.decided_at, held.reason = ReviewStatus.OPEN, None, None, ""
        _note(session, scope, held, "moderation_reopened", before)
    return _view(held)


@dataclass(frozen=True, slots=True)
class _Kept:
    subject: Subject
    subject_id: UUID | None
    platform: Platform | None
    direction: Direction


def _put(session: Session, scope: Scope, body: str, kept: _Kept, found: Checked) -> UUID:
    waiting = session.scalar(
        select(ModerationReview.id).where(
            ModerationReview.workspace_id == scope.workspace_id,
            ModerationReview.status == ReviewStatus.OPEN,
            ModerationReview.body == body,
            ModerationReview.subject_id == kept.subject_id
            if kept.subject_id
            else ModerationReview.subject_id.is_(None),
        )
    )
    if waiting is not None:
        return waiting
    row = ModerationReview(
        workspace_id=scope.workspace_id,
        direction=kept.direction,
        subject_kind=kept.subject,
        subject_id=kept.subject_id,
        platform=kept.platform,
        body=body,
        findings=[_as_json(one) for one in found.findings],
        rules_version=found.rules_version,
        created_by=None if scope.user_id == SYSTEM else scope.user_id,
    )
    session.add(row)
    session.flush()
    return row.id


def _fit(body: str) -> str:
    text = body.strip()
    if not text:
        raise BadInput("moderation.nothing_to_check")
    if len(text) > LONGEST_CHECKED or unsafe_reason(text):
        raise BadInput("moderation.bad_text", most=LONGEST_CHECKED)
    return text


def _locked(session: Session, scope: Scope, review_id: UUID) -> ModerationReview:
    found = session.get(ModerationReview, (scope.workspace_id, review_id), with_for_update=True)
    if found is None:
        raise NotFound("access.not_found")
    return found


def _note(session: Session, scope: Scope, held: ModerationReview, deed: str, before: str) -> None:
    audit.record(
        session,
        scope,
        deed,
        str(held.id),
        workspace_id=held.workspace_id,
        before={"status": before},
        after={"status": held.status, "subject": held.subject_kind},
        reason=held.reason,
    )


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "category": finding.category,
        "action": finding.action,
        "term": finding.term,
        "found": finding.found,
        "start": finding.start,
        "end": finding.end,
        "platform": finding.platform,
        "version": finding.version,
    }


def _finding(kept: dict[str, Any]) -> Finding:
    platform = Platform(kept["platform"]) if kept["platform"] else None
    return Finding(**{**kept, "action": Action(kept["action"]), "platform": platform})


def _view(row: ModerationReview) -> ReviewView:
    return ReviewView(
        id=row.id,
        direction=Direction(row.direction),
        subject=Subject(row.subject_kind),
        subject_id=row.subject_id,
        platform=Platform(row.platform) if row.platform else None,
        body=row.body,
        findings=tuple(_finding(one) for one in row.findings),
        rules_version=row.rules_version,
        status=ReviewStatus(row.status),
        created_by=row.created_by,
        created_at=row.created_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
    )
