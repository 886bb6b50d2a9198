"""What a person wants to write to whom. Pure."""

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from core.content.briefs import Tone
from core.content.platforms import Platform
from core.earnings.amounts import currencies as iso_currencies
from core.errors import BadInput
from core.language import LANGUAGES
from core.messages.kinds import OFFERING, PLATFORMS, PURCHASES, Kind, SegmentRule
from core.text import unsafe_reason

LONGEST_ABOUT = 400
LONGEST_ITEM = 80
LONGEST_LINK = 200
MOST_DAYS = 3650
MOST_MINOR = 10**12
_MARKS = frozenset("{}[]<>")


@dataclass(frozen=True, slots=True)
class Offer:
    """What is on offer, in the person's own words. `minor` is its price in minor units of `currency`."""

    item: str = ""
    minor: int | None = None
    currency: str = "USD"
    link: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """Fans by facts of the ledger. `days`: new since at most, loyal since at least, lapsed for at least.

    `minor` of `currency`: what big spenders brought in net, at least. `bought`: a kind of payment.
    """

    rule: SegmentRule = SegmentRule.ALL
    days: int = 30
    minor: int = 0
    currency: str = "USD"
    bought: str = "message"


@dataclass(frozen=True, slots=True)
class MessageBrief:
    kind: Kind
    segment: Segment
    tone: Tone
    language: str
    platform: Platform
    offer: Offer = Offer()
    about: str = ""

    @classmethod
    def of(
        cls, *, kind: str, segment: Segment, tone: str, language: str, platform: str, offer: Offer, about: str
    ) -> "MessageBrief":
        """A brief from what a form sends, tidied. Raises BadInput that says what to change."""
        try:
            if language not in LANGUAGES:
                raise ValueError(language)
            made = cls(
                Kind(kind), segment, Tone(tone), language, Platform(platform), _tidy(offer), " ".join(about.split())
            )
        except ValueError:
            raise BadInput("content.bad_choice") from None
        if made.platform not in PLATFORMS:
            raise BadInput("content.bad_choice")
        if len(made.about) > LONGEST_ABOUT or unsafe_reason(made.about):
            raise BadInput("messages.bad_about", most=LONGEST_ABOUT)
        _check_offer(made)
        _check_segment(segment)
        return made

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "MessageBrief":
        """What `as_json` gave, out of the database."""
        segment = {**kept["segment"], "rule": SegmentRule(kept["segment"]["rule"])}
        return cls(
            Kind(kept["kind"]),
            Segment(**segment),
            Tone(kept["tone"]),
            kept["language"],
            Platform(kept["platform"]),
            Offer(**kept["offer"]),
            kept["about"],
        )


def _tidy(offer: Offer) -> Offer:
    return Offer(" ".join(offer.item.split()), offer.minor, offer.currency, offer.link.strip())


def _check_offer(brief: MessageBrief) -> None:
    offer = brief.offer
    if brief.kind in OFFERING and not offer.item:
        raise BadInput("messages.say_what_is_offered")
    if len(offer.item) > LONGEST_ITEM or unsafe_reason(offer.item) or _MARKS & set(offer.item):
        raise BadInput("messages.bad_item", most=LONGEST_ITEM)
    is_price = offer.minor is None or 0 < offer.minor <= MOST_MINOR
    if not is_price or offer.currency not in iso_currencies():
        raise BadInput("messages.bad_price")
    if offer.link and not _is_link(offer.link):
        raise BadInput("messages.bad_link", most=LONGEST_LINK)


def _is_link(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    is_plain = link.isascii() and link.isprintable() and not (_MARKS | {" ", '"'}) & set(link)
    return parts.scheme == "https" and "." in parts.netloc and is_plain and len(link) <= LONGEST_LINK


def _check_segment(segment: Segment) -> None:
    is_sound = (
        1 <= segment.days <= MOST_DAYS
        and 0 <= segment.minor <= MOST_MINOR
        and segment.currency in iso_currencies()
        and segment.bought in (*PURCHASES, "tip")
    )
    if not is_sound:
        raise BadInput("messages.bad_segment", most=MOST_DAYS)
