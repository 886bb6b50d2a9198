"""Subscriptions at Stripe that stop: paused and resumed, canceled at once or later."""

from copy import deepcopy
from typing import Any

from tests.peers.stripe_changes_world import Change, is_metered
from tests.peers.stripe_reckoning import boundary
from tests.peers.stripe_store import Json, Refused
from tests.peers.stripe_subscriptions_world import NO_REASON, Subscriptions


class Pauses(Subscriptions):
    def pause(self, subscription_id: str, asked: Json) -> Json:
        """Nothing is provided nor charged from now on; the rest of what was charged is credited."""
        subscription = self.changeable(subscription_id)
        if subscription["status"] not in ("active", "trialing", "past_due"):
            raise Refused(400, f"A subscription that is {subscription['status']} cannot be paused.")
        drawn, lines = self._draw_pause(subscription, asked)
        for item in subscription["items"]["data"]:
            self._debited.pop(item["id"], None)
        if asked.get("invoicing_behavior") == "invoice" and lines:
            self.bill(subscription, drawn, failing="past_due")
        else:
            self._waiting.setdefault(subscription["id"], []).extend(lines)
        return self.hold_still(subscription, "pause_requested")

    def _draw_pause(self, subscription: Json, asked: Json) -> tuple[Json, list[Json]]:
        wanted = asked.get("bill_for") or {}
        unused = wanted.get("unused_time_from", {}).get("type", "now")
        used = wanted.get("outstanding_usage_through", {}).get("type", "now")
        items = subscription["items"]["data"]
        lines: list[Json] = []
        if unused != "none":
            begun = min(each["current_period_start"] for each in items)
            lines += self.credits(subscription, items, self.now() if unused == "now" else begun)
        if used != "none":
            lines += self._usage_lines(subscription, [each for each in items if is_metered(each)])
        now, waiting = self.now(), self._waiting.get(subscription["id"], [])
        applied = self.applicable(subscription)
        drawn = self.draw_up(subscription, [*waiting, *lines], "subscription_update", applied, (now, now))
        return drawn, lines

    def hold_still(self, subscription: Json, kind: str) -> Json:
        now = self.now()
        paused = {"type": "subscription", "subscription": {"type": kind}, "transitioned_at": now}
        subscription |= {"status": "paused", "status_details": {"paused": paused}}
        self.tell("customer.subscription.paused", subscription)
        return self.told(subscription)

    def resume(self, subscription_id: str, asked: Json) -> Json:
        """Charge again: from now on by default, or for the rest of the periods there would have been."""
        subscription = self.changeable(subscription_id)
        change = self.reckon_resume(subscription, asked)
        if change.drawn is None or not change.drawn["amount_due"]:
            self._go_on(subscription, change)
            if change.drawn is not None:
                self.bill(subscription, change.drawn, failing="past_due")
        elif asked.get("payment_behavior") == "resume_on_payment_success":
            self._await_resume(subscription, change)
        else:
            self._go_on(subscription, change)
            self.bill(subscription, change.drawn, failing="past_due")
        if subscription["status"] != "paused":
            self.tell("customer.subscription.resumed", subscription)
        return self.told(subscription)

    def reckon_resume(self, subscription: Json, asked: Json) -> Change:
        if subscription["status"] != "paused":
            raise Refused(400, "Only subscriptions with a status of paused can be resumed.")
        now = self.now()
        change = Change(deepcopy(subscription))
        change.after |= {"status": "active", "trial_end": min(subscription["trial_end"] or now, now)}
        change.after["trial_end"] = change.after["trial_end"] if subscription["trial_end"] else None
        restarted = (asked.get("billing_cycle_anchor") or {}).get("type", "now") == "now"
        behavior = asked.get("proration_behavior", "create_prorations")
        if restarted:
            self.begin_period(change.after, now)
        else:
            self._catch_up(change.after)
        if restarted or behavior != "none":
            at = None if restarted else int(asked.get("proration_date", now))
            for item in change.after["items"]["data"]:
                if not is_metered(item):
                    change.debited[item["id"]] = [self._debit(change.after, item, at)]
            change.lines = [line for lines in change.debited.values() for line in lines]
        self._draw_change(change, subscription, at=now, due=restarted or behavior == "always_invoice")
        return change

    def _catch_up(self, after: Json) -> None:
        """The periods as if there had been no pause."""
        for item in after["items"]["data"]:
            while item["current_period_end"] <= self.now():
                start, every = item["current_period_end"], item["price"]["recurring"]
                end = boundary(after["billing_cycle_anchor"], every, start)
                item |= {"current_period_start": start, "current_period_end": end}

    def _go_on(self, subscription: Json, change: Change) -> None:
        self.commit(subscription, change)
        subscription["status_details"] = None

    def _await_resume(self, subscription: Json, change: Change) -> None:
        assert change.drawn is not None
        invoice = self.issue(change.drawn)
        subscription["latest_invoice"] = invoice["id"]
        self._held[invoice["id"]] = change
        if self.collect(invoice):
            self._held.pop(invoice["id"])
            self._go_on(subscription, change)
        else:
            invoice["next_payment_attempt"] = None

    # cancel

    def cancel(
        self,
        subscription_id: str,
        reason: str = "cancellation_requested",
        *,
        details: Json | None = None,
        prorate: bool = False,
        invoice_now: bool = False,
    ) -> Json:
        """Now and for good. What is owed is invoiced when asked for; a credit goes to the customer's balance."""
        with self.lock:
            subscription = self.find("subscription", subscription_id)
            if subscription["status"] == "canceled":
                raise Refused(404, f"No such subscription: '{subscription_id}'", "resource_missing")
            drawn = self.final_invoice(subscription, prorate=prorate) if invoice_now or prorate else None
            if drawn is not None and invoice_now:
                invoice = self.issue(drawn)
                subscription["latest_invoice"] = invoice["id"]
                self.collect(invoice)
            return self.end(subscription, reason, details)

    def forget_customer(self, stripe_id: str) -> Json:
        """Their subscriptions end with them."""
        for each in self.every("subscription"):
            if each["customer"] == stripe_id and each["status"] not in ("canceled", "incomplete_expired"):
                self.end(each, "cancellation_requested")
        return super().forget_customer(stripe_id)

    def ending(self, subscription: Json, asked: Json) -> Json:
        """The fields that `cancel_at_period_end`, `cancel_at` and `cancellation_details` set."""
        details = {name: value or None for name, value in (asked.get("cancellation_details") or {}).items()}
        fields: Json = {"cancellation_details": subscription["cancellation_details"] | details}
        if "cancel_at" in asked and "cancel_at_period_end" in asked:
            raise Refused(400, "You may only specify one of these parameters: cancel_at, cancel_at_period_end.")
        if "cancel_at" not in asked and "cancel_at_period_end" not in asked:
            return fields if details else {}
        at_period_end = asked.get("cancel_at_period_end") == "true"
        at = self._cancel_at(subscription, "min_period_end" if at_period_end else asked.get("cancel_at"))
        if at is None:
            fields["cancellation_details"] = NO_REASON | details
            return fields | {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None}
        fields["cancellation_details"] |= {"reason": "cancellation_requested"}
        return fields | {"cancel_at": at, "cancel_at_period_end": at_period_end, "canceled_at": self.now()}

    def _cancel_at(self, subscription: Json, asked: Any) -> int | None:
        ends = [each["current_period_end"] for each in subscription["items"]["data"]]
        if not asked:
            return None
        if asked in ("min_period_end", "max_period_end", "max_billed_until"):
            return min(ends) if asked == "min_period_end" else max(ends)
        if int(asked) <= self.now():
            raise Refused(400, "cancel_at must be in the future.", "parameter_invalid")
        return int(asked)
