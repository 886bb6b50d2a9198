"""What each operation of Stripe's API does to a `World`: the routes of every area."""

from collections.abc import Callable

from tests.peers import (
    stripe_catalogue_world,
    stripe_customers_world,
    stripe_discounts_world,
    stripe_hosted_world,
    stripe_invoices_world,
    stripe_payments_world,
    stripe_schedules_world,
    stripe_subscription_routes,
)
from tests.peers.stripe_store import Json

ROUTES: dict[tuple[str, str], Callable[..., Json]] = {
    **stripe_customers_world.ROUTES,
    **stripe_catalogue_world.ROUTES,
    **stripe_payments_world.ROUTES,
    **stripe_discounts_world.ROUTES,
    **stripe_invoices_world.ROUTES,
    **stripe_schedules_world.ROUTES,
    **stripe_hosted_world.ROUTES,
    **stripe_subscription_routes.ROUTES,
}
