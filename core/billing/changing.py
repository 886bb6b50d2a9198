"""Changing what an account pays for: shown before it is done, asked of Stripe once, and taken back while it can be."""

import hashlib
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing import stripe_changes, stripe_reading
from core.billing import stripe_gateway as gateway
from core.billing.checkout import offer_of
from core.billing.plans import METERED, Item, Offer, Status, Subscription, counting
from core.billing.proration import (
    Direction,
    Preview,
    changes,
    direction,
    items_after,
    over_by,
    paid_to,
    per_period,
    reckon,
    resets_anchor,
    sold_together,
)
from core.billing.queries import creators_in, subscriptions_in
from core.billing.service import PlanView, plan, refresh
from core.billing.stripe_changes import Estimate, Outcome
from core.billing.stripe_client import QUICK
from core.billing.wishes import Deed, carry_out
from core.errors import BadInput, Conflict, NotConfigured
from core.text import unsafe_reason
from core.use_case import use_case

__all__ = ["Feedback", "Preview", "cancel", "change_plan", "keep", "pause", "preview_change", "resume"]

LASTS = timedelta(minutes=10)
"""How old what was shown may be when it is agreed to."""
LONGEST_COMMENT = 500
UNPAID = frozenset({Status.PAST_DUE, Status.UNPAID, Status.INCOMPLETE})
ENDED = frozenset({Status.CANCELED, Status.INCOMPLETE_EXPIRED, Status.GONE})


class Feedback(StrEnum):
    """Why somebody cancels, in Stripe's own words."""

    TOO_EXPENSIVE = "too_expensive"
    MISSING_FEATURES = "missing_features"
    SWITCHED_SERVICE = "switched_service"
    UNUSED = "unused"
    CUSTOMER_SERVICE = "customer_service"
    TOO_COMPLEX = "too_complex"
    LOW_QUALITY = "low_quality"
    OTHER = "other"


def preview_change(scope: Scope, lookup_key: str, seats: int = 0) -> Preview:
    """What choosing another plan, or other seats, would do and cost, to the cent. Nothing is changed.

    Raises BadInput for what we do not sell, Conflict when there is nothing to change or not in this state, and what
    `stripe_changes` raises.
    """
    scope.require(Permission.MANAGE_BILLING)
    offer = offer_of(lookup_key, seats)
    refresh(scope)
    subscription, creators = _changeable(scope)
    way = direction(subscription, lookup_key, seats)
    if way is Direction.NONE:
        raise Conflict("billing.nothing_changes")
    now = datetime.now(UTC).replace(microsecond=0)
    after = items_after(subscription, offer, seats, _sold(subscription, offer, seats))
    wanted = changes(subscription.items, after)
    is_prorated = way is Direction.NOW and subscription.status != Status.TRIALING
    prorated_at = max(now, subscription.current_period_start)  # where our clock is slow, Stripe would refuse
    is_anchored = is_prorated and resets_anchor(subscription, lookup_key)
    estimate = Estimate((), 0, 0)
    if is_prorated:
        estimate = stripe_changes.preview(
            subscription.stripe_id, wanted, prorated_at, resets_anchor=is_anchored, patience=QUICK
        )
    reckoning = reckon(estimate.lines, estimate.tax, estimate.due_now)
    ends = subscription.current_period_end
    next_at = paid_to(estimate.lines, ends) if is_anchored else ends
    return Preview(
        lookup_key=lookup_key,
        seats=seats,
        is_now=way is Direction.NOW,
        takes_effect_at=now if way is Direction.NOW else ends,
        currency=after[0].currency,
        due_now=reckoning.due_now,
        credit=reckoning.credit,
        charge=reckoning.charge,
        tax=reckoning.tax,
        next_amount=per_period(after, subscription.discounts, next_at),
        next_at=next_at,
        prorated_at=prorated_at if is_prorated else None,
        lines=estimate.lines,
        over_by=over_by(offer, seats, creators),
        subscription_id=subscription.stripe_id,
        is_only_seats=subscription.lookup_key == lookup_key,
        resets_anchor=is_anchored,
        changes=wanted,
        items=after,
        basis=_basis(subscription),
        made_at=now,
    )


def change_plan(scope: Scope, wish_id: UUID, preview: Preview) -> PlanView:
    """Do what was shown: at once where it is more, at the period's end where it is less.

    Where the payment did not go through, nothing changed yet: the view's `pay_url` leads to where it can be made.
    Raises Conflict when what was shown is too old or of a subscription that changed meanwhile, and what
    `stripe_changes` raises. After Unavailable the same wish can be asked again.
    """
    offer = offer_of(preview.lookup_key, preview.seats)

    def refusal(subscription: Subscription) -> str | None:
        is_old = preview.made_at + LASTS < datetime.now(UTC)
        return "billing.look_again" if is_old or preview.basis != _basis(subscription) else None

    def look() -> str | None:
        found = stripe_reading.subscription(preview.subscription_id)
        return "billing.look_again" if found is None or preview.basis != _basis(found) else None

    def do(subscription: Subscription, key: str) -> Outcome:
        if not preview.is_now:
            return stripe_changes.change_at_period_end(
                preview.subscription_id, subscription.schedule_id, preview.items, offer.months, key
            )
        _release(subscription, key)
        return stripe_changes.change_now(
            preview.subscription_id, preview.changes, preview.prorated_at, key, resets_anchor=preview.resets_anchor
        )

    when = {} if preview.is_now else {"from": preview.takes_effect_at.isoformat()}
    deed = Deed(
        audit="seats_changed" if preview.is_only_seats else "plan_changed",
        asked={"deed": "change", "preview": asdict(preview)},
        do=do,
        refusal=refusal,
        look=look,
        after={"plan": preview.lookup_key, "seats": preview.seats} | when,
    )
    return carry_out(scope, wish_id, deed)


def cancel(scope: Scope, wish_id: UUID, feedback: Feedback, comment: str = "") -> PlanView:
    """End the plan with the period that is paid for; at once where none is: past due, unpaid, incomplete, paused.

    Raises BadInput for a comment that cannot be kept, Conflict without a plan, and what `stripe_changes` raises.
    """
    comment = comment.strip()
    if len(comment) > LONGEST_COMMENT:
        raise BadInput("billing.comment_too_long", most=LONGEST_COMMENT)
    if unsafe_reason(comment):
        raise BadInput("billing.comment_unsafe")

    def do(subscription: Subscription, key: str) -> Outcome:
        _release(subscription, key)
        if subscription.status in UNPAID or subscription.status == Status.PAUSED:
            return stripe_changes.cancel_now(subscription.stripe_id, feedback, comment)
        return stripe_changes.cancel_at_period_end(subscription.stripe_id, feedback, comment, key)

    deed = Deed(
        audit="plan_cancelled",
        asked={"deed": "cancel", "feedback": feedback, "comment": comment},
        do=do,
        is_reached=_is_ending,
        after={"feedback": feedback},
    )
    return carry_out(scope, wish_id, deed)


def keep(scope: Scope, wish_id: UUID) -> PlanView:
    """Take back what was to come at the period's end: a cancellation, or a smaller plan."""

    def do(subscription: Subscription, key: str) -> Outcome:
        _release(subscription, key)
        return stripe_changes.keep(subscription.stripe_id, key)

    deed = Deed(
        audit="plan_kept",
        asked={"deed": "keep"},
        do=do,
        is_reached=lambda one: one.ends_at is None and one.schedule_id is None,
    )
    return carry_out(scope, wish_id, deed)


def pause(scope: Scope, wish_id: UUID) -> PlanView:
    """Stop paying and using for a while: the account is free meanwhile, and nothing is deleted."""

    def refusal(subscription: Subscription) -> str | None:
        if subscription.status != Status.ACTIVE:
            return "billing.cannot_pause"
        return "billing.keep_first" if subscription.ends_at or subscription.schedule_id else None

    deed = Deed(
        audit="plan_paused",
        asked={"deed": "pause"},
        do=lambda subscription, key: stripe_changes.pause(subscription.stripe_id, key),
        refusal=refusal,
        is_reached=lambda subscription: subscription.status == Status.PAUSED,
    )
    return carry_out(scope, wish_id, deed)


def resume(scope: Scope, wish_id: UUID) -> PlanView:
    """Go on where one paused, with a new period from now.

    Raises Conflict when that could not be paid, and while it waits for its payment: it is asked for once.
    """
    deed = Deed(
        audit="plan_resumed",
        asked={"deed": "resume"},
        do=lambda subscription, key: stripe_changes.resume(subscription.stripe_id, key),
        refusal=lambda subscription: None if subscription.status == Status.PAUSED else "billing.not_paused",
        is_reached=lambda subscription: subscription.status == Status.ACTIVE,
        look=lambda: "billing.payment_needed" if plan(scope).pay_url else None,
        unpaid="billing.payment_needed",
    )
    return carry_out(scope, wish_id, deed)


def _release(subscription: Subscription, key: str) -> None:
    """What was to come at the period's end gives way: Stripe changes nothing else of a subscription with a schedule."""
    if subscription.schedule_id is not None:
        stripe_changes.release(subscription.schedule_id, f"{key}-release")


@use_case(Permission.MANAGE_BILLING)
def _changeable(session: Session, scope: Scope) -> tuple[Subscription, int]:
    """The subscription to be changed and the account's creators. Raises Conflict when it cannot be changed now."""
    found = counting(subscriptions_in(session, scope.account_id), datetime.now(UTC))
    if found is None:
        raise Conflict("billing.no_subscription")
    if found.status in UNPAID:
        raise Conflict("billing.pay_first")
    if found.status == Status.PAUSED:
        raise Conflict("billing.resume_first")
    if _is_ending(found):
        raise Conflict("billing.keep_first")
    return found, creators_in(session, scope.account_id)


def _is_ending(subscription: Subscription) -> bool:
    return subscription.ends_at is not None or subscription.status in ENDED


def _sold(subscription: Subscription, offer: Offer, seats: int) -> dict[str, Item]:
    """What Stripe charges for what would be held.

    Raises NotConfigured for a price that it lacks and that is not held yet, save that of drafts beyond the allowance.
    """
    together = dict(sold_together(offer, seats))
    found = gateway.prices(together)
    held = {each.lookup_key for each in subscription.items} | {subscription.lookup_key}
    for lookup_key in together:
        if lookup_key not in found and lookup_key not in METERED and lookup_key not in held:
            raise NotConfigured("billing.price_missing", lookup_key=lookup_key)
    return {
        key: Item("", each.stripe_id, key, 0, each.amount, each.currency, each.months, key in METERED)
        for key, each in found.items()
    }


def _basis(subscription: Subscription) -> str:
    """What a change was reckoned from: another one of these, and it would cost something else."""
    facts = (
        subscription.stripe_id,
        subscription.status,
        sorted((each.stripe_id, each.price_id, each.quantity) for each in subscription.items),
        [(Fraction(each.percent_off or 0), each.amount_off, _seconds(each.ends_at)) for each in subscription.discounts],
        _seconds(subscription.current_period_end),
        _seconds(subscription.ends_at),
        subscription.schedule_id,
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _seconds(instant: datetime | None) -> int | None:
    """The same in whatever zone and whoever told it: Stripe, or the database."""
    return None if instant is None else int(instant.timestamp())
