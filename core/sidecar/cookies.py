"""The cookie that holds a session's token."""

from starlette.requests import HTTPConnection
from starlette.responses import Response

from core.settings import settings

NAME = "huntaze_session"
LONGEST_TOKEN = 128


def name() -> str:
    """Behind TLS with the prefix that makes browsers refuse the cookie from any other host, path or scheme."""
    return f"__Host-{NAME}" if settings().is_secure else NAME


def token_of(connection: HTTPConnection) -> str | None:
    token = connection.cookies.get(name())
    return token if token and len(token) <= LONGEST_TOKEN else None


def give(response: Response, token: str) -> None:
    """Until the browser closes; how long the session itself holds is the database's to say."""
    response.set_cookie(name(), token, path="/", secure=settings().is_secure, httponly=True, samesite="lax")


def take_back(response: Response) -> None:
    response.delete_cookie(name(), path="/", secure=settings().is_secure, httponly=True, samesite="lax")
