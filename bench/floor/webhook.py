"""The least that a webhook can be: verify what was signed, insert one row, answer. One statement, its own commit."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from fastapi import FastAPI, Request, Response
from sqlalchemy.engine import make_url
from stripe import SignatureVerificationError, WebhookSignature

_SECRET = os.environ["STRIPE_WEBHOOK_SECRETS"]
_INSERT = """
INSERT INTO stripe_events (id, dedupe, type, api_version, created, livemode, sync_key, payload)
VALUES (%s, %s, %s, %s, to_timestamp(%s), %s, %s, %s) ON CONFLICT DO NOTHING
"""
_idle: asyncio.LifoQueue[psycopg.AsyncConnection] = asyncio.LifoQueue()


@asynccontextmanager
async def _connected(_app: FastAPI) -> AsyncIterator[None]:
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql").render_as_string(hide_password=False)
    for _ in range(int(os.environ.get("FLOOR_CONNECTIONS", "8"))):
        _idle.put_nowait(await psycopg.AsyncConnection.connect(url, autocommit=True))
    yield
    while not _idle.empty():
        await _idle.get_nowait().close()


app = FastAPI(lifespan=_connected, openapi_url=None)


@app.get("/readyz")
async def ready() -> Response:
    return Response()


@app.post("/webhooks/stripe")
async def stripe(request: Request) -> Response:
    raw = await request.body()
    try:
        WebhookSignature.verify_header(raw.decode(), request.headers["stripe-signature"], _SECRET, 300)
    except SignatureVerificationError:
        return Response(status_code=400)
    event = json.loads(raw)
    version, created, about = event["api_version"], event["created"], event["data"]["object"]
    row = (event["id"], event["id"], event["type"], version, created, event["livemode"], about["customer"], raw)
    connection = await _idle.get()
    try:
        await connection.execute(_INSERT, row)
    finally:
        _idle.put_nowait(connection)
    return Response()
