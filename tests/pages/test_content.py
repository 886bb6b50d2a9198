"""The content page from brief to library, as a browser would use it, with and without a model."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.content.assets import AssetText, asset, assets, save_asset, update_asset
from core.content.briefs import Brief, Length, Task, Tone, Voice
from core.content.kinds import AssetStatus, AssetType
from core.content.platforms import Platform
from core.content.service import current_draft, drafts_left, generation, request_draft, save_voice
from core.jobs.runner import run_once
from core.settings import settings
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.peers.model_server import ModelServer, Turn
from tests.people import Made

SEA = Brief(Task.CAPTION, Platform.ONLYFANS, Tone.WARM, "en", Length.MEDIUM, "my new set by the sea")

FIRST = "The sea is mine today."
THREE = f"{FIRST}\n===\nCome and see the waves with me.\n===\nSalt on my skin, and sun."


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with ModelServer(default=Turn(text=THREE)) as running:
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        settings.cache_clear()
        yield running
    settings.cache_clear()


def ask(page: AppTest, about: str) -> AppTest:
    page.text_area(key="content_about").set_value(about)
    return submit(page)


def submit(page: AppTest) -> AppTest:
    return next(button for button in page.button if button.label == "Write a draft").click().run()


def button(page: AppTest, label: str) -> AppTest:
    return next(one for one in page.button if one.label == label).click().run()


def labels(page: AppTest) -> set[str]:
    return {one.label for one in page.button}


def keep(made: Made, body: str, **more: object) -> None:
    content = AssetText.of(title="", body=body, **more)  # type: ignore[arg-type]
    save_asset(made.scope, content, type=AssetType.POST, platform=Platform.ONLYFANS, language="en")


def test_from_a_brief_to_the_library_without_a_model(open_page: OpenPage, ada: Made) -> None:
    page = open_page("content", ada)
    assert_no_crash(page)
    assert "No model is connected" in words(page)
    assert "Nothing is kept yet" in words(page)
    ask(page, "my new set by the sea")
    assert "Your draft is next in line" in words(page)
    assert run_once()
    page.run()
    written = current_draft(ada.scope)
    assert written is not None
    area = page.text_area(key=f"content_text_{written.id}")
    assert "y new set by the sea" in area.value
    area.set_value("The sea, at last").run()
    assert "16 of 1,000 characters for OnlyFans" in words(page)
    page.text_input(key=f"content_tags_{written.id}").set_value("sea, blue").run()
    button(page, "Save to the library")
    assert_no_crash(page)
    (saved,) = assets(ada.scope).assets
    assert (saved.body, saved.tags, saved.generation_id) == ("The sea, at last", ("sea", "blue"), written.id)
    page.run()
    assert "The sea, at last" in words(page)
    assert "Say what you need" in words(page)


def test_a_template_says_that_no_model_was_used(open_page: OpenPage, ada: Made) -> None:
    request_draft(ada.scope, SEA)
    assert run_once()
    assert "no model used, cost 0" in words(open_page("content", ada))


def test_a_models_draft_names_the_model_its_tokens_and_its_cost(
    open_page: OpenPage, ada: Made, model: ModelServer
) -> None:
    page = ask(open_page("content", ada), "my new set by the sea")
    assert "Model drafts this month (UTC): 1 of 50 used" in meters(page)
    assert run_once()
    said = words(page.run())
    assert "gpt-6-luna" in said
    assert "openai, 160 tokens, cost $0.0000204" in said
    assert page.text_area[1].value == FIRST


def meters(page: AppTest) -> str:
    return "\n".join(str(one.proto.text) for one in page.get("progress"))


def test_a_draft_in_the_making_is_found_again_and_can_be_stopped(
    open_page: OpenPage, ada: Made, model: ModelServer
) -> None:
    request_draft(ada.scope, SEA)
    page = open_page("content", ada)
    assert "Your draft is next in line" in words(page)
    assert page.text_area(key="content_about").value == SEA.about
    assert next(one for one in page.button if one.label == "Write a draft").disabled
    button(page, "Stop")
    page.run()
    assert "Stopped before anything was written" in words(page)
    assert drafts_left(ada.scope).used == 0


def test_a_failure_is_said_in_the_readers_language_and_can_be_tried_again(
    open_page: OpenPage, ada: Made, model: ModelServer
) -> None:
    model.play(Turn(status=401), Turn(text="the sea again\n===\nand again\n===\nonce more"))
    page = ask(open_page("content", ada), "my new set by the sea")
    assert run_once()
    page.run()
    assert "The model refused our key" in words(page)
    page.selectbox(key="frame_language").set_value("fr").run()
    assert "Le modèle a refusé notre clé" in words(page)
    button(page, "Réessayer")
    assert run_once()
    page.run()
    assert page.text_area[1].value == "the sea again"


def test_a_forbidden_subject_is_refused_with_its_rule(open_page: OpenPage, ada: Made) -> None:
    page = ask(open_page("content", ada), "I am in town, book me tonight")
    assert "“book me”: escorting, paid meetings and trafficking are forbidden" in words(page)
    assert current_draft(ada.scope) is None
    assert_no_crash(page)


def test_an_empty_brief_is_refused(open_page: OpenPage, ada: Made) -> None:
    page = ask(open_page("content", ada), "   ")
    assert "Say in a few words" in words(page)


def test_the_editor_says_what_breaks_a_rule_and_does_not_save_it(open_page: OpenPage, ada: Made) -> None:
    wanted = request_draft(ada.scope, SEA)
    assert run_once()
    page = open_page("content", ada)
    area = page.text_area(key=f"content_text_{wanted}")
    area.set_value("pay me by PayPal").run()
    assert "OnlyFans does not allow payment outside the platform" in words(page)
    assert not page.button(key="content_save").disabled
    area.set_value("book me tonight").run()
    assert "escorting" in words(page)
    assert page.button(key="content_save").disabled
    area.set_value("a" * 1001).run()
    assert "1 too many for OnlyFans: 1,001 of 1,000 characters" in words(page)


def test_a_draft_can_be_discarded_or_asked_for_again(open_page: OpenPage, ada: Made) -> None:
    first = request_draft(ada.scope, SEA)
    assert run_once()
    page = open_page("content", ada)
    button(page, "Another draft for the same brief")
    second = current_draft(ada.scope)
    assert second is not None
    assert second.id != first
    assert second.brief == SEA
    assert run_once()
    page.run()
    button(page, "Discard")
    assert current_draft(ada.scope) is None
    assert generation(ada.scope, second.id).text
    assert "Say what you need" in words(page)


def test_the_library_is_searched_and_filtered(open_page: OpenPage, ada: Made) -> None:
    keep(ada, "The sea, at last", tags=("blue",))
    keep(ada, "The mountain")
    page = open_page("content", ada)
    assert "The mountain" in words(page)
    page.text_input(key="library_search").set_value("BLUE").run()
    assert "The sea" in words(page)
    assert "The mountain" not in words(page)
    page.text_input(key="library_search").set_value("nothing").run()
    assert "Nothing matches" in words(page)
    page.text_input(key="library_search").set_value("").run()
    page.selectbox(key="library_status").set_value(AssetStatus.ARCHIVED).run()
    assert "Nothing matches" in words(page)


def test_archiving_can_be_undone(open_page: OpenPage, ada: Made) -> None:
    keep(ada, "The sea, at last")
    page = button(open_page("content", ada), "Archive")
    assert "Archived: The sea, at last" in words(page)
    assert assets(ada.scope).total == 0
    button(page, "Undo")
    assert assets(ada.scope).total == 1
    assert "Archived:" not in words(page)


def test_a_text_is_edited_and_its_earlier_version_stays(open_page: OpenPage, ada: Made) -> None:
    keep(ada, "one")
    (kept,) = assets(ada.scope).assets
    page = button(open_page("content", ada), "Edit")
    page.text_area(key=f"asset_text_{kept.id}_1").set_value("two").run()
    page.button(key="asset_save").click().run()
    assert asset(ada.scope, kept.id).body == "two"
    page.run()
    button(page, "Edit")
    assert "Version 1" in words(page)
    button(page, "Close")
    assert "Version 1" not in words(page)


def test_a_later_version_of_somebody_else_is_not_overwritten(open_page: OpenPage, ada: Made) -> None:
    keep(ada, "one")
    (kept,) = assets(ada.scope).assets
    page = button(open_page("content", ada), "Edit")
    page.text_area(key=f"asset_text_{kept.id}_1").set_value("mine").run()
    update_asset(ada.scope, kept.id, AssetText.of(title="", body="theirs"), version=1)
    page.button(key="asset_save").click().run()
    assert asset(ada.scope, kept.id).body == "theirs"


def test_the_form_starts_as_the_creator_sounds(open_page: OpenPage, ada: Made) -> None:
    save_voice(ada.scope, Voice.of(tone="bold", languages=("fr",)))
    page = open_page("content", ada)
    chosen = {group.key: group.value for group in page.button_group}
    assert chosen["content_tone"] == Tone.BOLD
    assert chosen["content_language"] == "fr"


def test_in_french(open_page: OpenPage, ada: Made) -> None:
    from core.identity.service import edit_profile

    edit_profile(ada.scope, language="fr")
    request_draft(ada.scope, SEA)
    assert run_once()
    said = words(open_page("content", ada))
    assert "aucun modèle utilisé, coût 0" in said
    assert "Bibliothèque" in said


def test_a_persons_text_is_shown_letter_for_letter(open_page: OpenPage, ada: Made) -> None:
    keep(ada, "**not bold** <script>alert(1)</script> $x$ [link](https://example.com)")
    page = open_page("content", ada)
    assert_no_crash(page)
    shown = next(one.value for one in page.markdown if "not bold" in one.value and one.value.startswith("\\*"))
    for letter in ("\\*\\*not bold", "\\<script\\>", "\\$x\\$", "\\[link\\]"):
        assert letter in shown
