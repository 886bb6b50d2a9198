"""Subscriptions at Stripe: begun, changed, renewed, ended."""

from typing import Any

from tests.peers.stripe_changes_world import Change, Changes, is_metered
from tests.peers.stripe_invoices_world import subscription_of
from tests.peers.stripe_reckoning import boundary
from tests.peers.stripe_store import Json, Refused

DAY = 86_400
DECIDE_WITHIN = 23 * 3_600
"""Seconds in which a first payment, or one that an update waits for, must succeed."""
NO_REASON: Json = {"comment": None, "feedback": None, "reason": None}


class Subscriptions(Changes):
    def __init__(self) -> None:
        super().__init__()
        self.when_given_up = "canceled"
        """What becomes of a subscription after the last try: canceled, unpaid or past_due."""
        self._held: dict[str, Change] = {}
        """By invoice: changes that are made once it is paid."""

    # begin

    def start(self, customer: str, items: Json, **asked: Any) -> Json:
        """A subscription as `POST /v1/subscriptions` makes it; `trial_end` in seconds, the rest as parameters."""
        self.living_customer(customer)
        drafted = self.draft(customer, items, asked)
        discounts = self.discounts_asked(asked.get("discounts") or {}, drafted)
        drafted["discounts"] = [each["id"] for each in discounts]
        behavior = asked.get("payment_behavior", "allow_incomplete")
        drawn = self.first_invoice(drafted, discounts)
        if behavior == "error_if_incomplete" and drawn["amount_due"] and not self.card_works(customer):
            raise declined()
        subscription = self.keep("subscription", "sub", **drafted)
        for discount in discounts:
            self.redeem(discount)
        for line in drawn["lines"]["data"]:
            self._debited[line["parent"]["subscription_item_details"]["subscription_item"]] = [line]
        try_now = behavior != "default_incomplete"
        if drawn["amount_due"] and not (try_now and self.card_works(customer)):
            subscription["status"] = "incomplete"
        self.tell("customer.subscription.created", subscription)
        self.bill(subscription, drawn, try_now=try_now, failing="incomplete")
        return subscription

    def draft(self, customer: str, items: Json, asked: Json) -> Json:
        now, trial_end = self.now(), asked.get("trial_end")
        drafted: Json = {
            "id": f"sub_{next(self.numbers):014d}",
            "automatic_tax": {"enabled": asked.get("automatic_tax", False), "disabled_reason": None, "liability": None},
            "billing_cycle_anchor": trial_end or now,
            "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}, "updated_at": None},
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "cancellation_details": dict(NO_REASON),
            "collection_method": "charge_automatically",
            "created": now,
            "customer": customer,
            "default_payment_method": asked.get("default_payment_method"),
            "description": asked.get("description"),
            "discounts": [],
            "ended_at": None,
            "items": {"object": "list", "data": [], "has_more": False, "url": "/v1/subscription_items"},
            "latest_invoice": None,
            "metadata": asked.get("metadata") or {},
            "pause_collection": None,
            "pending_update": None,
            "schedule": None,
            "start_date": now,
            "status": "trialing" if trial_end else "active",
            "status_details": None,
            "trial_end": trial_end,
            "trial_start": now if trial_end else None,
            "trial_settings": asked.get("trial_settings")
            or {"end_behavior": {"missing_payment_method": "create_invoice", "billing_cycle_anchor": None}},
        }
        self._put_items(drafted, items)
        for item in drafted["items"]["data"]:
            item["current_period_end"] = trial_end or boundary(now, item["price"]["recurring"], now)
        drafted["currency"] = drafted["items"]["data"][0]["price"]["currency"]
        return drafted

    def first_invoice(self, drafted: Json, discounts: list[Json]) -> Json:
        lines = self.debit_standing(drafted, drafted["items"]["data"])
        now = self.now()
        return self.draw_up(drafted, lines, "subscription_create", discounts, (now, now))

    def card_works(self, customer: str) -> bool:
        return self.has_card(customer) and customer not in self.declining

    def bill(self, subscription: Json, drawn: Json, *, failing: str, try_now: bool = True) -> bool:
        """Issue and collect; the subscription has the status `failing` when that fails, active when it does not."""
        invoice = self.issue(drawn)
        subscription["latest_invoice"] = invoice["id"]
        if invoice["total_discount_amounts"]:
            self.lapse(subscription, invoiced=True)
        paid = (try_now or not invoice["amount_due"]) and self.collect(invoice)
        if subscription["status"] != "trialing":
            subscription["status"] = "active" if paid else failing
        return paid

    def told(self, subscription: Json) -> Json:
        self.tell("customer.subscription.updated", subscription)
        return subscription

    # change

    def apply(self, subscription_id: str, asked: Json, **fields: Any) -> Json:
        """What `POST /v1/subscriptions/…` does: `fields` are set, `asked` is reckoned and billed."""
        subscription = self.changeable(subscription_id)
        behavior = asked.get("payment_behavior", "allow_incomplete")
        change = self.reckon(subscription, asked)
        due = change.drawn is not None and change.drawn["amount_due"] > 0
        if due and not self.card_works(subscription["customer"]):
            if behavior == "error_if_incomplete":
                raise declined()
            if behavior == "pending_if_incomplete":
                return self._hold(subscription, change)
        self._drop_pending(subscription)
        subscription |= fields
        self.commit(subscription, change)
        if change.drawn is not None:
            status = subscription["status"]
            paid = self.bill(subscription, change.drawn, failing="past_due", try_now=behavior != "default_incomplete")
            if paid and status not in ("incomplete", "active", "trialing"):
                subscription["status"] = status
        return self.told(subscription)

    def changeable(self, subscription_id: str) -> Json:
        subscription = self.find("subscription", subscription_id)
        if subscription["status"] in ("canceled", "incomplete_expired"):
            raise Refused(400, "A canceled subscription can only update its cancellation_details and metadata.")
        return subscription

    def _hold(self, subscription: Json, change: Change) -> Json:
        """The card is refused: keep the update until its invoice is paid, and change nothing else."""
        assert change.drawn is not None
        self._drop_pending(subscription)
        invoice = self.issue(change.drawn)
        self.collect(invoice)
        invoice["next_payment_attempt"] = None
        self._held[invoice["id"]] = change
        subscription["latest_invoice"] = invoice["id"]
        subscription["pending_update"] = {
            "billing_cycle_anchor": change.after["billing_cycle_anchor"],
            "cancel_at_period_end": None,
            "discount": None,
            "discounts": None,
            "expires_at": self.now() + DECIDE_WITHIN,
            "metadata": None,
            "subscription_items": change.after["items"]["data"],
            "trial_end": change.after["trial_end"],
            "trial_from_plan": None,
        }
        return self.told(subscription)

    def _drop_pending(self, subscription: Json) -> None:
        if subscription["pending_update"] is None:
            return
        subscription["pending_update"] = None
        for invoice in self.invoices_of(subscription["id"]):
            if self._held.pop(invoice["id"], None) and invoice["status"] == "open":
                self.void(invoice)

    def settled(self, invoice: Json) -> None:
        """What follows from an invoice that was paid late."""
        subscription = self._kept["subscription"].get(subscription_of(invoice) or "")
        if subscription is None or subscription["status"] in ("canceled", "incomplete_expired"):
            return
        if change := self._held.pop(invoice["id"], None):
            subscription["pending_update"] = None
            subscription["status_details"] = None
            self.commit(subscription, change)
            self.told(subscription)
        elif subscription["latest_invoice"] == invoice["id"] and subscription["status"] in (
            "past_due",
            "unpaid",
            "incomplete",
        ):
            subscription["status"] = "active"
            self.told(subscription)

    def pay_invoice(self, invoice: Json, *, elsewhere: bool = False) -> Json:
        """The customer, or we, settle an open invoice; raises the bank's refusal."""
        if invoice["status"] == "paid":
            raise Refused(400, "Invoice is already paid", "invoice_already_paid")
        if invoice["status"] not in ("open", "uncollectible", "draft"):
            raise Refused(400, f"This invoice is {invoice['status']} and cannot be paid.", "invoice_not_open")
        if elsewhere:
            self.mark_paid(invoice)
        elif not self.collect(invoice):
            raise declined()
        self.settled(invoice)
        return invoice

    # renew

    def due_lines(self, subscription: Json, items: list[Json], after: Json) -> list[Json]:
        """What the end of the period of those items costs: what waited, what was used, and the next period."""
        renewed = [each for each in after["items"]["data"] if each["id"] in {one["id"] for one in items}]
        waiting = self._waiting.get(subscription["id"], [])
        used = self._usage_lines(subscription, [each for each in items if is_metered(each)])
        return [*waiting, *used, *self.debit_standing(after, renewed)]

    def begin_next(self, after: Json, end: int) -> None:
        """Move the items whose period ends then to their next one."""
        if after["status"] == "trialing":
            after |= {"status": "active", "billing_cycle_anchor": end}
        for item in after["items"]["data"]:
            if item["current_period_end"] <= end:
                start = item["current_period_end"]
                item["current_period_start"] = start
                item["current_period_end"] = boundary(after["billing_cycle_anchor"], item["price"]["recurring"], start)

    # end

    def end(self, subscription: Json, reason: str, details: Json | None = None, status: str = "canceled") -> Json:
        now = self.now()
        subscription |= {"status": status, "ended_at": now, "canceled_at": subscription["canceled_at"] or now}
        subscription["cancellation_details"] |= {"reason": reason} | (details or {})
        self._waiting.pop(subscription["id"], None)
        self._drop_pending(subscription)
        for invoice in self.invoices_of(subscription["id"]):
            invoice |= {"next_payment_attempt": None, "auto_advance": False}
        if status == "canceled":
            self.tell("customer.subscription.deleted", subscription)
        else:
            self.told(subscription)
        return subscription

    def final_invoice(self, subscription: Json, *, prorate: bool) -> Json | None:
        """What is still owed either way when a subscription ends now, drawn up; None when that is nothing."""
        items = subscription["items"]["data"]
        lines = list(self._waiting.get(subscription["id"], []))
        lines += self._usage_lines(subscription, [each for each in items if is_metered(each)])
        lines += self.credits(subscription, items, self.now()) if prorate else []
        if not any(line["amount"] for line in lines):
            return None
        now, applied = self.now(), self.applicable(subscription)
        return self.draw_up(subscription, lines, "subscription_cycle", applied, (now, now))


def declined() -> Refused:
    refused = Refused(402, "Your card was declined.", "card_declined", "card_error")
    refused.body["error"]["decline_code"] = "generic_decline"
    return refused
