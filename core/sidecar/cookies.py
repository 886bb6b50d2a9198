"""The cookies: a session's token, half a sign-in, and the mark of a browser that was here before."""

from datetime import timedelta
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from core.settings import settings

NAME = "huntaze_session"
PENDING: Final = "huntaze_pending"
DEVICE: Final = "huntaze_device"
LONGEST_TOKEN = 128
LONGEST_PENDING = 1_000


def name() -> str:
    return called(NAME)


def called(plain: str) -> str:
    """Behind TLS with the prefix that makes browsers refuse the cookie from any other host, path or scheme."""
    return f"__Host-{plain}" if settings().is_secure else plain


def token_of(connection: HTTPConnection) -> str | None:
    return _read(connection, NAME, LONGEST_TOKEN)


def device_of(connection: HTTPConnection) -> str | None:
    return _read(connection, DEVICE, LONGEST_TOKEN)


def pending_of(connection: HTTPConnection) -> str | None:
    return _read(connection, PENDING, LONGEST_PENDING)


def give(response: Response, token: str, lasts: timedelta | None = None) -> None:
    """The session's token; until the browser closes, or for as long as given where it is to be remembered.

    How long the session itself holds is the database's to say.
    """
    write(response, NAME, token, lasts)


def write(response: Response, plain: str, value: str, lasts: timedelta | None) -> None:
    response.set_cookie(
        called(plain),
        value,
        max_age=int(lasts.total_seconds()) if lasts else None,
        path="/",
        secure=settings().is_secure,
        httponly=True,
        samesite="lax",
    )


def take_back(response: Response, plain: str = NAME) -> None:
    response.delete_cookie(called(plain), path="/", secure=settings().is_secure, httponly=True, samesite="lax")


def _read(connection: HTTPConnection, plain: str, longest: int) -> str | None:
    value = connection.cookies.get(called(plain))
    return value if value and len(value) <= longest else None
