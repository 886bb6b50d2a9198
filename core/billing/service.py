"""Plans: what an account has, how it chooses another, and Stripe's own pages for the rest."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing import stripe_client, sync
from core.billing import stripe_gateway as gateway
from core.billing.checkout import Wish, close_intent, offer_of, reserve_checkout, settle_checkout
from core.billing.events import link_customer, ring
from core.billing.invoices import OPEN, PaymentMethod, invoices_in, method_in
from core.billing.plans import CATALOGUE, Entitlement, Offer, Subscription, counting, entitlement
from core.billing.queries import creators_in, customer_in, grants_in, has_tried, owners_in, subscriptions_in
from core.billing.stripe_gateway import CheckoutRequest, Price
from core.errors import Conflict, NotConfigured, NotFound, Unavailable
from core.identity.models import User
from core.settings import settings
from core.use_case import use_case
from core.workspaces.models import Account


@dataclass(frozen=True, slots=True)
class PlanView:
    """An account's plan as its people see it.

    `subscription` is the living one that counts, with its `lookup_key`; None for nothing living at Stripe. `method` is
    what is charged by default. `pay_url` leads to the page at Stripe of an invoice that waits for its payment; only
    those who may choose are told either. `owners` are the names of those who may choose; `creators_used` counts the
    account's creators, Demo aside.
    """

    account_id: UUID
    entitlement: Entitlement
    lookup_key: str | None
    creators_used: int
    owners: tuple[str, ...]
    may_choose: bool
    may_try: bool
    has_portal: bool
    subscription: Subscription | None
    method: PaymentMethod | None
    pay_url: str | None


@dataclass(frozen=True, slots=True)
class _Buyer:
    account_id: UUID
    name: str
    email: str
    customer_id: str | None


def entitlement_of(session: Session, account_id: UUID) -> Entitlement:
    """Room: what the account may use now, paid for or given by staff.

    The account must be in the session's scope, or it seems to have nothing.
    """
    return entitlement(subscriptions_in(session, account_id), datetime.now(UTC), grants_in(session, account_id))


@use_case(Permission.VIEW_PLAN)
def plan(session: Session, scope: Scope) -> PlanView:
    """The plan of the one account in view."""
    account_id, may_choose = scope.account_id, scope.may(Permission.MANAGE_BILLING)
    paid_for = counting(subscriptions_in(session, account_id), datetime.now(UTC))
    return PlanView(
        account_id=account_id,
        entitlement=entitlement_of(session, account_id),
        lookup_key=paid_for.lookup_key if paid_for else None,
        creators_used=creators_in(session, account_id),
        owners=tuple(owners_in(session, account_id).values()),
        may_choose=may_choose,
        may_try=not has_tried(session, account_id),
        has_portal=customer_in(session, account_id) is not None,
        subscription=paid_for,
        method=method_in(session, account_id) if may_choose else None,
        pay_url=_pay_url(session, account_id, paid_for) if may_choose and paid_for else None,
    )


def _pay_url(session: Session, account_id: UUID, subscription: Subscription) -> str | None:
    """Where the newest open invoice of a subscription can be paid."""
    its = (each for each in invoices_in(session, account_id) if each.subscription_id == subscription.stripe_id)
    return next((each.hosted_url for each in its if each.status == OPEN and each.amount_remaining > 0), None)


def is_set_up() -> bool:
    """Whether this installation can take payments: both Stripe settings are there."""
    return stripe_client.is_configured() and bool(settings().stripe_webhook_secrets)


def offered_prices() -> dict[str, Price]:
    """What Stripe charges for each plan, seat and draft, by lookup key. The same for everybody: it may be cached."""
    return gateway.prices(CATALOGUE)


def choose_plan(scope: Scope, lookup_key: str, seats: int = 0) -> str:
    """The address of a page at Stripe where the account's owner pays for an offer, with seats beside it.

    Asked twice, it is the same page. A plan that staff gave can be bought all the same. Raises BadInput for an offer
    that we do not make, Conflict when the account already has a subscription, and what `stripe_gateway` raises.
    """
    scope.require(Permission.MANAGE_BILLING)
    offer = offer_of(lookup_key, seats)
    if not is_set_up():
        raise NotConfigured("billing.no_key")
    for _ in range(3):
        customer_id = _customer(scope)
        if not sync.settle_now(f"customer:{customer_id}"):
            raise Unavailable("billing.stripe_unavailable")  # perhaps it was paid for already
        if _buyer(scope).customer_id != customer_id:
            continue  # it was deleted at Stripe, and is the account's no more
        wish = reserve_checkout(scope, offer, seats, customer_id, is_taxed=settings().stripe_automatic_tax)
        if wish.url is None:
            return _open_page(scope, wish, offer, seats, customer_id)
        if wish.is_same and gateway.checkout_status(wish.stripe_id) == "open":
            return wish.url
        gateway.close_checkout(wish.stripe_id)
        close_intent(scope, wish.intent_id)
    raise Conflict("billing.being_confirmed")


def _open_page(scope: Scope, wish: Wish, offer: Offer, seats: int, customer_id: str) -> str:
    home = f"{settings().public_url.rstrip('/')}/billing"
    asked = CheckoutRequest(
        customer_id=customer_id,
        account_id=scope.account_id,
        lookup_key=offer.lookup_key,
        seats=seats,
        is_taxed=settings().stripe_automatic_tax,
        trial_days=wish.trial_days,
        success_url=f"{home}?checkout=done",
        cancel_url=f"{home}?checkout=cancelled",
    )
    try:
        page = gateway.open_checkout(asked, idempotency_key=str(wish.intent_id))
    except (Conflict, NotFound, NotConfigured):  # to this key Stripe would say so again, though the cause were gone
        close_intent(scope, wish.intent_id)
        raise
    if not settle_checkout(scope, wish.intent_id, page):
        gateway.close_checkout(page.stripe_id)
        raise Conflict("billing.chosen_elsewhere")
    return page.url


def _customer(scope: Scope) -> str:
    """The account's customer at Stripe, made and kept when there is none yet."""
    buyer = _buyer(scope)
    if buyer.customer_id:
        _ring(scope)
        return buyer.customer_id
    return _link(scope, gateway.make_customer(buyer.account_id, buyer.email, buyer.name))


@use_case(Permission.MANAGE_BILLING)
def _buyer(session: Session, scope: Scope) -> _Buyer:
    account = session.get_one(Account, scope.account_id)
    user = session.get_one(User, scope.user_id)
    return _Buyer(account.id, account.name, user.email, customer_in(session, account.id))


@use_case(Permission.MANAGE_BILLING)
def _link(session: Session, scope: Scope, customer_id: str) -> str:
    return link_customer(session, scope.account_id, customer_id)


@use_case(Permission.MANAGE_BILLING)
def _ring(session: Session, scope: Scope) -> str | None:
    customer_id = customer_in(session, scope.account_id)
    if customer_id is not None:
        ring(session, f"customer:{customer_id}")
    return customer_id


def open_portal(scope: Scope) -> str:
    """The address of Stripe's pages for payment methods, invoices and cancelling. Conflict without a customer."""
    customer_id = _ring(scope)
    if customer_id is None:
        raise Conflict("billing.no_customer")
    return gateway.open_portal(customer_id, f"{settings().public_url.rstrip('/')}/billing").url


def refresh(scope: Scope) -> PlanView:
    """The plan after asking Stripe now, for some seconds; as last known when Stripe does not answer in that time."""
    customer_id = _ring(scope)
    if customer_id is not None:
        sync.settle_now(f"customer:{customer_id}")
    return plan(scope)
