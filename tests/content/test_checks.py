"""What a draft must be, seen without a model."""

import pytest

from core.content.briefs import Brief, Voice
from core.content.checks import EXPLAINED, failed_checks
from core.content.moderation import shipped_rules
from core.content.platforms import Platform

VOICE = Voice(words_to_avoid=("babe", "mon cœur"), sample_lines=("See you at 8",))


def failed(
    text: str, *, platform: str = "instagram", language: str = "en", about: str = "a swim with 2 friends"
) -> tuple[str, ...]:
    brief = Brief.of(task="post", platform=platform, tone="warm", language=language, length="short", about=about)
    return failed_checks(text, brief, VOICE, shipped_rules().moderate(text, Platform(platform)))


@pytest.mark.parametrize(
    "text",
    [
        "What a morning in the sea! Two of us swam, and the sun came out for it.",
        "A swim with 2 friends, at 8. Who comes along?",
        "Sure thing, the sea is mine today!",
        "Ciao bella, la vita è bella",
        "Here: the sea.",
        "#sea #sun #swim #blue #morning",
    ],
)
def test_good_drafts_pass(text: str) -> None:
    assert failed(text) == ()


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("so long " * 400, "too_long"),
        ("#a #b #c #d #e #f", "too_many_hashtags"),
        ("Quelle matinée dans la mer, et le soleil est venu pour nous, avec tout ce que tu aimes.", "wrong_language"),
        ("Come swim with me, babe!", "avoided_word"),
        ("Come swim with me, BABE", "avoided_word"),
        ("Viens nager, MON CŒUR", "avoided_word"),
        ("Sure! Here is your caption:\nThe sea is wide.", "talks_about_itself"),
        ("As an AI I love the sea.", "talks_about_itself"),
        ("Hello {fan_name}, the sea is wide.", "unfilled"),
        ("Hello [Your Name], the sea is wide.", "unfilled"),
        ("Only 15 dollars today!", "invented_number"),
        ("Since 2019 in the sea", "invented_number"),
    ],
)
def test_each_check(text: str, check: str) -> None:
    assert failed(text) == (check,)


def test_a_rule_of_the_platform() -> None:
    text = "Send it by paypal and come to the sea"
    assert failed(text, platform="onlyfans") == ("restricted",)
    assert failed(text, platform="reddit") == ()


def test_words_are_whole_words() -> None:
    assert failed("A baberish song about the sea") == ()


def test_french_is_asked_for_in_french() -> None:
    assert failed("Quelle matinée dans la mer, et le soleil est venu pour nous avec toi.", language="fr") == ()
    assert failed("What a morning in the sea, and the sun came out for you and me.", language="fr") == (
        "wrong_language",
    )


def test_every_check_is_explained_to_the_model() -> None:
    seen = {"too_long", "too_many_hashtags", "wrong_language", "avoided_word", "restricted"}
    assert set(EXPLAINED) == seen | {"talks_about_itself", "unfilled", "invented_number"}
