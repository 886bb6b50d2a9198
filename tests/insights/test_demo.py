"""The Demo comes through the doors, comes once, costs no place, and goes as a whole."""

import pytest
from sqlalchemy import Connection, func, select

from core import demo
from core.access import Role
from core.billing.seats import add_creator
from core.content.assets import assets
from core.earnings.figures import rollups_match
from core.earnings.models import Transaction
from core.earnings.service import imports
from core.errors import NotAllowed, NotFound
from core.identity.credentials import matches
from core.identity.models import User
from core.insights.onboarding import progress
from core.settings import settings
from core.workspaces.service import my_workspaces, open_scope, remove_demo
from tests.people import Made, make_person


def test_a_demo_beside_ones_own_creator(ada: Made) -> None:
    workspace_id = demo.add_to(ada.scope, language="fr", time_zone="Europe/Paris")
    held = {workspace.id: workspace for workspace in my_workspaces(open_scope(ada.user_id))}
    assert (held[workspace_id].name, held[workspace_id].is_demo) == ("Demo", True)
    assert not held[ada.workspace_id].is_demo
    scope = open_scope(ada.user_id).narrowed_to(workspace_id)
    assert [made.new for made in imports(scope)] == [900]
    assert rollups_match(scope) == ()
    assert {asset.language for asset in assets(scope).assets} == {"fr"}
    assert assets(scope).total == 3
    assert imports(ada.scope) == ()


def test_asked_for_twice_it_is_the_same_one(ada: Made) -> None:
    first = demo.add_to(ada.scope)
    assert demo.add_to(open_scope(ada.user_id).narrowed_to(first)) == first
    assert demo.add_to(ada.scope) == first
    assert len(imports(open_scope(ada.user_id).narrowed_to(first))) == 1


def test_it_takes_no_creators_place_in_the_plan(database: Connection) -> None:
    nina = make_person("Nina", Role.MANAGER, creators=0)
    demo.add_to(nina.scope)
    assert add_creator(nina.scope, "Real") in open_scope(nina.user_id).workspace_ids


def test_it_goes_with_everything_in_it(ada: Made, owner: Connection) -> None:
    workspace_id = demo.add_to(ada.scope)
    scope = open_scope(ada.user_id).narrowed_to(workspace_id)
    remove_demo(scope)
    assert open_scope(ada.user_id).workspace_ids == {ada.workspace_id}
    assert imports(scope) == ()
    with pytest.raises(NotFound):
        remove_demo(ada.scope)


def test_only_who_may_add_creators_gets_one(ada: Made, database: Connection) -> None:
    stefan = make_person("Stefan", Role.ADMIN, creators=0)
    with pytest.raises(NotAllowed):
        demo.add_to(stefan.scope)


def test_the_seed_makes_people_who_can_sign_in(database: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUNTAZE_DEMO_PASSWORD", "a password for trying out")
    settings.cache_clear()
    try:
        said = demo.seed()
        assert all("a password for trying out" in line for line in said)
        views = []
        for email in ("demo.creator@example.com", "demo.agency@example.com"):
            person = database.execute(select(User.id, User.password_hash).where(User.email == email)).one()
            assert matches("a password for trying out", person.password_hash)
            views.append(open_scope(person.id))
        held = [my_workspaces(scope) for scope in views]
        assert [len(workspaces) for workspaces in held] == [1, 3]
        assert all(one.is_demo and one.name.startswith("Demo: ") for workspaces in held for one in workspaces)
        for scope in views:
            for workspace_id in scope.workspace_ids:
                assert progress(scope.narrowed_to(workspace_id)).is_over
        before = [_rows(scope, database) for scope in views]
        again = demo.seed()
        assert not any("a password" in line for line in again)
        assert [_rows(open_scope(scope.user_id), database) for scope in views] == before
        assert [len(my_workspaces(open_scope(scope.user_id))) for scope in views] == [1, 3]
    finally:
        settings.cache_clear()


def _rows(scope: object, database: Connection) -> int:
    ids = ",".join(map(str, scope.workspace_ids))  # type: ignore[attr-defined]
    database.execute(select(func.set_config("app.workspace_ids", ids, True)))
    count: int = database.execute(select(func.count()).select_from(Transaction)).scalar_one()
    assert count > 0
    return count
