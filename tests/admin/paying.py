"""Accounts that pay at our Stripe, for the tests of staff's tools."""

from uuid import uuid4

from sqlalchemy.orm import Session

from core.access import Scope
from core.billing import sync
from core.billing.desk import subscription_file
from core.billing.events import ring
from core.billing.invoices import Invoice
from core.billing.plans import Subscription
from core.use_case import unscoped
from tests.billing.conftest import link
from tests.peers.stripe_server import StripeServer
from tests.peers.stripe_store import Json
from tests.people import Made

WHY = "asked for by the owner in ticket 4711"
PRICE = 29_00
"""What Pro costs a month."""


def pays(stripe: StripeServer, made: Made, lookup_key: str = "pro_monthly", trial_days: int = 0) -> str:
    """The account subscribes with a card, and we know of it. Its customer's id."""
    customer: str = stripe.world.add_customer(email=made.email, metadata={"account_id": str(made.account_id)})["id"]
    stripe.world.add_card(customer)
    link(made.account_id, customer)
    stripe.world.subscribe(customer, stripe.world.price_of(lookup_key)["id"], trial_days=trial_days)
    known(customer)
    return customer


def known(customer: str) -> None:
    """What Stripe says of the customer now is what we hold."""
    _ring(customer)
    assert sync.run_once(f"customer:{customer}")


@unscoped("test data")
def _ring(session: Session, customer: str) -> None:
    ring(session, f"customer:{customer}")


def bill(scope: Scope, made: Made) -> Invoice:
    """The account's newest invoice, as staff see it."""
    return subscription_file(scope, made.account_id).invoices[0]


def held(scope: Scope, made: Made) -> Subscription:
    """The account's newest subscription, as staff see it."""
    return subscription_file(scope, made.account_id).subscriptions[0]


def refunds(stripe: StripeServer) -> list[Json]:
    return stripe.world.every("refund")


def of_nobody() -> str:
    return f"in_{uuid4().hex}"
