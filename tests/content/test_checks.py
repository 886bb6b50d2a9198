"""What a draft must be, seen without a model."""

import pytest

from core.content.briefs import Brief, Voice
from core.content.checks import EXPLAINED, best_first, failed_checks, failed_together
from core.content.moderation import shipped_rules
from core.content.platforms import Platform

VOICE = Voice(words_to_avoid=("babe", "mon cœur"), sample_lines=("See you at 8",))


def failed(
    text: str,
    *,
    platform: str = "instagram",
    language: str = "en",
    about: str = "a swim with 2 friends",
    task: str = "post",
) -> tuple[str, ...]:
    brief = Brief.of(task=task, platform=platform, tone="warm", language=language, length="short", about=about)
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
    seen = {"no_list", "too_few", "too_long", "too_many_hashtags", "wrong_language", "avoided_word", "restricted"}
    assert set(EXPLAINED) == seen | {"talks_about_itself", "unfilled", "invented_number"}


@pytest.mark.parametrize(
    ("task", "text", "names"),
    [
        ("hashtags", "#sea\n#sun", ()),
        ("hashtags", "#sea #sun", ("no_list",)),
        ("hashtags", "sea", ("no_list",)),
        ("hashtags", "#a\n#b\n#c\n#d\n#e\n#f", ("too_many_hashtags",)),
        ("ideas", "A swim at dawn\nA swim at night", ()),
        ("ideas", "A swim at dawn", ("no_list",)),
        ("ideas", "A swim at dawn\n" * 200, ()),
    ],
)
def test_lists(task: str, text: str, names: tuple[str, ...]) -> None:
    assert failed(text, task=task) == names


def test_an_answer_fails_for_each_text_and_for_each_that_is_missing() -> None:
    brief = Brief.of(task="post", platform="x", tone="warm", language="en", length="short", about="the sea")
    assert failed_together([(), (), ()], brief) == ()
    assert failed_together([("too_long",), ("too_long",), ()], brief) == ("too_long", "too_long")
    assert failed_together([("unfilled",)], brief) == ("unfilled", "too_few", "too_few")
    assert failed_together([(), (), (), ()], brief) == ()


def test_the_best_texts_come_first_and_the_rest_is_left() -> None:
    assert best_first(("a", "b", "c", "d"), (("too_long",), (), ("x", "y"), ()), 3) == ("b", "d", "a")
