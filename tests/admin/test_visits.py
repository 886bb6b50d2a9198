"""Staff see no creator's row without a visit, that one creator's during it, and nothing once it is over."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import walk_packages
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, func, select

import core
from core import demo
from core.access import GRANTS, OF_ACCOUNT, OF_WORKSPACE, READING, Permission, Role, Scope
from core.audit import entries
from core.db import Base, rule_of, transaction
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.use_case import DOORS
from core.workspaces.service import edit_workspace, my_workspaces, open_scope
from core.workspaces.staff import VISIT, current_visit, leave_visit, visit
from tests.admin.conftest import run_out
from tests.people import Made, make_person

WHY = "asked for by the owner in ticket 4711"
SHOWN_TO_STAFF = {"accounts", "workspaces", "account_members", "subscriptions", "plan_grants", "audit_log"}
"""Who pays, for what, and what is called how. Nothing else of a tenant's."""


def _doors(permissions: frozenset[Permission]) -> Iterator[tuple[str, Permission, Callable[..., object]]]:
    """Every door of core under one of the permissions, found again by its name."""
    for module in walk_packages(core.__path__, "core."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    for door in list(DOORS.values()):
        module_name, _, name = door.name.rpartition(".")
        if door.permission in permissions and module_name.startswith("core."):
            yield door.name, door.permission, getattr(import_module(module_name), name)


def _refused(scope: Scope, permissions: frozenset[Permission]) -> set[str]:
    """The doors that refuse before they look at anything, their arguments included."""
    refused = set()
    for name, _, door in _doors(permissions):
        try:
            door(scope)
        except NotAllowed:
            refused.add(name)
        except Exception:  # noqa: S112 - it was let in, and only then missed its arguments
            continue
    return refused


def _named(permissions: frozenset[Permission]) -> set[str]:
    return {name for name, _, _ in _doors(permissions)}


def _rows(scope: Scope, *, as_staff: bool) -> dict[str, int]:
    """How many rows of each tenant's table show."""
    tables = [table for table in Base.metadata.sorted_tables if rule_of(table) is not None]
    with transaction(scope, as_staff=as_staff) as session:
        return {
            table.name: count
            for table in tables
            if (count := session.execute(select(func.count()).select_from(table)).scalar_one())
        }


@pytest.fixture
def full(ada: Made) -> Made:
    """A creator with rows in many tables."""
    demo.add_to(ada.scope)
    return ada


def test_without_a_visit_every_door_to_a_creator_or_an_account_refuses(staff: Made, ada: Made) -> None:
    doors = _named(OF_WORKSPACE | OF_ACCOUNT)
    assert len(doors) > 20
    assert _refused(staff.scope, OF_WORKSPACE | OF_ACCOUNT) == doors
    assert my_workspaces(staff.scope) == ()


def test_without_a_visit_no_row_of_a_creator_shows_even_inside_the_doors_of_staff(staff: Made, full: Made) -> None:
    assert len(_rows(open_scope(full.user_id), as_staff=False).keys() - SHOWN_TO_STAFF) >= 5
    assert _rows(staff.scope, as_staff=False) == {}
    assert _rows(staff.scope, as_staff=True).keys() <= SHOWN_TO_STAFF


def test_a_visit_shows_exactly_that_creator(staff: Made, full: Made, bob: Made) -> None:
    demo.add_to(bob.scope)
    entered = visit(staff.scope, full.workspace_id, WHY)
    assert (entered.workspace_id, entered.account_id, entered.name) == (full.workspace_id, full.account_id, "Ada")
    scope = open_scope(staff.user_id)
    assert scope.roles == {full.workspace_id: Role.ADMIN}
    assert [one.name for one in my_workspaces(scope)] == ["Ada"]
    for foreign in (bob.workspace_id, *(open_scope(full.user_id).workspace_ids - {full.workspace_id}), uuid4()):
        with pytest.raises(NotFound, match="not on your list"):
            scope.narrowed_to(foreign)
    whose = _whose(scope)
    assert whose <= {full.workspace_id}


def _whose(scope: Scope) -> set[UUID]:
    """The creators whose rows show in tables of creators."""
    found: set[UUID] = set()
    with transaction(scope) as session:
        for table in Base.metadata.sorted_tables:
            if rule_of(table) is not None and "workspace_id" in table.c and table.name != "audit_log":
                found |= set(session.scalars(select(table.c.workspace_id).distinct()))
    return found


def test_who_looks_changes_nothing(staff: Made, ada: Made) -> None:
    visit(staff.scope, ada.workspace_id, WHY)
    scope = open_scope(staff.user_id).narrowed_to(ada.workspace_id)
    writing = _named((OF_WORKSPACE | OF_ACCOUNT) - READING)
    assert len(writing) > 15
    assert _refused(scope, (OF_WORKSPACE | OF_ACCOUNT) - READING) == writing
    assert all(scope.may(one) for one in READING)
    with pytest.raises(NotAllowed):
        edit_workspace(scope, name="Changed")


def test_who_acts_may_what_the_creators_people_may_and_nothing_of_the_account(staff: Made, ada: Made) -> None:
    visit(staff.scope, ada.workspace_id, WHY, may_write=True)
    scope = open_scope(staff.user_id).narrowed_to(ada.workspace_id)
    assert edit_workspace(scope, name="Changed").name == "Changed"
    assert {one for one in Permission if scope.may(one)} >= GRANTS[Role.ADMIN_ACTING] > READING
    assert not scope.may(Permission.LEAVE_ACCOUNT)
    assert _refused(scope, OF_ACCOUNT) == _named(OF_ACCOUNT)


def test_a_visit_ends_when_it_is_left(staff: Made, ada: Made) -> None:
    visit(staff.scope, ada.workspace_id, WHY)
    leave_visit(staff.scope)
    assert open_scope(staff.user_id).roles == {}
    assert current_visit(staff.scope) is None
    leave_visit(staff.scope)
    ended, began = entries(ada.scope)
    assert (began.deed, ended.deed) == ("staff_visit_began", "staff_visit_ended")
    assert {began.workspace_id, ended.workspace_id} == {ada.workspace_id}
    assert {began.reason, ended.reason} == {WHY}
    assert began.after == {"may_write": False}


def test_a_visit_ends_with_its_time(staff: Made, ada: Made, database: Connection) -> None:
    entered = visit(staff.scope, ada.workspace_id, WHY)
    now = database.execute(select(func.now())).scalar_one()
    assert entered.expires_at - now == VISIT
    run_out(staff)
    assert open_scope(staff.user_id).roles == {}
    assert current_visit(staff.scope) is None


def test_one_visit_at_a_time(staff: Made, ada: Made, bob: Made) -> None:
    visit(staff.scope, ada.workspace_id, WHY)
    visit(staff.scope, bob.workspace_id, WHY)
    assert open_scope(staff.user_id).workspace_ids == {bob.workspace_id}
    visit(open_scope(staff.user_id), bob.workspace_id, WHY, may_write=True)
    assert open_scope(staff.user_id).roles == {bob.workspace_id: Role.ADMIN_ACTING}
    assert [one.deed for one in entries(ada.scope)] == ["staff_visit_ended", "staff_visit_began"]
    assert [one.after for one in entries(bob.scope) if one.deed == "staff_visit_began"] == [
        {"may_write": True},
        {"may_write": False},
    ]


def test_a_visit_is_the_visitors_own(staff: Made, ada: Made) -> None:
    other = make_person("Sonja", Role.ADMIN)
    visit(staff.scope, ada.workspace_id, WHY)
    assert open_scope(other.user_id).roles == {}
    leave_visit(other.scope)
    assert open_scope(staff.user_id).workspace_ids == {ada.workspace_id}


@pytest.mark.parametrize("reason", ["", "too short", " " * 40, "x" * 501])
def test_a_visit_takes_a_reason(staff: Made, ada: Made, reason: str) -> None:
    with pytest.raises(BadInput, match="10 to 500"):
        visit(staff.scope, ada.workspace_id, reason)
    assert entries(ada.scope) == ()


def test_nobody_visits_what_does_not_exist_or_is_their_own(staff: Made, ada: Made) -> None:
    for unknown in (uuid4(), ada.user_id, ada.account_id):
        with pytest.raises(NotFound):
            visit(staff.scope, unknown, WHY)
    from core.workspaces.staff import make_staff

    make_staff(ada.email)
    with pytest.raises(Conflict, match="your own list"):
        visit(open_scope(ada.user_id), ada.workspace_id, WHY)


def test_only_staff_visit(ada: Made, bob: Made) -> None:
    for asked in (bob.workspace_id, uuid4()):
        with pytest.raises(NotAllowed):
            visit(ada.scope, asked, WHY)


def test_whoever_is_no_longer_staff_is_out(staff: Made, ada: Made) -> None:
    from core.workspaces.staff import unmake_staff

    visit(staff.scope, ada.workspace_id, WHY, may_write=True)
    unmake_staff(staff.email)
    assert open_scope(staff.user_id).roles == {}
