"""Made-up creators to try the product with, put in through the same doors as anybody's data.

A Demo is a workspace of its own, marked as one: it goes away in one click, and takes no creator's place in the plan
(`core.billing.queries.creators_in` leaves it out), since nobody should pay with a place for having tried something.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.access import Permission, Role, Scope
from core.content import templates
from core.content.assets import AssetText, assets, save_asset
from core.content.briefs import Brief, Length, Task, Tone, Voice
from core.content.kinds import AssetType
from core.content.platforms import Platform
from core.content.service import save_voice, voice
from core.earnings.sample import statement_csv
from core.earnings.service import import_statement, imports
from core.errors import sentences
from core.identity.models import User
from core.insights.onboarding import Goal, Step, came_as
from core.settings import settings
from core.use_case import unscoped, use_case
from core.workspaces.models import Account, AccountKind, Workspace
from core.workspaces.service import create_workspace, edit_workspace, open_scope, skip_step
from core.workspaces.sign_up import sign_up

DAYS = 80
"""How far back the statements reach: past the whole month before this one, and within what the free plan shows."""
NAME = "Demo"


@dataclass(frozen=True, slots=True)
class _Creator:
    """An invented creator; `seed` decides every row of their statement."""

    name: str
    seed: int
    rows: int
    tone: Tone
    time_zone: str


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody who can sign in, with the creators whom they see; the first is the one that signing up makes."""

    email: str
    name: str
    who: str
    goal: Goal
    creators: tuple[_Creator, ...]


_PEOPLE = (
    _Person(
        "demo.creator@example.com",
        "Demo: Iris",
        "demo.who_creator",
        Goal.EARNINGS,
        (_Creator("Demo: Iris", 11, 900, Tone.WARM, "Europe/Paris"),),
    ),
    _Person(
        "demo.agency@example.com",
        "Demo: Nova",
        "demo.who_agency",
        Goal.TEAM,
        (
            _Creator("Demo: Luna", 21, 1_400, Tone.PLAYFUL, "America/New_York"),
            _Creator("Demo: Rio", 22, 500, Tone.BOLD, "America/Sao_Paulo"),
            _Creator("Demo: Sol", 23, 250, Tone.ELEGANT, "Europe/Lisbon"),
        ),
    ),
)
_TEXTS = ((Task.POST, "demo.about_post"), (Task.CAPTION, "demo.about_caption"), (Task.STORY, "demo.about_story"))


def add_to(scope: Scope, *, language: str = "en", time_zone: str = "UTC") -> UUID:
    """A Demo creator in the one account in view, with a statement, a voice and drafts. Returns its workspace's id.

    Asked again, it is the same one.
    """
    demo = _Creator(NAME, 1, 900, Tone.WARM, time_zone)
    scope.require(Permission.MANAGE_CREATORS)
    workspace_id = _workspace(_whole(open_scope(scope.user_id), scope.account_id), demo)
    _fill(open_scope(scope.user_id).narrowed_to(workspace_id), demo, language)
    return workspace_id


def _whole(held: Scope, account_id: UUID) -> Scope:
    """Of all that somebody holds, what is in one account: its Demo must be found whichever creator is looked at."""
    inside = {workspace_id for workspace_id, account in held.account_of.items() if account == account_id}
    return replace(
        held,
        roles={workspace_id: held.roles[workspace_id] for workspace_id in inside},
        account_of=dict.fromkeys(inside, account_id),
        account_roles={account_id: held.account_roles[account_id]},
    )


def seed() -> tuple[str, ...]:
    """The Demo people, their creators and all that these hold. Returns sentences on how to sign in.

    What is there stays as it is, so that a second run adds nothing and an interrupted one is taken up.
    """
    return tuple(_settle(person) for person in _PEOPLE)


def _settle(person: _Person) -> str:
    user_id = _found(person.email)
    chosen = settings().huntaze_demo_password
    password = chosen.get_secret_value() if chosen else secrets.token_urlsafe(12)
    key = "demo.there" if user_id else "demo.sign_in"
    if user_id is None:
        user_id = sign_up(person.email, password, person.name, "en", is_verified=True)
    _open_account(person, user_id)
    said = sentences()
    return said.text("en", key, email=person.email, who=said.text("en", person.who), password=password)


def _open_account(person: _Person, user_id: UUID) -> None:
    scope = open_scope(user_id)
    came_as(scope, is_agency=len(person.creators) > 1, goal=person.goal)
    _become(scope, person.creators[0].name)
    for creator in person.creators:
        workspace_id = _workspace(open_scope(user_id), creator)
        _fill(open_scope(user_id).narrowed_to(workspace_id), creator, "en")


@unscoped("looks for the Demo's own people, by addresses that are nobody's")
def _found(session: Session, email: str) -> UUID | None:
    return session.scalar(select(User.id).where(func.lower(User.email) == email, User.deleted_at.is_(None)))


@use_case(Permission.MANAGE_CREATORS)
def _become(session: Session, scope: Scope, name: str) -> None:
    """Make the workspace that signing up made the first Demo creator, unless there is one."""
    mine = session.scalars(select(Workspace).where(Workspace.account_id == scope.account_id)).all()
    if not any(workspace.is_demo for workspace in mine):
        for workspace in mine[:1]:
            workspace.is_demo, workspace.name = True, name


@use_case(Permission.MANAGE_CREATORS)
def _workspace(session: Session, scope: Scope, creator: _Creator) -> UUID:
    """The account's Demo of that name, made when there is none. Two who ask at once get the same one."""
    account = session.execute(select(Account).where(Account.id == scope.account_id).with_for_update()).scalar_one()
    there = session.scalar(
        select(Workspace.id).where(
            Workspace.account_id == account.id, Workspace.is_demo, Workspace.name == creator.name
        )
    )
    if there is not None:
        return there
    role = Role.MANAGER if account.kind == AccountKind.AGENCY else Role.CREATOR
    return create_workspace(
        session, account.id, scope.user_id, creator.name, role, time_zone=creator.time_zone, is_demo=True
    )


def _fill(scope: Scope, creator: _Creator, language: str) -> None:
    """Everything that a creator at work has; what is there already stays."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    if not imports(scope):
        import_statement(scope, _statement(creator, yesterday), "demo.csv")
    if voice(scope) is None:
        save_voice(scope, Voice(tone=creator.tone))
    if not assets(scope).total:
        for task, key in _TEXTS:
            _keep_draft(scope, creator, task, key, language)
    edit_workspace(scope, time_zone=creator.time_zone, platforms=[Platform.ONLYFANS, Platform.INSTAGRAM])
    skip_step(scope, Step.PROFILE)
    skip_step(scope, Step.PLAN)


def _statement(creator: _Creator, last: date) -> bytes:
    return statement_csv(creator.seed, creator.rows, last - timedelta(days=DAYS - 1), last, with_status=True)


def _keep_draft(scope: Scope, creator: _Creator, task: Task, key: str, language: str) -> None:
    about = sentences().text(language, key)
    brief = Brief(task, Platform.INSTAGRAM, creator.tone, language, Length.MEDIUM, about)
    text = templates.draft(brief, Voice(tone=creator.tone), creator.seed)
    save_asset(
        scope,
        AssetText.of(title="", body=text),
        type=AssetType(task),
        platform=brief.platform,
        language=language,
    )
