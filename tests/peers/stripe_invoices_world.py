"""Invoices at Stripe: drawn up from lines, numbered, paid or tried again."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from fractions import Fraction

from tests.peers.stripe_catalogue_world import Catalogue
from tests.peers.stripe_discounts_world import Discounts
from tests.peers.stripe_lists import found, listed
from tests.peers.stripe_payments_world import Payments
from tests.peers.stripe_reckoning import rounded, taken_off
from tests.peers.stripe_store import Json, Refused

DAY = 86_400


class Invoices(Payments, Catalogue, Discounts):
    def __init__(self) -> None:
        super().__init__()
        self.tax_rate = Fraction(1, 5)
        """Of every line, where automatic tax is enabled."""
        self.retries = (3 * DAY, 5 * DAY, 7 * DAY)
        """Seconds from each refused payment to the next try."""

    # drawing up

    def line(
        self, subscription: Json, item: Json, amount: int, period: tuple[int, int], quantity: int, *, proration: bool
    ) -> Json:
        """One line. Credits are of what was charged before, so that no discount applies to them."""
        price, name = item["price"], self.find("product", item["price"]["product"])["name"]
        if proration:
            said = f"{'Unused' if amount < 0 else 'Remaining'} time on {quantity} × {name}"
        else:
            said = f"{quantity} × {name} (at {price['unit_amount_decimal']} / {price['recurring']['interval']})"
        details = {"subscription": subscription["id"], "subscription_item": item["id"], "proration": proration}
        details |= {"invoice_item": f"ii_{next(self.numbers):014d}" if proration else None}
        return {
            "id": f"il_{next(self.numbers):014d}",
            "object": "line_item",
            "amount": amount,
            "currency": subscription["currency"],
            "description": said,
            "discount_amounts": [],
            "discountable": amount > 0,
            "discounts": [],
            "invoice": None,
            "livemode": False,
            "metadata": dict(subscription["metadata"]),
            "parent": {
                "type": "subscription_item_details",
                "invoice_item_details": None,
                "subscription_item_details": details | {"proration_details": {"credited_items": None}},
            },
            "period": {"start": period[0], "end": period[1]},
            "pretax_credit_amounts": [],
            "pricing": {
                "type": "price_details",
                "price_details": {"price": price["id"], "product": price["product"]},
                "unit_amount_decimal": price["unit_amount_decimal"],
            },
            "quantity": quantity,
            "subscription": subscription["id"],
            "subtotal": amount,
            "taxes": [],
        }

    def draw_up(
        self, subscription: Json, lines: Iterable[Json], reason: str, discounts: Iterable[Json], period: tuple[int, int]
    ) -> Json:
        """An invoice as it would be, not kept: discounts and tax on each line, then the customer's balance."""
        drawn = deepcopy(list(lines))
        for discount in discounts:
            self._take_off(discount, drawn)
        if subscription["automatic_tax"]["enabled"]:
            self._tax(drawn)
        customer = self.living_customer(subscription["customer"])
        off = sum(each["amount"] for line in drawn for each in line["discount_amounts"])
        tax = sum(each["amount"] for line in drawn for each in line["taxes"])
        subtotal = sum(line["amount"] for line in drawn)
        total = subtotal - off + tax
        due = max(0, total + customer["balance"])
        return {
            **_heading(subscription, customer, reason, period),
            "amount_due": due,
            "amount_paid": 0,
            "amount_remaining": due,
            "discounts": [each["id"] for each in discounts],
            "ending_balance": None,
            "lines": {"object": "list", "data": drawn, "has_more": False, "url": "/v1/invoices/lines"},
            "starting_balance": customer["balance"],
            "subtotal": subtotal,
            "subtotal_excluding_tax": subtotal,
            "total": total,
            "total_discount_amounts": _summed(drawn, "discount_amounts", "discount"),
            "total_excluding_tax": total - tax,
            "total_taxes": _taxes(tax, total - tax) if tax else [],
        }

    def _take_off(self, discount: Json, lines: list[Json]) -> None:
        coupon = self.find("coupon", discount["source"]["coupon"])
        fit = [line for line in lines if line["discountable"]]
        amounts = [line["amount"] - sum(each["amount"] for each in line["discount_amounts"]) for line in fit]
        for line, off in zip(fit, taken_off(coupon, amounts), strict=True):
            line["discount_amounts"].append({"amount": off, "discount": discount["id"]})
            line["discounts"].append(discount["id"])

    def _tax(self, lines: list[Json]) -> None:
        for line in lines:
            base = net(line)
            line["taxes"] = _taxes(rounded(base * self.tax_rate), base)

    # from draft to paid

    def issue(self, drawn: Json) -> Json:
        """Keep and finalize: from now on it has a number, and the customer's balance is used."""
        invoice = self.keep("invoice", "in", **drawn)
        customer = self.living_customer(invoice["customer"])
        customer["next_invoice_sequence"] = customer.get("next_invoice_sequence", 1) + 1
        invoice |= {
            "number": f"{customer['id'][-8:]}-{customer['next_invoice_sequence'] - 1:04d}",
            "status": "open",
            "auto_advance": True,
            "hosted_invoice_url": f"{self.address}/invoice/{invoice['id']}",
            "invoice_pdf": f"{self.address}/invoice_pdf/{invoice['id']}",
            "ending_balance": customer["balance"] + invoice["total"] - invoice["amount_due"],
            "effective_at": self.now(),
        }
        invoice["status_transitions"]["finalized_at"] = self.now()
        for line in invoice["lines"]["data"]:
            line["invoice"] = invoice["id"]
        invoice["lines"]["url"] = f"/v1/invoices/{invoice['id']}/lines"
        customer["currency"] = customer["currency"] or invoice["currency"]
        if moved := invoice["ending_balance"] - customer["balance"]:
            self.add_balance(customer["id"], moved, "applied_to_invoice", invoice=invoice["id"])
            self.tell("customer.updated", customer)
        self.tell("invoice.created", invoice)
        self.tell("invoice.finalized", invoice)
        return invoice

    def collect(self, invoice: Json) -> bool:
        """Try to be paid what remains. A refused card is tried again after a while, `retries` times."""
        if invoice["amount_remaining"]:
            invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
            if not (self.has_card(invoice["customer"]) and self.take(invoice)):
                return self._refused(invoice)
        self.mark_paid(invoice)
        return True

    def has_card(self, customer: str) -> bool:
        return customer not in self.without_card

    def mark_paid(self, invoice: Json) -> None:
        invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0, "attempted": True}
        invoice |= {"next_payment_attempt": None, "auto_advance": False}
        invoice["status_transitions"]["paid_at"] = self.now()
        self.tell("invoice.paid", invoice)
        self.tell("invoice.payment_succeeded", invoice)

    def _refused(self, invoice: Json) -> bool:
        tries, now = invoice["attempt_count"], self.now()
        again = invoice["billing_reason"] != "subscription_create" and tries <= len(self.retries)
        invoice["next_payment_attempt"] = now + self.retries[tries - 1] if again else None
        self.tell("invoice.payment_failed", invoice)
        return False

    def void(self, invoice: Json) -> Json:
        if invoice["status"] not in ("open", "uncollectible"):
            raise Refused(400, f"You can only void open invoices, this one is {invoice['status']}.")
        invoice |= {"status": "void", "next_payment_attempt": None, "auto_advance": False}
        invoice["status_transitions"]["voided_at"] = self.now()
        self.tell("invoice.voided", invoice)
        return invoice

    def invoices_of(self, subscription_id: str) -> list[Json]:
        return [each for each in self.every("invoice") if subscription_of(each) == subscription_id]


def net(line: Json) -> int:
    """A line after discounts, before tax."""
    return int(line["amount"] - sum(each["amount"] for each in line["discount_amounts"]))


def subscription_of(invoice: Json) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    return details.get("subscription")


def _heading(subscription: Json, customer: Json, reason: str, period: tuple[int, int]) -> Json:
    details = {"subscription": subscription["id"], "metadata": subscription["metadata"]}
    return {
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": dict(subscription["automatic_tax"])
        | {"status": "complete" if subscription["automatic_tax"]["enabled"] else None, "provider": "stripe"},
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "currency": subscription["currency"],
        "customer": customer["id"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "default_payment_method": subscription["default_payment_method"],
        "description": None,
        "due_date": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": details | {"subscription_proration_date": None},
        },
        "period_start": period[0],
        "period_end": period[1],
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "status": "draft",
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
    }


def _taxes(amount: int, base: int) -> list[Json]:
    rate = {"type": "tax_rate_details", "tax_rate_details": {"tax_rate": "txr_peer"}}
    how = {"tax_behavior": "exclusive", "taxability_reason": "standard_rated", "taxable_amount": base}
    return [{"amount": amount} | how | rate]


def _summed(lines: list[Json], field: str, key: str) -> list[Json]:
    sums: dict[str, int] = {}
    for each in (one for line in lines for one in line[field]):
        sums[each[key]] = sums.get(each[key], 0) + each["amount"]
    return [{"amount": amount, key: name} for name, amount in sums.items()]


def _list(world: Invoices, params: Json) -> Json:
    wanted = params.get("subscription")
    chosen = [each for each in world.every("invoice") if wanted in (None, subscription_of(each))]
    return listed(chosen, params, "/v1/invoices", ("customer", "status", "collection_method"))


def _list_lines(world: Invoices, params: Json, stripe_id: str) -> Json:
    lines = world.find("invoice", stripe_id)["lines"]["data"]
    dated = [line | {"created": 0} for line in lines]
    page = listed(dated, params, f"/v1/invoices/{stripe_id}/lines")
    return page | {"data": [{name: each[name] for name in each if name != "created"} for each in page["data"]]}


ROUTES: dict[tuple[str, str], Callable[..., Json]] = {
    ("get", "/v1/invoices"): _list,
    ("get", "/v1/invoices/{invoice}"): found("invoice"),
    ("get", "/v1/invoices/{invoice}/lines"): _list_lines,
    ("post", "/v1/invoices/{invoice}/void"): lambda world, params, stripe_id: world.void(
        world.find("invoice", stripe_id)
    ),
}
