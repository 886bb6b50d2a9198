"""Sets a Stripe account up: looks what is there, makes what is missing, puts right what differs. Run again it changes
nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from core.billing.plans import CATALOGUE
from core.billing.stripe_account import EndpointPiece, PortalPiece
from core.billing.stripe_catalogue import MeterPiece, Piece, PricePiece, differing, product_of
from core.billing.stripe_client import expects_livemode
from core.errors import BadInput, Conflict, NotConfigured, NotFound
from core.settings import settings

WEBHOOK = "/webhooks/stripe"
_TRIES = 5


class Outcome(StrEnum):
    RIGHT = "as it should be"
    MISSING = "missing"
    MADE = "created"
    DIFFERS = "differs"
    MENDED = "repaired"
    STUCK = "differs and must be changed by hand"
    LEFT_OUT = "left out"


OPEN = frozenset({Outcome.MISSING, Outcome.DIFFERS, Outcome.STUCK})
"""What is not as it should be afterwards."""


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one piece. `secret` is the webhook's, which Stripe tells once."""

    title: str
    outcome: Outcome
    words: tuple[str, ...] = ()
    secret: str | None = None

    def __str__(self) -> str:
        return ": ".join((self.title, self.outcome, *(("; ".join(self.words),) if self.words else ())))


def set_up(*, is_check: bool = False, may_be_live: bool = False) -> Iterator[Line]:
    """Each piece in turn, done or, when `is_check`, only looked at.

    Raises NotConfigured without a key, BadInput for a key of live mode unless it may be, and what Stripe refuses.
    """
    mode = expects_livemode()
    if mode is None:
        raise NotConfigured("billing.no_secret_key")
    if mode and not may_be_live:
        raise BadInput("billing.live_key")
    home = settings().public_url.rstrip("/")
    products = {piece.stripe_id: piece for piece in map(product_of, CATALOGUE.values())}
    pieces: list[Piece] = [*products.values(), MeterPiece(), *map(PricePiece, CATALOGUE.values())]
    for each in (*pieces, PortalPiece(f"{home}/billing")):
        yield _settle(each, is_check=is_check)
    if settings().is_secure:
        yield _settle(EndpointPiece(home + WEBHOOK), is_check=is_check)
    else:
        words = f"Stripe cannot reach {home}. Set PUBLIC_URL to an https:// address and run this again"
        yield Line(EndpointPiece.title, Outcome.LEFT_OUT, (words,))


def _settle(piece: Piece, *, is_check: bool) -> Line:
    """Look, write, and look again, until it is as it should be.

    Stripe answers a key that it knows with what it answered before, though somebody undid that since: each try has
    another key, the same in every run. Raises what Stripe refused last.
    """
    outcome, secret = Outcome.RIGHT, None
    words: tuple[str, ...] = ()
    refused: Conflict | NotFound | None = None
    for number in range(_TRIES):
        found = piece.look()
        wrong = sorted(differing(piece.wanted, found)) if found else []
        if found and not wrong:
            return Line(piece.title, outcome, words, secret)
        if found and not words:
            words = tuple(_said(name, found.facts[name], piece.wanted[name]) for name in wrong)
        if is_check:
            return Line(piece.title, Outcome.DIFFERS if found else Outcome.MISSING, words)
        try:
            if found is None:
                secret = piece.make(number)
                outcome = Outcome.MADE
            elif not piece.mend(found, number):
                return Line(piece.title, Outcome.STUCK, words, secret)
            elif outcome is not Outcome.MADE:
                outcome = Outcome.MENDED
        except (Conflict, NotFound) as said:  # perhaps what was refused to that key once, for a cause that is gone
            refused = said
    raise refused or Conflict("billing.setup_undone", what=piece.title)


def _said(name: str, found: object, wanted: object) -> str:
    if not (isinstance(found, tuple) and isinstance(wanted, tuple)):
        return f"{name} is {found}, not {wanted}"
    more, less = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
    said = [f"lacks {', '.join(less)}"] * bool(less) + [f"has {', '.join(more)} too many"] * bool(more)
    return f"{name} {' and '.join(said)}"
