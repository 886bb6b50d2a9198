"""What a Stripe account holds and how it changes, area by area; and what a test makes happen there directly.

The state behind `stripe_server`. Tests drive it as Stripe's own clock and its customers would: they pay, let a card be
declined, move the time. Shapes are those of API version 2026-10-28.endive, checked against the contract.
"""

from collections.abc import Collection, Iterable
from copy import deepcopy
from datetime import UTC, datetime

from core.billing.stripe_catalogue import METER
from tests.peers.stripe_hosted_world import Hosted
from tests.peers.stripe_store import Json

DAY = 86_400


class World(Hosted):
    def __init__(self) -> None:
        super().__init__()
        self.unlisted: set[str] = set()
        """Subscriptions that lists lack, as one that was only just written may."""

    def subscribe(
        self, customer: str, price: str, quantity: int = 1, trial_days: int = 0, metadata: Json | None = None
    ) -> Json:
        """A subscription to one price."""
        with self.lock:
            trial_end = self.now() + trial_days * DAY if trial_days else None
            items = {"0": {"price": price, "quantity": quantity}}
            return self.start(customer, items, trial_end=trial_end, metadata=metadata)

    def switch(self, subscription_id: str, lookup_key: str, quantity: int = 1) -> Json:
        """Another price from now on; what it costs in between is not reckoned."""
        with self.lock:
            item = self.find("subscription", subscription_id)["items"]["data"][0]
            item |= {"price": deepcopy(self.price_of(lookup_key)), "quantity": quantity}
            return self.change(subscription_id)

    def renew(self, subscription_id: str) -> Json:
        """The period ends now: bill the next one, and fall past due when the card is refused."""
        with self.lock:
            subscription = self.find("subscription", subscription_id)
            end = min(self.now(), *(each["current_period_end"] for each in subscription["items"]["data"]))
            for item in subscription["items"]["data"]:
                item["current_period_end"] = end
            subscription["billing_cycle_anchor"] = end
            return self.renew_at(subscription, end)

    def settle(self, subscription_id: str) -> Json:
        """The customer pays what is open, with a card that is good."""
        with self.lock:
            subscription = self.find("subscription", subscription_id)
            invoice = self.find("invoice", subscription["latest_invoice"])
            if invoice["status"] == "paid":
                return self.change(subscription_id, status="active")
            refused = subscription["customer"] in self.declining
            self.declining.discard(subscription["customer"])
            self.pay_invoice(invoice)
            if refused:
                self.declining.add(subscription["customer"])
            return subscription


def catalogue(world: World, offers: Iterable[tuple[str, int, int]], metered: Collection[str] = ()) -> None:
    """Products and prices: (lookup key, months, amount in cents) each; those in `metered` are billed by a meter."""
    meter = _meter(world)["id"] if metered else None
    for lookup_key, months, amount in offers:
        product = world.add_product(lookup_key.split("_")[0].title())
        interval, by = "year" if months == 12 else "month", meter if lookup_key in metered else None
        world.add_price(product["id"], amount, "usd", interval, lookup_key, meter=by)


def _meter(world: World) -> Json:
    return world.keep(
        "billing.meter",
        "mtr_test",
        customer_mapping={"type": "by_id", "event_payload_key": "stripe_customer_id"},
        default_aggregation={"formula": "sum"},
        display_name="Drafts",
        event_name=METER,
        event_time_window=None,
        status="active",
        status_transitions={"deactivated_at": None},
        updated=world.now(),
        value_settings={"event_payload_key": "value"},
    )


def twin(event: Json) -> Json:
    """The thin event that Stripe sends beside a snapshot event: no object, only where to find it."""
    about = event["data"]["object"]
    return {
        "id": event["id"].replace("evt_", "evt_thin_"),
        "object": "v2.core.event",
        "type": "v1." + event["type"],
        "created": datetime.fromtimestamp(event["created"], UTC).isoformat().replace("+00:00", "Z"),
        "livemode": event["livemode"],
        "related_object": {"id": about["id"], "type": about["object"], "url": f"/v1/{about['object']}s/{about['id']}"},
        "changes": None,
        "snapshot_event": event["id"],
    }
