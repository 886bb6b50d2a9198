"""What makes a subscription cheaper at Stripe: coupons, the codes that stand for them, and discounts."""

from collections.abc import Callable

from tests.peers.stripe_lists import found, listed, listing
from tests.peers.stripe_reckoning import later
from tests.peers.stripe_store import Json, Refused, Store


class Discounts(Store):
    def add_coupon(self, **asked: object) -> Json:
        """`percent_off`, or `amount_off` minor units of `currency`; `duration` once, repeating or forever."""
        fields: Json = {"amount_off": None, "percent_off": None, "currency": None, "duration": "once"}
        fields |= {"duration_in_months": None, "max_redemptions": None, "redeem_by": None, "name": None} | asked
        if (fields["amount_off"] is None) == (fields["percent_off"] is None):
            raise Refused(400, "You must pass either percent_off or amount_off.")
        if fields["amount_off"] is not None and fields["currency"] is None:
            raise Refused(400, "You must pass currency when passing amount_off.")
        if (fields["duration"] == "repeating") != (fields["duration_in_months"] is not None):
            raise Refused(400, "duration_in_months is for a duration of repeating, and needed there.")
        if fields.get("id") in self._kept["coupon"]:
            raise Refused(400, "Coupon already exists.", "resource_already_exists")
        return self.keep("coupon", "coupon", **{"metadata": {}, "times_redeemed": 0, "valid": True} | fields)

    def add_promotion_code(self, coupon: str, code: str, **asked: object) -> Json:
        self._coupon(coupon)
        if any(each["code"].lower() == code.lower() and each["active"] for each in self.every("promotion_code")):
            raise Refused(400, f"An active promotion code with `code: {code}` already exists.")
        fields: Json = {"active": True, "customer": None, "expires_at": None, "max_redemptions": None, "metadata": {}}
        limits = {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None}
        fields |= {"restrictions": limits, "times_redeemed": 0} | asked
        promotion = {"type": "coupon", "coupon": coupon}
        return self.keep("promotion_code", "promo", code=code, promotion=promotion, **fields)

    def _coupon(self, coupon_id: str) -> Json:
        coupon = self.find("coupon", coupon_id)
        if coupon.get("deleted"):
            raise Refused(404, f"No such coupon: '{coupon_id}'", "resource_missing")
        now, most = self.now(), coupon["max_redemptions"]
        spent = most is not None and coupon["times_redeemed"] >= most
        coupon["valid"] = not spent and (coupon["redeem_by"] is None or coupon["redeem_by"] > now)
        if not coupon["valid"]:
            raise Refused(400, f"Coupon {coupon_id} is expired and cannot be applied.", "coupon_expired")
        return coupon

    def usable_code(self, code: Json, customer: str) -> Json:
        most = code["max_redemptions"]
        if not code["active"] or (code["expires_at"] or self.now() + 1) <= self.now():
            raise Refused(400, "This promotion code is expired or inactive.", "promotion_code_expired")
        if most is not None and code["times_redeemed"] >= most:
            raise Refused(400, "This promotion code was used up.", "promotion_code_max_redemptions_reached")
        paid = any(each["customer"] == customer and each["amount_paid"] for each in self.every("invoice"))
        if code["customer"] not in (None, customer) or (code["restrictions"]["first_time_transaction"] and paid):
            raise Refused(
                400, "This promotion code cannot be redeemed by this customer.", "customer_max_promotion_codes"
            )
        return code

    def discounts_asked(self, asked: Json | str, subscription: Json) -> list[Json]:
        """The discounts that a subscription would get or keep, not kept yet."""
        entries = list(asked.values()) if isinstance(asked, dict) else []
        return [self._discount(each, subscription) for each in entries]

    def _discount(self, asked: Json, subscription: Json) -> Json:
        if "discount" in asked:
            return self.find("discount", asked["discount"])
        code = None
        if "promotion_code" in asked:
            code = self.usable_code(self.find("promotion_code", asked["promotion_code"]), subscription["customer"])
        elif "coupon" not in asked:
            raise Refused(400, "You must pass coupon, promotion_code or discount.")
        coupon = self._coupon(code["promotion"]["coupon"] if code else asked["coupon"])
        if coupon["currency"] not in (None, subscription["currency"]):
            raise Refused(400, f"The coupon's currency {coupon['currency']} is not {subscription['currency']}.")
        months, start = coupon["duration_in_months"], self.now()
        return {
            "id": f"di_{next(self.numbers):014d}",
            "object": "discount",
            "checkout_session": None,
            "customer": subscription["customer"],
            "end": later(start, {"interval": "month", "interval_count": months}) if months else None,
            "invoice": None,
            "invoice_item": None,
            "promotion_code": code and code["id"],
            "source": {"type": "coupon", "coupon": coupon["id"]},
            "start": start,
            "subscription": subscription["id"],
            "subscription_item": None,
        }

    def redeem(self, discount: Json) -> None:
        """Keep one that was not kept before: its coupon and code are used once more."""
        if discount["id"] in self._kept["discount"]:
            return
        self._kept["discount"][discount["id"]] = discount
        self.find("coupon", discount["source"]["coupon"])["times_redeemed"] += 1
        if discount["promotion_code"]:
            self.find("promotion_code", discount["promotion_code"])["times_redeemed"] += 1
        self.tell("customer.discount.created", discount)

    def lapse(self, subscription: Json, *, invoiced: bool = False) -> None:
        """Take away the discounts that ended, and those for one invoice once there was one."""
        for stripe_id in list(subscription["discounts"]):
            discount = self.find("discount", stripe_id)
            once = self.find("coupon", discount["source"]["coupon"])["duration"] == "once"
            if (discount["end"] or self.now() + 1) <= self.now() or (once and invoiced):
                subscription["discounts"].remove(stripe_id)
                discount["end"] = discount["end"] or self.now()
                self.tell("customer.discount.deleted", discount)


def _create_coupon(world: Discounts, params: Json) -> Json:
    whole = {
        name: int(params[name])
        for name in ("amount_off", "duration_in_months", "max_redemptions", "redeem_by")
        if name in params
    }
    plain = {name: params[name] for name in ("id", "currency", "duration", "name", "metadata") if name in params}
    percent = {"percent_off": float(params["percent_off"])} if "percent_off" in params else {}
    return world.add_coupon(**whole, **plain, **percent)


def _delete_coupon(world: Discounts, params: Json, stripe_id: str) -> Json:
    world.find("coupon", stripe_id)["deleted"] = True
    return {"id": stripe_id, "object": "coupon", "deleted": True}


def _create_code(world: Discounts, params: Json) -> Json:
    whole = {name: int(params[name]) for name in ("expires_at", "max_redemptions") if name in params}
    asked = params.get("restrictions", {})
    limits = {
        "first_time_transaction": asked.get("first_time_transaction") == "true",
        "minimum_amount": int(asked["minimum_amount"]) if "minimum_amount" in asked else None,
        "minimum_amount_currency": asked.get("minimum_amount_currency"),
    }
    plain = {name: params[name] for name in ("customer", "metadata") if name in params}
    code = params.get("code", f"CODE{next(world.numbers)}")
    active = params.get("active", "true") == "true"
    return world.add_promotion_code(
        params["promotion"]["coupon"], code, active=active, restrictions=limits, **whole, **plain
    )


def _update_code(world: Discounts, params: Json, stripe_id: str) -> Json:
    code = world.find("promotion_code", stripe_id)
    if "active" in params:
        code["active"] = params["active"] == "true"
    return code


def _list_codes(world: Discounts, params: Json) -> Json:
    coupon = params.get("coupon")
    chosen = [each for each in world.every("promotion_code") if coupon in (None, each["promotion"]["coupon"])]
    return listed(chosen, params, "/v1/promotion_codes", ("active", "code", "customer"))


ROUTES: dict[tuple[str, str], Callable[..., Json]] = {
    ("get", "/v1/coupons"): listing("coupon", "/v1/coupons"),
    ("post", "/v1/coupons"): _create_coupon,
    ("get", "/v1/coupons/{coupon}"): found("coupon"),
    ("delete", "/v1/coupons/{coupon}"): _delete_coupon,
    ("get", "/v1/promotion_codes"): _list_codes,
    ("post", "/v1/promotion_codes"): _create_code,
    ("get", "/v1/promotion_codes/{promotion_code}"): found("promotion_code"),
    ("post", "/v1/promotion_codes/{promotion_code}"): _update_code,
}
