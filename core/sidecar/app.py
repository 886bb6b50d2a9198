"""The sidecar: what is served without a script thread. Mounted in the dashboard's process, and able to run alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from core.errors import Refusal
from core.identity.proof import ProofNeeded
from core.own_connection import close_own_connection
from core.sidecar import (
    account,
    account_links,
    account_security,
    api,
    api_access,
    approvals,
    farewell,
    health,
    invitations,
    oidc,
    webhooks,
)
from core.sidecar.forms import SignInFirst, on_proof_needed, on_sign_in_first
from core.sidecar.headers import SecurityHeaders
from core.sidecar.limits import BodyLimit
from core.sidecar.origin import SameOrigin
from core.sidecar.problems import CrashReport, on_http_exception, on_invalid, on_refusal

PATHS = ("/account", "/api", "/approve", "/healthz", "/readyz", "/webhooks")
"""What the sidecar answers: each of these, and everything below it."""


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    await close_own_connection()


def create_app() -> FastAPI:
    """Reads no setting and opens no connection: both happen when they are first needed."""
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(CrashReport),
            Middleware(SameOrigin),
            Middleware(BodyLimit),
        ],
        exception_handlers={
            Refusal: on_refusal,
            ProofNeeded: on_proof_needed,
            SignInFirst: on_sign_in_first,
            HTTPException: on_http_exception,
            RequestValidationError: on_invalid,
        },
    )
    app.include_router(webhooks.router)  # first, since routes are tried in turn and this one is asked most
    app.include_router(account.router)
    app.include_router(account_links.router)
    app.include_router(account_security.router)
    app.include_router(api.router)
    app.include_router(api_access.router)
    app.include_router(approvals.router)
    app.include_router(invitations.router)
    app.include_router(farewell.router)
    app.include_router(oidc.router)
    app.include_router(health.router)
    return app


app = create_app()
