"""What a webhook body says, read as if anybody had written it. Pure.

Two shapes ring: the snapshot event (`object: event`, the object inside, `created` in seconds) and the thin event
(`object: v2.core.event`, only where to find the object, `created` in ISO 8601, the id of its snapshot twin).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.billing.signature import BadDelivery

LARGEST = 1 << 20
"""Bytes; an event of Stripe's is a few thousand."""
RESOLVABLE = frozenset(
    {"subscription", "subscription_schedule", "invoice", "invoice_payment", "charge", "checkout.session"}
    | {"dispute", "refund", "payment_intent", "payment_method"}
)
"""Kinds of object whose customer Stripe can be asked for."""
_LEADS = ("customer", "charge", "payment_intent", "invoice", "subscription")
"""What an object may name that leads to a customer, the nearest first."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,254}")
_LAST_SECOND = 1 << 33


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event's envelope. `dedupe` is one for a thin event and its snapshot twin.

    `sync_key` is what to ask Stripe about, `customer:cus_…` or another object that leads to one; None for nothing.
    `payload` is the body as it came.
    """

    id: str
    dedupe: str
    type: str
    api_version: str | None
    created: datetime
    livemode: bool
    sync_key: str | None
    payload: bytes


def read(raw: bytes) -> Delivery:
    """The envelope of a body. Raises BadDelivery for whatever is not an event."""
    event = _parsed(raw)
    stripe_id, kind = _name(event.get("id")), _name(event.get("type"))
    livemode, version = event.get("livemode"), event.get("api_version")
    if not isinstance(livemode, bool) or event.get("object") not in ("event", "v2.core.event"):
        raise BadDelivery("billing.unreadable")
    is_thin = event.get("object") == "v2.core.event"
    twin = event.get("snapshot_event") if is_thin else None
    return Delivery(
        id=stripe_id,
        dedupe=stripe_id if twin is None else _name(twin),
        type=kind,
        api_version=None if version is None else _name(version),
        created=_thin_instant(event.get("created")) if is_thin else _instant(event.get("created")),
        livemode=livemode,
        sync_key=_key_of_related(event.get("related_object")) if is_thin else _key_of_snapshot(event.get("data")),
        payload=raw,
    )


def _parsed(raw: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(raw.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BadDelivery("billing.unreadable") from None
    if not isinstance(event, dict):
        raise BadDelivery("billing.unreadable")
    return event


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name said twice means two things to two readers."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name is there twice")
    return made


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _key_of_snapshot(data: object) -> str | None:
    about = data.get("object") if isinstance(data, dict) else None
    if not isinstance(about, dict):
        raise BadDelivery("billing.unreadable")
    if about.get("object") == "customer":
        return f"customer:{_name(about.get('id'))}"
    for kind in _LEADS:
        named = about.get(kind)
        if named is not None:
            return f"{kind}:{_name(named.get('id') if isinstance(named, dict) else named)}"
    return None


def _key_of_related(related: object) -> str | None:
    if not isinstance(related, dict):
        raise BadDelivery("billing.unreadable")
    kind, stripe_id = _name(related.get("type")), _name(related.get("id"))
    return f"{kind}:{stripe_id}" if kind == "customer" or kind in RESOLVABLE else None


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise BadDelivery("billing.unreadable")
    return value


def _instant(seconds: object) -> datetime:
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds < _LAST_SECOND:
        raise BadDelivery("billing.unreadable")
    return datetime.fromtimestamp(seconds, UTC)


def _thin_instant(written: object) -> datetime:
    try:
        instant = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise BadDelivery("billing.unreadable")
    return instant
