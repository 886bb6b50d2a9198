"""What staff do to a subscription for its owner: each for a reason, on record, and asked of Stripe once.

Every deed raises BadInput without a reason, NotFound for an unknown account, Conflict when it makes no sense as things
stand or while another one is under way, and what `stripe_client.refusals` raises. After Unavailable the same wish can
be asked again. Each leaves what Stripe then says in place.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing import stripe_changes, stripe_refunds
from core.billing import stripe_gateway as gateway
from core.billing.desk_wishes import Deed, Task, carry_out
from core.billing.grants import LONGEST
from core.billing.models import InvoiceRecord
from core.billing.plans import LIVING, METERED, OFFERS, SEATS, Item, Offer, Status, Subscription, beside, counting
from core.billing.proration import (
    Direction,
    changes,
    direction,
    items_after,
    per_period,
    resets_anchor,
    sold_together,
)
from core.billing.queries import subscriptions_in
from core.billing.stripe_changes import Outcome
from core.billing.stripe_refunds import RefundReason, RefundRequest
from core.errors import BadInput, Conflict, NotConfigured, NotFound, Refusal
from core.money import exact
from core.workspaces.staff import a_reason

MOST_SEATS = 10_000


class When(StrEnum):
    """When a change of plan takes effect."""

    NOW = "now"
    """At once and without proration: nothing is credited, and nothing charged unless another period begins."""
    PERIOD_END = "period_end"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a subscription would cost: minor units every `months`, after discounts, before tax and metered drafts.

    `is_anew`: done now, a new period begins with it and is charged in full.
    """

    amount: int
    currency: str
    months: int
    is_anew: bool


def refund(
    scope: Scope,
    account_id: UUID,
    wish_id: UUID,
    invoice_id: str,
    amount: int | None,
    *,
    reason_code: RefundReason,
    reason: str,
) -> None:
    """Give back `amount` minor units of what an invoice was paid with, or all that is left of it.

    Raises BadInput for more than is left, Conflict for an invoice of which nothing is left or while another refund of
    it is under way, NotFound for an unknown one, ProofNeeded, and what `stripe_refunds` raises.
    """

    def look(session: Session) -> Task:
        invoice = session.get(InvoiceRecord, (account_id, invoice_id), with_for_update=True, populate_existing=True)
        if invoice is None:
            raise NotFound("access.not_found")
        left = invoice.amount_paid - invoice.amount_refunded - invoice.amount_disputed
        request = RefundRequest(account_id, invoice.charge_id or "", left if amount is None else amount, reason_code)

        def do(key: UUID, is_again: bool) -> Outcome:
            made = stripe_refunds.refund_of(request.charge_id, key) if is_again else None
            return Outcome(made or stripe_refunds.refund(request, key))

        return Task(
            invoice.number or invoice_id,
            do,
            {"refunded": _told(invoice.amount_refunded, invoice.currency)},
            {
                "refunded": _told(invoice.amount_refunded + request.amount, invoice.currency),
                "as": reason_code.value,
            },
            refusal=_over_refund(request, left, invoice.currency),
        )

    asked = {"invoice": invoice_id, "amount": amount, "reason": reason_code}
    kind = f"refund:{invoice_id}"
    deed = Deed(account_id, wish_id, asked, a_reason(reason), look, audit="refund_asked", kind=kind, needs_proof=True)
    carry_out(scope, deed)


def _over_refund(request: RefundRequest, left: int, currency: str) -> Refusal | None:
    if not request.charge_id or left < 1:
        return Conflict("desk.nothing_to_refund")
    if not 1 <= request.amount <= left:
        return BadInput("desk.over_refund", left=_told(left, currency))
    return None


def _told(amount: int, currency: str) -> str:
    return f"{exact(amount, currency)} {currency}"


def extend_trial(scope: Scope, account_id: UUID, wish_id: UUID, days: int, reason: str) -> None:
    """Let a trial that runs last so many days more. Conflict without one: then a plan can be given instead."""
    if not 1 <= days <= LONGEST:
        raise BadInput("staff.bad_days", most=LONGEST)

    def task(found: Subscription) -> Task:
        ends = found.trial_end or found.current_period_end
        until = ends + timedelta(days=days)

        def do(key: UUID, is_again: bool) -> Outcome:
            if is_again and stripe_refunds.was_extended(found.stripe_id, key):
                return Outcome(found.stripe_id)
            return Outcome(stripe_refunds.extend_trial(found.stripe_id, until, key))

        return Task(
            found.stripe_id,
            do,
            {"trial_end": ends.isoformat()},
            {"trial_end": until.isoformat()},
            refusal=None if found.status == Status.TRIALING else Conflict("desk.not_on_trial"),
        )

    _change(scope, account_id, wish_id, task, audit="trial_extended", asked={"days": days}, reason=reason)


def change_plan_for(
    scope: Scope, account_id: UUID, wish_id: UUID, lookup_key: str, seats: int, *, reason: str, when: When
) -> None:
    """Have the subscription be of another plan, or of other seats: now without proration, or at the period's end.

    Raises BadInput for what we do not sell, NotConfigured for a price that Stripe lacks.
    """
    scope.require(Permission.MANAGE_SUBSCRIPTIONS)
    offer = _offer(lookup_key, seats)
    sold = _sold(offer, seats)

    def task(found: Subscription) -> Task:
        items = items_after(found, offer, seats, sold)

        def do(key: UUID, _is_again: bool) -> Outcome:
            if when is When.PERIOD_END:
                return stripe_changes.change_at_period_end(
                    found.stripe_id, found.schedule_id, items, offer.months, str(key)
                )
            if found.schedule_id:
                stripe_changes.release(found.schedule_id, f"{key}-release")
            wanted, is_anew = changes(found.items, items), resets_anchor(found, lookup_key)
            return stripe_changes.change_now(found.stripe_id, wanted, None, str(key), resets_anchor=is_anew)

        return Task(
            found.stripe_id,
            do,
            {"plan": found.lookup_key, "seats": found.seats},
            {"plan": lookup_key, "seats": seats, "when": when.value},
            refusal=Conflict("desk.keep_first") if found.ends_at else _lacking(found, offer, seats, sold),
            is_reached=direction(found, lookup_key, seats) is Direction.NONE,
        )

    asked = {"plan": lookup_key, "seats": seats, "when": when}
    _change(scope, account_id, wish_id, task, audit="plan_changed_by_staff", asked=asked, reason=reason)


def would_cost(scope: Scope, subscription: Subscription, lookup_key: str, seats: int) -> Outlook:
    """What the subscription would cost after a change of plan. Raises what `change_plan_for` raises for the offer."""
    scope.require(Permission.MANAGE_SUBSCRIPTIONS)
    offer = _offer(lookup_key, seats)
    sold = _sold(offer, seats)
    if (missing := _lacking(subscription, offer, seats, sold)) is not None:
        raise missing
    items = items_after(subscription, offer, seats, sold)
    amount = per_period(items, subscription.discounts, subscription.current_period_end)
    currency = next((each.currency for each in items), offer.currency)
    return Outlook(amount, currency, offer.months, resets_anchor(subscription, lookup_key))


def _offer(lookup_key: str, seats: int) -> Offer:
    offer = OFFERS.get(lookup_key)
    if offer is None or not 0 <= seats <= (0 if beside(offer, SEATS) is None else MOST_SEATS):
        raise BadInput("billing.unknown_offer")
    return offer


def _sold(offer: Offer, seats: int) -> dict[str, Item]:
    found = gateway.prices(key for key, _ in sold_together(offer, seats))
    return {
        key: Item("", each.stripe_id, key, 0, each.amount, each.currency, each.months, key in METERED)
        for key, each in found.items()
    }


def _lacking(found: Subscription, offer: Offer, seats: int, sold: Mapping[str, Item]) -> Refusal | None:
    """What has no price would be left out of what the subscription holds, and be given for nothing."""
    there = {*sold, *METERED, found.lookup_key, *(each.lookup_key for each in found.items)}
    missing = next((key for key, _ in sold_together(offer, seats) if key not in there), None)
    return None if missing is None else NotConfigured("billing.price_missing", lookup_key=missing)


def cancel_for(scope: Scope, account_id: UUID, wish_id: UUID, *, at_once: bool, reason: str) -> None:
    """End the subscription at once, or with the period that is paid for. Nothing is given back by this."""

    def is_so(one: Subscription) -> bool:
        return one.status not in LIVING or (not at_once and one.ends_at is not None)

    def task(found: Subscription) -> Task:
        def do(key: UUID, _is_again: bool) -> Outcome:
            if at_once:
                return stripe_changes.cancel_now(found.stripe_id, "other", "")
            if found.schedule_id:
                stripe_changes.release(found.schedule_id, f"{key}-release")
            return stripe_changes.cancel_at_period_end(found.stripe_id, "other", "", str(key))

        ends = None if at_once else found.current_period_end.isoformat()
        return Task(
            found.stripe_id,
            do,
            {"plan": found.lookup_key, "status": found.status},
            {"ends": ends or "now"},
            is_reached=is_so(found),
            is_so=is_so,
        )

    _change(
        scope, account_id, wish_id, task, audit="plan_cancelled_by_staff", asked={"at_once": at_once}, reason=reason
    )


def keep_for(scope: Scope, account_id: UUID, wish_id: UUID, reason: str) -> None:
    """Take back what was to come at the period's end: a cancellation, or another plan."""

    def is_so(one: Subscription) -> bool:
        return one.ends_at is None and one.schedule_id is None

    def task(found: Subscription) -> Task:
        def do(key: UUID, _is_again: bool) -> Outcome:
            if found.schedule_id:
                stripe_changes.release(found.schedule_id, f"{key}-release")
            return stripe_changes.keep(found.stripe_id, str(key))

        ends = found.ends_at.isoformat() if found.ends_at else None
        return Task(
            found.stripe_id,
            do,
            {"ends": ends, "next": found.next_lookup_key},
            {"ends": None, "next": None},
            is_reached=is_so(found),
            is_so=is_so,
        )

    _change(scope, account_id, wish_id, task, audit="plan_kept_by_staff", asked={"deed": "keep"}, reason=reason)


def resume_for(scope: Scope, account_id: UUID, wish_id: UUID, reason: str) -> None:
    """End a pause: a new period begins and is charged. Conflict while Stripe waits for that payment."""

    def task(found: Subscription) -> Task:
        return Task(
            found.stripe_id,
            lambda key, _is_again: stripe_changes.resume(found.stripe_id, str(key)),
            {"status": found.status},
            {"status": Status.ACTIVE.value},
            refusal=None if found.status == Status.PAUSED else Conflict("desk.not_paused"),
            is_reached=found.status == Status.ACTIVE,
            is_so=lambda one: one.status == Status.ACTIVE,
        )

    _change(scope, account_id, wish_id, task, audit="plan_resumed_by_staff", asked={"deed": "resume"}, reason=reason)


def _change(
    scope: Scope,
    account_id: UUID,
    wish_id: UUID,
    task: Callable[[Subscription], Task],
    *,
    audit: str,
    asked: Mapping[str, object],
    reason: str,
) -> None:
    def look(session: Session) -> Task:
        """One that ended is looked at too: it is what a wish became whose answer was lost."""
        every = subscriptions_in(session, account_id)
        found = counting(every, datetime.now(UTC)) or (every[-1] if every else None)
        if found is None:
            raise Conflict("desk.no_living_subscription")
        if found.status not in LIVING:
            return replace(task(found), refusal=Conflict("desk.no_living_subscription"))
        return task(found)

    carry_out(scope, Deed(account_id, wish_id, {"deed": audit, **asked}, a_reason(reason), look, audit=audit))
