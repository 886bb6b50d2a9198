"""No row of a tenant is reachable from outside its scope, and the login that serves cannot change that."""

import pytest
from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.exc import ProgrammingError

from core.access import Permission, Role, Scope
from core.db import PLAIN_TABLES, Base, transaction
from core.errors import NotAllowed, NotFound
from core.workspaces.models import Account, AccountMember, Membership, Workspace
from core.workspaces.service import edit_workspace, my_workspaces, open_scope
from tests.people import Made, make_person

TENANT = {"workspace_id", "account_id"}


def test_every_tenant_table_is_under_a_forced_rule(owner: Connection) -> None:
    bare = owner.execute(
        text(
            "SELECT DISTINCT c.table_name FROM information_schema.columns c "
            "JOIN pg_class t ON t.oid = to_regclass('public.' || quote_ident(c.table_name)) "
            "WHERE c.table_schema = 'public' AND c.column_name IN ('workspace_id', 'account_id') "
            "AND NOT (t.relrowsecurity AND t.relforcerowsecurity "
            "AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid))"
        )
    ).scalars()
    assert set(bare) <= PLAIN_TABLES


def test_keys_of_tenant_tables_carry_the_tenant(owner: Connection) -> None:
    """So that the same schema can be sharded by tenant: no unique constraint and no foreign key spans tenants."""
    tenants = {
        table.name: next((key.name for key in table.primary_key if key.name in TENANT), "none in its primary key")
        for table in Base.metadata.sorted_tables
        if table.name not in PLAIN_TABLES | {"workspaces"} and (TENANT & set(table.c.keys()))
    }
    wrong = []
    for name, tenant in tenants.items():
        constraints = owner.execute(
            text(
                "SELECT conname, contype::text, ARRAY(SELECT attname FROM pg_attribute "
                "WHERE attrelid = conrelid AND attnum = ANY(conkey))::text[], confrelid::regclass::text "
                "FROM pg_constraint WHERE conrelid = to_regclass(:table) AND contype IN ('p', 'u', 'f')"
            ),
            {"table": name},
        )
        for constraint, kind, columns, target in constraints:
            to_tenant_table = kind == "f" and target in tenants
            if tenant not in columns and (kind != "f" or to_tenant_table):
                wrong.append(constraint)
        indexes = owner.execute(
            text(
                "SELECT indexrelid::regclass::text, ARRAY(SELECT attname FROM pg_attribute "
                "WHERE attrelid = indrelid AND attnum = ANY(indkey))::text[] "
                "FROM pg_index WHERE indrelid = to_regclass(:table) AND indisunique"
            ),
            {"table": name},
        )
        wrong += [index for index, columns in indexes if tenant not in columns]
    assert wrong == []


def test_no_table_uses_a_sequence_or_a_trigger(owner: Connection) -> None:
    assert owner.execute(text("SELECT count(*) FROM pg_class WHERE relkind = 'S'")).scalar_one() == 0
    assert owner.execute(text("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal")).scalar_one() == 0


def test_the_serving_login_owns_nothing_and_bypasses_nothing(database: Connection) -> None:
    role = database.execute(
        text("SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user")
    ).one()
    assert tuple(role) == (False, False, False, False)
    owned = database.execute(
        text("SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)")
    )
    assert owned.scalar_one() == 0


@pytest.mark.parametrize(
    "table", [Account, AccountMember, Membership, Workspace], ids=lambda model: model.__tablename__
)
def test_a_neighbour_sees_nothing(ada: Made, bob: Made, table: type[Base]) -> None:
    with transaction(ada.scope) as session:
        seen = session.scalar(select(func.count()).select_from(table))
    with transaction(bob.scope) as session:
        seen_by_bob = session.scalar(select(func.count()).select_from(table))
    with transaction(None) as session:
        seen_by_nobody = session.scalar(select(func.count()).select_from(table))
    assert (seen, seen_by_bob, seen_by_nobody) == (1, 1, 0)


def test_nobody_writes_into_a_neighbours_account(ada: Made, bob: Made) -> None:
    with transaction(ada.scope) as session:
        session.add(AccountMember(account_id=bob.account_id, user_id=ada.user_id, role="owner"))
        with pytest.raises(ProgrammingError, match="row-level security"):
            session.flush()
        session.rollback()


def test_nobody_puts_their_creator_into_a_neighbours_account(ada: Made, bob: Made) -> None:
    with transaction(ada.scope) as session:
        with pytest.raises(ProgrammingError, match="row-level security"):
            session.execute(update(Workspace).values(account_id=bob.account_id))
        session.rollback()


def test_a_neighbours_workspace_answers_as_one_that_never_was(ada: Made, bob: Made) -> None:
    random = ada.user_id
    answers = []
    for asked in (bob.workspace_id, random):
        with pytest.raises(NotFound) as refused:
            ada.scope.narrowed_to(asked)
        answers.append((refused.value.code, refused.value.facts, str(refused.value)))
    assert answers[0] == answers[1]


def test_a_manager_looks_across_and_acts_in_one(database: Connection) -> None:
    agency = make_person("Mona", Role.MANAGER, creators=3)
    assert len(my_workspaces(agency.scope)) == 3
    with pytest.raises(NotAllowed):
        edit_workspace(agency.scope, name="All of them")
    one = agency.scope.narrowed_to(agency.workspace_ids[1])
    assert edit_workspace(one, name="Only this").name == "Only this"
    assert [view.name for view in my_workspaces(one)] == ["Only this"]


def test_staff_hold_no_workspace(database: Connection, ada: Made) -> None:
    staff = make_person("Sol", Role.ADMIN)
    assert staff.scope.is_staff
    assert my_workspaces(staff.scope) == ()
    assert not staff.scope.may(Permission.VIEW_ANALYTICS)


def test_a_scope_with_nothing_in_view_may_do_nothing(database: Connection) -> None:
    nobody = Scope(make_person("Sol", Role.ADMIN).user_id, {}, {}, {})
    assert [permission for permission in Permission if nobody.may(permission)] == [Permission.OWN_PROFILE]


def test_scope_is_of_the_user_only(ada: Made, bob: Made) -> None:
    assert open_scope(ada.user_id).workspace_ids == {ada.workspace_id}
    assert open_scope(ada.user_id).account_ids == {ada.account_id}
