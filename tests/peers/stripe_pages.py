"""The pages that a customer sees at Stripe: small, and with real buttons and fields."""

import html
from collections.abc import Callable

from tests.peers.stripe_store import Json, Refused
from tests.peers.stripe_world import World

Shown = tuple[str | None, str]
"""Where to send the browser, or else the page to show."""


def page(world: World, kind: str, stripe_id: str, form: Json) -> Shown:
    """What a person gets who opens a page, or presses one of its buttons."""
    try:
        name, deed = PAGES.get(kind, ("page", _portal_page))
        return deed(world, world.find(name, stripe_id), form)
    except Refused as refused:
        return None, _html("Closed", html.escape(str(refused)))


def _pay_page(world: World, session: Json, form: Json) -> Shown:
    do, said = form.get("do"), ""
    if do == "back":
        return session["cancel_url"], ""
    if session["status"] != "open":
        raise Refused(400, "This page is no longer open.")
    if do == "decline":
        said = "Your card was declined."
    elif do == "pay":
        tax_id = (form.get("tax_id_type") or "eu_vat", form["tax_id"]) if form.get("tax_id") else None
        try:
            world.pay(session["id"], form.get("promotion_code", ""), tax_id)
            return session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]), ""
        except Refused as refused:
            said = str(refused)
    fields = [_field("promotion_code", "Promotion code")] if session["allow_promotion_codes"] else []
    if session["tax_id_collection"]["enabled"]:
        fields += [_field("tax_id_type", "Kind of tax id"), _field("tax_id", "Tax id")]
    due = f"{session['amount_total'] / 100:.2f} {session['currency'].upper()}"
    buttons = _button("pay", "Pay") + _button("decline", "Pay with a card that is declined") + _button("back", "Back")
    alert = f'<p role="alert">{html.escape(said)}</p>' if said else ""
    return None, _html("Checkout", f"{alert}<p>Due today: {due}</p>{_form(''.join(fields) + buttons)}")


def _portal_page(world: World, session: Json, form: Json) -> Shown:
    do, customer = form.get("do"), session["customer"]
    if do == "back":
        return session["return_url"], ""
    if do == "cancel":
        world.leave(session, form.get("feedback", ""), form.get("comment", ""))
    elif do == "card":
        world.change_card(customer)
    elif do == "keep":
        for each in world.living_subscriptions(customer):
            world.change(each["id"], **world.ending(each, {"cancel_at": ""}))
    living = world.living_subscriptions(customer)
    lines = [f"{each['id']}: {each['status']}{_ends(each)}" for each in living]
    rows = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    invoices = "".join(
        f'<li><a href="{each["hosted_invoice_url"]}">{each["number"]}</a> {each["status"]}</li>'
        for each in world.every("invoice")
        if each["customer"] == customer
    )
    ending = any(_ends(each) for each in living)
    buttons = _button("keep", "Keep subscription") if ending else ""
    if living and not ending and do != "cancel":
        buttons = _field("feedback", "Reason") + _field("comment", "Comment") + _button("cancel", "Cancel subscription")
    buttons += _button("card", "Change card") + _button("back", "Return")
    return None, _html("Customer portal", f"<ul>{rows}</ul>{_form(buttons)}<h2>Invoices</h2><ul>{invoices}</ul>")


def _ends(subscription: Json) -> str:
    return f", ends at {subscription['cancel_at']}" if subscription["cancel_at"] else ""


def _invoice_page(world: World, invoice: Json, form: Json) -> Shown:
    said = ""
    if form.get("do") == "pay":
        try:
            world.pay_invoice(invoice)
        except Refused as refused:
            said = f'<p role="alert">{html.escape(str(refused))}</p>'
    button = _form(_button("pay", "Pay")) if invoice["status"] == "open" else ""
    return None, _html(f"Invoice {invoice['number']}", f"{said}<p>{invoice['status']}</p>{_lines(invoice)}{button}")


def _paper(world: World, invoice: Json, form: Json) -> Shown:
    return None, _html(f"Invoice {invoice['number']}", _lines(invoice))


def _lines(invoice: Json) -> str:
    rows = [f"{html.escape(each['description'])}: {each['amount']}" for each in invoice["lines"]["data"]]
    rows.append(f"Total: {invoice['total']} {invoice['currency']}")
    return "<ul>" + "".join(f"<li>{row}</li>" for row in rows) + "</ul>"


def _form(inside: str) -> str:
    return f'<form method="post">{inside}</form>'


def _field(name: str, label: str) -> str:
    return f'<p><label>{label} <input name="{name}"></label></p>'


def _button(do: str, label: str) -> str:
    return f'<button name="do" value="{do}">{label}</button>'


def _html(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{title}</title>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{title}</h1>{body}</body></html>'


PAGES: dict[str, tuple[str, Callable[[World, Json, Json], Shown]]] = {
    "pay": ("checkout.session", _pay_page),
    "portal": ("billing_portal.session", _portal_page),
    "invoice": ("invoice", _invoice_page),
    "invoice_pdf": ("invoice", _paper),
}
