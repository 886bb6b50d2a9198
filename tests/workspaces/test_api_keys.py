"""API keys: shown once, for what they were made for, never stronger than their maker."""

import re
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from core.access import GRANTS, OF_ACCOUNT, OF_STAFF, PERSONAL, Permission, Role, Scope
from core.audit import entries
from core.billing.keys import create_api_key, may_add_keys
from core.db import transaction
from core.errors import BadInput, Conflict, NotAllowed, NotFound, NotSignedIn, PlanLimit
from core.identity.proof import ProofNeeded
from core.insights.analytics import standing
from core.workspaces.api_keys import GRANTABLE, LONGEST_LIFE, MOST, api_keys, revoke_api_key, scope_of_key
from core.workspaces.models import Membership, Workspace
from core.workspaces.service import edit_workspace, my_workspaces, open_scope
from tests.paying import subscribe
from tests.people import Made, make_person
from tests.workspaces.conftest import signed_in

READ = (Permission.VIEW_WORKSPACE, Permission.VIEW_ANALYTICS)


def proved(made: Made, minutes_ago: int = 0) -> Made:
    """The same person at a browser in which they have shown who they are."""
    return replace(made, scope=replace(made.scope, session_id=signed_in(made.user_id, minutes_ago)))


@pytest.fixture
def paying(ada: Made) -> Made:
    subscribe(ada)
    return proved(ada)


@pytest.fixture
def agency(database: Connection) -> Made:
    made = make_person("Mona", Role.MANAGER, creators=2)
    subscribe(made, "enterprise_monthly")
    return proved(made)


def make(made: Made, permissions: tuple[Permission, ...] = READ, **more: object) -> str:
    return create_api_key(made.scope, "Reports", permissions, **more).key


def test_a_key_lets_in_with_what_it_is_for(paying: Made) -> None:
    key = make(paying)
    assert re.fullmatch(r"hz_[0-9a-f]{8}_[0-9a-f]{64}", key)
    scope = scope_of_key(key)
    assert scope.user_id == paying.user_id
    assert scope.workspace_ids == {paying.workspace_id}
    assert scope.session_id is None
    assert scope.api_key_id == api_keys(paying.scope)[0].id
    standing(scope, date(2026, 1, 1))
    with pytest.raises(NotAllowed):
        edit_workspace(scope, name="By a program")


@pytest.mark.parametrize("permission", sorted(Permission))
def test_a_key_for_one_thing_may_do_that_and_nothing_else(paying: Made, permission: Permission) -> None:
    if permission not in GRANTABLE:
        with pytest.raises(BadInput):
            make(paying, (permission,))
        return
    scope = scope_of_key(make(paying, (permission,)))
    assert [one for one in Permission if scope.may(one)] == [permission]


def test_keys_are_for_work_in_workspaces_only() -> None:
    assert not GRANTABLE & (OF_ACCOUNT | OF_STAFF | PERSONAL | {Permission.LEAVE_ACCOUNT})
    assert Permission.VIEW_PLAN in GRANTABLE


def test_a_plan_without_keys_makes_none(ada: Made) -> None:
    assert not may_add_keys(ada.scope)
    with pytest.raises(PlanLimit):
        make(ada)
    assert api_keys(ada.scope) == ()


def test_a_key_is_made_by_who_has_just_shown_who_they_are(ada: Made) -> None:
    subscribe(ada)
    for unproved in (ada, proved(ada, 11)):
        with pytest.raises(ProofNeeded):
            make(unproved)
    assert api_keys(ada.scope) == ()
    scope_of_key(make(proved(ada, 9)))


def test_a_key_outlasts_a_change_of_plan(paying: Made, database: Connection) -> None:
    key = make(paying)
    database.execute(text("SELECT set_config('app.account_ids', :account, true)"), {"account": str(paying.account_id)})
    database.execute(text("UPDATE subscriptions SET status = 'canceled'"))
    assert not may_add_keys(paying.scope)
    assert scope_of_key(key).workspace_ids == {paying.workspace_id}


def test_only_the_hash_of_a_key_is_kept_and_it_does_not_print(paying: Made) -> None:
    made = create_api_key(paying.scope, "Reports", READ)
    assert made.key not in repr(made)
    with transaction(paying.scope) as session:
        kept = f"{session.execute(text('SELECT * FROM api_keys')).all()}"
        kept += f"{session.execute(text('SELECT * FROM tenant_pointers')).all()}"
        kept += f"{session.execute(text('SELECT * FROM audit_log')).all()}"
    assert made.key.rpartition("_")[2] not in kept
    assert api_keys(paying.scope)[0].prefix in made.key


def test_making_and_revoking_are_on_record(paying: Made) -> None:
    made = create_api_key(paying.scope, "Reports", READ, timedelta(days=30))
    revoke_api_key(paying.scope, made.id)
    gone, there = entries(paying.scope)
    assert (there.deed, there.subject) == ("api_key_made", "Reports")
    assert there.after == {"permissions": ["view_analytics", "view_workspace"], "days": 30}
    assert (gone.deed, gone.subject) == ("api_key_revoked", "Reports")


WAYS_TO_END = {
    "revoked": "UPDATE api_keys SET revoked_at = now()",
    "over": "UPDATE api_keys SET expires_at = now()",
    "of a disabled person": "UPDATE users SET disabled_at = now()",
    "of a deleted person": "UPDATE users SET deleted_at = now()",
    "of somebody who left": "DELETE FROM account_members",
    "gone": "DELETE FROM api_keys",
    "without its pointer": "DELETE FROM tenant_pointers",
    "with another hash": "UPDATE api_keys SET key_hash = 'x'",
}


@pytest.mark.parametrize("end", WAYS_TO_END)
def test_a_key_that_is_no_longer_good_answers_as_one_that_never_was(
    paying: Made, database: Connection, end: str
) -> None:
    key = make(paying)
    with pytest.raises(NotSignedIn) as unknown:
        scope_of_key(key[:-1] + ("0" if key[-1] != "0" else "1"))
    scope_of_key(key)
    with transaction(paying.scope) as session:
        if end == "of somebody who left":
            session.execute(text("DELETE FROM memberships"))
        assert session.execute(text(WAYS_TO_END[end])).rowcount  # type: ignore[attr-defined]
    with pytest.raises(NotSignedIn) as over:
        scope_of_key(key)
    assert (over.value.code, over.value.facts) == (unknown.value.code, unknown.value.facts)


@pytest.mark.parametrize("wrong", ["", "hz_", "hz_x_y", "\x00", "hz_\ud800", "hz_é", "hz_" + "0" * 100_000])
def test_texts_that_are_no_keys_answer_alike(paying: Made, wrong: str) -> None:
    with pytest.raises(NotSignedIn) as refused:
        scope_of_key(wrong)
    assert refused.value.code == "api_keys.unknown"


@pytest.mark.parametrize("role", [Role.CREATOR, Role.MANAGER, Role.ANALYST])
def test_a_key_is_never_stronger_than_its_makers_role_now(paying: Made, role: Role) -> None:
    key = make(paying, tuple(GRANTABLE))
    with transaction(paying.scope) as session:
        session.execute(text("UPDATE memberships SET role = :role"), {"role": role})
    scope = scope_of_key(key)
    assert {one for one in Permission if scope.may(one)} == GRANTS[role] & GRANTABLE


def test_a_key_loses_the_creator_that_its_maker_loses(agency: Made) -> None:
    key = make(agency)
    assert scope_of_key(key).workspace_ids == set(agency.workspace_ids)
    with transaction(agency.scope) as session:
        session.execute(Membership.__table__.delete().where(Membership.workspace_id == agency.workspace_ids[0]))
    assert scope_of_key(key).workspace_ids == {agency.workspace_ids[1]}


def test_a_key_sees_its_own_account_only(agency: Made, paying: Made) -> None:
    """Somebody who works in two accounts: the key of the one does not read the other."""
    with transaction(paying.scope) as session:
        session.add(Membership(workspace_id=paying.workspace_id, user_id=agency.user_id, role="manager"))
        session.flush()
    key = make(agency)
    assert paying.workspace_id in open_scope(agency.user_id).workspace_ids
    scope = scope_of_key(key)
    assert scope.workspace_ids == set(agency.workspace_ids)
    assert scope.account_ids == {agency.account_id}
    with transaction(scope) as session:
        seen = set(session.scalars(Workspace.__table__.select().with_only_columns(Workspace.id)))
    assert seen == set(agency.workspace_ids)
    with pytest.raises(NotFound):
        scope.narrowed_to(paying.workspace_id)


def test_a_key_of_staff_is_no_staff(database: Connection, paying: Made) -> None:
    key = make(paying, tuple(GRANTABLE))
    database.execute(text("UPDATE users SET is_staff = true"))
    scope = scope_of_key(key)
    assert not scope.is_staff
    assert not any(scope.may(one) for one in OF_STAFF | OF_ACCOUNT | PERSONAL)


def test_a_key_makes_no_keys_and_reads_no_profile(paying: Made) -> None:
    scope = scope_of_key(make(paying, tuple(GRANTABLE)))
    with pytest.raises(NotAllowed):
        create_api_key(scope, "More", READ)
    with pytest.raises(NotAllowed):
        my_workspaces(scope)


def test_a_neighbour_neither_sees_nor_revokes_a_key(paying: Made, bob: Made) -> None:
    made = create_api_key(paying.scope, "Reports", READ)
    assert api_keys(bob.scope) == ()
    answers = []
    for asked in (made.id, UUID(int=9)):
        with pytest.raises(NotFound) as refused:
            revoke_api_key(bob.scope, asked)
        answers.append((refused.value.code, refused.value.facts))
    assert answers[0] == answers[1]
    scope_of_key(made.key)


@pytest.mark.parametrize(
    ("name", "permissions", "expires_in", "code"),
    [
        ("", READ, None, "identity.bad_name"),
        ("\x00", READ, None, "identity.bad_name"),
        ("x" * 81, READ, None, "identity.bad_name"),
        ("Reports", (), None, "api_keys.bad_permissions"),
        ("Reports", ("everything",), None, "api_keys.bad_permissions"),
        ("Reports", READ, timedelta(0), "api_keys.bad_expiry"),
        ("Reports", READ, timedelta(days=-1), "api_keys.bad_expiry"),
        ("Reports", READ, LONGEST_LIFE + timedelta(days=1), "api_keys.bad_expiry"),
    ],
)
def test_what_cannot_be_a_key_is_refused(
    paying: Made, name: str, permissions: tuple[Permission, ...], expires_in: timedelta | None, code: str
) -> None:
    with pytest.raises(BadInput) as refused:
        create_api_key(paying.scope, name, permissions, expires_in)
    assert refused.value.code == code
    assert api_keys(paying.scope) == ()


def test_an_account_has_so_many_keys_and_no_more(paying: Made) -> None:
    made = [create_api_key(paying.scope, "Reports", READ) for _ in range(MOST)]
    with pytest.raises(Conflict):
        make(paying)
    revoke_api_key(paying.scope, made[0].id)
    make(paying)


def test_the_last_use_is_noted_once_a_minute(paying: Made) -> None:
    def last_used() -> object:
        return api_keys(paying.scope)[0].last_used_at

    def long_ago(seconds: int) -> None:
        with transaction(paying.scope) as session:
            session.execute(
                text("UPDATE api_keys SET last_used_at = now() - make_interval(secs => :s)"), {"s": seconds}
            )

    key = make(paying)
    assert last_used() is None
    scope_of_key(key)
    assert last_used() is not None
    long_ago(59)
    before = last_used()
    scope_of_key(key)
    assert last_used() == before
    long_ago(61)
    before = last_used()
    scope_of_key(key)
    assert last_used() != before


def test_a_key_that_is_over_is_shown_as_such(paying: Made) -> None:
    make(paying, expires_in=timedelta(days=30))
    assert not api_keys(paying.scope)[0].is_over
    with transaction(paying.scope) as session:
        session.execute(text("UPDATE api_keys SET expires_at = now()"))
    assert api_keys(paying.scope)[0].is_over


def test_an_analyst_of_an_account_manages_no_keys(paying: Made) -> None:
    with transaction(Scope.for_account(paying.account_id)) as session:
        session.execute(text("UPDATE account_members SET role = 'member'"))
    with pytest.raises(NotAllowed):
        api_keys(open_scope(paying.user_id))
