"""Synthetic fans with a history, through the product's own import; and a model's answers."""

import csv
import io
import json
import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from core.access import Scope
from core.content.briefs import Tone
from core.content.platforms import Platform
from core.earnings.service import import_statement
from core.messages.briefs import MessageBrief, Offer, Segment
from core.messages.kinds import Kind
from tests.peers.model_server import Turn

_FIRST = ["Ka", "Mo", "Li", "Ra", "To", "Ve", "Sa", "Ni", "Du", "Pe", "Ge", "Jo", "Ze", "Ri", "Ba"]
_SECOND = ["ron", "mil", "vek", "lan", "sor", "tir", "nas", "bel", "dun", "gal"]
_THIRD = ["a", "o", "i", "us", "en", "ar"]
_DESCRIPTIONS = (
    "Recurring subscription from {}",
    "Tip from {}",
    "Payment for message from {}",
    "Post purchase by {}",
    "Custom request from {}",
)
SET = Offer("the beach set", 1500, "USD")


def names(count: int) -> list[str]:
    """So many different names that belong to nobody."""
    made = [f"{one}{two}{three}" for one in _FIRST for two in _SECOND for three in _THIRD]
    return [f"{made[n % len(made)]} {made[(n * 7 + n // len(made)) % len(made)]}" for n in range(count)]


def statement(fans: Sequence[str], *, seed: int = 5, most: int = 4) -> bytes:
    """A statement with a first payment and up to `most` later ones for each fan, up to 900 days back."""
    dice, today = random.Random(seed), datetime.now(UTC)
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow(["Date", "Gross", "Fee", "Net", "Description"])
    for fan in fans:
        since = dice.randint(2, 900)
        days = [since, *(dice.randint(1, since) for _ in range(dice.randint(0, most)))]
        for number, day in enumerate(days):
            said = _DESCRIPTIONS[0] if number == 0 else dice.choice(_DESCRIPTIONS)
            gross = dice.choice([500, 999, 2500, 4999])
            row(write, fan, said, today - timedelta(days=day, minutes=dice.randint(0, 1400)), gross)
    return out.getvalue().encode()


def row(write: "csv._writer", fan: str, said: str, at: datetime, gross: int) -> None:
    fee = gross // 5
    amounts = (f"{value / 100:.2f}" for value in (gross, fee, gross - fee))
    write.writerow([at.strftime("%Y-%m-%d %H:%M:%S"), *amounts, said.format(fan)])


def bring_in(scope: Scope, fans: Sequence[str], **more: int) -> None:
    import_statement(scope, statement(fans, **more), "fans.csv")


def paid(scope: Scope, *payments: tuple[str, str, int, int]) -> None:
    """Payments as (fan, what the statement says, days ago, gross in cents)."""
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow(["Date", "Gross", "Fee", "Net", "Description"])
    for fan, said, days, gross in payments:
        row(write, fan, said + " from {}", datetime.now(UTC) - timedelta(days=days), gross)
    import_statement(scope, out.getvalue().encode(), f"{len(payments)}.csv")


def brief(kind: Kind = Kind.CUSTOM, language: str = "en", **more: object) -> MessageBrief:
    chosen: dict[str, object] = {
        "segment": Segment(),
        "tone": Tone.WARM,
        "platform": Platform.ONLYFANS,
        "offer": SET if kind in (Kind.UPSELL, Kind.PPV_OFFER) else Offer(),
        "about": "",
        **more,
    }
    return MessageBrief.of(kind=kind, language=language, **chosen)  # type: ignore[arg-type]


def answer(*texts: str, slots: Sequence[str] | None = None) -> Turn:
    """What a model gives: variants with the slots that their texts use, or with those that it claims."""

    def used(text: str) -> list[str]:
        return sorted(set(re.findall(r"\{(\w+)\}", text))) if slots is None else list(slots)

    variants = [{"text": text, "slots_used": used(text), "tone": "warm"} for text in texts]
    return Turn(text=json.dumps({"variants": variants}))
