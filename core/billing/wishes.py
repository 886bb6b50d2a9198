"""How a change of a subscription is carried out: stored, asked of Stripe once, and written down with who wished it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.audit import record
from core.billing import intents, stripe_reading
from core.billing.models import BillingIntent
from core.billing.plans import Status, Subscription, counting
from core.billing.queries import subscriptions_in
from core.billing.service import PlanView, plan, refresh
from core.billing.stripe_changes import Outcome
from core.errors import Conflict, NotConfigured, NotFound
from core.use_case import use_case

KIND = "change"
STANDS = timedelta(minutes=1)
"""How long a change that Stripe may still be doing keeps another from being asked for: longer than our patience."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A change to be asked for, and what is written of it: `audit` names the sentence, `after` what becomes of it.

    `do` asks Stripe, under a key. `refusal` says why that cannot be now, `is_reached` that it is so already. `look`
    says why not after all, from what Stripe says once the wish is stored: no other wish is under way from then on.
    """

    audit: str
    asked: Mapping[str, object]
    do: Callable[[Subscription, str], Outcome]
    refusal: Callable[[Subscription], str | None] | None = None
    is_reached: Callable[[Subscription], bool] | None = None
    look: Callable[[], str | None] | None = None
    after: Mapping[str, object] | None = None
    unpaid: str | None = None
    """What is said where Stripe waits for a payment first; without it the view says enough."""


@dataclass(frozen=True, slots=True)
class _Reserved:
    """`subscription` as it was known when the wish was stored. There is nothing to do without an `intent_id`."""

    intent_id: UUID | None
    subscription: Subscription
    is_reached: bool
    is_new: bool = False
    """Stripe was not asked for it before."""


def carry_out(scope: Scope, wish_id: UUID, deed: Deed) -> PlanView:
    """Store the wish, ask Stripe outside any transaction, keep what came of it, and ask Stripe what is so now.

    Without an answer the wish stays open: asked again it goes to Stripe under the same key. One that was done then and
    undone since is another wish: under the former key Stripe repeats its answer and does nothing.
    """
    scope.require(Permission.MANAGE_BILLING)
    refresh(scope)
    reserved = _reserve(scope, wish_id, deed)
    if reserved.intent_id is None:
        return plan(scope)
    outcome = Outcome(reserved.subscription.stripe_id)
    if not reserved.is_reached:
        try:
            if reserved.is_new and deed.look is not None and (code := deed.look()) is not None:
                raise Conflict(code)
            outcome = deed.do(reserved.subscription, str(reserved.intent_id))
            if not (reserved.is_new or outcome.is_waiting) and _is_undone(reserved.subscription, deed):
                _settle(scope, reserved, deed, outcome)
                return carry_out(scope, uuid4(), deed)
        except (Conflict, NotFound, NotConfigured):
            _give_up(scope, reserved.intent_id)
            refresh(scope)
            raise
    _settle(scope, reserved, deed, outcome)
    view = refresh(scope)
    if outcome.is_waiting and deed.unpaid:
        raise Conflict(deed.unpaid)
    return view


def _is_undone(subscription: Subscription, deed: Deed) -> bool:
    told = stripe_reading.subscription(subscription.stripe_id)
    return deed.is_reached is not None and told is not None and not deed.is_reached(told)


@use_case(Permission.MANAGE_BILLING)
def _reserve(session: Session, scope: Scope, wish_id: UUID, deed: Deed) -> _Reserved:
    account_id = scope.account_id
    subscriptions = subscriptions_in(session, account_id)
    stored = session.get(BillingIntent, (account_id, wish_id), populate_existing=True)
    found = _chosen(subscriptions) or (subscriptions[-1] if stored is not None and subscriptions else None)
    if found is None:
        raise Conflict("billing.no_subscription")
    is_reached = deed.is_reached is not None and deed.is_reached(found)
    if stored is None and is_reached:
        return _Reserved(None, found, is_reached)
    if stored is None and deed.refusal is not None and (code := deed.refusal(found)) is not None:
        raise Conflict(code)
    intent = intents.reserve(session, account_id, wish_id, KIND, deed.asked, stands=STANDS)
    is_new = stored is None and intent.id == wish_id
    return _Reserved(None if intent.is_done else intent.id, found, is_reached, is_new)


def _chosen(subscriptions: tuple[Subscription, ...]) -> Subscription | None:
    """The one that counts, else one that never began: it can be cancelled all the same."""
    incomplete = [each for each in subscriptions if each.status == Status.INCOMPLETE]
    return counting(subscriptions, datetime.now(UTC)) or (incomplete[-1] if incomplete else None)


@use_case(Permission.MANAGE_BILLING)
def _settle(session: Session, scope: Scope, reserved: _Reserved, deed: Deed, outcome: Outcome) -> None:
    """Keep what Stripe did, with its entry in the log: once, though two clicks brought the answer."""
    of_account = BillingIntent.account_id == scope.account_id, BillingIntent.id == reserved.intent_id
    stored = session.scalars(select(BillingIntent).where(*of_account).with_for_update()).one()
    if stored.closed_at is not None and stored.stripe_id is not None:
        return
    stored.closed_at, stored.stripe_id = func.now(), outcome.stripe_id
    before = reserved.subscription
    record(
        session,
        scope,
        "payment_awaited" if outcome.is_waiting else deed.audit,
        before.stripe_id,
        before={"plan": before.lookup_key, "seats": before.seats},
        after=deed.after,
    )


@use_case(Permission.MANAGE_BILLING)
def _give_up(session: Session, scope: Scope, intent_id: UUID) -> None:
    intents.settle(session, scope.account_id, intent_id, None)
