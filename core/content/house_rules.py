"""Each workspace's own list, version by version, and the rules that its texts are held against."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.access import Permission, Scope
from core.content.models import ModerationList
from core.content.moderation import Rules
from core.content.own_lists import OwnList, with_own
from core.errors import BadInput, Conflict, NotFound
from core.text import unsafe_reason
from core.use_case import use_case
from core.workspaces.models import Workspace

LONGEST_NOTE = 200
MOST_SHOWN = 50
"""Versions of the history that are looked through; older ones are kept."""


@dataclass(frozen=True, slots=True)
class ListVersion:
    """One version of a workspace's list. `added` and `removed` are its terms and phrases against the one before."""

    version: int
    list: OwnList
    note: str
    created_by: UUID
    created_at: datetime
    added: tuple[str, ...]
    removed: tuple[str, ...]


def rules_for(session: Session, workspace_id: UUID) -> Rules:
    """Room: the rules of a workspace in view: the product's lists and the latest of its own."""
    return with_own(*own_list_in(session, workspace_id))


def own_list_in(session: Session, workspace_id: UUID) -> tuple[OwnList, int]:
    """Room: the list of a workspace in view and its version, as `own_list` gives it."""
    latest = _latest(session, workspace_id)
    return (OwnList.model_validate(latest.rules), latest.version) if latest else (OwnList(), 0)


@use_case(Permission.WRITE_CONTENT)
def current_rules(session: Session, scope: Scope) -> Rules:
    """The rules of the workspace in view, for showing what a text would break while it is written."""
    return rules_for(session, scope.workspace_id)


@use_case(Permission.WRITE_CONTENT)
def own_list(session: Session, scope: Scope) -> tuple[OwnList, int]:
    """The workspace's own list and its version; an empty one of version 0 as long as none was saved."""
    return own_list_in(session, scope.workspace_id)


@use_case(Permission.WRITE_CONTENT)
def list_versions(session: Session, scope: Scope) -> tuple[ListVersion, ...]:
    """The latest MOST_SHOWN versions, the latest first, each with what it changed."""
    rows = session.scalars(
        select(ModerationList)
        .where(ModerationList.workspace_id == scope.workspace_id)
        .order_by(ModerationList.version.desc())
        .limit(MOST_SHOWN + 1)
    ).all()
    lists = [OwnList.model_validate(row.rules) for row in rows]
    before = [*lists[1:], OwnList()]
    shown = zip(rows[:MOST_SHOWN], lists, before, strict=False)
    return tuple(
        ListVersion(row.version, now, row.note, row.created_by, row.created_at, *changed(earlier, now))
        for row, now, earlier in shown
    )


@use_case(Permission.MODERATE)
def save_list(session: Session, scope: Scope, new: OwnList, *, version: int, note: str = "") -> int:
    """Keep a list as the next version; `OwnList.of` makes one. `version` is the one that was being changed.

    Returns the new version, or `version` itself when nothing differs. Raises Conflict when somebody saved another one
    meanwhile, and BadInput for a note that cannot be kept.
    """
    return _save(session, scope, new, version, note)


@use_case(Permission.MODERATE)
def make_current_again(session: Session, scope: Scope, again: int, *, version: int, note: str = "") -> int:
    """Save an earlier version's list as the next one: the history stays whole. Raises NotFound, Conflict."""
    found = session.get(ModerationList, (scope.workspace_id, again))
    if found is None:
        raise NotFound("access.not_found")
    return _save(session, scope, OwnList.model_validate(found.rules), version, note)


def changed(before: OwnList, after: OwnList) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What one list has and the other has not: added, removed. A term that does another thing is both."""
    old, new = _spelled(before), _spelled(after)
    return tuple(one for one in new if one not in old), tuple(one for one in old if one not in new)


def _save(session: Session, scope: Scope, new: OwnList, version: int, note: str) -> int:
    said = " ".join(note.split())
    if len(said) > LONGEST_NOTE or unsafe_reason(said):
        raise BadInput("moderation.bad_note", most=LONGEST_NOTE)
    # The workspace's row is held, so that of two who save at once the second is told.
    session.execute(select(Workspace.id).where(Workspace.id == scope.workspace_id).with_for_update(key_share=True))
    held, held_version = own_list_in(session, scope.workspace_id)
    if held_version != version:
        raise Conflict("moderation.list_changed")
    if new == held:
        return version
    session.add(
        ModerationList(
            workspace_id=scope.workspace_id,
            version=version + 1,
            rules=new.model_dump(mode="json"),
            note=said,
            created_by=scope.user_id,
        )
    )
    session.flush()
    audit.record(
        session,
        scope,
        "moderation_list_saved",
        str(version + 1),
        workspace_id=scope.workspace_id,
        before={"terms": len(held.terms), "allowed": len(held.allowed)},
        after={"terms": len(new.terms), "allowed": len(new.allowed)},
        reason=said,
    )
    return version + 1


def _latest(session: Session, workspace_id: UUID) -> ModerationList | None:
    return session.scalars(
        select(ModerationList)
        .where(ModerationList.workspace_id == workspace_id)
        .order_by(ModerationList.version.desc())
        .limit(1)
    ).one_or_none()


def _spelled(one: OwnList) -> Sequence[str]:
    """Each term with what it does, and each phrase, as a line that can be compared."""
    terms = [" · ".join((term.term, term.category, term.action, *sorted(term.platforms))) for term in one.terms]
    return [*terms, *(f"≠ {phrase}" for phrase in one.allowed), *(f"→ {name}" for name in one.reviewed)]
