"""A customer of our Stripe with a subscription, driven through the real SDK."""

from dataclasses import dataclass
from typing import Any

import stripe as sdk

from tests.peers.stripe_server import KEY, StripeServer
from tests.peers.stripe_world import World

DAY = 86_400


@dataclass
class Desk:
    server: StripeServer
    customer: str

    @property
    def world(self) -> World:
        return self.server.world

    @property
    def v1(self) -> Any:
        return sdk.StripeClient(KEY, base_addresses={"api": self.server.url}).v1

    def price(self, lookup_key: str) -> str:
        return str(self.world.price_of(lookup_key)["id"])

    def buy(self, **bought: Any) -> sdk.Subscription:
        """A subscription to quantities by lookup key (None where metered); `asked` holds further parameters."""
        asked = bought.pop("asked", {})
        items = [
            {"price": self.price(key)} | ({} if many is None else {"quantity": many}) for key, many in bought.items()
        ]
        made: sdk.Subscription = self.v1.subscriptions.create({"customer": self.customer, "items": items, **asked})
        return made

    def now(self, subscription: sdk.Subscription) -> sdk.Subscription:
        found: sdk.Subscription = self.v1.subscriptions.retrieve(subscription.id)
        return found

    def invoices(self, subscription: sdk.Subscription) -> list[sdk.Invoice]:
        """The newest first."""
        return list(self.v1.invoices.list({"subscription": subscription.id, "limit": 100}).auto_paging_iter())

    def told(self, *starts: str) -> list[str]:
        return [each["type"] for each in self.world.events if each["type"].startswith(starts)]

    def go_to(self, instant: int) -> None:
        self.world.advance(instant - self.world.now())


def desk_of(server: StripeServer) -> Desk:
    customer = server.world.add_customer(name="Ada", email="ada@example.com")["id"]
    server.world.add_card(customer)
    return Desk(server, customer)
