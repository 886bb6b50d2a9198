"""Whether this process runs, and whether it can do its work."""

import logging
from functools import cache
from http import HTTPStatus

from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.use_case import unscoped

router = APIRouter()
log = logging.getLogger("huntaze.web")


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers. Says nothing about the database, so that its absence does not get processes killed."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
def readyz() -> Response:
    reason = why_not_ready()
    if reason is None:
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": "not ready", "reason": reason}, HTTPStatus.SERVICE_UNAVAILABLE)


def why_not_ready() -> str | None:
    """None when the database answers, is migrated to this code's revision, and holds its app role to the rules."""
    try:
        revision, is_bound = _database()
    except (SQLAlchemyError, RuntimeError) as error:
        log.warning("not ready: %s", type(error).__name__)
        return "the database does not answer"
    if revision != _head():
        return f"the database is at revision {revision}, this code needs {_head()}"
    return None if is_bound else "the database role is not bound by row-level security"


@unscoped("readiness looks at the database itself and at no rows of anybody")
def _database(session: Session) -> tuple[str | None, bool]:
    """The revision, and whether the role that serves requests is neither above row-level security nor an owner."""
    session.execute(text("SET LOCAL statement_timeout = '3s'"))
    if session.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
        return None, True
    row = session.execute(
        text(
            "SELECT (SELECT version_num FROM alembic_version),"
            " NOT (rolsuper OR rolbypassrls) AND NOT EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid)"
            " FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    return row[0], row[1]


@cache
def _head() -> str:
    from migrations.run import head

    return head()
