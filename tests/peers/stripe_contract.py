"""What Stripe's API accepts, as a check: verb, path, parameter names and types, for the operations that we use.

`stripe_contract.json` is cut from the contract derived from stripe-python's own types (generated from Stripe's OpenAPI
at the version it pins). To cut it again, after adding an operation to `USED`:

    python3 -m tests.peers.stripe_contract FULL_CONTRACT.json
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

FILE = Path(__file__).with_suffix(".json")

RESOURCES = """
    get post /v1/customers
    get post delete /v1/customers/{customer}
    get post /v1/customers/{customer}/tax_ids
    get /v1/customers/{customer}/payment_methods
    get /v1/customers/{customer}/balance_transactions
    post /v1/customers/{customer}/balance_transactions
    get post /v1/products
    get post /v1/products/{id}
    get post /v1/prices
    get post /v1/prices/{price}
    get post /v1/coupons
    get delete /v1/coupons/{coupon}
    get post /v1/promotion_codes
    get post /v1/promotion_codes/{promotion_code}
    get post /v1/checkout/sessions
    get /v1/checkout/sessions/{session}
    post /v1/checkout/sessions/{session}/expire
    get /v1/checkout/sessions/{session}/line_items
    post /v1/billing_portal/sessions
    get post /v1/billing_portal/configurations
    get post /v1/billing_portal/configurations/{configuration}
    get post /v1/subscriptions
    get post delete /v1/subscriptions/{subscription_exposed_id}
    post /v1/subscriptions/{subscription}/pause
    post /v1/subscriptions/{subscription}/resume
    get post /v1/subscription_schedules
    get post /v1/subscription_schedules/{schedule}
    post /v1/subscription_schedules/{schedule}/cancel
    post /v1/subscription_schedules/{schedule}/release
    get /v1/invoices
    get /v1/invoices/{invoice}
    get /v1/invoices/{invoice}/lines
    post /v1/invoices/create_preview
    post /v1/invoices/{invoice}/pay
    post /v1/invoices/{invoice}/void
    get /v1/invoice_payments
    get /v1/invoice_payments/{invoice_payment}
    get /v1/charges
    get /v1/charges/{charge}
    get /v1/payment_intents
    get /v1/payment_intents/{intent}
    get post /v1/refunds
    get /v1/refunds/{refund}
    get /v1/disputes
    get /v1/disputes/{dispute}
    get /v1/payment_methods
    get /v1/payment_methods/{payment_method}
    post /v1/payment_methods/{payment_method}/attach
    get post /v1/webhook_endpoints
    get post /v1/webhook_endpoints/{webhook_endpoint}
    get post /v1/billing/meters
    get /v1/billing/meters/{id}
    post /v1/billing/meters/{id}/reactivate
    post /v1/billing/meter_events
    get /v1/billing/meters/{id}/event_summaries
    post /v1/test_helpers/test_clocks
    get /v1/test_helpers/test_clocks/{test_clock}
    post /v1/test_helpers/test_clocks/{test_clock}/advance
    get /v1/events
    get /v1/events/{id}
"""
USED = frozenset((verb, words[-1]) for words in map(str.split, RESOURCES.strip().splitlines()) for verb in words[:-1])
SHAPES = (
    "billing.meter",
    "billing.meter_event",
    "billing.meter_event_summary",
    "billing_portal.configuration",
    "billing_portal.session",
    "charge",
    "checkout.session",
    "coupon",
    "customer",
    "customer_balance_transaction",
    "discount",
    "dispute",
    "event",
    "invoice",
    "invoice_payment",
    "item",
    "line_item",
    "payment_intent",
    "payment_method",
    "price",
    "product",
    "promotion_code",
    "refund",
    "subscription",
    "subscription_item",
    "subscription_schedule",
    "tax_id",
    "test_helpers.test_clock",
    "webhook_endpoint",
)
NESTED = """
    created expand items line_items metadata price_data product_data recurring subscription_data trial_settings
    end_behavior lookup_keys types discounts automatic_tax billing_cycle_anchor billing_mode
    cancellation_details invoice_settings subscription_details tax_id_collection customer_update
    consent_collection add_invoice_items phases default_settings trial_options duration promotion restrictions
    applies_to bill_for outstanding_usage_through unused_time_from status_transitions payment payload
    customer_mapping value_settings default_aggregation features business_profile payment_method_update
    invoice_history subscription_cancel cancellation_reason subscription_update subscription_pause flow_data
    after_completion enabled_events options schedule_at_period_end conditions login_page products
    adjustable_quantity add_promotion_codes redirect hosted_confirmation subscription_update_confirm retention
    coupon_offer billing_address tax name_collection
"""
FOLLOWED = frozenset(NESTED.split())
"""Nested parameters whose inside is checked too; of the others only the name is known."""
LONGEST_ENUM = 30
"""Longer lists of values (countries, payment methods) are cut to "a text"."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    verb: str
    path: str
    pattern: re.Pattern[str]
    params: str | None


@cache
def contract() -> Json:
    return json.loads(FILE.read_text())


@cache
def operations() -> tuple[Operation, ...]:
    """The plain paths first, so that `/sessions` is not taken for an id."""
    found = [
        Operation(each["verb"], each["path"], re.compile(re.sub(r"\{[^}]+\}", "([^/]+)", each["path"])), each["params"])
        for each in contract()["operations"]
    ]
    return tuple(sorted(found, key=lambda each: each.path.count("{")))


def operation_of(verb: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
    """The operation that answers there, and the ids in the path."""
    for each in operations():
        if each.verb == verb and (match := each.pattern.fullmatch(path)):
            return each, match.groups()
    return None


def decoded(form: str) -> Json:
    """`items[0][price]=p&expand[]=x` as nested mappings: a list is a mapping of digits."""
    root: Json = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        keys = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        inner = root
        for position, key in enumerate(keys):
            here = key or str(len(inner))
            if position == len(keys) - 1:
                inner[here] = value
            else:
                inner = inner.setdefault(here, {})
    return root


def complaints(operation: Operation, params: Json) -> list[tuple[str, str]]:
    """What Stripe would refuse about the parameters: (name, sentence) each."""
    types = contract()["params"]
    return list(_object(params, types[operation.params], "")) if operation.params else []


def _object(value: Json, spec: Mapping[str, Json], path: str) -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        where = f"{path}[{name}]" if path else name
        if name not in spec:
            yield where, f"Received unknown parameter: {where}"
        else:
            yield from _value(inner, spec[name], where)
    for name, kind in spec.items():
        if not kind.get("optional") and name not in value:
            yield (f"{path}[{name}]" if path else name), f"Missing required param: {name}."


def _value(value: Any, kind: Json, path: str) -> Iterator[tuple[str, str]]:
    if kind.get("any"):
        return
    if isinstance(value, dict):
        yield from _nested(value, kind, path)
    elif not _fits(value, kind):
        yield path, f"Invalid value for {path}: {value!r}"


def _nested(value: Json, kind: Json, path: str) -> Iterator[tuple[str, str]]:
    if "list" in kind and all(key.isdigit() for key in value):
        for key, inner in value.items():
            yield from _value(inner, kind["list"], f"{path}[{key}]")
    elif "map" in kind:
        for key, inner in value.items():
            yield from _value(inner, kind["map"], f"{path}[{key}]")
    elif names := kind.get("refs", []) + ([kind["ref"]] if "ref" in kind else []):
        yield from _object(value, contract()["params"][_lookup(names[0], contract()["params"])], path)
    else:
        yield path, f"Invalid value for {path}: expected a scalar, got a hash"


def _lookup(short: str, types: Mapping[str, Any]) -> str:
    return short if short in types else next(name for name in types if name.endswith("." + short))


def _fits(value: str, kind: Json) -> bool:
    rules = {"int": r"-?\d+", "num": r"-?\d+(\.\d+)?", "bool": "true|false", "str": r"(?s).*"}
    if any(kind.get("enum", ())):  # one that holds nothing but "" says that a text may be taken away
        rules.pop("str")
    return value in map(str, kind.get("enum", ())) or any(
        kind.get(name) and re.fullmatch(rule, value) for name, rule in rules.items()
    )


def cut(full: Json) -> Json:
    """The contract without what we do not use."""
    chosen = [each for each in full["operations"] if (each["verb"], each["path"]) in USED]
    params: Json = {}
    waiting = [each["params"] for each in chosen if each["params"]]
    while waiting:
        name = _lookup(waiting.pop(), full["params"])
        if name not in params:
            params[name] = {field: _short(field, kind) for field, kind in full["params"][name].items()}
            waiting += [ref for kind in params[name].values() for ref in _references(kind)]
    return {
        "sdk": full["sdk"],
        "api_version": full["api_version"],
        "operations": [{key: each[key] for key in ("verb", "path", "params")} for each in chosen],
        "params": dict(sorted(params.items())),
        "fields": {name: sorted(full["resources"][name]["."]) for name in SHAPES},
    }


def _references(kind: Json) -> list[str]:
    inner = [each for key in ("list", "map") if key in kind for each in _references(kind[key])]
    return inner + kind.get("refs", []) + ([kind["ref"]] if "ref" in kind else [])


def _short(field: str, kind: Json) -> Json:
    if field not in FOLLOWED and _references(kind):
        return {"any": True, "optional": bool(kind.get("optional"))}
    short = dict(kind)
    if len(short.get("enum", [])) > LONGEST_ENUM:
        short.pop("enum")
        short["str"] = True
    return short


if __name__ == "__main__":
    trimmed = cut(json.loads(Path(sys.argv[1]).read_text()))
    FILE.write_text(json.dumps(trimmed, separators=(",", ":")) + "\n")
    sys.stdout.write(
        f"{len(trimmed['operations'])} operations, {len(trimmed['params'])} types, {FILE.stat().st_size} bytes\n"
    )
