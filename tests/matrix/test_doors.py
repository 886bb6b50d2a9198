"""Role × door: who gets past each door of core, before it looks at anything. A new permission without a row fails."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import walk_packages
from uuid import uuid4

import pytest
from sqlalchemy import Connection

import core
from core.access import AccountRole, Permission, Role, Scope
from core.errors import NotAllowed
from core.use_case import DOORS, Door
from tests.people import make_person

P = Permission
NOBODY, STAFF, VISITOR, ACTING = "nobody", "staff", "staff visiting", "staff acting"
CREATOR, MANAGER, ANALYST, OWNER = "creator", "manager", "analyst", "owner of an account without creators"
READERS = {CREATOR, MANAGER, ANALYST, VISITOR, ACTING}
WRITERS = {CREATOR, MANAGER, ACTING}
OWNERS = {CREATOR, OWNER}
STAFFS = {STAFF, VISITOR, ACTING}
EVERYBODY = {NOBODY, CREATOR, MANAGER, ANALYST, OWNER, *STAFFS}

# Spelled out here and not read from core.access, so that a change there has to be meant twice.
MAY: dict[Permission, set[str]] = {
    P.OWN_PROFILE: EVERYBODY,
    P.VIEW_WORKSPACE: READERS,
    P.VIEW_ANALYTICS: READERS,
    P.VIEW_PLAN: READERS,
    P.EDIT_WORKSPACE: WRITERS,
    P.IMPORT_EARNINGS: WRITERS,
    P.WRITE_CONTENT: WRITERS,
    P.APPROVE_CONTENT: WRITERS,
    P.MODERATE: WRITERS,
    P.SEE_AI_COSTS: WRITERS,
    P.LEAVE_ACCOUNT: {CREATOR},
    P.MANAGE_BILLING: OWNERS,
    P.MANAGE_CREATORS: OWNERS,
    P.MANAGE_TEAM: OWNERS,
    P.MANAGE_API_KEYS: OWNERS,
    P.VIEW_AUDIT: OWNERS,
    P.FIND_PEOPLE: STAFFS,
    P.VISIT_WORKSPACE: STAFFS,
    P.DISABLE_USER: STAFFS,
    P.GRANT_PLAN: STAFFS,
    P.MANAGE_SUBSCRIPTIONS: STAFFS,
    P.SEE_REVENUE: STAFFS,
    P.SEE_OPERATIONS: STAFFS,
}


def _one(role: Role, account_role: AccountRole, *, is_staff: bool = False) -> Callable[[], Scope]:
    """A scope with one workspace in view, of a person of its own."""

    def make() -> Scope:
        made = make_person(f"P{uuid4().hex}", Role.CREATOR)
        workspace_id, account_id = made.workspace_id, made.account_id
        held = {account_id: account_role}
        return Scope(made.user_id, {workspace_id: role}, {workspace_id: account_id}, held, is_staff)

    return make


def _owner() -> Scope:
    made = make_person(f"P{uuid4().hex}", Role.MANAGER, creators=0)
    return Scope(made.user_id, {}, {}, {made.account_id: AccountRole.OWNER})


def _alone(*, is_staff: bool) -> Scope:
    return Scope(make_person(f"P{uuid4().hex}", Role.ADMIN).user_id, {}, {}, {}, is_staff)


WHO: dict[str, Callable[[], Scope]] = {
    NOBODY: lambda: _alone(is_staff=False),
    CREATOR: _one(Role.CREATOR, AccountRole.OWNER),
    MANAGER: _one(Role.MANAGER, AccountRole.MEMBER),
    ANALYST: _one(Role.ANALYST, AccountRole.MEMBER),
    OWNER: _owner,
    STAFF: lambda: _alone(is_staff=True),
    VISITOR: _one(Role.ADMIN, AccountRole.MEMBER, is_staff=True),
    ACTING: _one(Role.ADMIN_ACTING, AccountRole.MEMBER, is_staff=True),
}


def _doors() -> list[Door]:
    for module in walk_packages(core.__path__, "core."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    return [door for door in DOORS.values() if door.name.startswith("core.") and door.permission is not None]


def _function(door: Door) -> Callable[..., object]:
    module, _, name = door.name.rpartition(".")
    found: Callable[..., object] = getattr(import_module(module), name)
    return found


def _is_let_in(door: Door, scope: Scope) -> bool:
    """Called without arguments: a door refuses before it misses them."""
    try:
        _function(door)(scope)
    except NotAllowed as refusal:
        return refusal.code != "access.not_allowed"
    except Exception:
        return True
    return True


def test_every_permission_has_a_row_and_every_role_a_column() -> None:
    assert set(MAY) == set(Permission)
    assert set(WHO) == EVERYBODY


@pytest.mark.parametrize("who", WHO)
def test_each_door_lets_in_whom_it_should(database: Connection, who: str) -> None:
    doors = _doors()
    assert len(doors) > 80
    scope = WHO[who]()
    let_in = {door.name for door in doors if _is_let_in(door, scope)}
    should = {door.name for door in doors if door.permission and who in MAY[door.permission]}
    assert let_in == should


def test_a_door_open_to_nobody_in_particular_says_why() -> None:
    _doors()
    assert [door.name for door in DOORS.values() if door.permission is None and not door.why] == []
