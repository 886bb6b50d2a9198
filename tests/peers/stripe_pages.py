"""The pages that a customer sees at Stripe: small, and with real buttons."""

import html
from collections.abc import Callable

from tests.peers.stripe_store import Json, Refused
from tests.peers.stripe_world import World


def page(world: World, kind: str, stripe_id: str, form: Json) -> tuple[str | None, str]:
    """Where to send the browser, or else the page to show."""
    try:
        name, deed = PAGES.get(kind, ("page", _portal_page))
        return deed(world, world.find(name, stripe_id), form)
    except Refused as refused:
        return None, _html("Closed", html.escape(str(refused)))


def _pay_page(world: World, session: Json, form: Json) -> tuple[str | None, str]:
    if form.get("do") == "pay":
        world.pay(session["id"])
        return session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]), ""
    if form.get("do") == "back":
        return session["cancel_url"], ""
    if session["status"] != "open":
        raise Refused(400, "This page is no longer open.")
    return None, _html("Checkout", _button("pay", "Pay") + _button("back", "Back"))


def _portal_page(world: World, session: Json, form: Json) -> tuple[str | None, str]:
    living = world.living_subscriptions(session["customer"])
    if form.get("do") == "cancel":
        for each in living:
            world.cancel(each["id"])
    if form.get("do") == "back":
        return session["return_url"], ""
    rows = "".join(f"<li>{html.escape(each['id'])}: {html.escape(each['status'])}</li>" for each in living)
    cancel = _button("cancel", "Cancel subscription") if living and form.get("do") != "cancel" else ""
    return None, _html("Customer portal", f"<ul>{rows}</ul>{cancel}{_button('back', 'Return')}")


def _button(do: str, label: str) -> str:
    return f'<form method="post"><button name="do" value="{do}">{label}</button></form>'


def _html(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{title}</title>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{title}</h1>{body}</body></html>'


PAGES: dict[str, tuple[str, Callable[[World, Json, Json], tuple[str | None, str]]]] = {
    "pay": ("checkout.session", _pay_page),
    "portal": ("billing_portal.session", _portal_page),
}
