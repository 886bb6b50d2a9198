"""The database: one base class, one way to open a transaction, one tenancy rule."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final
from uuid import UUID

import psycopg
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, SessionTransaction, mapped_column, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from core.access import Scope
from core.settings import settings

APP_ROLE = "huntaze_app"
"""The role that serves requests: owns nothing, bypasses nothing."""


class Base(DeclarativeBase):
    """Keys are UUIDv7 made by PostgreSQL: ordered by time, and no sequence is shared between tenants."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        }
    )
    type_annotation_map = {datetime: DateTime(timezone=True), int: BigInteger}  # noqa: RUF012


def new_id() -> Mapped[UUID]:
    """A primary key column, or the second half of one."""
    return mapped_column(primary_key=True, server_default=text("uuidv7()"))


def stamped() -> Mapped[datetime]:
    """An instant that PostgreSQL writes when the row is made."""
    return mapped_column(server_default=func.now())


# The tenancy rule, by the column that says whose a row is. `(SELECT …)` makes PostgreSQL read the setting once a query.
def _among(setting: str) -> str:
    return f"ANY ((SELECT string_to_array(NULLIF(current_setting('app.{setting}', true), ''), ',')::uuid[])::uuid[])"


IN_WORKSPACE = f"workspace_id = {_among('workspace_ids')}"
IN_ACCOUNT = f"account_id = {_among('account_ids')}"
STAFF = "(SELECT current_setting('app.is_staff', true)) = 'on'"
"""On only inside a door for staff: who pays, for what, and which workspaces there are. Never a creator's rows."""
OWN = "user_id = (SELECT NULLIF(current_setting('app.user_id', true), '')::uuid)"

PLAIN_TABLES = frozenset({"jobs", "stripe_events", "stripe_sync", "stripe_customers", "tenant_pointers"})
"""Queues and routing marks that hold a tenant's id and no tenant's data. Workers claim across tenants, so no policy."""


APPEND_ONLY = frozenset({"audit_log", "mrr_movements"})
"""Tables whose rows the app's role may add and read, and can neither change nor remove."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which rows of a table show, and which may be written."""

    shown: str
    written: str


COUNTING = "current_setting('app.counting', true) = 'on'"
"""Set by `billing.queries.creators_in` while it counts, and by `workspaces.team` for owners, who decide about all."""
_WORKSPACE = f"id = {_among('workspace_ids')}"
_ACCOUNT = f"id = {_among('account_ids')}"
OF_NO_ACCOUNT = "account_id = '00000000-0000-0000-0000-000000000000'::uuid"

# A person finds their own memberships before any scope exists, and can still not write themselves into a tenant.
RULES = {
    "accounts": Rule(f"{_ACCOUNT} OR {STAFF}", _ACCOUNT),
    "workspaces": Rule(f"{_WORKSPACE} OR ({IN_ACCOUNT} AND {COUNTING}) OR {STAFF}", f"{_WORKSPACE} AND {IN_ACCOUNT}"),
    "memberships": Rule(f"{IN_WORKSPACE} OR {OWN}", IN_WORKSPACE),
    "account_members": Rule(f"{IN_ACCOUNT} OR {OWN} OR {STAFF}", IN_ACCOUNT),
    "subscriptions": Rule(f"{IN_ACCOUNT} OR {STAFF}", IN_ACCOUNT),
    "subscription_changes": Rule(f"{IN_ACCOUNT} OR {STAFF}", IN_ACCOUNT),
    "invoices": Rule(f"{IN_ACCOUNT} OR {STAFF}", IN_ACCOUNT),
    "payment_methods": Rule(f"{IN_ACCOUNT} OR {STAFF}", IN_ACCOUNT),
    "mrr_movements": Rule(f"{IN_ACCOUNT} OR {STAFF}", IN_ACCOUNT),
    "usage_reports": Rule(f"{IN_ACCOUNT} OR {STAFF}", IN_ACCOUNT),
    "billing_intents": Rule(f"{IN_ACCOUNT} OR {STAFF}", f"{IN_ACCOUNT} OR {STAFF}"),
    "plan_grants": Rule(f"{IN_ACCOUNT} OR {STAFF}", STAFF),
    "packs": Rule(OWN, OWN),
    "staff_visits": Rule(f"{IN_WORKSPACE} OR {OWN}", f"{STAFF} AND {OWN}"),
    "audit_log": Rule(f"{IN_ACCOUNT} OR {OWN} OR {STAFF}", f"{IN_ACCOUNT} OR {STAFF} OR {OF_NO_ACCOUNT}"),
}
"""Tables whose rule is not simply that of their tenant column."""


def rule_of(table: Table) -> Rule | None:
    """The row-level rule that a table must be under, or None for one that belongs to no tenant."""
    if table.name in PLAIN_TABLES:
        return None
    if table.name in RULES:
        return RULES[table.name]
    if "workspace_id" in table.c:
        return Rule(IN_WORKSPACE, IN_WORKSPACE)
    return Rule(IN_ACCOUNT, IN_ACCOUNT) if "account_id" in table.c else None


def policy(table: str, rule: Rule) -> tuple[str, ...]:
    """The statements that put a table under a rule, for its owner too."""
    kept = (f"REVOKE UPDATE, DELETE ON {table} FROM {APP_ROLE}",) if table in APPEND_ONLY else ()
    return (
        *kept,
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING ({rule.shown}) WITH CHECK ({rule.written})",
    )


TIMEOUT = 5
"""Seconds to wait for a connection."""
OPTIONS = "-c statement_timeout=60000 -c timezone=UTC"
STEP_DOWN: Final = f"SET ROLE {APP_ROLE}"


def database_url() -> str:
    """Where the app logs in."""
    url = settings().database_url
    if url is None:
        raise RuntimeError("DATABASE_URL is not set; `python3 -m dashboard` sets it for the embedded server")
    return url.get_secret_value()


@cache
def engine() -> Engine:
    """The app's pool.

    Without DATABASE_OWNER_URL its login owns the tables, so each session steps down to the app role.
    """
    made = create_engine(
        psycopg_url(database_url()),
        pool_size=8,
        max_overflow=8,
        pool_pre_ping=True,
        pool_timeout=10,
        hide_parameters=True,  # an error's text is logged, and the values in it are people's
        connect_args={"connect_timeout": TIMEOUT, "options": OPTIONS},
    )
    if settings().database_owner_url is None:
        event.listen(made, "connect", _step_down)
    return made


def _step_down(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.autocommit = True
    connection.cursor().execute(STEP_DOWN)
    connection.autocommit = False


@event.listens_for(Engine, "handle_error")
def _leave_values_out(context: ExceptionContext) -> None:
    """An error's text is logged, and PostgreSQL quotes in it the row at hand, with people's values and secrets."""
    error, told = context.original_exception, context.sqlalchemy_exception
    if not isinstance(error, psycopg.Error) or error.sqlstate is None:
        return
    leave_values_out(error)
    if told is not None:
        told.args = (f"({type(error).__module__}.{type(error).__name__}) {error.args[0]}",)


def leave_values_out(error: psycopg.Error) -> None:
    """For an error that PostgreSQL itself raised; others quote nothing."""
    if error.sqlstate is not None:
        # class 22 quotes the value that it could not read in its very first line
        said = "" if error.sqlstate.startswith("22") else error.diag.message_primary or ""
        error.args = (f"{error.sqlstate} {said}".strip(),)


def psycopg_url(url: str) -> str:
    """The same address for SQLAlchemy's psycopg 3 dialect, however it was spelled."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


sessions = sessionmaker(expire_on_commit=False)


@cache
def _each_alone(pool: Engine) -> Engine:
    """The same pool, each statement its own commit: one way to PostgreSQL and back instead of four."""
    return pool.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def one_statement() -> Iterator[Session]:
    """For a single statement that no tenant's rows are read or written by: it is committed when it returns."""
    bind = sessions.kw.get("bind") or _each_alone(engine())
    with sessions(bind=bind, info={"is_alone": True}) as session, session.begin():
        yield session


@contextmanager
def transaction(scope: Scope | None, *, as_staff: bool = False) -> Iterator[Session]:
    """Commit on success, roll back on any exception. Without a scope no tenant's rows exist.

    Only `core.use_case` calls this: a function gets a session by being a door.
    """
    bind = sessions.kw.get("bind") or engine()
    with sessions(bind=bind, info={"scope": scope, "as_staff": as_staff}) as session, session.begin():
        yield session


def new_account_id(session: Session) -> UUID:
    """A fresh account's id, in view for the rest of this transaction. No row carries it yet, so nothing is widened."""
    return _fresh_id(session, "new_account_ids")


def new_workspace_id(session: Session) -> UUID:
    """A fresh workspace's id, in view for the rest of this transaction, as with `new_account_id`."""
    return _fresh_id(session, "new_workspace_ids")


def look_as(session: Session, scope: Scope) -> None:
    """What the rest of this transaction may see. Only for `open_scope`, which finds it out step by step."""
    session.info["scope"] = scope
    _set_scope(session, session.connection())


def _fresh_id(session: Session, kind: str) -> UUID:
    made: UUID = session.execute(select(text("uuidv7()"))).scalar_one()
    session.info.setdefault(kind, set()).add(made)
    _set_scope(session, session.connection())
    return made


# Sent at the start of every transaction, so it is put together once.
_SET_SCOPE = text(
    "SELECT set_config('app.workspace_ids', :workspaces, true), set_config('app.account_ids', :accounts, true), "
    "set_config('app.user_id', :user, true), set_config('app.is_staff', :staff, true)"
)


@event.listens_for(sessions, "after_begin")
def _tell_postgres_the_scope(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    if not session.info.get("is_alone"):  # settings of a transaction are gone with it: there is nothing to take back
        _set_scope(session, connection)


def _set_scope(session: Session, connection: Connection) -> None:
    scope: Scope | None = session.info.get("scope")
    workspaces = (scope.workspace_ids if scope else frozenset()) | session.info.get("new_workspace_ids", set())
    accounts = (scope.account_ids if scope else frozenset()) | session.info.get("new_account_ids", set())
    connection.execute(
        _SET_SCOPE,
        {
            "workspaces": ",".join(map(str, workspaces)),
            "accounts": ",".join(map(str, accounts)),
            "user": str(scope.user_id) if scope else "",
            "staff": "on" if session.info.get("as_staff") else "off",
        },
    )
