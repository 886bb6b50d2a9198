"""Where Stripe rings. The body is kept as it came: a signature is of bytes, not of what they mean."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from core.billing.events import verified
from core.sidecar.gathering import keep

router = APIRouter(prefix="/webhooks")

_ANSWERS = {is_new: f'{{"received":true,"new":{str(is_new).lower()}}}'.encode() for is_new in (True, False)}


@router.post("/stripe")
async def stripe(request: Request) -> Response:
    """200 once the event is committed, also for one that was here before; 400 for whatever Stripe did not sign."""
    raw = await request.body()
    signatures = request.headers.getlist("stripe-signature")
    is_new = await keep(verified(raw, ",".join(signatures) if signatures else None))
    return Response(_ANSWERS[is_new], media_type="application/json")
