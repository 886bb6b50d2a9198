"""Subscription schedules at Stripe: phases that begin when the clock reaches them."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from tests.peers.stripe_changes_world import is_metered
from tests.peers.stripe_lists import found, listing
from tests.peers.stripe_pauses_world import Pauses
from tests.peers.stripe_reckoning import later
from tests.peers.stripe_store import Json, Refused

UNDER_WAY = ("not_started", "active")


class Schedules(Pauses):
    # made and changed

    def schedule_from(self, subscription_id: str, metadata: Json | None = None) -> Json:
        """A schedule whose only phase is the subscription's present period."""
        subscription = self.changeable(subscription_id)
        if subscription["schedule"]:
            raise Refused(400, "You cannot migrate a subscription that is already attached to a schedule.")
        items = subscription["items"]["data"]
        start, end = (
            min(each["current_period_start"] for each in items),
            min(each["current_period_end"] for each in items),
        )
        phase = self._phase({"items": {}}, start, end, subscription["currency"])
        phase |= {"items": [_phase_item(each["price"]["id"], each.get("quantity")) for each in items]}
        phase |= {
            "discounts": [
                {"coupon": None, "discount": each, "promotion_code": None} for each in subscription["discounts"]
            ],
            "trial_end": subscription["trial_end"],
        }
        ends = subscription["cancel_at"] is not None or subscription["cancel_at_period_end"]
        schedule = self.keep(
            "subscription_schedule",
            "sub_sched",
            billing_mode=subscription["billing_mode"],
            canceled_at=None,
            completed_at=None,
            current_phase={"start_date": start, "end_date": end},
            customer=subscription["customer"],
            default_settings={"billing_cycle_anchor": "automatic", "collection_method": "charge_automatically"},
            end_behavior="cancel" if ends else "release",
            metadata=metadata or {},
            phases=[phase],
            released_at=None,
            released_subscription=None,
            status="active",
            subscription=subscription_id,
        )
        subscription["schedule"] = schedule["id"]
        self.tell("subscription_schedule.created", schedule)
        self.told(subscription)
        return schedule

    def change_schedule(self, stripe_id: str, asked: Json) -> Json:
        schedule = self.under_way(stripe_id, "update")
        if "phases" in asked:
            phases = self._phases(schedule, list(asked["phases"].values()))
            present, schedule["phases"] = _present(phases, self.now()), phases
            schedule["current_phase"] = {name: present[name] for name in ("start_date", "end_date")}
            self._enter(schedule, present, asked.get("proration_behavior", "create_prorations"))
        if "end_behavior" in asked:
            schedule["end_behavior"] = asked["end_behavior"]
        if "metadata" in asked:
            schedule["metadata"] |= asked["metadata"] or {}
        self.tell("subscription_schedule.updated", schedule)
        return schedule

    def under_way(self, stripe_id: str, deed: str) -> Json:
        schedule = self.find("subscription_schedule", stripe_id)
        if schedule["status"] not in UNDER_WAY:
            raise Refused(
                400,
                f"You cannot {deed} a subscription schedule that is currently in the `{schedule['status']}` status.",
            )
        return schedule

    def _phases(self, schedule: Json, asked: list[Json]) -> list[Json]:
        """The phases, each after the other; the one under way keeps its start."""
        subscription = self.find("subscription", schedule["subscription"])
        begun, phases = schedule["current_phase"]["start_date"], []
        starts = [int(each["start_date"]) for each in asked if each.get("start_date", "now") != "now"]
        if begun not in starts:
            raise Refused(400, "You can not modify the start date of the current phase, and must include that phase.")
        for place, each in enumerate(asked):
            start = phases[-1]["end_date"] if phases else int(each["start_date"])
            if "start_date" in each and each["start_date"] != str(start):
                raise Refused(400, "Each phase must begin where the one before it ends.")
            end = self._phase_end(each, start, last=place == len(asked) - 1)
            if end <= start:
                raise Refused(400, "A phase must end after it starts.")
            phases.append(self._phase(each, start, end, subscription["currency"]))
        if phases[-1]["end_date"] <= self.now():
            raise Refused(400, "The last phase must end in the future.")
        return phases

    def _phase_end(self, asked: Json, start: int, *, last: bool) -> int:
        if asked.get("end_date") == "now":
            return self.now()
        if "end_date" in asked:
            return int(asked["end_date"])
        if "duration" in asked:
            duration = asked["duration"]
            return later(start, duration | {"interval_count": int(duration.get("interval_count", 1))})
        if not last:
            raise Refused(400, "Only the last phase may be without an end_date or a duration.", "parameter_missing")
        return later(start, self.find("price", asked["items"]["0"]["price"])["recurring"])

    def _phase(self, asked: Json, start: int, end: int, currency: str) -> Json:
        items = []
        for each in asked["items"].values():
            metered = is_metered({"price": self._sold(each["price"])})
            items.append(_phase_item(each["price"], None if metered else int(each.get("quantity", 1))))
        given = asked.get("discounts") or {}
        discounts = [
            {name: each.get(name) for name in ("coupon", "discount", "promotion_code")} for each in given.values()
        ]
        until = asked.get("trial_end")
        return {
            "add_invoice_items": [],
            "billing_cycle_anchor": asked.get("billing_cycle_anchor"),
            "currency": currency,
            "discounts": discounts,
            "end_date": end,
            "items": items,
            "metadata": asked.get("metadata") or {},
            "proration_behavior": asked.get("proration_behavior", "create_prorations"),
            "start_date": start,
            "trial_end": int(until) if until else None,
        }

    def release(self, stripe_id: str, *, keep_cancel_date: bool = False) -> Json:
        """The subscription goes on as it is, by itself."""
        schedule = self.under_way(stripe_id, "release")
        subscription = self.find("subscription", schedule["subscription"])
        if not keep_cancel_date and schedule["end_behavior"] == "cancel":
            subscription |= {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None}
        schedule |= {"status": "released", "released_at": self.now(), "released_subscription": subscription["id"]}
        schedule |= {"subscription": None, "current_phase": None}
        subscription["schedule"] = None
        self.tell("subscription_schedule.released", schedule)
        self.told(subscription)
        return schedule

    def cancel_schedule(self, stripe_id: str, *, prorate: bool, invoice_now: bool) -> Json:
        schedule = self.under_way(stripe_id, "cancel")
        self.cancel(schedule["subscription"], prorate=prorate, invoice_now=invoice_now)
        return schedule

    def end(self, subscription: Json, reason: str, details: Json | None = None, status: str = "canceled") -> Json:
        super().end(subscription, reason, details, status)
        schedule = self._kept["subscription_schedule"].get(subscription["schedule"] or "")
        if schedule and schedule["status"] in UNDER_WAY:
            schedule |= {"status": "canceled", "canceled_at": self.now(), "current_phase": None}
            self.tell("subscription_schedule.canceled", schedule)
        return subscription

    # phases begin and end

    def schedule_dues(self) -> Iterator[tuple[int, int, Callable[[], object]]]:
        for schedule in self.every("subscription_schedule"):
            if schedule["status"] == "active":
                yield schedule["current_phase"]["end_date"], 2, lambda schedule=schedule: self._next_phase(schedule)

    def _next_phase(self, schedule: Json) -> None:
        phase = _present(schedule["phases"], schedule["current_phase"]["end_date"])
        if phase is not None:
            schedule["current_phase"] = {name: phase[name] for name in ("start_date", "end_date")}
            self._enter(schedule, phase, phase["proration_behavior"])
            self.tell("subscription_schedule.updated", schedule)
        elif schedule["end_behavior"] == "cancel":
            schedule |= {"status": "completed", "completed_at": self.now(), "current_phase": None}
            self.tell("subscription_schedule.completed", schedule)
            self.end(self.find("subscription", schedule["subscription"]), "cancellation_requested")
        else:
            self.release(schedule["id"])

    def _enter(self, schedule: Json, phase: Json, behavior: str) -> None:
        """The subscription gets the items of a phase: at its period's end without prorating, else as an update."""
        subscription = self.find("subscription", schedule["subscription"])
        asked = self._phase_change(subscription, phase)
        if subscription["status"] == "trialing" and phase["trial_end"] is None and phase["start_date"] < self.now():
            asked["trial_end"] = "now"
        if not asked:
            return
        ends = min(each["current_period_end"] for each in subscription["items"]["data"])
        if ends == phase["start_date"] == self.now() or (ends <= self.now() and subscription["status"] != "paused"):
            items = [each for each in subscription["items"]["data"] if is_metered(each)]
            gone = self._usage_lines(subscription, [each for each in items if not _stays(each, phase)])
            self._waiting.setdefault(subscription["id"], []).extend(gone)
            self.swap(subscription, asked)
            self._redeem_phase(subscription, asked)
        else:
            self.apply(subscription["id"], asked | {"proration_behavior": behavior})
        subscription["metadata"] |= phase["metadata"]

    def _phase_change(self, subscription: Json, phase: Json) -> Json:
        """The parameters of an update that gives a subscription a phase's items. Empty when it has them."""
        items, asked = subscription["items"]["data"], []
        ours = {each["price"]["id"]: each for each in items}
        for each in phase["items"]:
            wanted: Json = {} if each["quantity"] is None else {"quantity": str(each["quantity"])}
            kept = ours.pop(each["price"], None)
            if kept is None:
                asked.append({"price": each["price"]} | wanted)
            elif kept.get("quantity") != each["quantity"]:
                asked.append({"id": kept["id"]} | wanted)
        asked += [{"id": each["id"], "deleted": "true"} for each in ours.values()]
        change: Json = {"items": {str(place): each for place, each in enumerate(asked)}} if asked else {}
        fresh = [each for each in phase["discounts"] if each["discount"] not in subscription["discounts"]]
        if fresh:
            given = [{name: one for name, one in each.items() if one} for each in phase["discounts"]]
            change["discounts"] = {str(place): each for place, each in enumerate(given)}
        if phase["billing_cycle_anchor"] == "phase_start":
            change["billing_cycle_anchor"] = {"type": "now"}
        return change

    def swap(self, after: Json, asked: Json) -> None:
        """Other items from the end of the period on: they renew in place of those that go."""
        items = after["items"]["data"]
        period = {name: items[0][name] for name in ("current_period_start", "current_period_end")}
        known = {each["id"] for each in items}
        changes = {str(place): each for place, each in enumerate((asked.get("items") or {}).values())}
        self._put_items(after, _added_first(changes))
        for item in after["items"]["data"]:
            if item["id"] not in known:
                item.update(period)

    def _redeem_phase(self, subscription: Json, asked: Json) -> None:
        if "discounts" in asked:
            discounts = self.discounts_asked(asked["discounts"], subscription)
            subscription["discounts"] = [each["id"] for each in discounts]
            for each in discounts:
                self.redeem(each)

    def upcoming_items(self, subscription: Json, end: int) -> Json:
        """A copy of a subscription as it renews then, under its schedule if it has one."""
        after = deepcopy(subscription)
        if subscription["schedule"]:
            schedule = self.find("subscription_schedule", subscription["schedule"])
            phase = _present(schedule["phases"], end) if schedule["status"] == "active" else None
            if phase is not None and phase["start_date"] == end:
                self.swap(after, self._phase_change(subscription, phase))
        return after


def _added_first(changes: Json) -> Json:
    """New items before old ones go, since a subscription is never without any."""
    ordered = sorted(changes.values(), key=lambda each: "deleted" in each)
    return {str(place): each for place, each in enumerate(ordered)}


def _phase_item(price: str, quantity: int | None) -> Json:
    extra = {"billing_thresholds": None, "discounts": [], "metadata": {}, "tax_rates": []}
    return {"price": price, "plan": price, "quantity": quantity} | extra


def _present(phases: list[Json], at: int) -> Any:
    return next((each for each in phases if each["start_date"] <= at < each["end_date"]), None)


def _stays(item: Json, phase: Json) -> bool:
    return any(each["price"] == item["price"]["id"] for each in phase["items"])


def _create(world: Schedules, params: Json) -> Json:
    if "from_subscription" not in params:
        raise Refused(400, "This Stripe makes schedules from subscriptions only: pass from_subscription.")
    if others := set(params) - {"from_subscription", "expand", "metadata"}:
        raise Refused(400, f"You cannot set {sorted(others)} if `from_subscription` is set.")
    return world.schedule_from(params["from_subscription"], params.get("metadata"))


ROUTES: dict[tuple[str, str], Callable[..., Json]] = {
    ("get", "/v1/subscription_schedules"): listing("subscription_schedule", "/v1/subscription_schedules", "customer"),
    ("post", "/v1/subscription_schedules"): _create,
    ("get", "/v1/subscription_schedules/{schedule}"): found("subscription_schedule"),
    ("post", "/v1/subscription_schedules/{schedule}"): lambda world, params, stripe_id: world.change_schedule(
        stripe_id, params
    ),
    ("post", "/v1/subscription_schedules/{schedule}/release"): lambda world, params, stripe_id: world.release(
        stripe_id, keep_cancel_date=params.get("preserve_cancel_date") == "true"
    ),
    ("post", "/v1/subscription_schedules/{schedule}/cancel"): lambda world, params, stripe_id: world.cancel_schedule(
        stripe_id, prorate=params.get("prorate") == "true", invoice_now=params.get("invoice_now", "true") == "true"
    ),
}
