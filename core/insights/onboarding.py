"""How far somebody has come: told by their data, never by a tick."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing.models import SubscriptionRecord
from core.content.kinds import GenerationStatus
from core.content.models import ContentAsset, Generation, VoiceRecord
from core.earnings.models import Import
from core.use_case import use_case
from core.workspaces.models import Account, AccountKind, Workspace
from core.workspaces.service import edit_account


class Step(StrEnum):
    """The steps in their order. A name on a screen is `onboarding.step_<value>`."""

    ROLE = "role"
    PROFILE = "profile"
    PLATFORMS = "platforms"
    VOICE = "voice"
    PLAN = "plan"
    FIRST_RESULT = "first_result"


OF_OWNERS = frozenset({Step.ROLE, Step.PLAN})
"""Steps about the account; whoever does not own it is not asked."""


class State(StrEnum):
    DONE = "done"
    SKIPPED = "skipped"
    OPEN = "open"


class Goal(StrEnum):
    """What somebody came for. A name on a screen is `onboarding.goal_<value>`."""

    EARNINGS = "earnings"
    CONTENT = "content"
    TEAM = "team"


class Milestone(StrEnum):
    """What follows onboarding. A name on a screen is `onboarding.milestone_<value>`."""

    FIRST_IMPORT = "first_import"
    FIRST_DRAFT = "first_draft"


DEFAULT_TIME_ZONE = "UTC"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the data of one creator, and of the account that pays, say."""

    goal: str | None
    time_zone: str
    has_platforms: bool
    has_voice: bool
    has_subscription: bool
    has_import: bool
    has_draft: bool
    skipped: frozenset[str]
    owns: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Each step with its state, in order, and the milestones with whether they are reached."""

    steps: Mapping[Step, State]
    checklist: Mapping[Milestone, bool]

    @property
    def next(self) -> Step | None:
        """The first step that is neither done nor skipped."""
        return next((step for step, state in self.steps.items() if state is State.OPEN), None)

    @property
    def is_over(self) -> bool:
        return self.next is None

    @property
    def settled(self) -> int:
        """How many steps are done or skipped."""
        return sum(state is not State.OPEN for state in self.steps.values())


def judged(facts: Facts) -> Progress:
    """Pure. A profile counts as done once a time zone was chosen: with the default one, days begin at the wrong hour.

    Whoever does live in UTC, or stays on the free plan, passes the step over; it then counts as skipped.
    """
    done = {
        Step.ROLE: facts.goal is not None,
        Step.PROFILE: facts.time_zone != DEFAULT_TIME_ZONE,
        Step.PLATFORMS: facts.has_platforms or facts.has_import,
        Step.VOICE: facts.has_voice,
        Step.PLAN: facts.has_subscription,
        Step.FIRST_RESULT: facts.has_import or facts.has_draft,
    }
    states = {
        step: State.DONE if done[step] else State.SKIPPED if step in facts.skipped else State.OPEN
        for step in Step
        if facts.owns or step not in OF_OWNERS
    }
    return Progress(states, {Milestone.FIRST_IMPORT: facts.has_import, Milestone.FIRST_DRAFT: facts.has_draft})


@use_case(Permission.VIEW_WORKSPACE)
def progress(session: Session, scope: Scope) -> Progress:
    """How far the one creator in view has come. One query."""
    mine = scope.workspace_id
    drafted = exists().where(Generation.workspace_id == mine, Generation.status == GenerationStatus.DONE)
    kept = exists().where(ContentAsset.workspace_id == mine)
    row = session.execute(
        select(
            Account.goal,
            Workspace.time_zone,
            Workspace.platforms,
            Workspace.skipped_steps,
            exists().where(VoiceRecord.workspace_id == mine).label("has_voice"),
            exists().where(SubscriptionRecord.account_id == Account.id).label("has_subscription"),
            exists().where(Import.workspace_id == mine, Import.undone_at.is_(None)).label("has_import"),
            (drafted | kept).label("has_draft"),
        )
        .join(Account, Account.id == Workspace.account_id)
        .where(Workspace.id == mine)
    ).one()
    return judged(
        Facts(
            goal=row.goal,
            time_zone=row.time_zone,
            has_platforms=bool(row.platforms),
            has_voice=row.has_voice,
            has_subscription=row.has_subscription,
            has_import=row.has_import,
            has_draft=row.has_draft,
            skipped=frozenset(row.skipped_steps),
            owns=scope.may(Permission.MANAGE_CREATORS),
        )
    )


def came_as(scope: Scope, *, is_agency: bool, goal: Goal) -> None:
    """Remember who the account's owner is, and what they came for."""
    edit_account(scope, kind=AccountKind.AGENCY if is_agency else AccountKind.CREATOR, goal=goal)
