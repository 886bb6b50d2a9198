"""What a change of a subscription costs at Stripe, to the second: reckoned once, for preview and update."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.peers.stripe_invoices_world import Invoices, net, subscription_of
from tests.peers.stripe_reckoning import boundary, charged, share
from tests.peers.stripe_store import Json, Refused

AGREED = ("items", "discounts", "status", "trial_start", "trial_end", "billing_cycle_anchor", "currency")
"""What a change that is reckoned alters in a subscription."""


@dataclass
class Change:
    """A subscription as it would be, and what that costs."""

    after: Json
    lines: list[Json] = field(default_factory=list)
    """Credits and debits of this change."""
    drawn: Json | None = None
    """The invoice that is due at once."""
    discounts: list[Json] = field(default_factory=list)
    debited: dict[str, list[Json]] = field(default_factory=dict)
    """By item: the lines that stand for its present period from now on."""
    settled: list[str] = field(default_factory=list)
    """The items whose charges until now were given back or replaced."""


class Changes(Invoices):
    def __init__(self) -> None:
        super().__init__()
        self._debited: dict[str, list[Json]] = {}
        """By subscription item: what was charged for its present period. Credits are parts of it."""
        self._waiting: dict[str, list[Json]] = {}
        """By subscription: lines that its next invoice will have."""

    def commit(self, subscription: Json, change: Change) -> None:
        """The subscription becomes what was reckoned; lines that are not due at once wait."""
        subscription |= {name: change.after[name] for name in AGREED}
        for discount in change.discounts:
            self.redeem(discount)
        for stripe_id in change.settled:
            self._debited.pop(stripe_id, None)
        self._debited |= change.debited
        if change.drawn is None:
            self._waiting.setdefault(subscription["id"], []).extend(change.lines)

    def issue(self, drawn: Json) -> Json:
        """Also: what stands for a period is now the line with its discounts, and nothing waits any more."""
        invoice = super().issue(drawn)
        lines = {line["id"]: line for line in invoice["lines"]["data"]}
        items = {line["parent"]["subscription_item_details"]["subscription_item"] for line in lines.values()}
        for item_id in items & set(self._debited):
            self._debited[item_id] = [lines.get(each["id"], each) for each in self._debited[item_id]]
        waiting = self._waiting.get(subscription_of(invoice) or "", [])
        waiting[:] = [each for each in waiting if each["id"] not in lines]
        return invoice

    def reckon(self, subscription: Json, asked: Json) -> Change:
        """What `asked`, parameters of an update or of a preview, would do. Nothing is kept."""
        at = self._prorated_at(subscription, asked)
        change = Change(deepcopy(subscription))
        touched = self._put_items(change.after, asked.get("items") or {})
        if "discounts" in asked:
            change.discounts = self.discounts_asked(asked["discounts"], subscription)
            change.after["discounts"] = [each["id"] for each in change.discounts]
        before = {each["id"]: each for each in subscription["items"]["data"]}
        behavior = asked.get("proration_behavior", "create_prorations")
        restarted = self._restart(subscription, change.after, before, asked)
        if subscription["status"] == "paused" or (subscription["status"] == "trialing" and not restarted):
            return change
        gone = before if restarted else {name: each for name, each in before.items() if name in touched}
        if behavior != "none":
            change.lines = self.credits(subscription, gone.values(), at)
        if behavior != "none" or restarted:
            change.settled = list(gone)
        change.lines += self._usage_lines(
            subscription, [each for each in gone.values() if is_metered(each)], self.now()
        )
        for item in change.after["items"]["data"]:
            if not is_metered(item) and (restarted or (item["id"] in touched and behavior != "none")):
                debit = self._debit(change.after, item, None if restarted else at)
                change.debited[item["id"]] = [debit]
                change.lines.append(debit)
        if change.after["status"] != "trialing" or change.lines:
            self._draw_change(change, subscription, at=at, due=restarted or behavior == "always_invoice")
        return change

    def _draw_change(self, change: Change, subscription: Json, *, at: int, due: bool) -> None:
        lines = [*self._waiting.get(subscription["id"], []), *change.lines]
        if due and lines:
            applied = self.applicable(change.after, change.discounts)
            change.drawn = self.draw_up(change.after, lines, "subscription_update", applied, (at, at))
            change.drawn["parent"]["subscription_details"]["subscription_proration_date"] = at

    def applicable(self, subscription: Json, fresh: list[Json] | None = None) -> list[Json]:
        """The subscription's discounts that have not ended."""
        by_id = {each["id"]: each for each in fresh or []}
        every = [by_id.get(each) or self.find("discount", each) for each in subscription["discounts"]]
        return [each for each in every if each["end"] is None or each["end"] > self.now()]

    def _prorated_at(self, subscription: Json, asked: Json) -> int:
        if "proration_date" not in asked:
            return self.now()
        at, items = int(asked["proration_date"]), subscription["items"]["data"]
        start = min(each["current_period_start"] for each in items)
        if not start <= at <= max(each["current_period_end"] for each in items):
            raise Refused(400, "Invalid proration_date: it must lie within the subscription's current period.")
        return at

    def _restart(self, subscription: Json, after: Json, before: Json, asked: Json) -> bool:
        """Whether a new period begins now, for all items; sets the trial and the periods of `after`."""
        now = self.now()
        if asked.get("trial_end") == "now":
            after |= {"status": "active", "trial_end": now if after["trial_end"] else None}
        elif "trial_end" in asked:
            return self._try_out(after, int(asked["trial_end"]))
        intervals = [
            _interval(each) != _interval(before[each["id"]])
            for each in after["items"]["data"]
            if each["id"] in before and subscription["status"] not in ("trialing", "paused")
        ]
        kind = (asked.get("billing_cycle_anchor") or {}).get("type")
        if any(intervals) and kind == "unchanged":
            raise Refused(400, "You cannot keep the billing cycle anchor when the interval changes.")
        if not any(intervals) and kind != "now" and asked.get("trial_end") != "now":
            return False
        self.begin_period(after, now)
        return True

    def begin_period(self, subscription: Json, start: int) -> None:
        subscription["billing_cycle_anchor"] = start
        for item in subscription["items"]["data"]:
            item["current_period_start"] = start
            item["current_period_end"] = boundary(start, item["price"]["recurring"], start)

    def _try_out(self, after: Json, until: int) -> bool:
        if until <= self.now():
            raise Refused(400, "The trial_end must be in the future.", "parameter_invalid")
        restarted = after["status"] not in ("trialing", "paused")
        after |= {"status": "trialing", "trial_end": until, "billing_cycle_anchor": until}
        after["trial_start"] = after["trial_start"] or self.now()
        for item in after["items"]["data"]:
            item["current_period_end"] = until
            if restarted:
                item["current_period_start"] = self.now()
        return restarted

    # items

    def _put_items(self, after: Json, asked: Json) -> set[str]:
        """Change, add and remove items as asked; the ids of those whose price or quantity is another."""
        items, touched = after["items"]["data"], set()
        for each in asked.values():
            if "id" not in each:
                items.append(self.new_item(after, each))
                touched.add(items[-1]["id"])
                continue
            ours = next((item for item in items if item["id"] == each["id"]), None)
            if ours is None:
                raise Refused(400, f"No such subscription item: '{each['id']}'", "resource_missing")
            if each.get("deleted") == "true":
                items.remove(ours)
                touched.add(ours["id"])
            elif self._put_item(ours, each):
                touched.add(ours["id"])
        if not items:
            raise Refused(400, "A subscription must have at least one item.")
        _unlike(items)
        return touched

    def _put_item(self, item: Json, asked: Json) -> bool:
        before = (item["price"]["id"], item.get("quantity"))
        if "price" in asked:
            item["price"] = self._sold(asked["price"])
        if is_metered(item):
            if "quantity" in asked:
                raise Refused(400, "Quantity must not be set for a metered price.")
            item.pop("quantity", None)
        else:
            item["quantity"] = _whole(asked.get("quantity", item.get("quantity", 1)))
        if "metadata" in asked:
            item["metadata"] |= asked["metadata"]
        return before != (item["price"]["id"], item.get("quantity"))

    def new_item(self, subscription: Json, asked: Json) -> Json:
        """An item whose period is that of the others billed as often, or begins now."""
        if "price" not in asked:
            raise Refused(400, "Each new item needs a price.", "parameter_missing")
        item = self.keep_item(subscription, asked.get("metadata", {}))
        self._put_item(item, {name: asked[name] for name in ("price", "quantity") if name in asked})
        now, trying = self.now(), subscription["status"] == "trialing"
        alike = [each for each in subscription["items"]["data"] if trying or _interval(each) == _interval(item)]
        start, end = now, boundary(now, item["price"]["recurring"], now)
        if alike:
            start, end = alike[0]["current_period_start"], alike[0]["current_period_end"]
        return item | {"current_period_start": start, "current_period_end": end}

    def keep_item(self, subscription: Json, metadata: Json) -> Json:
        made = {"id": f"si_{next(self.numbers):014d}", "object": "subscription_item", "created": self.now()}
        extra = {"billing_thresholds": None, "discounts": [], "tax_rates": [], "price": {"id": None}}
        return made | extra | {"metadata": dict(metadata), "subscription": subscription["id"]}

    def _sold(self, price_id: str) -> Json:
        price = self.find("price", price_id)
        if not price["active"]:
            raise Refused(400, "The price specified is inactive. This field only accepts active prices.")
        return deepcopy(price)

    # lines

    def credits(self, subscription: Json, items: Any, at: int) -> list[Json]:
        """What was charged for the time from `at` on, given back, discounts as they were then."""
        lines = []
        for item in items:
            for debit in self._debited.get(item["id"], []):
                start, end = debit["period"]["start"], debit["period"]["end"]
                amount = -share(net(debit), max(at, start), end, (start, end)) if at < end else 0
                if amount:
                    period = (max(at, start), end)
                    line = self.line(subscription, item, amount, period, debit["quantity"], proration=True)
                    line["pricing"] = debit["pricing"]
                    lines.append(line)
        return lines

    def _debit(self, subscription: Json, item: Json, at: int | None) -> Json:
        """The item's present period, whole or from `at` on. Nothing while it is tried out."""
        whole = (item["current_period_start"], item["current_period_end"])
        amount = 0 if subscription["status"] == "trialing" else charged(item["price"], item["quantity"])
        if at is None:
            return self.line(subscription, item, amount, whole, item["quantity"], proration=False)
        start = max(at, whole[0])
        part = share(amount, start, whole[1], whole)
        return self.line(subscription, item, part, (start, whole[1]), item["quantity"], proration=True)

    def _usage_lines(self, subscription: Json, items: list[Json], before: int | None = None) -> list[Json]:
        """What was used in the items' present periods, until now; what is used at `before` is of the next period."""
        lines = []
        for item in items:
            period = (item["current_period_start"], min(item["current_period_end"], self.now()))
            used = self.used(subscription["customer"], period[0], before or item["current_period_end"])
            if subscription["status"] != "trialing":
                amount = charged(item["price"], used)
                lines.append(self.line(subscription, item, amount, period, used, proration=False))
        return lines

    def debit_standing(self, subscription: Json, items: list[Json]) -> list[Json]:
        """The lines of a new period for licensed items."""
        return [self._debit(subscription, each, None) for each in items if not is_metered(each)]


def is_metered(item: Json) -> bool:
    return bool(item["price"]["recurring"]["usage_type"] == "metered")


def _interval(item: Json) -> tuple[str, int]:
    return item["price"]["recurring"]["interval"], item["price"]["recurring"]["interval_count"]


def _whole(quantity: Any) -> int:
    if int(quantity) < 0:
        raise Refused(400, "This value must be greater than or equal to 0.", "parameter_invalid_integer")
    return int(quantity)


def _unlike(items: list[Json]) -> None:
    prices = [each["price"]["id"] for each in items]
    currencies = {each["price"]["currency"] for each in items}
    if len(set(prices)) != len(prices):
        raise Refused(400, "Cannot add multiple subscription items with the same price.")
    if len(currencies) != 1:
        raise Refused(400, f"All items must have the same currency, found {sorted(currencies)}.")
