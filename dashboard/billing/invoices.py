"""What was billed: each invoice with its amounts, its state, and Stripe's own copies of it."""

from collections.abc import Sequence

import streamlit as st

from core.billing.invoices import Invoice
from dashboard.billing.dates import day_of
from dashboard.components.figures import nothing_yet
from dashboard.words import money, t

_STATES = frozenset({"open", "paid", "void", "uncollectible"})


def invoices_shown(bills: Sequence[Invoice], zone: str) -> None:
    """A table of them, the newest first; without one, what will be here."""
    st.subheader(t("billing.invoices"))
    if not bills:
        nothing_yet(t("billing.no_invoices"), icon=":material/receipt_long:")
        return
    pdf, page = t("billing.pdf"), t("billing.online")
    st.dataframe(
        [_row(each, zone) for each in bills],
        hide_index=True,
        column_config={
            pdf: st.column_config.LinkColumn(pdf, display_text=t("billing.download")),
            page: st.column_config.LinkColumn(page, display_text=t("billing.open_invoice")),
        },
        alt=t("billing.invoices"),
    )


def _row(bill: Invoice, zone: str) -> dict[str, str | None]:
    return {
        t("billing.number"): bill.number or "",
        t("billing.date"): day_of(bill.created, zone),
        t("billing.amount"): money(bill.total, bill.currency),
        t("billing.tax"): money(bill.tax, bill.currency),
        t("billing.state"): t(f"billing.invoice_{bill.status}") if bill.status in _STATES else bill.status,
        t("billing.refunded"): money(bill.amount_refunded, bill.currency) if bill.amount_refunded else "",
        t("billing.pdf"): bill.pdf_url,
        t("billing.online"): bill.hosted_url,
    }
