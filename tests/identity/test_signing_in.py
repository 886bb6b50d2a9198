from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import psycopg
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, text

from core.access import AccountRole, Role
from core.errors import BadInput, Conflict, NotFound, NotSignedIn, TooManyTries
from core.identity.attempts import TRIES_OF_ONE
from core.identity.credentials import is_outdated
from core.identity.service import edit_profile, profile
from core.identity.sessions import session_of
from core.identity.signing_in import Admitted, sign_in
from core.identity.visitors import Visitor
from core.workspaces.models import AccountKind
from core.workspaces.service import my_accounts, my_workspaces, open_scope
from core.workspaces.sign_up import sign_up
from tests.conftest import libpq
from tests.people import Made

EMAIL, PASSWORD, HOME, ELSEWHERE = "grace@example.com", "correct horse battery", "192.0.2.1", "198.51.100.7"


@pytest.fixture
def grace(database: Connection) -> UUID:
    return sign_up(EMAIL, PASSWORD, "Grace", "fr", "Europe/Paris")


def signed_in(email: str, password: str, address: str, device: str | None = None) -> str:
    came = sign_in(email, password, Visitor(address, device=device))
    assert isinstance(came, Admitted)
    return came.key.token


def refused(email: str, password: str, address: str = HOME) -> str:
    with pytest.raises((NotSignedIn, TooManyTries)) as no:
        sign_in(email, password, Visitor(address))
    return no.value.code


def failures(database: Connection) -> int:
    count: int = database.execute(text("SELECT count(*) FROM sign_in_attempts")).scalar_one()
    return count


def test_signing_up_makes_a_person_an_account_and_one_workspace(grace: UUID) -> None:
    scope = open_scope(grace)
    mine = profile(scope)
    assert (mine.email, mine.display_name, mine.language, mine.time_zone) == (EMAIL, "Grace", "fr", "Europe/Paris")
    assert not mine.is_staff
    (workspace,) = my_workspaces(scope)
    assert (workspace.name, workspace.role, workspace.time_zone, workspace.is_demo) == (
        "Grace",
        Role.CREATOR,
        "Europe/Paris",
        False,
    )
    (account,) = my_accounts(scope)
    assert (account.kind, account.role) == (AccountKind.CREATOR, AccountRole.OWNER)


def test_a_new_workspace_is_in_nobody_elses_view(grace: UUID, ada: Made) -> None:
    (hers,) = my_workspaces(open_scope(grace))
    assert hers.id not in {workspace.id for workspace in my_workspaces(ada.scope)}
    with pytest.raises(NotFound):
        ada.scope.narrowed_to(hers.id)


def test_an_address_signs_up_once_however_it_is_spelled(database: Connection, grace: UUID) -> None:
    with pytest.raises(Conflict) as no:
        sign_up(" GRACE@Example.com", "another long password", "Eve", "en")
    assert no.value.code == "identity.email_taken"
    assert database.execute(text("SELECT count(*) FROM users")).scalar_one() == 1


def test_the_address_of_a_deleted_person_is_free(database: Connection, grace: UUID) -> None:
    database.execute(text("UPDATE users SET deleted_at = now()"))
    assert sign_up(EMAIL, PASSWORD, "Grace", "en") != grace


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "grace"},
        {"password": "short"},
        {"display_name": "  "},
        {"display_name": "x" * 81},
        {"display_name": "a\x00b"},
        {"language": "xx"},
        {"time_zone": "Mars/Olympus"},
    ],
)
def test_a_bad_sign_up_leaves_nothing(database: Connection, wrong: dict[str, str]) -> None:
    good = {"email": EMAIL, "password": PASSWORD, "display_name": "Grace", "language": "en", "time_zone": "UTC"}
    with pytest.raises(BadInput):
        sign_up(**(good | wrong))
    assert database.execute(text("SELECT count(*) FROM users")).scalar_one() == 0


def test_the_right_password_opens_a_session(database: Connection, grace: UUID) -> None:
    found = session_of(signed_in(" Grace@EXAMPLE.com ", PASSWORD, HOME))
    assert found is not None
    assert found.user_id == grace
    assert failures(database) == 0


def test_each_sign_in_is_a_session_of_its_own(grace: UUID) -> None:
    assert signed_in(EMAIL, PASSWORD, HOME) != signed_in(EMAIL, PASSWORD, HOME)


@pytest.mark.parametrize("column", ["disabled_at", "deleted_at"])
def test_unknown_disabled_and_deleted_are_answered_as_a_wrong_password(
    database: Connection, grace: UUID, column: str
) -> None:
    wrong = refused(EMAIL, "not the password")
    assert wrong == refused("nobody@example.com", PASSWORD) == refused("\x00\ud800", "\x00\ud800")
    database.execute(text(f"UPDATE users SET {column} = now()"))
    assert refused(EMAIL, PASSWORD) == wrong


def test_who_has_no_password_cannot_sign_in_with_one(ada: Made) -> None:
    assert refused(ada.email, "") == "identity.wrong_credentials"


def test_an_old_hash_is_renewed_at_sign_in(database: Connection, grace: UUID) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    database.execute(text("UPDATE users SET password_hash = :old"), {"old": old})
    signed_in(EMAIL, PASSWORD, HOME)
    assert not is_outdated(database.execute(text("SELECT password_hash FROM users")).scalar_one())
    signed_in(EMAIL, PASSWORD, HOME)


def test_too_many_tries_stop_one_address_and_not_the_true_person_elsewhere(database: Connection, grace: UUID) -> None:
    for _ in range(TRIES_OF_ONE):
        assert refused(EMAIL, "guess") == "identity.wrong_credentials"
    assert refused(EMAIL, PASSWORD) == "identity.too_many_tries"
    assert failures(database) == TRIES_OF_ONE
    assert signed_in(EMAIL, PASSWORD, ELSEWHERE)
    assert refused(EMAIL, PASSWORD) == "identity.too_many_tries"


def test_failures_are_forgotten_after_an_hour(database: Connection, grace: UUID) -> None:
    for _ in range(TRIES_OF_ONE):
        refused(EMAIL, "guess")
    database.execute(
        text("UPDATE sign_in_attempts SET id = uuidv7(interval '-61 minutes'), at = now() - interval '61 minutes'")
    )
    assert refused(EMAIL, "guess") == "identity.wrong_credentials"
    assert failures(database) == 1


def test_a_success_clears_the_mistakes_before_it(database: Connection, grace: UUID) -> None:
    for _ in range(TRIES_OF_ONE - 1):
        refused(EMAIL, "guess")
    signed_in(EMAIL, PASSWORD, HOME)
    assert failures(database) == 0


def many_failures(database: Connection, count: int, email: str, address: str) -> None:
    database.execute(
        text(
            "INSERT INTO sign_in_attempts (email_hash, address)"
            f" SELECT sha256(convert_to({email}, 'UTF8')), {address} FROM generate_series(1, {count}) AS n"
        )
    )


@pytest.mark.parametrize(("count", "code"), [(99, "identity.wrong_credentials"), (100, "identity.too_many_tries")])
def test_one_account_is_tried_a_hundred_times_an_hour_at_most(
    database: Connection, grace: UUID, count: int, code: str
) -> None:
    many_failures(database, count, f"'{EMAIL}'", "'203.0.113.' || n")
    assert refused(EMAIL, "guess", ELSEWHERE) == code


@pytest.mark.parametrize(("count", "code"), [(99, "identity.wrong_credentials"), (100, "identity.too_many_tries")])
def test_one_address_tries_a_hundred_times_an_hour_at_most(
    database: Connection, grace: UUID, count: int, code: str
) -> None:
    many_failures(database, count, "'user' || n || '@example.com'", f"'{HOME}'")
    assert refused(EMAIL, "guess") == code


def test_one_ipv6_line_is_one_address(database: Connection, grace: UUID) -> None:
    for n in range(TRIES_OF_ONE):
        refused(EMAIL, "guess", f"2001:db8:1:2::{n:x}")
    assert refused(EMAIL, PASSWORD, "2001:db8:1:2:ffff::1") == "identity.too_many_tries"
    assert signed_in(EMAIL, PASSWORD, "2001:db8:1:3::1")


@pytest.mark.parametrize("address", ["", "unknown", "\x00", "x" * 1000, "::ffff:192.0.2.1", "fe80::1%eth0"])
def test_any_address_will_do(grace: UUID, address: str) -> None:
    assert signed_in(EMAIL, PASSWORD, address)


@pytest.fixture
def grace_for_all(committed: str) -> str:
    sign_up(EMAIL, PASSWORD, "Grace", "en")
    return committed


def test_parallel_guesses_do_not_slip_past_the_limit(grace_for_all: str) -> None:
    together = Barrier(16)

    def guess(n: int) -> str:
        together.wait(30)
        return refused(EMAIL, f"guess {n}")

    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(guess, range(16)))
    assert answers.count("identity.wrong_credentials") == TRIES_OF_ONE
    with psycopg.connect(libpq(grace_for_all)) as connection:
        assert connection.execute("SELECT count(*) FROM sign_in_attempts").fetchone() == (TRIES_OF_ONE,)


def test_parallel_sign_ups_of_one_address_make_one_person(committed: str) -> None:
    def join(n: int) -> bool:
        try:
            sign_up(EMAIL, PASSWORD, f"Grace {n}", "en")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as crowd:
        assert list(crowd.map(join, range(4))).count(True) == 1


def test_a_profile_is_changed_by_what_is_given(ada: Made) -> None:
    assert edit_profile(ada.scope, display_name="  Ada   King ").display_name == "Ada King"
    changed = edit_profile(ada.scope, language="fr", time_zone="America/Toronto")
    assert (changed.display_name, changed.language, changed.time_zone) == ("Ada King", "fr", "America/Toronto")
    assert profile(ada.scope) == changed


@pytest.mark.parametrize("wrong", [{"display_name": ""}, {"language": "de"}, {"time_zone": "CET-1"}])
def test_a_profile_refuses_what_cannot_be(ada: Made, wrong: dict[str, str]) -> None:
    before = profile(ada.scope)
    with pytest.raises(BadInput):
        edit_profile(ada.scope, **wrong)
    assert profile(ada.scope) == before
