"""Lists as Stripe pages and filters them, and the references that it expands."""

from collections.abc import Callable, Iterable
from copy import deepcopy

from tests.peers.stripe_store import Json, Refused, Store

KINDS = {
    "charge": "charge",
    "coupon": "coupon",
    "customer": "customer",
    "default_payment_method": "payment_method",
    "discounts": "discount",
    "invoice": "invoice",
    "latest_charge": "charge",
    "latest_invoice": "invoice",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
    "price": "price",
    "product": "product",
    "promotion_code": "promotion_code",
    "schedule": "subscription_schedule",
    "subscription": "subscription",
}
"""What a field that holds an id points to."""
INCLUDED: dict[tuple[str, str], Callable[[Store, Json], list[Json]]] = {
    ("customer", "tax_ids"): lambda world, about: _of(world, "tax_id", "customer", about),
    ("customer", "subscriptions"): lambda world, about: [
        each for each in _of(world, "subscription", "customer", about) if each["status"] != "canceled"
    ],
    ("invoice", "payments"): lambda world, about: _of(world, "invoice_payment", "invoice", about),
    ("charge", "refunds"): lambda world, about: _of(world, "refund", "charge", about),
}
"""Lists that an object has only when they are asked for."""
DEEPEST = 4
LONGEST_PAGE = 100


def listed(objects: list[Json], params: Json, url: str, filters: Iterable[str] = ()) -> Json:
    """One page of at most `limit`, after `starting_after` or before `ending_before`, of those equal by `filters`."""
    limit = int(params.get("limit", 10))
    if not 1 <= limit <= LONGEST_PAGE:
        raise Refused(400, "Invalid limit: must be between 1 and 100")
    chosen = [each for each in objects if _suits(each, params, filters)]
    ids = [each["id"] for each in chosen]
    if before := params.get("ending_before"):
        end = _position(ids, before)
        page = chosen[max(0, end - limit) : end]
        more = end > limit
    else:
        start = 1 + _position(ids, params["starting_after"]) if "starting_after" in params else 0
        page = chosen[start : start + limit]
        more = start + limit < len(chosen)
    return {"object": "list", "data": page, "has_more": more, "url": url}


def found(kind: str) -> Callable[..., Json]:
    """The route that retrieves one of that kind."""
    return lambda world, params, stripe_id: world.find(kind, stripe_id)


def listing(kind: str, url: str, *filters: str) -> Callable[..., Json]:
    """The route that lists all of that kind, the newest first, filtered by those fields."""
    return lambda world, params: listed(world.every(kind), params, url, filters)


def expanded(world: Store, answer: Json, params: Json) -> Json:
    """The answer, a copy of its own, with the objects instead of their ids where `expand` asks for them."""
    for path in params.get("expand", {}).values():
        steps = path.split(".")
        if len(steps) > DEEPEST:
            raise Refused(400, f"You cannot expand more than {DEEPEST} levels of a property.")
        _expand(world, answer, steps, path)
    return answer


def _expand(world: Store, about: Json, steps: list[str], path: str) -> None:
    step, *rest = steps
    if (about.get("object"), step) in INCLUDED and step not in about:
        inside = deepcopy(INCLUDED[about["object"], step](world, about))
        about[step] = {"object": "list", "data": inside, "has_more": False, "url": f"/v1/{step}"}
    if step not in about:
        raise Refused(400, f"This property cannot be expanded ({path}).")
    value = about[step]
    if isinstance(value, str):
        if step not in KINDS:
            raise Refused(400, f"This property cannot be expanded ({path}).")
        value = about[step] = deepcopy(world.find(KINDS[step], value))
    elif isinstance(value, list):
        value = about[step] = [
            deepcopy(world.find(KINDS[step], each)) if isinstance(each, str) else each for each in value
        ]
    if rest and value is not None:
        for each in value if isinstance(value, list) else [value]:
            _expand(world, each, rest, path)


def _suits(each: Json, params: Json, filters: Iterable[str]) -> bool:
    asked = {name: params[name] for name in filters if name in params}
    return _within(each["created"], params.get("created")) and all(
        str(each.get(name)).lower() == value.lower() for name, value in asked.items()
    )


def _within(created: int, asked: Json | str | None) -> bool:
    if asked is None:
        return True
    if not isinstance(asked, dict):
        return created == int(asked)
    rules = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
    return all(rules[name](created, int(bound)) for name, bound in asked.items())


def _position(ids: list[str], wanted: str) -> int:
    if wanted not in ids:
        raise Refused(400, f"No such object: '{wanted}'", "resource_missing")
    return ids.index(wanted)


def _of(world: Store, kind: str, field: str, about: Json) -> list[Json]:
    return [each for each in world.every(kind) if each[field] == about["id"]]
