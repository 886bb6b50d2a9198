"""Money that moves at Stripe: charges, what was disputed, and the cards that pay."""

from collections.abc import Callable

from tests.peers.stripe_customers_world import Customers
from tests.peers.stripe_lists import found
from tests.peers.stripe_store import Json


class Payments(Customers):
    def take(self, invoice: Json) -> bool:
        """Charge the customer what remains of an invoice; False when the card is refused."""
        paid = invoice["customer"] not in self.declining
        if paid:
            self._charge(invoice)
        return paid

    def _charge(self, invoice: Json) -> Json:
        return self.keep(
            "charge",
            "ch",
            amount=invoice["amount_remaining"],
            currency=invoice["currency"],
            customer=invoice["customer"],
            paid=True,
            status="succeeded",
            refunded=False,
        )

    def dispute(self, charge_id: str) -> Json:
        """The cardholder takes the money back. The event names the charge and no customer."""
        charge = self.find("charge", charge_id)
        fields = {"amount": charge["amount"], "currency": charge["currency"], "status": "needs_response"}
        dispute = self.keep("dispute", "dp", charge=charge_id, reason="fraudulent", **fields)
        self.tell("charge.dispute.created", dispute)
        return dispute


ROUTES: dict[tuple[str, str], Callable[..., Json]] = {
    ("get", "/v1/charges/{charge}"): found("charge"),
}
