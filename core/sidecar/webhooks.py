"""Where Stripe rings. The body is kept as it came: a signature is of bytes, not of what they mean."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.billing.events import receive_event

router = APIRouter(prefix="/webhooks")


@router.post("/stripe")
async def stripe(request: Request) -> Response:
    """200 once the event is committed, also for one that was here before; 400 for whatever Stripe did not sign."""
    raw = await request.body()
    signatures = request.headers.getlist("stripe-signature")
    is_new = await run_in_threadpool(receive_event, raw, ",".join(signatures) if signatures else None)
    return JSONResponse({"received": True, "new": is_new})
