"""Letters on their way: to a mail server, and to a folder where there is none."""

from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from core.mail import gateway
from core.mail.outbox import SENT, TRIES, post, send_one
from core.settings import settings
from core.use_case import unscoped
from tests.peers.smtp_server import SmtpServer

LINK = "http://localhost:8501/account/reset?token=canary-token-of-a-letter"
BODY = f"Hello,\n\n.a line that begins with a dot\nopen {LINK}\nÀ bientôt\n"


@pytest.fixture
def peer() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def set_up(**environment: str) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    yield set_up
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def letter(database: Connection) -> None:
    _post("ada@example.com", "reset", "Choisissez un nouveau mot de passe", BODY)


@unscoped("test data")
def _post(session: Session, to: str, kind: str, subject: str, body: str) -> None:
    post(session, to, kind, subject, body)


def state(database: Connection) -> tuple[object, ...]:
    question = "SELECT attempts, sent_at IS NOT NULL, failed_at IS NOT NULL, last_error, body FROM mail_outbox"
    return tuple(database.execute(text(question)).one())


def wait(database: Connection) -> None:
    """As if the pause before the next try were over."""
    database.execute(text("UPDATE mail_outbox SET next_at = now()"))


def test_a_letter_reaches_the_server_whole_and_is_emptied(
    database: Connection, letter: None, peer: SmtpServer, configure: Callable[..., None]
) -> None:
    configure(SMTP_URL=f"smtp://127.0.0.1:{peer.port}", MAIL_FROM="Huntaze <hello@example.com>")
    assert send_one()
    (taken,) = peer.taken
    assert taken.get_content().replace("\r\n", "\n") == BODY
    assert (taken["to"], taken["from"]) == ("ada@example.com", "Huntaze <hello@example.com>")
    assert taken["subject"] == "Choisissez un nouveau mot de passe"
    assert taken["auto-submitted"] == "auto-generated"
    assert state(database) == (1, True, False, None, SENT)
    assert not send_one(), "it is sent once"
    assert LINK not in str(database.execute(text("SELECT m::text FROM mail_outbox AS m")).all())


def test_a_server_that_is_busy_is_asked_again(
    database: Connection, letter: None, peer: SmtpServer, configure: Callable[..., None]
) -> None:
    configure(SMTP_URL=f"smtp://127.0.0.1:{peer.port}")
    peer.answers.append("451 try later")
    assert send_one()
    assert state(database) == (1, False, False, "mail.not_taken", BODY)
    assert not send_one(), "not at once"
    wait(database)
    assert send_one()
    assert len(peer.taken) == 1
    assert state(database) == (2, True, False, None, SENT)


def test_a_letter_that_is_never_taken_is_given_up(
    database: Connection, letter: None, peer: SmtpServer, configure: Callable[..., None]
) -> None:
    configure(SMTP_URL=f"smtp://127.0.0.1:{peer.port}")
    peer.always = "550 no such box"
    for _ in range(TRIES):
        assert send_one()
        wait(database)
    assert not send_one()
    assert state(database)[:4] == (TRIES, False, True, "mail.not_taken")
    assert peer.taken == []


def test_a_server_that_is_away_is_asked_again(
    database: Connection, letter: None, configure: Callable[..., None]
) -> None:
    with SmtpServer() as gone:
        port = gone.port
    configure(SMTP_URL=f"smtp://127.0.0.1:{port}")
    assert send_one()
    assert state(database)[:4] == (1, False, False, "mail.not_taken")


@pytest.mark.parametrize(
    ("offers", "answer"),
    [(("AUTH PLAIN LOGIN",), "502 no"), (("STARTTLS", "AUTH PLAIN LOGIN"), "454 TLS not available")],
)
def test_without_tls_no_other_machine_learns_a_password_or_a_letter(
    database: Connection, letter: None, configure: Callable[..., None], offers: tuple[str, ...], answer: str
) -> None:
    with SmtpServer(offers=offers, starttls=answer) as stranger:
        # this machine by another of its names, so that it counts as elsewhere
        configure(SMTP_URL=f"smtp://user:pass%40word@127.1:{stranger.port}")
        assert send_one()
        verbs = {command.split(" ")[0].upper() for command in stranger.seen}
    assert verbs <= {"EHLO", "STARTTLS", "QUIT"}
    assert verbs >= {"EHLO"}
    assert state(database)[:4] == (1, False, False, "mail.not_taken")


def test_without_a_server_letters_become_files_for_their_owner_alone(
    database: Connection, letter: None, configure: Callable[..., None], tmp_path: Path
) -> None:
    configure(DATA_DIR=str(tmp_path), SMTP_URL="")
    assert not gateway.is_configured()
    assert send_one()
    (file,) = gateway.outbox_folder().iterdir()
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["to"] == "ada@example.com"
    assert gateway.outbox_folder().stat().st_mode & 0o077 == 0
    assert state(database) == (1, True, False, None, SENT)


def test_a_deed_that_fails_sends_no_letter(database: Connection) -> None:
    @unscoped("test data that is taken back")
    def fail(session: Session) -> None:
        post(session, "ada@example.com", "reset", "Subject", BODY)
        session.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not send_one()
