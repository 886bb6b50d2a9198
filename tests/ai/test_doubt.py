"""A draft that reckons is doubted for what can be seen in it."""

import pytest

from core.ai.doubt import doubt, features

QUESTION = "A box holds 12 eggs. Each of 3 boxes costs $4. How much is that?"
SOUND = "Three boxes at $4 each are 3 * 4 = 12 dollars, with 12 eggs in a box.\n#### 12"


@pytest.mark.parametrize(
    ("draft", "feature", "value"),
    [
        ("3 * 4 = 13\n#### 13", "wrong_sums", 1),
        ("3 * 4 = 12\n#### 12", "wrong_sums", 0),
        ("10 / 3 = 3.33\n#### 3.33", "wrong_sums", 0),
        ("1,000 + 500 = 1,500\n#### 1,500", "wrong_sums", 0),
        ("4 / 0 = 7\n#### 7", "wrong_sums", 0),
        ("3 x 4 = <<3*4=12>>12\n#### 12", "wrong_notes", 0),
        ("3 x 4 = <<3*4=13>>13\n#### 13", "wrong_notes", 1),
        ("about two\n#### a few", "no_number", 1),
        ("no last line, 12", "no_number", 1),
        ("#### 12", "no_number", 0),
        ("#### $1,234.", "no_number", 0),
        ("#### 2.5", "broken_number", 1),
        ("#### 2.0", "broken_number", 0),
        ("#### -2", "negative", 1),
        ("12 and 3 and 4\n#### 9", "unused", 0),
        ("nothing of it\n#### 9", "unused", 1),
        ("#### 12", "copied", 1),
        ("However, wait\n#### 12", "wavers", 1),
        ("butter\n#### 12", "wavers", 0),
    ],
)
def test_what_is_seen(draft: str, feature: str, value: float) -> None:
    assert features(QUESTION, draft)[feature] == value


def test_a_sound_draft_is_doubted_least() -> None:
    sound = doubt(QUESTION, SOUND)
    worse = [
        SOUND.replace("= 12 dollars", "= 14 dollars"),
        SOUND.replace("#### 12", "#### 12.5"),
        SOUND.replace("#### 12", "about a dozen"),
        SOUND + "\nHowever, that is a mistake.\n#### 12",
    ]
    assert all(0 < sound < doubt(QUESTION, draft) < 1 for draft in worse)


@pytest.mark.parametrize(
    "draft", ["", "####", "1/0=1 ####", "9" * 400 + "*" + "9" * 400 + "=1\n#### 1", "((((=\n#### )"]
)
def test_no_text_is_too_odd(draft: str) -> None:
    assert 0 <= doubt(QUESTION, draft) <= 1
