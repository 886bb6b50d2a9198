"""The pages that Stripe hosts, as what they do: Checkout and the customer portal."""

from collections.abc import Callable
from typing import Any

from tests.peers.stripe_changes_world import is_metered
from tests.peers.stripe_clock_world import Clock
from tests.peers.stripe_lists import found, listed, listing
from tests.peers.stripe_reckoning import charged
from tests.peers.stripe_store import Json, Refused
from tests.peers.stripe_subscriptions_world import declined

DAY = 86_400
LIVE_STATUSES = ("trialing", "active", "past_due", "unpaid", "paused", "incomplete")


class Hosted(Clock):
    def __init__(self) -> None:
        super().__init__()
        self._sold_by: dict[str, Json] = {}
        """The parameters that each Checkout Session was made with."""

    # checkout

    def open_checkout(self, asked: Json) -> Json:
        """A page that sells a subscription; `asked` are the parameters of the request."""
        if asked.get("mode") != "subscription" or "customer" not in asked:
            raise Refused(400, "This Stripe sells subscriptions, to customers that exist.")
        customer = self.living_customer(asked["customer"])
        _agreeing(asked, customer)
        drawn, drafted = self._sale(asked)
        fields = {name: asked.get(name) for name in ("client_reference_id", "success_url", "cancel_url", "locale")}
        session = self.keep(
            "checkout.session",
            "cs_test",
            allow_promotion_codes=asked.get("allow_promotion_codes") == "true" or None,
            automatic_tax={
                name: drawn["automatic_tax"][name] for name in ("enabled", "status", "provider", "liability")
            },
            currency=drafted["currency"],
            customer=customer["id"],
            expires_at=int(asked.get("expires_at", self.now() + DAY)),
            invoice=None,
            metadata=asked.get("metadata") or {},
            mode="subscription",
            payment_method_collection=asked.get("payment_method_collection", "always"),
            payment_status="unpaid",
            status="open",
            subscription=None,
            tax_id_collection={"enabled": _on(asked, "tax_id_collection"), "required": "never"},
            ui_mode="hosted_page",
            **fields,
            **_amounts(drawn),
        )
        session["url"] = f"{self.address}/pay/{session['id']}"
        self._sold_by[session["id"]] = asked
        return session

    def _sale(self, asked: Json, codes: Json | None = None) -> tuple[Json, Json]:
        """The first invoice, and the subscription, that the page would lead to."""
        plan = self._plan(asked)
        drafted = self.draft(asked["customer"], asked["line_items"], plan)
        intervals = {each["price"]["recurring"]["interval"] for each in drafted["items"]["data"]}
        if len(intervals) > 1:
            raise Refused(400, "Checkout does not support multiple prices with different billing intervals.")
        given = codes or asked.get("discounts") or {}
        return self.first_invoice(drafted, self.discounts_asked(given, drafted)), drafted

    def _plan(self, asked: Json) -> Json:
        data = asked.get("subscription_data") or {}
        days = int(data.get("trial_period_days", 0))
        trial_end = int(data["trial_end"]) if "trial_end" in data else self.now() + days * DAY if days else None
        plain = {name: data[name] for name in ("metadata", "description", "trial_settings") if name in data}
        return plain | {"trial_end": trial_end, "automatic_tax": _on(asked, "automatic_tax")}

    def pay(self, session_id: str, code: str = "", tax_id: tuple[str, str] | None = None) -> Json:
        """The customer completes the page, with a promotion code and a tax id if they like. May be declined."""
        with self.lock:
            session = self.find("checkout.session", session_id)
            if session["status"] != "open":
                raise Refused(400, "This Checkout Session is no longer open.")
            asked, codes = self._sold_by[session_id], self._codes(session, code)
            drawn, _ = self._sale(asked, codes)
            customer = session["customer"]
            if tax_id is not None:
                self.add_tax_id(customer, *tax_id)
            method = self._card_given(session, drawn)
            plan = self._plan(asked) | {"default_payment_method": method}
            discounts = codes or asked.get("discounts") or {}
            subscription = self.start(customer, asked["line_items"], **plan, discounts=discounts)
            status = "paid" if drawn["amount_due"] else "no_payment_required"
            session |= {"status": "complete", "payment_status": status, "subscription": subscription["id"], "url": None}
            session |= {"invoice": subscription["latest_invoice"], **_amounts(drawn)}
            self.tell("checkout.session.completed", session)
            return session

    def _codes(self, session: Json, code: str) -> Json:
        if not code:
            return {}
        known = [each for each in self.every("promotion_code") if each["code"].lower() == code.lower()]
        if not session["allow_promotion_codes"] or not known:
            raise Refused(400, "This code is invalid.")
        return {"0": {"promotion_code": known[0]["id"]}}

    def _card_given(self, session: Json, drawn: Json) -> str | None:
        """The card typed into the page: it pays for this subscription, and is nobody's default."""
        customer = session["customer"]
        if session["payment_method_collection"] == "if_required" and not drawn["amount_due"]:
            self.without_card.add(customer)
            return None
        if customer in self.declining and drawn["amount_due"]:
            raise declined()
        self.without_card.discard(customer)
        return str(self.attach(self.make_card()["id"], customer)["id"])

    def expire(self, session_id: str) -> Json:
        session = self.find("checkout.session", session_id)
        if session["status"] != "open":
            raise Refused(400, "Only Checkout Sessions with a status in ['open'] can be expired.")
        session |= {"status": "expired", "url": None}
        self.tell("checkout.session.expired", session)
        return session

    def sold(self, session_id: str) -> list[Json]:
        self.find("checkout.session", session_id)
        _, drafted = self._sale(self._sold_by[session_id])
        lines = []
        for item in drafted["items"]["data"]:
            amount = 0 if is_metered(item) else charged(item["price"], item["quantity"])
            sums = {"amount_subtotal": amount, "amount_total": amount, "amount_discount": 0, "amount_tax": 0}
            made = {"id": f"li_{item['id'][3:]}", "object": "item", "currency": drafted["currency"], "created": 0}
            lines.append(made | sums | {"price": item["price"], "quantity": item.get("quantity")})
        return lines

    # portal

    def open_portal(self, asked: Json) -> Json:
        self.living_customer(asked["customer"])
        session = self.keep(
            "billing_portal.session",
            "bps",
            configuration=asked.get("configuration") or next(iter(self._default_portals()), None),
            customer=asked["customer"],
            flow=asked.get("flow_data"),
            return_url=asked.get("return_url"),
        )
        if asked.get("configuration"):
            self.find("billing_portal.configuration", asked["configuration"])
        session["url"] = f"{self.address}/portal/{session['id']}"
        return session

    def _default_portals(self) -> list[str]:
        return [each["id"] for each in self.every("billing_portal.configuration") if each.get("is_default")]

    def leave(self, portal: Json, feedback: str = "", comment: str = "") -> None:
        """Cancel in the portal: at once or, where it is set up so, at the end of the period by `cancel_at` alone."""
        mode = "immediately"
        if portal["configuration"]:
            features = self.find("billing_portal.configuration", portal["configuration"])["features"]
            mode = features["subscription_cancel"].get("mode", "at_period_end")
        details = {"feedback": feedback or None, "comment": comment or None}
        for each in self.living_subscriptions(portal["customer"]):
            if mode == "immediately":
                self.cancel(each["id"], details=details)
            else:
                self.cancel_in_portal(each["id"], details)

    def cancel_in_portal(self, subscription_id: str, details: Json | None = None) -> Json:
        """As the portal does with flexible billing: `cancel_at` is set, `cancel_at_period_end` is not."""
        subscription = self.changeable(subscription_id)
        fields = self.ending(subscription, {"cancel_at": "max_period_end", "cancellation_details": details or {}})
        return self.change(subscription_id, **fields)

    def change_card(self, customer: str) -> None:
        """A good card from now on, for the customer and each of their subscriptions."""
        self.declining.discard(customer)
        method = self.add_card(customer)
        for each in self.living_subscriptions(customer):
            self.change(each["id"], default_payment_method=method["id"])

    def living_subscriptions(self, customer: str) -> list[Json]:
        every = self.every("subscription")
        return [each for each in every if each["customer"] == customer and each["status"] in LIVE_STATUSES]

    def change(self, subscription_id: str, **fields: Any) -> Json:
        """Set fields as a customer, staff or Stripe itself would, and tell it."""
        with self.lock:
            subscription = self.changeable(subscription_id)
            subscription |= fields
            return self.told(subscription)


def _on(asked: Json, name: str) -> bool:
    return bool((asked.get(name) or {}).get("enabled") == "true")


def _amounts(drawn: Json) -> Json:
    off = sum(each["amount"] for each in drawn["total_discount_amounts"])
    tax = sum(each["amount"] for each in drawn["total_taxes"])
    details = {"amount_discount": off, "amount_tax": tax, "amount_shipping": 0}
    return {"amount_subtotal": drawn["subtotal"], "amount_total": drawn["total"], "total_details": details}


def _agreeing(asked: Json, customer: Json) -> None:
    """What Checkout refuses to do with a customer that exists already."""
    updated = asked.get("customer_update") or {}
    if _on(asked, "tax_id_collection") and updated.get("name") != "auto":
        raise Refused(
            400,
            "Tax ID collection requires updating business name on the customer. To enable tax ID collection for an "
            "existing customer, please set `customer_update[name]` to `auto`.",
        )
    if _on(asked, "automatic_tax") and updated.get("address") != "auto" and not customer.get("address"):
        raise Refused(
            400,
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to "
            "the Customer or set `customer_update[address]` to 'auto'.",
            "customer_tax_location_invalid",
        )
    if "discounts" in asked and "allow_promotion_codes" in asked:
        raise Refused(400, "You may only specify one of these parameters: allow_promotion_codes, discounts.")


def _list_sold(world: Hosted, params: Json, session_id: str) -> Json:
    page = listed(world.sold(session_id), params, f"/v1/checkout/sessions/{session_id}/line_items")
    return page | {"data": [{name: each[name] for name in each if name != "created"} for each in page["data"]]}


ROUTES: dict[tuple[str, str], Callable[..., Json]] = {
    ("get", "/v1/checkout/sessions"): listing("checkout.session", "/v1/checkout/sessions", "customer", "status"),
    ("post", "/v1/checkout/sessions"): lambda world, params: world.open_checkout(params),
    ("get", "/v1/checkout/sessions/{session}"): found("checkout.session"),
    ("get", "/v1/checkout/sessions/{session}/line_items"): _list_sold,
    ("post", "/v1/checkout/sessions/{session}/expire"): lambda world, params, stripe_id: world.expire(stripe_id),
    ("post", "/v1/billing_portal/sessions"): lambda world, params: world.open_portal(params),
}
