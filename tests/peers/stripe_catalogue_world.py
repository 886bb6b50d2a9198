"""What is sold at Stripe: products, prices, meters; and how its account is set up."""

from collections.abc import Callable

from tests.peers.stripe_lists import listed
from tests.peers.stripe_store import Json, Store


class Catalogue(Store):
    def add_product(self, name: str, **facts: object) -> Json:
        return self.keep("product", "prod", **({"name": name, "active": True, "metadata": {}} | facts))

    def add_price(self, product: str, unit_amount: int, currency: str, interval: str, lookup_key: str | None) -> Json:
        recurring = {"interval": interval, "interval_count": 1, "usage_type": "licensed", "meter": None}
        return self.keep(
            "price",
            "price",
            product=product,
            active=True,
            billing_scheme="per_unit",
            currency=currency.lower(),
            lookup_key=lookup_key,
            metadata={},
            recurring=recurring,
            type="recurring",
            unit_amount=unit_amount,
            unit_amount_decimal=str(unit_amount),
        )

    def price_of(self, lookup_key: str) -> Json:
        return next(each for each in self.every("price") if each["lookup_key"] == lookup_key)

    def move_lookup_key(self, lookup_key: str, unit_amount: int) -> Json:
        """A new price takes the key over (`transfer_lookup_key`); who subscribed to the old one stays there."""
        with self.lock:
            old = self.price_of(lookup_key)
            old["lookup_key"] = None
            for subscription in self.every("subscription"):
                for item in subscription["items"]["data"]:
                    if item["price"]["id"] == old["id"]:
                        item["price"]["lookup_key"] = None
            interval = old["recurring"]["interval"]
            return self.add_price(old["product"], unit_amount, old["currency"], interval, lookup_key)


def _list_prices(world: Catalogue, params: Json) -> Json:
    keys = set(params.get("lookup_keys", {}).values())
    chosen = [each for each in world.every("price") if not keys or each["lookup_key"] in keys]
    return listed([each for each in chosen if each["active"] or "active" not in params], params, "/v1/prices")


def _create_price(world: Catalogue, params: Json) -> Json:
    interval = params["recurring"]["interval"]
    key = params.get("lookup_key")
    return world.add_price(params["product"], int(params["unit_amount"]), params["currency"], interval, key)


ROUTES: dict[tuple[str, str], Callable[..., Json]] = {
    ("post", "/v1/products"): lambda world, params: world.add_product(**params),
    ("post", "/v1/prices"): _create_price,
    ("get", "/v1/prices"): _list_prices,
}
