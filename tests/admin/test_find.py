"""Finding accounts and people: by parts of names, by ids, a page at a time, and by nothing that was not written."""

import pytest
from sqlalchemy import Connection

from core import demo
from core.access import Role
from core.billing.grants import grant_plan
from core.billing.plans import PlanName
from core.insights.people import PAGE, Accounts, Users, find_accounts, find_users
from core.workspaces.staff import disable_user
from tests.people import Made, make_person

WHY = "asked for by the owner in ticket 4711"


def _names(found: Accounts | Users) -> list[str]:
    return [one.name for one in (found.accounts if isinstance(found, Accounts) else found.users)]


def test_an_account_is_found_by_whatever_names_it(staff: Made, ada: Made, agency: Made) -> None:
    for text in ("ada", "ADA@EXAMPLE", " da@ex ", str(ada.account_id), str(ada.user_id)[:-1], str(ada.workspace_id)):
        assert _names(find_accounts(staff.scope, text)) == ["Ada"], text
    assert _names(find_accounts(staff.scope, "Mara 2")) == ["Mara"]
    assert _names(find_accounts(staff.scope, str(ada.account_id).upper())) == ["Ada"]
    assert _names(find_accounts(staff.scope, str(ada.account_id)[1:])) == [], "an id is found from its beginning"


def test_a_person_is_found_by_name_address_or_id(staff: Made, ada: Made, bob: Made) -> None:
    for text in ("ada", "ADA@EX", str(ada.user_id), str(ada.user_id).upper()[:35]):
        assert _names(find_users(staff.scope, text)) == ["Ada"], text
    assert set(_names(find_users(staff.scope, "@example.com"))) == {"Ada", "Bob", "Stefan"}


@pytest.mark.parametrize("text", ["%", "_", "a%", "A_a", "\\", "/", "%%%", "'; DROP TABLE users; --", "\x00", "\ud800"])
def test_what_means_something_to_sql_is_only_text(staff: Made, ada: Made, text: str) -> None:
    assert _names(find_accounts(staff.scope, text)) == []
    assert _names(find_users(staff.scope, text)) == []


def test_a_wildcard_in_a_name_is_found_as_it_is_written(staff: Made, ada: Made) -> None:
    make_person("100% Ada_B", Role.CREATOR)
    for text in ("100%", "%", "a_b", "_"):
        assert "100% Ada_B" in _names(find_accounts(staff.scope, text))
        assert "Ada" not in _names(find_accounts(staff.scope, text))


def test_pages_follow_each_other_without_a_gap(staff: Made, database: Connection) -> None:
    made = [make_person(f"Person {n:02}", Role.CREATOR) for n in range(PAGE + 3)]
    expected = [f"Person {n:02}" for n in reversed(range(len(made)))]
    first = find_accounts(staff.scope, "person")
    assert len(first.accounts) == PAGE
    assert first.more is not None
    second = find_accounts(staff.scope, "person", after=first.more)
    assert _names(first) + _names(second) == expected
    assert second.more is None
    people = find_users(staff.scope, "person")
    assert _names(people) + _names(find_users(staff.scope, "person", after=people.more)) == expected


def test_an_account_says_who_is_in_it_and_what_it_pays(staff: Made, agency: Made) -> None:
    demo.add_to(agency.scope)
    given = grant_plan(staff.scope, agency.account_id, PlanName.PRO, days=3, reason=WHY)
    (found,) = find_accounts(staff.scope, "mara").accounts
    assert (found.kind, found.creators_count) == ("agency", 3)
    assert [(one.name, one.is_demo) for one in found.creators][-1] == ("Demo", True)
    assert [(one.user_id, one.email, one.role) for one in found.members] == [(agency.user_id, agency.email, "owner")]
    assert (found.entitlement.plan, found.entitlement.granted_until) == (PlanName.PRO, given.ends_at)
    assert found.grants == (given,)


def test_a_person_says_where_they_stand(staff: Made, ada: Made) -> None:
    disable_user(staff.scope, ada.user_id, WHY)
    (found,) = find_users(staff.scope, ada.email).users
    assert found.disabled_at is not None
    assert (found.is_staff, found.deleted_at, found.last_seen_at) == (False, None, None)
    assert found.accounts == {ada.account_id: "Ada"}
    (myself,) = find_users(staff.scope, staff.email).users
    assert myself.is_staff
    assert myself.accounts == {}
