"""What a fan wrote, made fit to be shown to a model: as data, without what tells who they are. Pure.

Masked is never unmasked: a draft says what a person has to fill in.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from core.content.folding import fold


class Personal(StrEnum):
    """What is taken out. In the text it leaves `[<value>]`."""

    EMAIL = "email"
    LINK = "link"
    IBAN = "iban"
    CARD = "card"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Masked:
    """`text` without personal data, `kinds` of what was in it, and whether it gives a model orders."""

    text: str
    kinds: tuple[Personal, ...]
    gives_orders: bool


_EMAIL = re.compile(
    r"[\w.+%-]{1,64}(?:@|\s?[\[(](?:at|arobase)[\])]\s?)(?:[\w-]{1,63}(?:\.|\s?[\[(]dot[\])]\s?)){1,4}[a-zA-Z]{2,24}\b"
)
_LINK = re.compile(
    r"(?:https?://|www\.)\S+|\b(?:[a-z0-9-]{1,63}\.){1,4}(?:com|net|org|io|co|me|tv|link|fr|uk|app|be|ly|gg|eu|de)\b(?:/[^\s,;]*)?",
    re.I,
)
_IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<!\d)[2-6](?:[ .-]?\d){12,18}(?!\d)")
_PHONE = re.compile(
    r"(?<![\w+.,])(?:\+|00)\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ ./-]?\d){5,12}(?!\w)"
    r"|(?<![\w+.,])0\d(?:[ ./-]?\d){8,9}(?!\w)"
    r"|(?<![\w+.,])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\w)"
    r"|(?<![\w+.,-])\d{10,11}(?![\w.,-])"
)
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.!?\n]{0,40}\b(?:instruction|rule|prompt|guideline|polic|above|previous)"
    r"|\b(?:ignore|oublie|oubliez|ignorez|contourne)\b[^.!?\n]{0,40}\b(?:instruction|consigne|regle|prompt|directive)"
    r"|\b(?:system|developer|hidden|initial) (?:prompt|message|instruction)|\bprompt (?:systeme|initial|cache)"
    r"|\b(?:you are|act as|pretend to be|tu es|agis comme) (?:now|desormais|maintenant)?\s?(?:an? |une? )?(?:\w+ )?"
    r"(?:ai|assistant|chatbot|dan|ia|jailbr\w+|language model|admin|developer)\b"
    r"|\b(?:jailbreak|developer mode|dan mode|mode developpeur)\b"
    r"|\b(?:reveal|print|repeat|output|show me|affiche|revele|repete)\b[^.!?\n]{0,30}\b"
    r"(?:your|tes|ton|vos|the) (?:system |full |hidden )?(?:prompt|instruction|consigne|rule|regle)"
    r"|<\s*/?\s*(?:system|assistant|user|instructions?|fan_message|message)\b|\[/?inst\]|<\|\w+\|>|^\s*(?:system|assistant)\s*:",
    re.I | re.M,
)


def masked(text: str) -> Masked:
    """The text as a model may see it. Numbers that are no card and no IBAN by their check digits are left."""
    kinds: list[Personal] = []
    gives_orders = bool(_ORDERS.search(fold(text).text))
    for kind, pattern, is_one in _FOUND:
        text, hits = _taken_out(text, kind, pattern, is_one)
        kinds += [kind] if hits else []
    return Masked(text, tuple(kinds), gives_orders)


def _taken_out(text: str, kind: Personal, pattern: re.Pattern[str], is_one: Callable[[str], bool]) -> tuple[str, int]:
    hits = 0

    def replaced(found: re.Match[str]) -> str:
        nonlocal hits
        if not is_one(found.group()):
            return found.group()
        hits += 1
        return f"[{kind}]"

    return pattern.sub(replaced, text), hits


def _is_card(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: every second digit from the right is doubled."""
    found = [int(sign) for sign in digits if sign.isdigit()]
    doubled = [digit if place % 2 == 0 else sum(divmod(digit * 2, 10)) for place, digit in enumerate(reversed(found))]
    return len(set(found)) > 1 and sum(doubled) % 10 == 0


def _is_iban(written: str) -> bool:
    """ISO 13616: moved round and read as a number, it leaves 1 when divided by 97."""
    signs = [sign for sign in written.upper() if sign.isalnum() and sign.isascii()]
    moved = signs[4:] + signs[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def _always(_: str) -> bool:
    return True


_FOUND: tuple[tuple[Personal, re.Pattern[str], Callable[[str], bool]], ...] = (
    (Personal.EMAIL, _EMAIL, _always),
    (Personal.LINK, _LINK, _always),
    (Personal.IBAN, _IBAN, _is_iban),
    (Personal.CARD, _CARD, _is_card),
    (Personal.PHONE, _PHONE, _always),
)
