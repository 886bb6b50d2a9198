import hashlib
from uuid import UUID

import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.orm import Session

from core.errors import NotSignedIn
from core.identity.models import User, WebSession
from core.identity.sessions import (
    Key,
    choose,
    close_session,
    end_sessions,
    is_alive,
    open_session,
    renew_session,
    session_of,
)
from core.use_case import unscoped
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


def test_a_remembered_session_may_be_idle_for_its_thirty_days(database: Connection, ada: Made) -> None:
    token = open_session(ada.user_id, remembered=True)
    length = database.execute(text("SELECT expires_at - created_at FROM web_sessions")).scalar_one()
    assert length.total_seconds() == 30 * 86400
    ago(database, "last_seen_at", "29 days")
    found = session_of(token)
    assert found is not None
    assert is_alive(found.id)
    ago(database, "expires_at", "0 seconds")
    assert session_of(token) is None


@pytest.mark.parametrize(("given", "kept"), [("x" * 500, "x" * 200), ("a\x00b", "ab"), ("a\udcffb", "a?b")])
def test_what_a_browser_says_of_itself_is_kept_fit_to_keep(
    database: Connection, ada: Made, given: str, kept: str
) -> None:
    open_session(ada.user_id, agent=given, address=given)
    assert database.execute(text("SELECT agent, address FROM web_sessions")).one() == (kept, kept[:64])


@unscoped("the test has just made the session")
def renewed(session: Session, session_id: UUID) -> Key:
    return renew_session(session, session_id)


@unscoped("the test has just made the sessions")
def ended(session: Session, user_id: UUID, but: UUID | None = None) -> None:
    end_sessions(session, user_id, but=but)


@pytest.mark.parametrize("remembered", [True, False])
def test_a_renewed_session_is_the_same_one_under_another_token(
    database: Connection, ada: Made, remembered: bool
) -> None:
    token = open_session(ada.user_id, remembered=remembered)
    before = session_of(token)
    assert before is not None
    ago(database, "proved_at", "1 hour")
    key = renewed(before.id)
    assert session_of(token) is None
    assert session_of(key.token) == before
    assert (key.lasts is not None) == remembered
    assert database.execute(text("SELECT proved_at = now() FROM web_sessions")).scalar_one()


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
def test_a_session_that_is_over_is_not_renewed(database: Connection, token: str, column: str) -> None:
    found = session_of(token)
    assert found is not None
    ago(database, column, "0 seconds")
    with pytest.raises(NotSignedIn):
        renewed(found.id)


def test_ending_sessions_spares_one_and_other_people(ada: Made, bob: Made, token: str) -> None:
    others, theirs = [open_session(ada.user_id) for _ in range(3)], open_session(bob.user_id)
    kept = session_of(token)
    assert kept is not None
    ended(ada.user_id, kept.id)
    assert [session_of(one) for one in others] == [None] * 3
    assert session_of(token) == kept
    assert session_of(theirs) is not None
    ended(ada.user_id)
    assert session_of(token) is None
