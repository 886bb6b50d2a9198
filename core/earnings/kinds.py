"""What a row of a statement is for: its kind, its status, its fan. Pure."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlsplit

from core.earnings.columns import plain

KINDS = (
    "subscription",
    "renewal",
    "tip",
    "post_tip",
    "stream_tip",
    "message",
    "post",
    "stream",
    "custom",
    "referral",
    "refund",
    "chargeback",
    "payout",
    "unknown",
)
"""`payout` moves money that was earned before: it is kept and counts in no figure."""

REVERSALS = ("refund", "chargeback")
STATUSES = ("done", "loading", "undo", "pending_return")
"""OnlyFans' ledger words: cleared, pending, charged back, refund pending."""

PREFIXES: tuple[tuple[str, str], ...] = (
    ("Recurring subscription from ", "renewal"),
    ("Subscription from ", "subscription"),
    ("Tip in chat from ", "tip"),
    ("Tip from ", "tip"),
    ("Tip on post from ", "post_tip"),
    ("Tip on stream from ", "stream_tip"),
    ("Payment for message from ", "message"),
    ("Message from ", "message"),
    ("Post purchase by ", "post"),
    ("Post from ", "post"),
    ("Stream from ", "stream"),
    ("Custom request from ", "custom"),
    ("Custom from ", "custom"),
)
"""How a description of OnlyFans begins, first match wins."""

_TYPES: Mapping[str, str] = {
    word: kind
    for kind, words in {
        "subscription": ("subscription", "new subscription", "subscriptions", "abonnement", "nouvel abonnement"),
        "renewal": ("renewal", "recurring subscription", "rebill", "renouvellement", "reabonnement"),
        "tip": ("tip", "tips", "chat tip", "pourboire", "pourboires"),
        "post_tip": ("post tip", "tip on post"),
        "stream_tip": ("stream tip", "tip on stream"),
        "message": ("message", "messages", "ppv", "ppv message", "paid message", "chat messages", "message payant"),
        "post": ("post", "posts", "ppv post", "paid post", "post purchase", "publication", "publication payante"),
        "stream": ("stream", "streams", "live", "direct"),
        "custom": ("custom", "custom request", "sur mesure"),
        "referral": ("referral", "referrals", "parrainage"),
        "refund": ("refund", "refunds", "remboursement"),
        "chargeback": ("chargeback", "charge back", "dispute", "retrofacturation"),
        "payout": ("payout", "payouts", "withdrawal", "retrait", "virement"),
    }.items()
    for word in words
}
_STATUSES: Mapping[str, str] = {
    word: status
    for status, words in {
        "done": ("done", "cleared", "complete", "completed", "paid", "paye", "termine", "encaisse"),
        "loading": ("loading", "pending", "processing", "en attente", "en cours"),
        "undo": ("undo", "chargeback", "charged back", "reversed", "retrofacture", "annule"),
        "pending_return": ("pending return", "refund pending", "refunded", "rembourse", "remboursement en attente"),
    }.items()
    for word in words
}

MAX_DESCRIPTION = 2000
_MANY_TAGS = 40
_TAG = re.compile(r"<[^<>]*>")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1b\x7f\u202a-\u202e\u2066-\u2069\ufeff]")
_HANDLE = re.compile(r"@?([A-Za-z0-9][A-Za-z0-9._-]{0,63})")


class Fan(NamedTuple):
    """`identity` is what makes two rows of the same fan: the platform's id, else the handle, else the shown name."""

    identity: str
    handle: str | None
    name: str | None


class Said(NamedTuple):
    """A description without its HTML, and the address of the first link in it."""

    text: str
    link: str | None


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.link: str | None = None
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden = tag in ("script", "style")
        if tag == "a" and self.link is None:
            self.link = dict(attrs).get("href")
        if tag in ("br", "p", "div"):
            self.texts.append(" ")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser's own signature
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)


def said(description: str) -> Said:
    """Strip HTML. Anything but ordinary markup (it can make the parser slow, or give up) is stripped plainly."""
    if "<" not in description and "&" not in description:
        return Said(_tidy(description), None)
    if description.count("<") <= _MANY_TAGS:
        reader = _Reader()
        try:
            reader.feed(description)
            reader.close()
            return Said(_tidy("".join(reader.texts)), reader.link)
        except AssertionError:  # html.parser's answer to a malformed declaration
            pass
    return Said(_tidy(_TAG.sub(" ", description)), None)


def _tidy(text: str) -> str:
    return " ".join(_UNSEEN.sub("", text).split())


def kind_of(type_text: str, description: str) -> str:
    """From the type column when it says one that we know, else from how the description begins, else `unknown`."""
    if kind := _TYPES.get(plain(type_text)):
        return kind
    begins = f"{description} "
    return next((kind for prefix, kind in PREFIXES if begins.startswith(prefix)), "unknown")


def without_fan(description: str) -> str:
    """What the platform itself says: a known opening without the fan's name after it, else the whole description."""
    return next((prefix for prefix, _ in PREFIXES if description.startswith(prefix)), description)


def opening(description: str) -> str:
    """How a description of unknown kind begins, without the fan: what stands before `from` or `by`, else four words."""
    begins = re.match(r"(.{1,60}?) (?:from|by|de) ", description)
    return begins[1] if begins else " ".join(description.split()[:4])[:60]


def status_of(text: str) -> str | None:
    """The status, `done` for an empty cell, None for a word that we do not know."""
    return _STATUSES.get(plain(text)) if text.strip() else "done"


def fan_of(spoken: Said, fan_id: str, fan_name: str) -> Fan | None:
    """Who paid, as far as the row tells. A deleted fan has no link and is then known by the shown name only."""
    shown = _name_in(spoken.text)
    named = _HANDLE.fullmatch(fan_name)
    handle = _handle_in(spoken.link) or (named[1].lower() if named else None)
    name = shown or fan_name or None
    if fan_id:
        return Fan(f"id:{fan_id}", handle, name)
    if handle:
        return Fan(f"@{handle}", handle, name)
    return Fan(f"name:{name}", None, name) if name else None


def _name_in(description: str) -> str:
    prefix = next((prefix for prefix, _ in PREFIXES if description.startswith(prefix)), None)
    return description.removeprefix(prefix).strip()[:200] if prefix else ""


def _handle_in(link: str | None) -> str | None:
    """The one segment of a profile's address; longer paths lead to chats and posts, not to a fan."""
    try:
        path = urlsplit(link or "").path.strip("/")
    except ValueError:
        return None
    found = _HANDLE.fullmatch(path)
    return found[1].lower() if found else None
