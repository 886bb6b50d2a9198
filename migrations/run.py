"""Bring a database to a revision, from Python: no ini file, no working directory to be in."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core.db import psycopg_url


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made


def head() -> str:
    """The newest revision that the code knows."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    if revision is None:
        raise RuntimeError("there are no migrations")
    return revision


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Safe to call from several processes at once: one migrates, the others wait and find nothing to do."""
    _with_connection(owner_url, lambda settings: command.upgrade(settings, revision))


def downgrade(owner_url: str, revision: str) -> None:
    _with_connection(owner_url, lambda settings: command.downgrade(settings, revision))


def check(owner_url: str) -> None:
    """Raises when the models and the migrated tables differ in what Alembic compares."""
    _with_connection(owner_url, command.check)


def current(url: str) -> str | None:
    engine = create_engine(psycopg_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _with_connection(owner_url: str, run: Callable[[Config], object]) -> None:
    settings = config()
    engine = create_engine(psycopg_url(owner_url), poolclass=NullPool)
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        run(settings)
