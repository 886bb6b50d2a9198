"""Whom staff look for: accounts and users, what they pay and who belongs to what. No row of a creator's is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.access import AccountRole, Permission, Scope
from core.billing.grants import Grant, running, view
from core.billing.plans import Entitlement
from core.billing.service import entitlement_of
from core.identity.models import User, WebSession
from core.text import unsafe_reason
from core.use_case import use_case
from core.workspaces.models import Account, AccountKind, AccountMember, Workspace

PAGE = 20


@dataclass(frozen=True, slots=True)
class Member:
    """A person's part in an account."""

    user_id: UUID
    name: str
    email: str
    role: AccountRole


@dataclass(frozen=True, slots=True)
class Creator:
    """A workspace by its name only."""

    workspace_id: UUID
    name: str
    is_demo: bool


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """An account as staff see it. `grants` are the plans given to it that still run."""

    id: UUID
    name: str
    kind: AccountKind
    created_at: datetime
    entitlement: Entitlement
    grants: tuple[Grant, ...]
    members: tuple[Member, ...]
    creators: tuple[Creator, ...]

    @property
    def creators_count(self) -> int:
        """Demo aside, as the plan counts them."""
        return sum(not one.is_demo for one in self.creators)


@dataclass(frozen=True, slots=True)
class FoundUser:
    """A person as staff see them. `accounts` are the names of the accounts that they are in, by id."""

    id: UUID
    name: str
    email: str
    is_staff: bool
    created_at: datetime
    verified_at: datetime | None
    disabled_at: datetime | None
    deleted_at: datetime | None
    last_seen_at: datetime | None
    accounts: Mapping[UUID, str]


@dataclass(frozen=True, slots=True)
class Accounts:
    """A page of accounts, the newest first. `more` is the id to ask for the next page with, None on the last one."""

    accounts: tuple[FoundAccount, ...]
    more: UUID | None


@dataclass(frozen=True, slots=True)
class Users:
    """A page of users, the newest first; `more` as in `Accounts`."""

    users: tuple[FoundUser, ...]
    more: UUID | None


@use_case(Permission.FIND_PEOPLE)
def find_accounts(session: Session, _scope: Scope, text: str = "", *, after: UUID | None = None) -> Accounts:
    """Accounts whose name or id, creator's name, or member's name or e-mail fits; all of them for an empty text.

    A name or an e-mail fits where it contains the text, an id where it begins with it, in whatever case.
    """
    if unsafe_reason(text):
        return Accounts((), None)
    text = text.strip()
    of_member = (
        select(AccountMember.account_id)
        .join(User, User.id == AccountMember.user_id)
        .where(or_(_contains(User.display_name, text), _contains(User.email, text), _begins(User.id, text)))
    )
    of_creator = select(Workspace.account_id).where(or_(_contains(Workspace.name, text), _begins(Workspace.id, text)))
    fits = or_(
        _contains(Account.name, text), _begins(Account.id, text), Account.id.in_(of_member), Account.id.in_(of_creator)
    )
    page = select(Account).where(fits, *_older(Account.id, after)).order_by(Account.id.desc()).limit(PAGE + 1)
    found = session.scalars(page).all()
    shown = found[:PAGE]
    members, creators = _members(session, shown), _creators(session, shown)
    return Accounts(
        tuple(_account(session, one, members, creators) for one in shown), shown[-1].id if len(found) > PAGE else None
    )


@use_case(Permission.FIND_PEOPLE)
def find_users(session: Session, _scope: Scope, text: str = "", *, after: UUID | None = None) -> Users:
    """Users whose name, e-mail or id fits, as in `find_accounts`."""
    if unsafe_reason(text):
        return Users((), None)
    text = text.strip()
    fits = or_(_contains(User.display_name, text), _contains(User.email, text), _begins(User.id, text))
    seen = select(func.max(WebSession.last_seen_at)).where(WebSession.user_id == User.id).scalar_subquery()
    page = select(User, seen).where(fits, *_older(User.id, after)).order_by(User.id.desc()).limit(PAGE + 1)
    found = session.execute(page).all()
    shown = found[:PAGE]
    accounts = _accounts_of(session, [user.id for user, _ in shown])
    return Users(
        tuple(_found_user(user, seen_at, accounts.get(user.id, {})) for user, seen_at in shown),
        shown[-1][0].id if len(found) > PAGE else None,
    )


def _contains(column: InstrumentedAttribute[str], text: str) -> ColumnElement[bool]:
    return column.icontains(text, autoescape=True)


def _begins(column: InstrumentedAttribute[UUID], text: str) -> ColumnElement[bool]:
    return cast(column, Text).istartswith(text, autoescape=True)


def _older(column: InstrumentedAttribute[UUID], after: UUID | None) -> tuple[ColumnElement[bool], ...]:
    """Ids are UUIDv7: their order is that of time."""
    return () if after is None else (column < after,)


def _members(session: Session, accounts: Sequence[Account]) -> dict[UUID, list[Member]]:
    found = session.execute(
        select(AccountMember.account_id, AccountMember.role, User.id, User.display_name, User.email)
        .join(User, User.id == AccountMember.user_id)
        .where(AccountMember.account_id.in_([one.id for one in accounts]))
        .order_by(AccountMember.role.desc(), User.display_name, User.id)
    )
    members: dict[UUID, list[Member]] = {}
    for account_id, role, user_id, name, email in found:
        members.setdefault(account_id, []).append(Member(user_id, name, email, AccountRole(role)))
    return members


def _creators(session: Session, accounts: Sequence[Account]) -> dict[UUID, list[Creator]]:
    found = session.execute(
        select(Workspace.account_id, Workspace.id, Workspace.name, Workspace.is_demo)
        .where(Workspace.account_id.in_([one.id for one in accounts]))
        .order_by(Workspace.is_demo, Workspace.name, Workspace.id)
    )
    creators: dict[UUID, list[Creator]] = {}
    for account_id, workspace_id, name, is_demo in found:
        creators.setdefault(account_id, []).append(Creator(workspace_id, name, is_demo))
    return creators


def _accounts_of(session: Session, user_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, str]]:
    found = session.execute(
        select(AccountMember.user_id, Account.id, Account.name)
        .join(Account, Account.id == AccountMember.account_id)
        .where(AccountMember.user_id.in_(user_ids))
        .order_by(Account.name, Account.id)
    )
    accounts: dict[UUID, dict[UUID, str]] = {}
    for user_id, account_id, name in found:
        accounts.setdefault(user_id, {})[account_id] = name
    return accounts


def _account(
    session: Session, one: Account, members: Mapping[UUID, list[Member]], creators: Mapping[UUID, list[Creator]]
) -> FoundAccount:
    return FoundAccount(
        one.id,
        one.name,
        AccountKind(one.kind),
        one.created_at,
        entitlement_of(session, one.id),
        tuple(view(given) for given in running(session, one.id)),
        tuple(members.get(one.id, ())),
        tuple(creators.get(one.id, ())),
    )


def _found_user(user: User, seen_at: datetime | None, accounts: Mapping[UUID, str]) -> FoundUser:
    return FoundUser(
        user.id,
        user.display_name,
        user.email,
        user.is_staff,
        user.created_at,
        user.email_verified_at,
        user.disabled_at,
        user.deleted_at,
        seen_at,
        accounts,
    )
