"""What takes time is done alike for people who exist and people who do not."""

from collections.abc import Callable
from uuid import UUID

import argon2._password_hasher as wire
import pytest
from sqlalchemy import Connection, text

from core.errors import NotSignedIn
from core.identity.passwords import request_reset
from core.identity.signing_in import sign_in
from core.identity.visitors import Visitor
from core.workspaces.sign_up import sign_up

EMAIL, PASSWORD, HERE = "grace@example.com", "correct horse battery", Visitor("192.0.2.1")


@pytest.fixture
def grace(database: Connection) -> UUID:
    return sign_up(EMAIL, PASSWORD, "Grace", "en")


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What argon2 itself was asked to do, with its costs; the work is still done."""
    done: list[str] = []

    def counted(name: str, work: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            kept = args[0]
            done.append(f"{name} {kept.decode('ascii').rsplit('$', 2)[0] if isinstance(kept, bytes) else ''}")
            return work(*args, **kwargs)

        return call

    monkeypatch.setattr(wire, "verify_secret", counted("verify", wire.verify_secret))
    return done


def wrong(email: str) -> None:
    with pytest.raises(NotSignedIn):
        sign_in(email, "not the password", HERE)


def test_a_wrong_password_costs_as_much_as_an_unknown_name(
    database: Connection, grace: UUID, hashing: list[str]
) -> None:
    wrong("nobody@example.com")
    wrong(EMAIL)
    wrong("\x00")
    database.execute(text("UPDATE users SET disabled_at = now()"))
    wrong(EMAIL)
    assert len(hashing) == 4
    assert len(set(hashing)) == 1, "the same function with the same costs"
    assert "m=19456,t=2,p=1" in hashing[0]


def test_a_reset_costs_the_same_for_everybody(database: Connection, grace: UUID, hashing: list[str]) -> None:
    for email in (EMAIL, "nobody@example.com", "", "\x00"):
        request_reset(email, HERE)
    assert len(hashing) == 4
    assert len(set(hashing)) == 1
    assert database.execute(text("SELECT count(*) FROM email_tokens WHERE purpose = 'reset'")).scalar_one() == 1
