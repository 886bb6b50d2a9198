"""Templates written by hand, for when no model may be asked. Pure, but for the file, read once."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from core.messages.briefs import MessageBrief
from core.messages.facts import offer_facts
from core.messages.kinds import Kind
from core.messages.templates import OF_RECORD, parse

_DATA = Path(__file__).parent / "templates.toml"


@cache
def shipped() -> Mapping[str, Mapping[Kind, tuple[str, ...]]]:
    """By language and kind."""
    read = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    return {
        language: {Kind(kind): tuple(texts) for kind, texts in by_kind.items()} for language, by_kind in read.items()
    }


def templates_for(brief: MessageBrief) -> tuple[str, ...]:
    """Those of its kind and language, without the clauses that the offer has no fact for."""
    given = {*OF_RECORD, *offer_facts(brief.offer, brief.language)}
    return tuple(_without_missing(text, given) for text in shipped()[brief.language][brief.kind])


def _without_missing(text: str, given: set[str]) -> str:
    """Clauses about the record stay as they are; those about what was not offered go now."""
    kept = []
    for part in parse(text):
        if part.is_clause and not set(part.slots) <= given:
            continue
        words = "".join(f"{{{value}}}" if kind == "slot" else value for kind, value in part.pieces)
        kept.append(f"[[{words}]]" if part.is_clause else words)
    return "".join(kept)
