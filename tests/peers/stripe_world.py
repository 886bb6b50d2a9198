"""What a Stripe account holds and how it changes: customers, prices, sessions, subscriptions, invoices, events.

The state behind `stripe_server`. Tests drive it directly as Stripe's own clock and its customers would: they pay, let
a card be declined, move the time. Shapes are those of API version 2026-10-28.endive, checked against the contract.
"""

import calendar
from collections.abc import Iterable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from tests.peers.stripe_catalogue_world import Catalogue
from tests.peers.stripe_payments_world import Payments
from tests.peers.stripe_store import Json, Refused

DAY = 86_400
LIVE_STATUSES = ("trialing", "active", "past_due", "unpaid", "paused", "incomplete")


class World(Payments, Catalogue):
    def __init__(self) -> None:
        super().__init__()
        self.unlisted: set[str] = set()
        """Subscriptions that lists lack, as one that was only just written may."""
        self._wanted: dict[str, tuple[str, int, int]] = {}
        """What each Checkout Session sells: price, quantity, trial days."""

    # subscriptions

    def subscribe(
        self, customer: str, price: str, quantity: int = 1, trial_days: int = 0, metadata: Json | None = None
    ) -> Json:
        now = self.now()
        self.find("customer", customer)
        chosen = deepcopy(self.find("price", price))
        end = now + trial_days * DAY if trial_days else _later(now, chosen)
        item = {
            "id": f"si_{next(self.numbers):014d}",
            "object": "subscription_item",
            "created": now,
            "current_period_start": now,
            "current_period_end": end,
            "metadata": {},
            "price": chosen,
            "quantity": quantity,
        }
        subscription = self.keep(
            "subscription",
            "sub",
            customer=customer,
            status="trialing" if trial_days else "active",
            items={"object": "list", "data": [item], "has_more": False, "url": "/v1/subscription_items"},
            currency=chosen["currency"],
            collection_method="charge_automatically",
            start_date=now,
            billing_cycle_anchor=end if trial_days else now,
            billing_mode={"type": "flexible"},
            trial_start=now if trial_days else None,
            trial_end=end if trial_days else None,
            cancel_at=None,
            cancel_at_period_end=False,
            canceled_at=None,
            ended_at=None,
            cancellation_details={"comment": None, "feedback": None, "reason": None},
            latest_invoice=None,
            default_payment_method=None,
            discounts=[],
            metadata=metadata or {},
        )
        item["subscription"] = subscription["id"]
        self.tell("customer.subscription.created", subscription)
        if customer in self.declining and not trial_days:
            self._bill(subscription, paid=False)
            self.change(subscription["id"], status="incomplete")
        else:
            self._bill(subscription, paid=True)
        return subscription

    def change(self, subscription_id: str, **fields: Any) -> Json:
        """Set fields as a customer, staff or Stripe itself would, and tell it."""
        with self.lock:
            subscription = self.find("subscription", subscription_id)
            if subscription["status"] == "canceled":
                raise Refused(400, "A canceled subscription can only update its cancellation_details and metadata.")
            subscription |= fields
            self.tell("customer.subscription.updated", subscription)
            return subscription

    def cancel(self, subscription_id: str, reason: str = "cancellation_requested") -> Json:
        with self.lock:
            subscription = self.find("subscription", subscription_id)
            if subscription["status"] == "canceled":
                raise Refused(404, f"No such subscription: '{subscription_id}'", "resource_missing")
            now = self.now()
            subscription |= {"status": "canceled", "canceled_at": now, "ended_at": now}
            subscription["cancellation_details"]["reason"] = reason
            self.tell("customer.subscription.deleted", subscription)
            return subscription

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
            for item in subscription["items"]["data"]:
                start = min(item["current_period_end"], self.now())
                item |= {"current_period_start": start, "current_period_end": _later(start, item["price"])}
            paid = subscription["customer"] not in self.declining
            self._bill(subscription, paid=paid)
            return self.change(subscription_id, status="active" if paid else "past_due")

    def settle(self, subscription_id: str) -> Json:
        """The customer pays what is open."""
        with self.lock:
            subscription = self.find("subscription", subscription_id)
            invoice = self.find("invoice", subscription["latest_invoice"])
            self._charge(invoice)
            invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0}
            self.tell("invoice.paid", invoice)
            return self.change(subscription_id, status="active")

    def advance(self, seconds: int) -> None:
        """Move the clock; whatever falls due in between happens, at the end of the move."""
        with self.lock:
            self.ahead += seconds
            for subscription in self.every("subscription"):
                self._fall_due(subscription)

    def _fall_due(self, subscription: Json) -> None:
        while subscription["status"] in ("trialing", "active"):
            end = subscription["items"]["data"][0]["current_period_end"]
            ends_at = subscription["cancel_at"] or (end if subscription["cancel_at_period_end"] else None)
            if ends_at is not None and ends_at <= self.now():
                self.cancel(subscription["id"])
            elif end <= self.now():
                self.renew(subscription["id"])
            else:
                return

    def _bill(self, subscription: Json, *, paid: bool) -> Json:
        free = subscription["status"] == "trialing" and subscription["trial_end"] > self.now()
        items = subscription["items"]["data"]
        due = 0 if free else sum(item["price"]["unit_amount"] * item["quantity"] for item in items)
        invoice = self.keep(
            "invoice",
            "in",
            customer=subscription["customer"],
            status="paid" if paid else "open",
            currency=subscription["currency"],
            amount_due=due,
            amount_paid=0,
            amount_remaining=due,
            total=due,
            attempted=True,
            attempt_count=1,
            parent={
                "type": "subscription_details",
                "subscription_details": {"subscription": subscription["id"], "metadata": subscription["metadata"]},
                "quote_details": None,
            },
        )
        subscription["latest_invoice"] = invoice["id"]
        if paid:
            if due:
                self._charge(invoice)
            invoice |= {"amount_paid": due, "amount_remaining": 0}
        self.tell("invoice.paid" if paid else "invoice.payment_failed", invoice)
        return invoice

    # hosted pages

    def open_checkout(self, customer: str, price: str, **facts: Any) -> Json:
        self.find("customer", customer)
        self.find("price", price)
        trial_days, quantity = facts.pop("trial_days"), facts.pop("quantity")
        session = self.keep(
            "checkout.session",
            "cs_test",
            customer=customer,
            mode="subscription",
            status="open",
            payment_status="unpaid",
            subscription=None,
            expires_at=self.now() + DAY,
            **facts,
        )
        session["url"] = f"{self.address}/pay/{session['id']}"
        self._wanted[session["id"]] = (price, quantity, trial_days)
        return session

    def pay(self, session_id: str) -> Json:
        """The customer completes the page."""
        with self.lock:
            session = self.find("checkout.session", session_id)
            if session["status"] != "open":
                raise Refused(400, "This Checkout Session is no longer open.")
            price, quantity, trial_days = self._wanted[session_id]
            subscription = self.subscribe(session["customer"], price, quantity, trial_days, session["metadata"])
            session |= {"status": "complete", "payment_status": "paid", "subscription": subscription["id"]}
            self.tell("checkout.session.completed", session)
            return session

    def expire(self, session_id: str) -> Json:
        session = self.find("checkout.session", session_id)
        if session["status"] != "open":
            raise Refused(400, "Only Checkout Sessions with a status in ['open'] can be expired.")
        session |= {"status": "expired", "url": None}
        self.tell("checkout.session.expired", session)
        return session

    def open_portal(self, customer: str, return_url: str | None) -> Json:
        self.find("customer", customer)
        session = self.keep("billing_portal.session", "bps", customer=customer, return_url=return_url)
        session["url"] = f"{self.address}/portal/{session['id']}"
        return session

    def living_subscriptions(self, customer: str) -> list[Json]:
        every = self.every("subscription")
        return [each for each in every if each["customer"] == customer and each["status"] in LIVE_STATUSES]


def catalogue(world: World, offers: Iterable[tuple[str, int, int]]) -> None:
    """Products and prices: (lookup key, months, amount in cents) each."""
    for lookup_key, months, amount in offers:
        product = world.add_product(lookup_key.split("_")[0].title())
        world.add_price(product["id"], amount, "usd", "year" if months == 12 else "month", lookup_key)


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


def _later(start: int, price: Json) -> int:
    """The same day a price's interval later, or that month's last."""
    months = {"month": 1, "year": 12}[price["recurring"]["interval"]] * price["recurring"]["interval_count"]
    at = datetime.fromtimestamp(start, UTC)
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return int(at.replace(year=year, month=month + 1, day=day).timestamp())
