"""What a draft must be, as far as it can be seen without a model. Pure."""

import re
from collections.abc import Mapping, Sequence

from core.content.briefs import LISTS, Brief, Task, Voice
from core.content.folding import fold
from core.content.moderation import Action, Finding
from core.content.platforms import measure

EXPLAINED: Mapping[str, str] = {
    "too_long": "it is longer than the platform allows",
    "too_many_hashtags": "it has more hashtags than the platform allows",
    "wrong_language": "it is not in the language that was asked for",
    "avoided_word": "it uses a word that the creator never uses",
    "restricted": "it breaks a rule of the platform, such as naming a payment service or another platform",
    "talks_about_itself": "it talks about being a draft instead of being the text",
    "unfilled": "it holds a placeholder",
    "invented_number": "it gives a number, a price or a date that the brief does not give",
    "no_list": "it is not a list with one entry a line",
    "too_few": "there are fewer different texts than were asked for",
}
"""What each check that fails means, for the model. For a person it is `content.check_<name>`."""

_COMMON = {
    "en": re.compile(
        r"\b(?:the|and|you|your|is|are|was|to|of|in|it|for|on|with|this|that|my|me|we|have|be|not|so|just)\b", re.I
    ),
    "fr": re.compile(
        r"\b(?:le|la|les|et|tu|vous|est|sont|de|des|du|dans|pour|sur|avec|ce|cette|que|mon|ma|je|nous|ne|pas|un|une)\b",
        re.I,
    ),
}
"""Words that say nothing but the language."""
_ENOUGH = 6
"""Words below which nobody can tell the language."""
_ITSELF = re.compile(
    r"^\W*(?:sure|certainly|of course|here(?:'s| is| are)|voici|bien s[uû]r|absolument)\b[^\n]{0,80}:\s*$"
    r"|\bas an ai\b|\ben tant qu.ia\b|\blanguage model\b|\bmod[eè]le de langage\b",
    re.I | re.M,
)
_HOLE = re.compile(
    r"\{[^{}\n]{0,40}\}|\[(?:name|nom|link|lien|price|prix|your|votre|insert|ins[ée]rer)[^\]\n]{0,30}\]", re.I
)
_HASHTAGS = re.compile(r"#\w+")
_LIST_FROM = 2
"""Entries from which on something is a list."""
_NUMBER = re.compile(r"(?<!\w)\d+(?:[.,]\d+)*(?!\w)")


def failed_checks(text: str, brief: Brief, voice: Voice, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The names of the checks that one text fails, as in EXPLAINED. `findings` are those of our rules over it."""
    size = measure(text, brief.platform)
    is_sent = brief.task is not Task.IDEAS
    failing = {
        "no_list": brief.task in LISTS and not _is_list(text, brief.task),
        "too_long": is_sent and size.most is not None and size.length > size.most,
        "too_many_hashtags": is_sent and size.most_hashtags is not None and size.hashtags > size.most_hashtags,
        "wrong_language": _is_other_language(text, brief.language),
        "avoided_word": uses_any(text, voice.words_to_avoid),
        "restricted": any(finding.action is Action.RESTRICT for finding in findings),
        "talks_about_itself": bool(_ITSELF.search(text)),
        "unfilled": bool(_HOLE.search(text)),
        "invented_number": not set(_NUMBER.findall(text)) <= set(_NUMBER.findall(_given(brief, voice))),
    }
    return tuple(name for name, fails in failing.items() if fails)


def failed_together(failed: Sequence[Sequence[str]], brief: Brief) -> tuple[str, ...]:
    """What an answer fails of which each text fails what `failed` says: one name for each failure, so that fewer are
    better, and one for each text that is missing."""
    missing = max(0, brief.variants - len(failed))
    return (*(name for one in failed for name in one), *("too_few" for _ in range(missing)))


def best_first(texts: Sequence[str], failed: Sequence[Sequence[str]], most: int) -> tuple[str, ...]:
    """The texts that fail least, `most` of them; as they came where they fail alike."""
    ordered = sorted(zip(texts, failed, strict=True), key=lambda one: len(one[1]))
    return tuple(text for text, _ in ordered[:most])


def _is_list(text: str, task: Task) -> bool:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if task is Task.HASHTAGS:
        return bool(lines) and all(_HASHTAGS.fullmatch(line) for line in lines)
    return len(lines) >= _LIST_FROM


def uses_any(text: str, words: Sequence[str]) -> bool:
    """Whether one of the words or phrases is in the text, as a whole word, case and accents aside."""
    folded = fold(text).text
    wanted = [re.escape(fold(word).text) for word in words if word.strip()]
    return bool(wanted) and re.search(rf"(?<!\w)(?:{'|'.join(wanted)})(?!\w)", folded) is not None


def _given(brief: Brief, voice: Voice) -> str:
    return "\n".join([brief.about, brief.picture, brief.note, *voice.sample_lines, *voice.words_to_use, *voice.traits])


def _is_other_language(text: str, language: str) -> bool:
    """Whether the words that say nothing are another language's. Short and mixed texts get the benefit of the doubt."""
    counted = {name: len(words.findall(text)) for name, words in _COMMON.items()}
    best = max(counted, key=lambda name: counted[name])
    is_clear = counted[best] > 2 * counted.get(language, 0) + 1
    return language in counted and best != language and is_clear and len(text.split()) >= _ENOUGH
