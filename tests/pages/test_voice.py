"""The voice on the page Content: changed after onboarding, and heard in a draft."""

from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.content.briefs import Tone, Voice
from core.content.service import current_draft, drafts_left, save_voice, voice
from core.jobs.runner import run_once
from core.settings import ROOT
from tests.content.conftest import model
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.peers.model_server import ModelServer, Turn
from tests.people import Made, make_person

__all__ = ["model"]
WARM = Voice(Tone.WARM, sample_lines=("Good morning, sunshine.",), words_to_avoid=("babe",), languages=("en",))


def opened(open_page: OpenPage, made: Made) -> AppTest:
    page = open_page("content", made)
    page.segmented_control(key="content_view").set_value("voice").run()
    assert_no_crash(page)
    return page


def press(page: AppTest, label: str) -> None:
    next(one for one in page.button if one.label == label).click().run()
    assert_no_crash(page)


def test_everything_of_a_voice_can_be_changed(open_page: OpenPage, ada: Made) -> None:
    save_voice(ada.scope, WARM)
    page = opened(open_page, ada)
    assert page.text_area(key="voice_sample_lines").value == "Good morning, sunshine."
    page.segmented_control(key="voice_tone").set_value(Tone.BOLD)
    page.text_area(key="voice_traits").set_value("curious\nshy\n")
    page.text_area(key="voice_words_to_use").set_value("darling")
    page.text_area(key="voice_words_to_avoid").set_value("")
    page.button_group(key="voice_languages").set_value(["en", "fr"])
    page.text_input(key="voice_emojis").set_value("🌊  ☕")
    press(page, "Save the voice")
    assert voice(ada.scope) == Voice(
        Tone.BOLD, ("curious", "shy"), ("Good morning, sunshine.",), ("darling",), (), ("en", "fr"), ("🌊", "☕")
    )


def test_what_no_platform_allows_is_not_saved(open_page: OpenPage, ada: Made) -> None:
    page = opened(open_page, ada)
    page.text_area(key="voice_sample_lines").set_value("I offer escort services")
    press(page, "Save the voice")
    assert page.warning
    assert voice(ada.scope) is None


def test_without_a_voice_there_is_nothing_to_try(open_page: OpenPage, ada: Made) -> None:
    page = opened(open_page, ada)
    assert "No voice is set yet" in words(page)
    assert next(one for one in page.button if one.label == "Write a sample").disabled


def test_a_sample_is_a_draft_that_counts_and_is_heard_beside(
    open_page: OpenPage, ada: Made, model: ModelServer
) -> None:
    save_voice(ada.scope, WARM)
    model.play(Turn(text="Rain outside, chocolate inside."))
    page = opened(open_page, ada)
    assert "it counts as one of the month's drafts" in words(page)
    press(page, "Write a sample")
    assert drafts_left(ada.scope).used == 1
    while run_once():
        pass
    page.run()
    assert_no_crash(page)
    assert "Rain outside, chocolate inside." in words(page)
    wish = current_draft(ada.scope)
    assert wish is not None
    assert wish.brief.variants == 1
    assert "Good morning, sunshine." in str(model.seen[0].body["messages"])


def test_without_a_model_it_says_so(open_page: OpenPage, ada: Made) -> None:
    save_voice(ada.scope, WARM)
    page = opened(open_page, ada)
    press(page, "Write a sample")
    while run_once():
        pass
    page.run()
    assert_no_crash(page)
    assert drafts_left(ada.scope).used == 0


def test_it_speaks_french(open_page: OpenPage, database: Connection) -> None:
    zoe = make_person("Zoé", Role.CREATOR, language="fr")
    page = open_page("home", zoe)
    page.switch_page(str(ROOT / "pages" / "content.py"))
    page.query_params["content_view"] = "voice"
    page.run()
    assert_no_crash(page)
    assert "Aucune voix n’est encore réglée" in words(page)
