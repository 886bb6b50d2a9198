import hashlib
from uuid import UUID

import pytest
from sqlalchemy import Connection, select, text, update

from core.identity.models import User, WebSession
from core.identity.sessions import choose, close_session, is_alive, open_session, session_of
from tests.people import Made


@pytest.fixture
def token(ada: Made) -> str:
    return open_session(ada.user_id)


def ago(database: Connection, column: str, interval: str) -> None:
    database.execute(text(f"UPDATE web_sessions SET {column} = now() - interval '{interval}'"))


def test_a_token_leads_to_its_user(ada: Made, token: str) -> None:
    found = session_of(token)
    assert found is not None
    assert found.user_id == ada.user_id
    assert is_alive(found.id)


def test_only_the_hash_of_a_token_is_kept(database: Connection, token: str) -> None:
    row = database.execute(select(WebSession)).one()
    assert row.token_hash == hashlib.sha256(token.encode()).digest()
    assert token not in str(row)


def test_tokens_are_long_and_never_repeat(ada: Made) -> None:
    tokens = {open_session(ada.user_id) for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(token) >= 43 for token in tokens)


@pytest.mark.parametrize("wrong", ["", "nonsense", "\x00", "\ud800", "x" * 10_000, "é"])
def test_another_token_leads_nowhere(token: str, wrong: str) -> None:
    assert session_of(wrong) is None
    assert session_of(token + wrong) is None or wrong == ""


@pytest.mark.parametrize(
    ("column", "interval", "lives"),
    [
        ("last_seen_at", "29 minutes 59 seconds", True),
        ("last_seen_at", "30 minutes", False),
        ("expires_at", "-1 second", True),
        ("expires_at", "0 seconds", False),
        ("revoked_at", "0 seconds", False),
    ],
)
def test_a_session_ends(database: Connection, token: str, column: str, interval: str, lives: bool) -> None:
    found = session_of(token)
    assert found is not None
    ago(database, column, interval)
    assert (session_of(token) is not None) == lives
    assert is_alive(found.id) == lives


def test_the_absolute_end_is_twelve_hours_after_the_start(database: Connection, token: str) -> None:
    length = database.execute(text("SELECT expires_at - created_at FROM web_sessions")).scalar_one()
    assert length.total_seconds() == 12 * 3600


@pytest.mark.parametrize(("interval", "written"), [("59 seconds", False), ("61 seconds", True)])
def test_a_sign_of_life_is_written_once_a_minute(
    database: Connection, token: str, interval: str, written: bool
) -> None:
    ago(database, "last_seen_at", interval)
    session_of(token)
    moved = database.execute(text("SELECT last_seen_at = now() FROM web_sessions")).scalar_one()
    assert moved == written


def test_a_page_that_refreshes_itself_is_no_sign_of_life(database: Connection, token: str) -> None:
    found = session_of(token)
    assert found is not None
    ago(database, "last_seen_at", "10 minutes")
    assert is_alive(found.id, touch=False)
    assert not database.execute(text("SELECT last_seen_at = now() FROM web_sessions")).scalar_one()
    assert is_alive(found.id)
    assert database.execute(text("SELECT last_seen_at = now() FROM web_sessions")).scalar_one()


@pytest.mark.parametrize("column", ["disabled_at", "deleted_at"])
def test_who_may_not_come_in_has_no_session(database: Connection, ada: Made, token: str, column: str) -> None:
    found = session_of(token)
    assert found is not None
    database.execute(update(User).where(User.id == ada.user_id).values({column: text("now()")}))
    assert session_of(token) is None
    assert not is_alive(found.id)


def test_signing_out_ends_one_session_only(ada: Made, token: str) -> None:
    other = open_session(ada.user_id)
    close_session(token)
    close_session("unknown")
    assert session_of(token) is None
    assert session_of(other) is not None


def test_the_chosen_creator_is_remembered(database: Connection, ada: Made, token: str) -> None:
    found = session_of(token)
    assert found is not None
    for wish in (ada.workspace_id, None):
        choose(found.id, wish)
        assert database.execute(select(WebSession.chosen)).scalar_one() == wish


def test_sessions_long_over_are_removed_at_the_next_sign_in(database: Connection, ada: Made, token: str) -> None:
    ago(database, "expires_at", "31 days")
    open_session(ada.user_id)
    assert len(database.execute(select(WebSession.id)).all()) == 1


def test_an_unknown_id_is_not_alive(database: Connection) -> None:
    assert not is_alive(UUID(int=7))
