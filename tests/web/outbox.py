"""What waits in a served product's outbox, and the rows behind its pages."""

import re
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.conftest import libpq
from tests.web.serving import Served


@dataclass(frozen=True)
class Waiting:
    kind: str
    subject: str
    body: str

    @property
    def token(self) -> str:
        """That of the one link in it."""
        (token,) = re.findall(r"token=([\w-]+)", self.body)
        return str(token)


def letters(served: Served, email: str) -> list[Waiting]:
    """The letters to an address, the oldest first."""
    found = rows(served, "SELECT kind, subject, body FROM mail_outbox WHERE to_address = %s ORDER BY id", email)
    return [Waiting(*row) for row in found]


def letter(served: Served, email: str, kind: str) -> Waiting:
    """The newest letter of a kind to an address."""
    return [one for one in letters(served, email) if one.kind == kind][-1]


def rows(served: Served, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(libpq(served.database)) as connection:
        answer = connection.execute(statement, values)  # type: ignore[arg-type]
        return answer.fetchall() if answer.description else []


def deeds(served: Served, email: str) -> list[str]:
    """What the audit log says that somebody did, the oldest first."""
    found = rows(
        served,
        "SELECT set_config('app.user_id', id::text, false) FROM users WHERE email = %s AND deleted_at IS NULL",
        email,
    )
    assert found, email
    with psycopg.connect(libpq(served.database)) as connection:
        connection.execute("SELECT set_config('app.user_id', %s, false)", (found[0][0],))
        return [deed for (deed,) in connection.execute("SELECT deed FROM audit_log ORDER BY at, id").fetchall()]
