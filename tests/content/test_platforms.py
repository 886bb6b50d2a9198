"""A text is as long as the platform says it is."""

import pytest

from core.content.platforms import LIMITS, PLATFORM_NAMES, Platform, measure

FAMILY = "👨‍👩‍👧‍👦"
WAVE = "👋🏽"
FLAG = "🇫🇷"


@pytest.mark.parametrize(
    ("text", "platform", "length"),
    [
        ("", Platform.X, 0),
        ("hello", Platform.X, 5),
        ("日本", Platform.X, 4),
        ("café", Platform.X, 4),
        ("cafe\u0301", Platform.X, 4),
        (FAMILY, Platform.X, 2),
        (WAVE, Platform.X, 2),
        (FLAG, Platform.X, 2),
        ("❤️", Platform.X, 2),
        ("see https://example.com/" + "a" * 200, Platform.X, 4 + 23),
        ("see onlyfans.com/ada now", Platform.X, 8 + 23),
        ("me@example", Platform.X, 10),
        ("“quoted”", Platform.X, 8),
        (FAMILY, Platform.INSTAGRAM, 11),
        ("a" + WAVE, Platform.TIKTOK, 5),
        ("日本", Platform.TIKTOK, 2),
        (WAVE, Platform.THREADS, 8),
        ("hi " + FAMILY, Platform.THREADS, 3 + 25),
        (FAMILY, Platform.ONLYFANS, 7),
    ],
)
def test_length(text: str, platform: Platform, length: int) -> None:
    assert measure(text, platform).length == length


@pytest.mark.parametrize(("platform", "most"), [(one, limits.most) for one, limits in LIMITS.items() if limits.most])
def test_the_last_one_that_fits(platform: Platform, most: int) -> None:
    assert measure("a" * most, platform).fits
    assert not measure("a" * (most + 1), platform).fits


def test_hashtags_are_counted_where_there_is_a_limit() -> None:
    five = "#one #two #trois #été #v2"
    assert measure(five, Platform.INSTAGRAM).hashtags == 5
    assert measure(five, Platform.INSTAGRAM).fits
    assert not measure(five + " #six", Platform.INSTAGRAM).fits
    assert measure("#1 is a number, &#39; a code, a#b neither", Platform.INSTAGRAM).hashtags == 0


def test_no_known_limit_refuses_nothing() -> None:
    assert measure("a" * 100_000, Platform.FANSLY).fits


def test_every_platform_has_its_row() -> None:
    assert set(LIMITS) == set(PLATFORM_NAMES) == set(Platform)
