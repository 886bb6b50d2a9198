"""Who buys at Stripe: customers, their tax ids and their balance."""

from collections.abc import Callable

from tests.peers.stripe_lists import found, listed
from tests.peers.stripe_store import Json, Refused, Store

PLAIN = ("name", "email", "phone", "description", "metadata", "address", "preferred_locales", "invoice_prefix")


class Customers(Store):
    def __init__(self) -> None:
        super().__init__()
        self.declining: set[str] = set()
        """Customers whose card is refused."""
        self.without_card: set[str] = set()
        """Customers who never gave a way to pay."""

    def add_customer(self, **facts: object) -> Json:
        fields = {
            "email": None,
            "name": None,
            "metadata": {},
            "balance": 0,
            "delinquent": False,
            "currency": None,
            "default_source": None,
            "tax_exempt": "none",
            "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None}
            | {"rendering_options": None},
        }
        customer = self.keep("customer", "cus", **fields | facts)
        self.tell("customer.created", customer)
        return customer

    def living_customer(self, stripe_id: str) -> Json:
        customer = self.find("customer", stripe_id)
        if customer.get("deleted"):
            raise Refused(404, f"No such customer: '{stripe_id}'", "resource_missing")
        return customer

    def change_customer(self, stripe_id: str, **fields: object) -> Json:
        customer = self.living_customer(stripe_id)
        customer |= fields
        self.tell("customer.updated", customer)
        return customer

    def forget_customer(self, stripe_id: str) -> Json:
        """What is left of a deleted customer is its id."""
        customer = self.living_customer(stripe_id)
        self.tell("customer.deleted", customer)
        customer.clear()
        customer |= {"id": stripe_id, "object": "customer", "deleted": True}
        return customer

    def add_tax_id(self, customer_id: str, kind: str, value: str) -> Json:
        self.living_customer(customer_id)
        made = self.keep(
            "tax_id",
            "txi",
            customer=customer_id,
            country=value[:2].upper(),
            type=kind,
            value=value,
            owner={"type": "customer", "customer": customer_id, "account": None, "application": None},
            verification={"status": "unverified", "verified_address": None, "verified_name": None},
        )
        self.tell("customer.tax_id.created", made)
        return made

    def tax_ids_of(self, customer_id: str) -> list[Json]:
        return [each for each in self.every("tax_id") if each["customer"] == customer_id]

    def add_balance(self, customer_id: str, amount: int, kind: str, **facts: object) -> Json:
        """Owe the customer (negative) or the customer us (positive), minor units; taken off the next invoice."""
        customer = self.living_customer(customer_id)
        customer["balance"] += amount
        return self.keep(
            "customer_balance_transaction",
            "cbtxn",
            customer=customer_id,
            amount=amount,
            ending_balance=customer["balance"],
            type=kind,
            **{"currency": customer["currency"] or "usd", "invoice": None, "description": None, "metadata": {}} | facts,
        )


def metadata_of(before: Json, asked: Json | str) -> Json:
    """Keys are merged; an empty value takes its key away; an empty whole takes all away."""
    if not isinstance(asked, dict):
        return {}
    return {key: value for key, value in (before | asked).items() if value != ""}


def _plain(world: Customers, params: Json, before: Json) -> Json:
    fields = {name: params[name] or None for name in PLAIN if name in params}
    if "metadata" in params:
        fields["metadata"] = metadata_of(before.get("metadata", {}), params["metadata"])
    if "balance" in params:
        fields["balance"] = int(params["balance"])
    if method := params.get("invoice_settings", {}).get("default_payment_method"):
        world.find("payment_method", method)
        fields["invoice_settings"] = before.get("invoice_settings", {}) | {"default_payment_method": method}
    return fields


def _create(world: Customers, params: Json) -> Json:
    return world.add_customer(**_plain(world, params, {}))


def _update(world: Customers, params: Json, stripe_id: str) -> Json:
    return world.change_customer(stripe_id, **_plain(world, params, world.living_customer(stripe_id)))


def _list(world: Customers, params: Json) -> Json:
    living = [each for each in world.every("customer") if not each.get("deleted")]
    return listed(living, params, "/v1/customers", ("email",))


def _list_tax_ids(world: Customers, params: Json, customer: str) -> Json:
    world.living_customer(customer)
    return listed(world.tax_ids_of(customer), params, f"/v1/customers/{customer}/tax_ids")


def _list_balance(world: Customers, params: Json, customer: str) -> Json:
    every = [each for each in world.every("customer_balance_transaction") if each["customer"] == customer]
    return listed(every, params, f"/v1/customers/{customer}/balance_transactions")


def _create_balance(world: Customers, params: Json, customer: str) -> Json:
    facts = {"currency": params["currency"], "description": params.get("description")}
    return world.add_balance(customer, int(params["amount"]), "adjustment", **facts)


ROUTES: dict[tuple[str, str], Callable[..., Json]] = {
    ("get", "/v1/customers"): _list,
    ("post", "/v1/customers"): _create,
    ("get", "/v1/customers/{customer}"): found("customer"),
    ("post", "/v1/customers/{customer}"): _update,
    ("delete", "/v1/customers/{customer}"): lambda world, params, customer: world.forget_customer(customer),
    ("get", "/v1/customers/{customer}/tax_ids"): _list_tax_ids,
    ("post", "/v1/customers/{customer}/tax_ids"): lambda world, params, customer: world.add_tax_id(
        customer, params["type"], params["value"]
    ),
    ("get", "/v1/customers/{customer}/balance_transactions"): _list_balance,
    ("post", "/v1/customers/{customer}/balance_transactions"): _create_balance,
}
