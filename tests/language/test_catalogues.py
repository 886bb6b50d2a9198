"""English and French say the same things, the code says nothing else, and nothing is kept that is not said."""

import re
from string import Formatter

import pytest

from core.errors import sentences
from core.language import LANGUAGES, Catalogue
from dashboard.words import catalogue
from tests.language import sources

CATALOGUES = {"core": sentences(), "dashboard": catalogue()}

PROPER_NAMES = {"Huntaze", "OnlyFans", "Fansly", "Fanvue", "Instagram", "TikTok", "Stripe"}
THE_SAME_IN_BOTH = PROPER_NAMES | {
    "Net",
    "Pro",
    "Type",
    "Date",
    "Description",
    "Total",
    "Source",
    "Action",
    "Actions",
    "Menu",
}
"""Words that French shares with English. A sentence that consists of others must be translated."""


@pytest.fixture(params=CATALOGUES)
def book(request: pytest.FixtureRequest) -> Catalogue:
    return CATALOGUES[request.param]


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _all_blanks(book: Catalogue, language: str, key: str) -> set[str]:
    return set().union(*(_blanks(form) for form in book.forms(language, key)))


def test_every_language_has_the_same_keys(book: Catalogue) -> None:
    assert {language: sorted(book.keys(language) ^ book.keys("en")) for language in LANGUAGES} == {
        language: [] for language in LANGUAGES
    }


def test_every_language_has_the_same_blanks(book: Catalogue) -> None:
    keys = book.keys("en") & book.keys("fr")
    assert [key for key in sorted(keys) if _all_blanks(book, "en", key) != _all_blanks(book, "fr", key)] == []


def test_every_blank_has_a_name(book: Catalogue) -> None:
    unnamed = [
        key
        for language in LANGUAGES
        for key in sorted(book.keys(language))
        if any(not name.isidentifier() for name in _all_blanks(book, language, key))
    ]
    assert unnamed == []


def test_no_sentence_is_empty_or_left_in_english(book: Catalogue) -> None:
    for key in sorted(book.keys("en") & book.keys("fr")):
        english, french = book.forms("en", key), book.forms("fr", key)
        assert all(form.strip() for form in (*english, *french)), key
        words = set(re.findall(r"[^\W\d_]{2,}", re.sub(r"\{[^}]*\}", "", " ".join(english))))
        assert english != french or words <= THE_SAME_IN_BOTH, f"{key} is the same in both languages"


def test_every_sentence_that_the_code_names_exists() -> None:
    assert [(one.where, one.key) for one in sources.said() if one.key not in one.catalogue.keys("en")] == []


def test_every_sentence_gets_the_facts_that_it_has_blanks_for() -> None:
    short = [
        (one.where, one.key, sorted(missing))
        for one in sources.said()
        if one.key in one.catalogue.keys("en")
        and not one.has_more
        and (missing := _all_blanks(one.catalogue, "en", one.key) - one.facts)
    ]
    assert short == []


def test_every_sentence_is_said_somewhere(book: Catalogue) -> None:
    assert [key for key in sorted(book.keys("en")) if not sources.is_named(key)] == []


def test_no_screen_holds_words_of_its_own() -> None:
    found = [
        (where, text) for where, text in sources.shown_texts() if set(re.findall(r"[^\W\d_]{2,}", text)) - {"Huntaze"}
    ]
    assert found == []


def test_no_phrase_reaches_a_screen_by_a_detour() -> None:
    """Through a helper, a chart or a table: two words in a row belong into the catalogues."""
    assert list(sources.phrases()) == []


def test_the_reading_of_the_code_sees_what_it_should() -> None:
    """The tests above pass on an empty list: so each list is shown to have something in it."""
    assert sum(1 for _ in sources.said()) > 10
    assert any(text == "Huntaze" for _, text in sources.shown_texts())
    assert sources.is_named("frame.cancel")
    assert not sources.is_named("frame.no_such_sentence")
