"""Who somebody is by another provider's word: linked by issuer and subject, and by nothing else."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from core.access import AccountRole, Role, Scope
from core.audit import own_entries
from core.errors import BadInput, Conflict, NotAllowed, NotFound, TooManyTries
from core.identity import external
from core.identity.external import Vouched
from core.identity.proof import ProofNeeded
from core.identity.service import profile
from core.identity.sessions import open_session, session_of
from core.identity.signing_in import Admitted, come_in
from core.identity.visitors import Visitor
from core.settings import settings
from core.workspaces.external_sign_up import user_vouched_for
from core.workspaces.service import my_accounts, my_workspaces, open_scope
from core.workspaces.sign_up import sign_up

VISITOR = Visitor("192.0.2.1")
GRACE = Vouched("https://id.example", "grace-1", "Grace@Example.com", True, "Grace  Hopper")


@pytest.fixture
def grace(database: Connection) -> UUID:
    """Somebody with a password and the e-mail that the provider says too."""
    return sign_up("grace@example.com", "correct horse battery", "Grace", "en")


def signed_in(user_id: UUID) -> Scope:
    found = session_of(open_session(user_id))
    assert found is not None
    return open_scope(user_id, found.id)


def come(vouched: Vouched) -> UUID:
    return user_vouched_for(vouched, "fr", VISITOR)


def letters(database: Connection) -> list[str]:
    return list(database.execute(text("SELECT kind FROM mail_outbox ORDER BY id")).scalars())


def test_somebody_new_gets_an_account_and_a_workspace(database: Connection) -> None:
    scope = open_scope(come(GRACE))
    mine = profile(scope)
    assert (mine.email, mine.display_name, mine.language, mine.is_verified) == (
        "grace@example.com",
        "Grace Hopper",
        "fr",
        True,
    )
    (workspace,), (account,) = my_workspaces(scope), my_accounts(scope)
    assert (workspace.name, workspace.role, account.role) == ("Grace Hopper", Role.CREATOR, AccountRole.OWNER)
    assert letters(database) == []
    assert {one.deed for one in own_entries(scope)} == {"signed_up", "external_linked"}


def test_an_address_that_the_provider_did_not_verify_is_asked_about(database: Connection) -> None:
    scope = open_scope(come(replace(GRACE, is_email_verified=False)))
    assert not profile(scope).is_verified
    assert letters(database) == ["verify"]


@pytest.mark.parametrize("name", ["", "  ", "\x00"])
def test_a_name_is_made_of_the_address_where_none_is_given(database: Connection, name: str) -> None:
    assert profile(open_scope(come(replace(GRACE, name=name)))).display_name == "grace"


def test_the_same_subject_is_the_same_person_whatever_the_address(database: Connection) -> None:
    first = come(GRACE)
    assert come(replace(GRACE, email="other@example.com", name="Else")) == first
    assert come(replace(GRACE, email=None)) == first


def test_the_same_subject_of_another_issuer_is_somebody_else(database: Connection) -> None:
    first = come(GRACE)
    assert come(replace(GRACE, issuer="https://other.example", email="other@example.com")) != first


@pytest.mark.parametrize("is_verified", [True, False])
def test_an_address_never_opens_an_account_that_is_there(grace: UUID, is_verified: bool) -> None:
    with pytest.raises(Conflict) as no:
        come(replace(GRACE, is_email_verified=is_verified))
    assert no.value.code == "external.email_taken"
    assert "password" in no.value.sentence("en")
    assert external.linked(open_scope(grace)) == ()


@pytest.mark.parametrize("email", [None, "none", "é@example.com"])
def test_somebody_new_needs_a_usable_address(database: Connection, email: str | None) -> None:
    with pytest.raises(BadInput):
        come(replace(GRACE, email=email))


def test_sign_ups_through_providers_count_like_others(database: Connection) -> None:
    for number in range(settings().sign_ups_per_hour):
        come(replace(GRACE, subject=str(number), email=f"n{number}@example.com"))
    with pytest.raises(TooManyTries):
        come(replace(GRACE, subject="more", email="more@example.com"))
    come(replace(GRACE, subject="0"))


def test_linking_lets_in_whoever_asked_for_it(grace: UUID, database: Connection) -> None:
    scope = signed_in(grace)
    external.link(scope, GRACE)
    external.link(scope, GRACE)
    assert come(GRACE) == grace
    (one,) = external.linked(scope)
    assert (one.issuer, one.email) == (GRACE.issuer, GRACE.email)
    assert letters(database) == ["verify", "external_linked"]
    assert [one.deed for one in own_entries(scope)].count("external_linked") == 1


def test_linking_and_unlinking_need_a_fresh_proof(grace: UUID, database: Connection) -> None:
    scope = signed_in(grace)
    external.link(scope, GRACE)
    (one,) = external.linked(scope)
    database.execute(text("UPDATE web_sessions SET proved_at = now() - interval '11 minutes'"))
    for deed in (
        lambda: external.begin_link(scope),
        lambda: external.link(scope, replace(GRACE, subject="another")),
        lambda: external.unlink(scope, one.id),
    ):
        with pytest.raises(ProofNeeded):
            deed()
    assert external.linked(scope) == (one,)


def test_what_is_linked_to_somebody_else_stays_there(grace: UUID) -> None:
    theirs = come(replace(GRACE, email="other@example.com"))
    with pytest.raises(Conflict) as no:
        external.link(signed_in(grace), GRACE)
    assert no.value.code == "external.linked_elsewhere"
    assert come(GRACE) == theirs


def test_unlinking_ends_that_way_in(grace: UUID, database: Connection) -> None:
    scope = signed_in(grace)
    external.link(scope, GRACE)
    (one,) = external.linked(scope)
    external.unlink(scope, one.id)
    assert external.linked(scope) == ()
    with pytest.raises(Conflict):
        come(GRACE)
    assert letters(database)[-1] == "external_unlinked"
    assert "external_unlinked" in {entry.deed for entry in own_entries(scope)}


def test_the_last_way_in_stays(database: Connection) -> None:
    scope = signed_in(come(GRACE))
    (first,) = external.linked(scope)
    with pytest.raises(Conflict) as no:
        external.unlink(scope, first.id)
    assert no.value.code == "external.last_way_in"
    external.link(scope, replace(GRACE, subject="second"))
    external.unlink(scope, first.id)
    assert len(external.linked(scope)) == 1


def test_a_link_of_somebody_else_is_unknown(grace: UUID) -> None:
    (theirs,) = external.linked(open_scope(come(replace(GRACE, email="other@example.com"))))
    scope = signed_in(grace)
    for unknown in (theirs.id, uuid4()):
        with pytest.raises(NotFound) as no:
            external.unlink(scope, unknown)
        assert no.value.code == "access.not_found"


@pytest.mark.parametrize("state", ["disabled", "deleted"])
def test_who_may_not_come_in_is_told_so(database: Connection, state: str) -> None:
    user_id = come(GRACE)
    database.execute(text(f"UPDATE users SET {state}_at = now() WHERE id = :id"), {"id": user_id})
    with pytest.raises(NotAllowed) as no:
        come(GRACE)
    assert no.value.code == f"external.{state}"


def test_what_a_deleted_user_left_can_be_linked_again(database: Connection) -> None:
    gone = come(GRACE)
    database.execute(text("UPDATE users SET deleted_at = now() WHERE id = :id"), {"id": gone})
    here = sign_up("grace@example.com", "correct horse battery", "Grace", "en")
    external.link(signed_in(here), GRACE)
    assert come(GRACE) == here


def test_it_ends_in_the_same_session_as_a_password(database: Connection) -> None:
    user_id = come(GRACE)
    came = come_in(user_id, VISITOR)
    assert isinstance(came, Admitted)
    found = session_of(came.key.token)
    assert found is not None
    assert found.user_id == user_id
