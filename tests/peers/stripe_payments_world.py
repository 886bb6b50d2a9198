"""Money that moves at Stripe: intents, charges, what was given back or disputed, and the cards that pay.

An invoice has one payment intent, and that one charge for each try. Since API version 2025-03-31 neither names its
invoice: the invoice payments do.
"""

from collections.abc import Callable

from tests.peers.stripe_customers_world import Customers
from tests.peers.stripe_lists import found, listed, listing
from tests.peers.stripe_store import Json, Refused


class Payments(Customers):
    def __init__(self) -> None:
        super().__init__()
        self.decline_code = "insufficient_funds"
        """Why the cards of those in `declining` are refused."""

    # cards

    def make_card(self, brand: str = "visa", last4: str = "4242", month: int = 12, year: int = 2034) -> Json:
        card = {"brand": brand, "display_brand": brand, "last4": last4, "exp_month": month, "exp_year": year}
        card |= {"country": "US", "funding": "credit", "fingerprint": f"fp{brand}{last4}", "wallet": None}
        details = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}
        return self.keep("payment_method", "pm", type="card", card=card, customer=None, billing_details=details)

    def attach(self, method_id: str, customer_id: str) -> Json:
        self.living_customer(customer_id)
        method = self.find("payment_method", method_id)
        if method["customer"] not in (None, customer_id):
            raise Refused(400, "The payment method you provided has already been attached to a customer.")
        method["customer"] = customer_id
        self.tell("payment_method.attached", method)
        return method

    def add_card(self, customer_id: str, **card: str | int) -> Json:
        """A card that the customer gives and pays with from now on."""
        method = self.attach(self.make_card(**card)["id"], customer_id)  # type: ignore[arg-type]
        self.without_card.discard(customer_id)
        settings = self.living_customer(customer_id)["invoice_settings"] | {"default_payment_method": method["id"]}
        self.change_customer(customer_id, invoice_settings=settings)
        return method

    def expire_card(self, method_id: str, month: int, year: int) -> Json:
        """The bank tells Stripe until when a card is good."""
        method = self.find("payment_method", method_id)
        method["card"] |= {"exp_month": month, "exp_year": year}
        self.tell("payment_method.automatically_updated", method)
        return method

    # charges

    def take(self, invoice: Json) -> bool:
        """Charge the customer what remains of an invoice; False when the card is refused."""
        if invoice["customer"] in self.declining:
            self._decline(invoice)
            return False
        self._charge(invoice)
        return True

    def _charge(self, invoice: Json) -> Json:
        payment = self._payment_of(invoice)
        intent = self.find("payment_intent", payment["payment"]["payment_intent"])
        charge = self._try(invoice, intent, paid=True)
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "last_payment_error": None}
        payment |= {"status": "paid", "amount_paid": intent["amount"]}
        payment["status_transitions"]["paid_at"] = self.now()
        return charge

    def _decline(self, invoice: Json) -> None:
        intent = self.find("payment_intent", self._payment_of(invoice)["payment"]["payment_intent"])
        charge = self._try(invoice, intent, paid=False)
        said = {"message": charge["failure_message"], "payment_method": charge["payment_method"], "type": "card_error"}
        error = {"code": "card_declined", "decline_code": self.decline_code, "charge": charge["id"]} | said
        intent |= {"status": "requires_payment_method", "last_payment_error": error}

    def _payment_of(self, invoice: Json) -> Json:
        """The invoice's open payment, made with its intent when it is tried for the first time."""
        for each in self.every("invoice_payment"):
            if (each["invoice"], each["status"]) == (invoice["id"], "open"):
                return each
        amount, currency = invoice["amount_remaining"], invoice["currency"]
        intent = self.keep(
            "payment_intent",
            "pi",
            amount=amount,
            amount_received=0,
            currency=currency,
            customer=invoice["customer"],
            last_payment_error=None,
            latest_charge=None,
            metadata={},
            payment_method=None,
            status="requires_payment_method",
        )
        return self.keep(
            "invoice_payment",
            "inpay",
            invoice=invoice["id"],
            amount_paid=None,
            amount_requested=amount,
            currency=currency,
            is_default=True,
            payment={"type": "payment_intent", "payment_intent": intent["id"]},
            status="open",
            status_transitions={"canceled_at": None, "paid_at": None},
        )

    def _try(self, invoice: Json, intent: Json, *, paid: bool) -> Json:
        """One charge, which the bank lets through or refuses."""
        customer = self.living_customer(invoice["customer"])
        method_id = invoice["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
        card = dict(self.find("payment_method", method_id)["card"]) if method_id else None
        if card is not None:
            card.pop("display_brand")
        amount = invoice["amount_remaining"]
        charge = self.keep(
            "charge",
            "ch",
            amount=amount,
            amount_captured=amount if paid else 0,
            amount_refunded=0,
            captured=paid,
            currency=invoice["currency"],
            customer=customer["id"],
            disputed=False,
            failure_code=None if paid else "card_declined",
            failure_message=None if paid else "Your card was declined.",
            metadata={},
            outcome={"type": "authorized"} if paid else {"type": "issuer_declined", "reason": self.decline_code},
            paid=paid,
            payment_intent=intent["id"],
            payment_method=method_id,
            payment_method_details={"type": "card", "card": card} if card else None,
            refunded=False,
            status="succeeded" if paid else "failed",
        )
        intent |= {"latest_charge": charge["id"], "payment_method": method_id}
        return charge

    # money given back

    def refund(self, charge_id: str, amount: int | None = None, **facts: object) -> Json:
        """Give back `amount` of a charge, minor units; without it all that is left."""
        charge = self.find("charge", charge_id)
        left = charge["amount"] - charge["amount_refunded"]
        if charge["status"] != "succeeded":
            raise Refused(400, f"Charge {charge_id} has not been paid; only paid charges can be refunded.")
        if charge["disputed"] and not self._is_won(charge_id):
            raise Refused(400, f"Charge {charge_id} has been charged back; cannot issue a refund.", "charge_disputed")
        if left == 0:
            raise Refused(400, f"Charge {charge_id} has already been refunded.", "charge_already_refunded")
        wanted = left if amount is None else amount
        if wanted < 1:
            raise Refused(400, "This value must be greater than or equal to 1.", "parameter_invalid_integer")
        if wanted > left:
            raise Refused(400, f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})")
        refund = self.keep(
            "refund",
            "re",
            **{"metadata": {}, "reason": None} | facts,
            amount=wanted,
            charge=charge_id,
            currency=charge["currency"],
            failure_reason=None,
            payment_intent=charge["payment_intent"],
            status="succeeded",
        )
        self._given_back(charge, wanted)
        self.tell("refund.created", refund)
        self.tell("charge.refunded", charge)
        return refund

    def fail_refund(self, refund_id: str, reason: str = "lost_or_stolen_card") -> Json:
        """The bank sends the money back to us."""
        refund = self.find("refund", refund_id)
        charge = self.find("charge", refund["charge"])
        refund |= {"status": "failed", "failure_reason": reason}
        self._given_back(charge, -refund["amount"])
        self.tell("refund.failed", refund)
        self.tell("refund.updated", refund)
        self.tell("charge.updated", charge)
        return refund

    def _given_back(self, charge: Json, amount: int) -> None:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]

    # disputes

    def dispute(self, charge_id: str, amount: int | None = None, reason: str = "fraudulent") -> Json:
        """The cardholder takes the money back. The event names the charge and no customer."""
        charge = self.find("charge", charge_id)
        charge["disputed"] = True
        dispute = self.keep(
            "dispute",
            "dp",
            amount=charge["amount"] if amount is None else amount,
            charge=charge_id,
            currency=charge["currency"],
            is_charge_refundable=False,
            metadata={},
            payment_intent=charge["payment_intent"],
            reason=reason,
            status="needs_response",
        )
        self.tell("charge.dispute.created", dispute)
        return dispute

    def close_dispute(self, dispute_id: str, *, won: bool) -> Json:
        dispute = self.find("dispute", dispute_id)
        dispute["status"] = "won" if won else "lost"
        self.tell("charge.dispute.closed", dispute)
        if won:
            self.tell("charge.dispute.funds_reinstated", dispute)
        return dispute

    def _is_won(self, charge_id: str) -> bool:
        return all(each["status"] == "won" for each in self.every("dispute") if each["charge"] == charge_id)


def _create_refund(world: Payments, params: Json) -> Json:
    charge_id = params.get("charge")
    if charge_id is None and "payment_intent" in params:
        charge_id = world.find("payment_intent", params["payment_intent"])["latest_charge"]
    if charge_id is None:
        raise Refused(400, "One of the following params should be provided: payment_intent or charge.")
    facts = {"metadata": params.get("metadata") or {}, "reason": params.get("reason")}
    return world.refund(charge_id, int(params["amount"]) if "amount" in params else None, **facts)


def _list_invoice_payments(world: Payments, params: Json) -> Json:
    wanted = params.get("payment", {})
    chosen = [
        each
        for each in world.every("invoice_payment")
        if wanted.get("payment_intent") in (None, each["payment"]["payment_intent"])
    ]
    return listed(chosen, params, "/v1/invoice_payments", ("invoice", "status"))


def _list_methods(world: Payments, params: Json, customer: str) -> Json:
    world.living_customer(customer)
    every = [each for each in world.every("payment_method") if each["customer"] == customer]
    return listed(every, params, f"/v1/customers/{customer}/payment_methods", ("type",))


ROUTES: dict[tuple[str, str], Callable[..., Json]] = {
    ("get", "/v1/charges"): listing("charge", "/v1/charges", "customer", "payment_intent"),
    ("get", "/v1/charges/{charge}"): found("charge"),
    ("get", "/v1/payment_intents"): listing("payment_intent", "/v1/payment_intents", "customer"),
    ("get", "/v1/payment_intents/{intent}"): found("payment_intent"),
    ("get", "/v1/invoice_payments"): _list_invoice_payments,
    ("get", "/v1/invoice_payments/{invoice_payment}"): found("invoice_payment"),
    ("post", "/v1/refunds"): _create_refund,
    ("get", "/v1/refunds"): listing("refund", "/v1/refunds", "charge", "payment_intent"),
    ("get", "/v1/refunds/{refund}"): found("refund"),
    ("get", "/v1/disputes"): listing("dispute", "/v1/disputes", "charge", "payment_intent"),
    ("get", "/v1/disputes/{dispute}"): found("dispute"),
    ("get", "/v1/payment_methods"): listing("payment_method", "/v1/payment_methods", "customer", "type"),
    ("get", "/v1/payment_methods/{payment_method}"): found("payment_method"),
    ("post", "/v1/payment_methods/{payment_method}/attach"): lambda world, params, method: world.attach(
        method, params["customer"]
    ),
    ("get", "/v1/customers/{customer}/payment_methods"): _list_methods,
}
