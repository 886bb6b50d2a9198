"""What is told to Stripe's meter, and what it has counted.

Every function raises NotConfigured without a usable key, and what `stripe_client.refusals` raises.
"""

from datetime import datetime
from uuid import UUID, uuid4

from core.billing.stripe_catalogue import METER, MeterPiece
from core.billing.stripe_client import client, refusals
from core.errors import Conflict


def count(report_id: UUID, customer_id: str, quantity: int, at: datetime) -> None:
    """Have the customer's meter count so many drafts at that instant, once for each report.

    Its id as the identifier sees to that: Stripe refuses one that it has, which is as good as its first answer, which
    was lost. The idempotency key is for this try alone: to a key Stripe repeats a refusal, though its cause is gone.
    """
    try:
        with refusals():
            client().v1.billing.meter_events.create(
                {
                    "event_name": METER,
                    "identifier": str(report_id),
                    "timestamp": int(at.timestamp()),
                    "payload": {"stripe_customer_id": customer_id, "value": str(quantity)},
                },
                {"idempotency_key": f"{report_id}-{uuid4().hex[:8]}"},
            )
    except Conflict as refusal:
        if f"already exists with identifier {report_id}" not in str(refusal.facts.get("reason")):
            raise


def counted(customer_id: str, start: datetime, end: datetime) -> int:
    """Drafts that the meter has of the customer, dated from `start` to before `end`, both whole minutes."""
    meter = MeterPiece().look()
    if meter is None:
        return 0
    with refusals():
        listed = client().v1.billing.meters.event_summaries.list(
            meter.stripe_id,
            {
                "customer": customer_id,
                "start_time": int(start.timestamp()),
                "end_time": int(end.timestamp()),
                "limit": 100,
            },
        )
        return sum(int(each.aggregated_value) for each in listed.auto_paging_iter())
