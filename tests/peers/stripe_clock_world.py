"""Time at Stripe: what falls due happens in the order of time, each at its own instant."""

from collections.abc import Callable, Iterator
from copy import deepcopy

from tests.peers.stripe_changes_world import Change, is_metered
from tests.peers.stripe_invoices_world import subscription_of
from tests.peers.stripe_schedules_world import Schedules
from tests.peers.stripe_store import Json
from tests.peers.stripe_subscriptions_world import DECIDE_WITHIN

WARNED_BEFORE = 3 * 86_400
"""Seconds before a trial's end when Stripe tells of it."""

Due = tuple[int, int, Callable[[], object]]
"""When, its place among what is due at the same second, and what happens."""


class Clock(Schedules):
    def __init__(self) -> None:
        super().__init__()
        self._warned: set[tuple[str, int]] = set()

    def advance(self, seconds: int) -> None:
        """Move the clock; whatever falls due on the way happens at its instant, the earliest first."""
        with self.lock:
            target = self.now() + seconds
            self.stopped_at = self.now()
            while (due := min(self._dues(), key=lambda each: each[:2], default=None)) and due[0] <= target:
                self.stopped_at = max(due[0], self.stopped_at)
                due[2]()
            self.stopped_at = None
            self.ahead += target - self.now()

    def _dues(self) -> Iterator[Due]:
        for subscription in self.every("subscription"):
            if subscription["status"] not in ("canceled", "incomplete_expired"):
                yield from self._dues_of(subscription)
        for invoice in self.every("invoice"):
            if invoice["next_payment_attempt"] is not None and invoice["status"] == "open":
                yield invoice["next_payment_attempt"], 5, lambda invoice=invoice: self._try_again(invoice)
        for session in self.every("checkout.session"):
            if session["status"] == "open":
                yield session["expires_at"], 6, lambda session=session: self.expire(session["id"])
        yield from self.schedule_dues()

    def _dues_of(self, subscription: Json) -> Iterator[Due]:
        status, trial_end = subscription["status"], subscription["trial_end"]
        if subscription["cancel_at"] is not None:
            yield subscription["cancel_at"], 1, lambda: self._end_as_asked(subscription)
        elif subscription["cancel_at_period_end"]:
            ends = min(each["current_period_end"] for each in subscription["items"]["data"])
            yield ends, 1, lambda: self._end_as_asked(subscription)
        if status == "incomplete":
            yield subscription["created"] + DECIDE_WITHIN, 2, lambda: self._expire(subscription)
        if status in ("trialing", "active", "past_due", "unpaid"):
            end = min(each["current_period_end"] for each in subscription["items"]["data"])
            yield end, 3, lambda: self._renew(subscription, end)
        if status == "trialing" and (subscription["id"], trial_end) not in self._warned:
            yield trial_end - WARNED_BEFORE, 0, lambda: self._warn(subscription)
        if subscription["pending_update"]:
            yield subscription["pending_update"]["expires_at"], 4, lambda: self._let_go(subscription)
        if subscription["pause_collection"] and subscription["pause_collection"]["resumes_at"]:
            yield subscription["pause_collection"]["resumes_at"], 2, lambda: self._collect_again(subscription)

    # what falls due

    def _warn(self, subscription: Json) -> None:
        self._warned.add((subscription["id"], subscription["trial_end"]))
        self.tell("customer.subscription.trial_will_end", subscription)

    def _expire(self, subscription: Json) -> None:
        """A first payment that never came."""
        invoice = self.find("invoice", subscription["latest_invoice"])
        if invoice["status"] == "open":
            self.void(invoice)
        self.end(subscription, "payment_failed", status="incomplete_expired")

    def _let_go(self, subscription: Json) -> None:
        self._drop_pending(subscription)
        self.tell("customer.subscription.pending_update_expired", subscription)
        self.told(subscription)

    def _collect_again(self, subscription: Json) -> None:
        subscription["pause_collection"] = None
        self.told(subscription)

    def _end_as_asked(self, subscription: Json) -> None:
        if subscription["status"] not in ("paused", "incomplete") and (
            drawn := self.final_invoice(subscription, prorate=False)
        ):
            self.collect(self.issue(drawn))
        self.end(subscription, "cancellation_requested")

    def _renew(self, subscription: Json, end: int) -> None:
        if subscription["status"] == "trialing" and not self.has_card(subscription["customer"]):
            wanted = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
            if wanted == "cancel":
                self.end(subscription, "payment_failed")
                return
            if wanted == "pause":
                self.hold_still(subscription, "trial_end_without_payment_method")
                return
        self.renew_at(subscription, end)

    def renew_at(self, subscription: Json, end: int) -> Json:
        """Begin the next period of the items whose period ends then, and bill it."""
        self.lapse(subscription)
        before, items = deepcopy(subscription), subscription["items"]["data"]
        due = [each for each in before["items"]["data"] if each["current_period_end"] <= end]
        self.begin_next(subscription, end)
        lines = self.due_lines(before, due, subscription)
        applied = self.applicable(subscription)
        drawn = self.draw_up(subscription, lines, "subscription_cycle", applied, (due[0]["current_period_start"], end))
        for item in items:
            if any(each["id"] == item["id"] for each in due) and not is_metered(item):
                self._debited[item["id"]] = [each for each in lines if _is_next(each, item)]
        self._bill_renewal(subscription, drawn)
        return self.told(subscription)

    def upcoming(self, subscription: Json, change: Change) -> Json | None:
        """The invoice at the end of the present period, None when there will be none; nothing is kept."""
        after, status = change.after, change.after["status"]
        ends = min(each["current_period_end"] for each in after["items"]["data"])
        if status not in ("trialing", "active", "past_due"):
            return None
        due = [each for each in after["items"]["data"] if each["current_period_end"] == ends]
        over = after["cancel_at"] is not None and after["cancel_at"] <= ends
        renewed = self.upcoming_items(after, ends)
        ids = {each["id"] for each in due} | {each["id"] for each in renewed["items"]["data"]} - {
            each["id"] for each in after["items"]["data"]
        }
        self.begin_next(renewed, ends)
        lines = self.due_lines(after, due, renewed | {"items": {"data": []}}) + change.lines
        if not over:
            lines += self.debit_standing(renewed, [each for each in renewed["items"]["data"] if each["id"] in ids])
        if not lines:
            return None
        applied = [each for each in self.applicable(after, change.discounts) if (each["end"] or ends + 1) > ends]
        return self.draw_up(renewed, lines, "upcoming", applied, (due[0]["current_period_start"], ends))

    def _bill_renewal(self, subscription: Json, drawn: Json) -> None:
        held_back = (subscription["pause_collection"] or {}).get("behavior")
        if subscription["status"] == "unpaid" or held_back:
            invoice = self.issue(drawn)
            subscription["latest_invoice"] = invoice["id"]
            if held_back == "void":
                self.void(invoice)
            else:
                invoice |= {"status": "uncollectible" if held_back == "mark_uncollectible" else "draft"}
                invoice["auto_advance"] = False
        else:
            self.bill(subscription, drawn, failing="past_due")

    def _try_again(self, invoice: Json) -> None:
        if self.collect(invoice):
            self.settled(invoice)
            return
        if invoice["next_payment_attempt"] is not None:
            return
        subscription = self.find("subscription", subscription_of(invoice) or "")
        if self.when_given_up == "canceled":
            self.end(subscription, "payment_failed")
        elif self.when_given_up == "paused":
            self.hold_still(subscription, "final_payment_failure")
        elif self.when_given_up != subscription["status"]:
            subscription["status"] = self.when_given_up
            self.told(subscription)


def _is_next(line: Json, item: Json) -> bool:
    details = line["parent"]["subscription_item_details"]
    return bool(
        details["subscription_item"] == item["id"]
        and not details["proration"]
        and line["period"]["start"] == item["current_period_start"]
    )
