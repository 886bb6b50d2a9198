"""The doors of core: permission, tenancy and transaction, decided in one place."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from core.access import OF_STAFF, Permission, Scope
from core.db import one_statement, transaction
from core.own_connection import OwnConnection, own_connection

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Door:
    """One entry of the registry. A door without a permission is open before anybody is known; `why` says so."""

    name: str
    permission: Permission | None
    why: str = ""


DOORS: dict[str, Door] = {}


def _register(function: Callable[..., object], permission: Permission | None, why: str = "") -> None:
    name = f"{function.__module__}.{function.__qualname__}"
    DOORS[name] = Door(name, permission, why)


def use_case(
    permission: Permission,
) -> Callable[[Callable[Concatenate[Session, Scope, P], R]], Callable[Concatenate[Scope, P], R]]:
    """Turn the room `f(session, scope, …)` into the door `f(scope, …)`: checked, scoped, all or nothing."""

    def decorate(function: Callable[Concatenate[Session, Scope, P], R]) -> Callable[Concatenate[Scope, P], R]:
        _register(function, permission)

        @wraps(function)
        def door(scope: Scope, /, *args: P.args, **kwargs: P.kwargs) -> R:
            scope.require(permission)
            with transaction(scope, as_staff=permission in OF_STAFF) as session:
                return function(session, scope, *args, **kwargs)

        return door

    return decorate


def unscoped(
    why: str, *, in_one_statement: bool = False
) -> Callable[[Callable[Concatenate[Session, P], R]], Callable[P, R]]:
    """Turn `f(session, …)` into a door that needs nobody: in its transaction no tenant's row is visible.

    For signing in, for inboxes and for queues. `why` says what makes that right. With `in_one_statement` each
    statement is its own commit, which is right for one alone, and cheap.
    """

    def decorate(function: Callable[Concatenate[Session, P], R]) -> Callable[P, R]:
        _register(function, None, why)

        @wraps(function)
        def door(*args: P.args, **kwargs: P.kwargs) -> R:
            with one_statement() if in_one_statement else transaction(None) as session:
                return function(session, *args, **kwargs)

        return door

    return decorate


def unscoped_on_loop(
    why: str,
) -> Callable[[Callable[Concatenate[OwnConnection, P], Awaitable[R]]], Callable[P, Awaitable[R]]]:
    """As `unscoped(why, in_one_statement=True)`, for an event loop that has a connection of its own."""

    def decorate(function: Callable[Concatenate[OwnConnection, P], Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        _register(function, None, why)

        @wraps(function)
        async def door(*args: P.args, **kwargs: P.kwargs) -> R:
            return await function(own_connection(), *args, **kwargs)

        return door

    return decorate
