"""What is asked of Stripe to change a subscription: each write under a key that was stored before it.

Every function raises NotConfigured without a usable key, and what `stripe_client.refusals` raises.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.billing.plans import Item
from core.billing.proration import ItemChange, Line
from core.billing.stripe_client import PATIENT, Patience, client, refusals
from core.errors import Conflict, NotFound

if TYPE_CHECKING:
    import stripe
    from stripe.params import (
        InvoiceCreatePreviewParamsSubscriptionDetails,
        SubscriptionScheduleUpdateParamsPhase,
        SubscriptionScheduleUpdateParamsPhaseItem,
        SubscriptionUpdateParams,
        SubscriptionUpdateParamsItem,
    )


@dataclass(frozen=True, slots=True)
class Estimate:
    """The invoice that a change would make: its lines, the tax added to them and what would be taken at once."""

    lines: tuple[Line, ...]
    tax: int
    due_now: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What Stripe did, to the object `stripe_id`. While it is waiting, nothing yet: its invoice is to be paid first."""

    stripe_id: str
    is_waiting: bool = False


def preview(
    subscription_id: str,
    wanted: Sequence[ItemChange],
    prorated_at: datetime,
    *,
    resets_anchor: bool,
    patience: Patience = PATIENT,
) -> Estimate:
    """What changing those items would cost, as of `prorated_at`. Nothing is changed."""
    details: InvoiceCreatePreviewParamsSubscriptionDetails = {
        "items": [_changed(each) for each in wanted],
        "proration_behavior": "always_invoice",
        "proration_date": int(prorated_at.timestamp()),
    }
    if resets_anchor:
        details["billing_cycle_anchor"] = {"type": "now"}
    with refusals():
        invoice = client(patience).v1.invoices.create_preview(
            {"subscription": subscription_id, "subscription_details": details}
        )
        lines = tuple(_line(each) for each in invoice.lines.auto_paging_iter())
    added = (each.amount for each in invoice.total_taxes or () if each.tax_behavior == "exclusive")
    return Estimate(lines, sum(added), invoice.amount_due)


def change_now(
    subscription_id: str,
    wanted: Sequence[ItemChange],
    prorated_at: datetime | None,
    idempotency_key: str,
    *,
    resets_anchor: bool,
) -> Outcome:
    """Change the items at once. Prorated, it counts only once its invoice is paid; in a trial nothing is due."""
    params: SubscriptionUpdateParams = {"items": [_changed(each) for each in wanted]}
    if prorated_at is None:
        params["proration_behavior"] = "none"
    else:
        params["proration_behavior"] = "always_invoice"
        params["proration_date"] = int(prorated_at.timestamp())
        params["payment_behavior"] = "pending_if_incomplete"
    if resets_anchor:
        params["billing_cycle_anchor"] = {"type": "now"}
    with refusals():
        changed = client().v1.subscriptions.update(subscription_id, params, {"idempotency_key": idempotency_key})
    return Outcome(changed.id, is_waiting=changed.pending_update is not None)


def change_at_period_end(
    subscription_id: str, schedule_id: str | None, items: Iterable[Item], months: int, idempotency_key: str
) -> Outcome:
    """Have the subscription hold those items from its next period on, in place of what was to come before."""
    v1 = client().v1
    with refusals():
        if schedule_id is None:
            schedule = v1.subscription_schedules.create(
                {"from_subscription": subscription_id}, {"idempotency_key": f"{idempotency_key}-schedule"}
            )
        else:
            schedule = v1.subscription_schedules.retrieve(schedule_id)
        current = _current_phase(schedule)
        then: SubscriptionScheduleUpdateParamsPhase = {
            "items": [_phase_item(each.price_id, None if each.is_metered else each.quantity) for each in items],
            "duration": {"interval": "year" if months == 12 else "month", "interval_count": 1},
            "proration_behavior": "none",
        }
        if current.get("discounts"):
            then["discounts"] = current["discounts"]
        changed = v1.subscription_schedules.update(
            schedule.id,
            {
                "end_behavior": "release",
                "proration_behavior": "none",
                "phases": [current, then],
                "metadata": {"intent_id": idempotency_key},
            },
            {"idempotency_key": idempotency_key},
        )
    return Outcome(changed.id)


def release(schedule_id: str, idempotency_key: str) -> Outcome:
    """Take back what was to come at the period's end. Done twice it is done."""
    v1 = client().v1.subscription_schedules
    try:
        with refusals():
            v1.release(schedule_id, {}, {"idempotency_key": idempotency_key})
    except Conflict:
        with refusals():
            if v1.retrieve(schedule_id).status in ("active", "not_started"):
                raise
    except NotFound:
        pass
    return Outcome(schedule_id)


def cancel_at_period_end(subscription_id: str, feedback: str, comment: str, idempotency_key: str) -> Outcome:
    """Have the subscription end with the period that is paid for."""
    with refusals():
        changed = client().v1.subscriptions.update(
            subscription_id,
            {"cancel_at_period_end": True, "cancellation_details": {"feedback": feedback, "comment": comment}},
            {"idempotency_key": idempotency_key},
        )
    return Outcome(changed.id)


def cancel_now(subscription_id: str, feedback: str, comment: str) -> Outcome:
    """End the subscription at once. Stripe takes no key here: one that has ended already is done."""
    v1 = client().v1.subscriptions
    try:
        with refusals():
            v1.cancel(subscription_id, {"cancellation_details": {"feedback": feedback, "comment": comment}})
    except NotFound:
        pass
    except Conflict:
        with refusals():
            if v1.retrieve(subscription_id).status not in ("canceled", "incomplete_expired"):
                raise
    return Outcome(subscription_id)


def keep(subscription_id: str, idempotency_key: str) -> Outcome:
    """Take a scheduled cancellation back, whichever of Stripe's two ways it was scheduled in."""
    v1 = client().v1.subscriptions
    with refusals():
        changed = v1.update(subscription_id, {"cancel_at_period_end": False}, {"idempotency_key": idempotency_key})
        if changed.cancel_at is not None:
            changed = v1.update(subscription_id, {"cancel_at": ""}, {"idempotency_key": f"{idempotency_key}-date"})
    return Outcome(changed.id)


def pause(subscription_id: str, idempotency_key: str) -> Outcome:
    """Stop billing and use at once. What is paid for and not used is credited when it is resumed."""
    with refusals():
        changed = client().v1.subscriptions.pause(
            subscription_id,
            {
                "type": "subscription",
                "invoicing_behavior": "pending_invoice_item",
                "bill_for": {"unused_time_from": {"type": "now"}, "outstanding_usage_through": {"type": "now"}},
            },
            {"idempotency_key": idempotency_key},
        )
    return Outcome(changed.id)


def resume(subscription_id: str, idempotency_key: str) -> Outcome:
    """Go on with a new period from now, once its invoice is paid."""
    with refusals():
        changed = client().v1.subscriptions.resume(
            subscription_id,
            {
                "billing_cycle_anchor": {"type": "now"},
                "payment_behavior": "resume_on_payment_success",
            },
            {"idempotency_key": idempotency_key},
        )
    return Outcome(changed.id, is_waiting=changed.status == "paused")


def _changed(change: ItemChange) -> "SubscriptionUpdateParamsItem":
    params: SubscriptionUpdateParamsItem = {}
    if change.stripe_id is not None:
        params["id"] = change.stripe_id
    if change.price_id is None:
        params["deleted"] = True
    else:
        params["price"] = change.price_id
    if change.quantity is not None:
        params["quantity"] = change.quantity
    return params


def _line(line: "stripe.InvoiceLineItem") -> Line:
    details = line.parent.subscription_item_details if line.parent else None
    return Line(
        amount=line.amount - sum(each.amount for each in line.discount_amounts or ()),
        description=line.description or "",
        is_proration=bool(details and details.proration),
        starts_at=datetime.fromtimestamp(line.period.start, UTC),
        ends_at=datetime.fromtimestamp(line.period.end, UTC),
    )


def _current_phase(schedule: "stripe.SubscriptionSchedule") -> "SubscriptionScheduleUpdateParamsPhase":
    """The phase that runs, as it must be sent again: Stripe replaces all of them."""
    began = schedule.current_phase.start_date if schedule.current_phase else None
    running = next((each for each in schedule.phases if each.start_date == began), schedule.phases[0])
    items = [_phase_item(_id(each.price), getattr(each, "quantity", None)) for each in running.items]
    phase: SubscriptionScheduleUpdateParamsPhase = {
        "items": items,
        "start_date": running.start_date,
        "end_date": running.end_date,
    }
    if running.trial_end and running.trial_end > datetime.now(UTC).timestamp():
        phase["trial_end"] = running.trial_end  # left out, the trial would be over, and charged for
    if running.discounts:
        phase["discounts"] = [{"discount": _id(each.discount)} for each in running.discounts if each.discount]
    return phase


def _phase_item(price_id: str, quantity: int | None) -> "SubscriptionScheduleUpdateParamsPhaseItem":
    item: SubscriptionScheduleUpdateParamsPhaseItem = {"price": price_id}
    if quantity is not None:
        item["quantity"] = quantity
    return item


def _id(named: "str | stripe.Price | stripe.Discount") -> str:
    return named if isinstance(named, str) else named.id
