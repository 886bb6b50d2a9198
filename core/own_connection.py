"""The connection that an event loop holds for itself, beside the pool that threads share."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from sqlalchemy.engine import make_url

from core.db import OPTIONS, STEP_DOWN, TIMEOUT, database_url, leave_values_out, sessions
from core.settings import settings


class OwnConnection:
    """What an event loop holds for itself, for single statements: no thread is asked, and none is waited for.

    Opened when it is first needed, and again after it was lost. One statement at a time, each its own commit.
    """

    def __init__(self) -> None:
        self._open: psycopg.AsyncConnection | None = None

    async def fetch(self, statement: LiteralString, values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        """The rows; committed when this returns. Raises what psycopg raises, without the values that it quotes.

        A connection that was lost while nobody used it is noticed by the first statement, which is then sent again: it
        has to be one that changes nothing the second time.
        """
        was_open = self._open is not None
        try:
            return await self._fetch(statement, values)
        except psycopg.OperationalError:
            if self._open is not None or not was_open:
                raise
            return await self._fetch(statement, values)

    async def _fetch(self, statement: LiteralString, values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        connection = self._open = self._open or await _connected()
        try:
            return await (await connection.execute(statement, values, prepare=True)).fetchall()
        except psycopg.Error as error:
            leave_values_out(error)
            raise
        finally:
            if connection.closed:
                self._open = None

    async def close(self) -> None:
        connection, self._open = self._open, None
        if connection is not None:
            await connection.close()

    def drop(self) -> None:
        """Close it although its loop is gone."""
        connection, self._open = self._open, None
        if connection is not None:
            connection.pgconn.finish()


_held: dict[asyncio.AbstractEventLoop, OwnConnection] = {}


def has_own_connection() -> bool:
    """Whether the running loop can have one: it must be able to watch a socket, which Windows' usual loop cannot."""
    loop = asyncio.get_running_loop()
    return not isinstance(loop, getattr(asyncio, "ProactorEventLoop", ())) and sessions.kw.get("bind") is None


def own_connection() -> OwnConnection:
    """The running loop's. Those of loops that are gone are closed."""
    loop = asyncio.get_running_loop()
    if loop not in _held:
        for gone in [each for each in _held if each.is_closed()]:
            _held.pop(gone).drop()
        _held[loop] = OwnConnection()
    return _held[loop]


async def close_own_connection() -> None:
    held = _held.pop(asyncio.get_running_loop(), None)
    if held is not None:
        await held.close()


async def _connected() -> psycopg.AsyncConnection:
    """As `core.db.engine` connects."""
    address = make_url(database_url()).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await psycopg.AsyncConnection.connect(
        address, autocommit=True, connect_timeout=TIMEOUT, options=OPTIONS
    )
    if settings().database_owner_url is None:
        await connection.execute(STEP_DOWN)
    return connection
