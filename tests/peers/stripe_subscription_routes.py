"""What is asked of Stripe about subscriptions and the invoices that they will have."""

from collections.abc import Callable
from typing import Any

from tests.peers.stripe_customers_world import metadata_of
from tests.peers.stripe_hosted_world import Hosted
from tests.peers.stripe_lists import found, listed
from tests.peers.stripe_store import Json, Refused

DAY = 86_400
BILLED = frozenset({"items", "discounts", "trial_end", "billing_cycle_anchor", "proration_behavior", "proration_date"})
"""Parameters that are reckoned; the others only set a field."""
CAN_WAIT = BILLED | {"payment_behavior", "expand", "off_session", "metadata", "cancel_at_period_end"}
"""Parameters that an update may have with `payment_behavior=pending_if_incomplete`."""
NAMED = frozenset({"metadata", "description", "default_payment_method", "trial_settings", "automatic_tax", "expand"})
ENDING = frozenset({"cancel_at", "cancel_at_period_end", "cancellation_details"})
CREATED_WITH = (
    NAMED
    | ENDING
    | {"customer", "items", "discounts", "payment_behavior", "trial_period_days", "trial_end", "off_session"}
    | {"billing_mode", "collection_method", "currency", "payment_settings", "proration_behavior"}
)
UPDATED_WITH = NAMED | ENDING | BILLED | {"payment_behavior", "off_session", "pause_collection", "payment_settings"}
PREVIEWED_WITH = frozenset(
    {"subscription", "customer", "subscription_details", "discounts", "automatic_tax", "schedule", "expand"}
)
PREVIEWED = ENDING | BILLED | {"cancel_now", "resume_at"}


def only(asked: Json, known: frozenset[str]) -> None:
    """Refuse what Stripe would do and we would not: a parameter passed over proves nothing."""
    if others := sorted(set(asked) - known):
        raise Refused(400, f"Not built in this Stripe: {', '.join(others)}.")


def _list(world: Hosted, params: Json) -> Json:
    if "customer" in params:
        world.find("customer", params["customer"])
    status = params.get("status", "")
    chosen = [each for each in world.every("subscription") if each["id"] not in world.unlisted]
    if price := params.get("price"):
        chosen = [each for each in chosen if any(one["price"]["id"] == price for one in each["items"]["data"])]
    if status == "ended":
        chosen = [each for each in chosen if each["status"] in ("canceled", "incomplete_expired")]
    elif status != "all":
        chosen = [each for each in chosen if each["status"] == (status or each["status"])]
        chosen = [each for each in chosen if status or each["status"] != "canceled"]
    return listed(chosen, params, "/v1/subscriptions", ("customer", "collection_method"))


def _create(world: Hosted, params: Json) -> Json:
    only(params, CREATED_WITH)
    if not params.get("items") or "customer" not in params:
        raise Refused(400, "Missing required param: items.", "parameter_missing")
    days = int(params.get("trial_period_days", 0))
    asked_end = params.get("trial_end", "now")
    trial_end = world.now() + days * DAY if days else int(asked_end) if asked_end != "now" else None
    names = ("metadata", "discounts", "payment_behavior", "description", "default_payment_method", "trial_settings")
    plain = {name: params[name] for name in names if name in params}
    if plain.get("payment_behavior") == "pending_if_incomplete":
        raise Refused(400, "payment_behavior=pending_if_incomplete is for updates only.")
    taxed = (params.get("automatic_tax") or {}).get("enabled") == "true"
    made = world.start(params["customer"], params["items"], trial_end=trial_end, automatic_tax=taxed, **plain)
    if ending := world.ending(made, params):
        world.change(made["id"], **ending)
    return made


def _update(world: Hosted, params: Json, stripe_id: str) -> Json:
    only(params, UPDATED_WITH)
    subscription = world.find("subscription", stripe_id)
    if subscription["status"] in ("canceled", "incomplete_expired"):
        if set(params) - {"cancellation_details", "metadata", "expand"}:
            world.changeable(stripe_id)
        subscription |= _set(world, params, subscription)
        return world.told(subscription)
    if params.get("payment_behavior") == "pending_if_incomplete" and (others := sorted(set(params) - CAN_WAIT)):
        raise Refused(400, f"`payment_behavior=pending_if_incomplete` does not support updating {others}.")
    if subscription["schedule"] and {"cancel_at", "cancel_at_period_end"} & set(params):
        raise Refused(
            400,
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating any "
            "cancelation behavior directly is not allowed. Please update the schedule instead.",
        )
    if subscription["status"] == "incomplete" and {"items", "trial_end"} & set(params):
        raise Refused(400, "An incomplete subscription cannot change its items until its first invoice is paid.")
    fields = _set(world, params, subscription)
    if BILLED & set(params):
        asked = {name: params[name] for name in (*BILLED, "payment_behavior") if name in params}
        return world.apply(stripe_id, asked, **fields)
    return world.change(stripe_id, **fields)


def _set(world: Hosted, params: Json, subscription: Json) -> Json:
    fields: Json = world.ending(subscription, params)
    for name in ("description", "default_payment_method"):
        if name in params:
            fields[name] = params[name] or None
    if fields.get("default_payment_method"):
        world.find("payment_method", fields["default_payment_method"])
    if "metadata" in params:
        fields["metadata"] = metadata_of(subscription["metadata"], params["metadata"])
    if "automatic_tax" in params:
        fields["automatic_tax"] = subscription["automatic_tax"] | {
            "enabled": params["automatic_tax"]["enabled"] == "true"
        }
    if "trial_settings" in params:
        ends = subscription["trial_settings"]["end_behavior"] | params["trial_settings"]["end_behavior"]
        fields["trial_settings"] = {"end_behavior": ends}
    if "pause_collection" in params:
        asked = params["pause_collection"] or None
        until = int(asked["resumes_at"]) if asked and "resumes_at" in asked else None
        fields["pause_collection"] = asked and {
            "behavior": asked["behavior"],
            "resumes_at": int(until) if until else None,
        }
    return fields


def _cancel(world: Hosted, params: Json, stripe_id: str) -> Json:
    details = {name: value or None for name, value in (params.get("cancellation_details") or {}).items()}
    how = {name: params.get(name) == "true" for name in ("prorate", "invoice_now")}
    return world.cancel(stripe_id, details=details, **how)


def _preview(world: Hosted, params: Json) -> Json:
    """The invoice that a change would make at once or, where it makes none, the next one."""
    asked: Json = params.get("subscription_details") or {}
    only(params, PREVIEWED_WITH)
    only(asked, PREVIEWED)
    if "schedule" in params:
        params = params | {"subscription": world.under_way(params["schedule"], "preview")["subscription"]}
    if "subscription" not in params:
        drawn = _preview_new(world, params, asked)
    else:
        drawn = _preview_change(world, world.find("subscription", params["subscription"]), params, asked)
    made = {"id": f"upcoming_in_{next(world.numbers):014d}", "object": "invoice", "created": world.now()}
    return made | {"livemode": False} | drawn


def _preview_new(world: Hosted, params: Json, asked: Json) -> Json:
    if "customer" not in params or not asked.get("items"):
        raise Refused(400, "You must pass a subscription, or a customer and subscription_details[items].")
    until = asked.get("trial_end", "now")
    plan: Json = {"trial_end": None if until == "now" else int(until)}
    plan["automatic_tax"] = (params.get("automatic_tax") or {}).get("enabled") == "true"
    drafted = world.draft(params["customer"], asked["items"], plan)
    return world.first_invoice(drafted, world.discounts_asked(params.get("discounts") or {}, drafted))


def _preview_change(world: Hosted, subscription: Json, params: Json, asked: Json) -> Json:
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise Refused(404, "No upcoming invoices for customer: the subscription is canceled.", "invoice_upcoming_none")
    if asked.get("resume_at") == "now":
        drawn: Json | None = world.reckon_resume(subscription, asked).drawn
    elif asked.get("cancel_now") == "true":
        drawn = world.final_invoice(subscription, prorate=asked.get("proration_behavior", "none") != "none")
    else:
        discounts = {"discounts": params["discounts"]} if "discounts" in params else {}
        change = world.reckon(subscription, asked | discounts)
        change.after |= world.ending(change.after, asked)
        drawn = change.drawn or world.upcoming(subscription, change)
    if drawn is None:
        raise Refused(404, "No upcoming invoices for this subscription.", "invoice_upcoming_none")
    return drawn


def _pay(world: Hosted, params: Json, stripe_id: str) -> Json:
    return world.pay_invoice(world.find("invoice", stripe_id), elsewhere=params.get("paid_out_of_band") == "true")


def _list_events(world: Hosted, params: Json) -> Json:
    kinds = set(params.get("types", {}).values())
    chosen = [each for each in world.every("event") if not kinds or each["type"] in kinds]
    return listed(chosen, params, "/v1/events", ("type",))


def _advance(world: Hosted, params: Json, stripe_id: str) -> Json:
    clock, target = world.find("test_helpers.test_clock", stripe_id), int(params["frozen_time"])
    if target <= world.now():
        raise Refused(400, "A test clock can only be advanced.")
    world.advance(target - world.now())
    clock |= {"frozen_time": target}
    return clock


def _make_clock(world: Hosted, params: Json) -> Json:
    """There is one time, which every clock moves."""
    world.advance(max(0, int(params["frozen_time"]) - world.now()))
    fields: Json = {"frozen_time": world.now(), "name": params.get("name"), "status": "ready", "status_details": {}}
    return world.keep("test_helpers.test_clock", "clock", **fields, deletes_after=world.now() + 30 * DAY)


ROUTES: dict[tuple[str, str], Callable[..., Any]] = {
    ("post", "/v1/subscriptions"): _create,
    ("get", "/v1/subscriptions"): _list,
    ("get", "/v1/subscriptions/{subscription_exposed_id}"): found("subscription"),
    ("post", "/v1/subscriptions/{subscription_exposed_id}"): _update,
    ("delete", "/v1/subscriptions/{subscription_exposed_id}"): _cancel,
    ("post", "/v1/subscriptions/{subscription}/pause"): lambda world, params, stripe_id: world.pause(stripe_id, params),
    ("post", "/v1/subscriptions/{subscription}/resume"): lambda world, params, stripe_id: world.resume(
        stripe_id, params
    ),
    ("post", "/v1/invoices/create_preview"): _preview,
    ("post", "/v1/invoices/{invoice}/pay"): _pay,
    ("get", "/v1/events"): _list_events,
    ("get", "/v1/events/{id}"): found("event"),
    ("post", "/v1/test_helpers/test_clocks"): _make_clock,
    ("get", "/v1/test_helpers/test_clocks/{test_clock}"): found("test_helpers.test_clock"),
    ("post", "/v1/test_helpers/test_clocks/{test_clock}/advance"): _advance,
}
