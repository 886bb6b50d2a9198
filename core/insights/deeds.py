"""The record of deeds with names beside the ids: an account's for its owners, staff's own for staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session, aliased

from core.access import Permission, Scope
from core.audit import AuditEntry
from core.identity.models import User, WebSession
from core.use_case import use_case
from core.workspaces.models import Account, ApiKey, Workspace

PAGE = 50


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did what, through what, on what. `deed` names the sentence `audit.<deed>`.

    `who` is None for the product itself. `agent` is the browser that the deed came through, as it names itself, `key`
    the name of the API key; each as long as it is known. `creator` names the workspace concerned, `account` the
    account; `before` and `after` say what changed.
    """

    id: UUID
    at: datetime
    who: str | None
    by_staff: bool
    agent: str | None
    key: str | None
    deed: str
    subject: str
    account: str | None
    creator: str | None
    before: Mapping[str, object]
    after: Mapping[str, object]
    reason: str


@dataclass(frozen=True, slots=True)
class Deeds:
    """A page, the newest first. `more` is the id to ask for the next page with, None on the last one."""

    deeds: tuple[Deed, ...]
    more: UUID | None


@use_case(Permission.VIEW_AUDIT)
def deeds(session: Session, scope: Scope, *, after: UUID | None = None) -> Deeds:
    """What was done in the one account in view, by whomever."""
    return _page(session, AuditEntry.account_id == scope.account_id, after)


@use_case(Permission.SEE_OPERATIONS)
def staff_deeds(session: Session, _scope: Scope, *, after: UUID | None = None) -> Deeds:
    """What the members of staff of today did, in whatever account."""
    return _page(session, AuditEntry.user_id.in_(select(User.id).where(User.is_staff)), after)


def _page(session: Session, which: ColumnElement[bool], after: UUID | None) -> Deeds:
    """Paged by id: several entries of one transaction share their instant, and UUIDv7 keeps the order of time."""
    who = aliased(User)
    question = (
        select(
            AuditEntry,
            who.display_name,
            who.is_staff,
            WebSession.agent,
            ApiKey.name,
            Account.name,
            Workspace.name,
        )
        .outerjoin(who, who.id == AuditEntry.user_id)
        .outerjoin(WebSession, WebSession.id == AuditEntry.session_id)
        .outerjoin(ApiKey, ApiKey.id == AuditEntry.api_key_id)
        .outerjoin(Account, Account.id == AuditEntry.account_id)
        .outerjoin(Workspace, Workspace.id == AuditEntry.workspace_id)
        .where(which, *(() if after is None else (AuditEntry.id < after,)))
        .order_by(AuditEntry.id.desc())
        .limit(PAGE + 1)
    )
    found = session.execute(question).all()
    shown = [_deed(row) for row in found[:PAGE]]
    return Deeds(tuple(shown), shown[-1].id if len(found) > PAGE else None)


def _deed(row: Row[AuditEntry, str, bool, str, str, str, str]) -> Deed:
    entry, who, is_staff, agent, key, account, creator = row
    return Deed(
        entry.id,
        entry.at,
        who,
        bool(is_staff),
        agent,
        key,
        entry.deed,
        entry.subject,
        account,
        creator,
        entry.before or {},
        entry.after or {},
        entry.reason,
    )
