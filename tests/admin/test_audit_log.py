"""The log of deeds: written by whoever does them, readable by those concerned, changed by nobody."""

import pytest
from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from core.access import Permission, Role, Scope
from core.audit import NO_ACCOUNT, AuditEntry, entries, own_entries, record, record_of_person
from core.db import transaction
from core.use_case import unscoped, use_case
from tests.people import Made, make_person


@use_case(Permission.OWN_PROFILE)
def _note(session: Session, scope: Scope, deed: str) -> None:
    record(session, scope, deed, "a thing", before={"n": 1}, after={"n": 2}, reason="because")


@unscoped("a deed of somebody who is only just coming in")
def _note_of_person(session: Session, made: Made, deed: str) -> None:
    record_of_person(session, made.user_id, deed, after={"by": "password"})


def test_a_deed_is_read_by_the_owner_and_by_the_one_who_did_it(ada: Made, bob: Made) -> None:
    _note(ada.scope, "tried")
    (seen,) = entries(ada.scope)
    assert (seen.deed, seen.subject, seen.before, seen.after, seen.reason) == (
        "tried",
        "a thing",
        {"n": 1},
        {"n": 2},
        "because",
    )
    assert seen.user_id == ada.user_id
    assert own_entries(ada.scope) == (seen,)
    assert (entries(bob.scope), own_entries(bob.scope)) == ((), ())


def test_a_deed_can_be_noted_before_any_scope_exists(ada: Made, bob: Made) -> None:
    _note_of_person(ada, "came_in")
    (seen,) = own_entries(ada.scope)
    assert (seen.deed, seen.after) == ("came_in", {"by": "password"})
    assert (own_entries(bob.scope), entries(ada.scope)) == ((), ())


@pytest.mark.parametrize("account", ["its own", "none"])
@pytest.mark.parametrize(
    "change", [update(AuditEntry).values(deed="never"), delete(AuditEntry)], ids=["update", "delete"]
)
def test_nobody_changes_or_removes_an_entry(ada: Made, change: object, account: str) -> None:
    _note(ada.scope, "tried") if account == "its own" else _note_of_person(ada, "tried")
    for as_staff in (False, True):
        with transaction(ada.scope, as_staff=as_staff) as session:
            with pytest.raises(ProgrammingError, match="permission denied"):
                session.execute(change)
            session.rollback()
        with transaction(ada.scope, as_staff=as_staff) as session:
            with pytest.raises(ProgrammingError, match="permission denied"):
                session.execute(text("TRUNCATE audit_log"))
            session.rollback()
    assert [seen.deed for seen in own_entries(ada.scope)] == ["tried"]


def test_nobody_writes_into_the_log_of_an_account_not_theirs(ada: Made, bob: Made) -> None:
    with transaction(ada.scope) as session:
        with pytest.raises(ProgrammingError, match="row-level security"):
            record(session, ada.scope, "slander", account_id=bob.account_id)
        session.rollback()
    assert entries(bob.scope) == ()


def test_staff_write_where_the_deed_belongs(ada: Made, database: Connection) -> None:
    staff = make_person("Stefan", Role.ADMIN)
    with transaction(staff.scope, as_staff=True) as session:
        record(session, staff.scope, "helped", account_id=ada.account_id)
        record(session, staff.scope, "looked", account_id=NO_ACCOUNT)
        assert len(session.scalars(select(AuditEntry)).all()) == 2
    assert [seen.deed for seen in entries(ada.scope)] == ["helped"]
    assert {seen.deed for seen in own_entries(staff.scope)} == {"helped", "looked"}
