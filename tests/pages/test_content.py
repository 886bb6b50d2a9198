"""The content page from brief to library, as a browser would use it, with and without a model."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Connection, text
from streamlit.testing.v1 import AppTest

from core.access import Scope
from core.ai.models import AiBudget
from core.content.assets import AssetText, asset, assets, save_asset, update_asset
from core.content.briefs import Brief, Length, Task, Tone, Voice
from core.content.campaigns import current_campaign
from core.content.differences import differences
from core.content.kinds import AssetStatus, AssetType
from core.content.platforms import Platform
from core.content.service import current_draft, drafts_left, generation, request_draft, save_voice
from core.db import transaction
from core.jobs.runner import run_once
from core.settings import settings
from dashboard.kept_text import marked
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
    return next(one for one in page.button if one.label.replace("\\", "") == label).click().run()


def labels(page: AppTest) -> set[str]:
    return {one.label.replace("\\", "") for one in page.button}


def library(page: AppTest) -> AppTest:
    page.segmented_control(key="content_view").set_value("library").run()
    return page


def keep(made: Made, body: str, **more: object) -> None:
    content = AssetText.of(title="", body=body, **more)  # type: ignore[arg-type]
    save_asset(made.scope, content, type=AssetType.POST, platform=Platform.ONLYFANS, language="en")


def test_from_a_brief_to_the_library_without_a_model(open_page: OpenPage, ada: Made) -> None:
    page = open_page("content", ada)
    assert_no_crash(page)
    assert "No model is connected" in words(page)
    assert "Nothing is kept yet" in words(library(page))
    page.segmented_control(key="content_view").set_value("write").run()
    ask(page, "my new set by the sea")
    assert "Your draft is next in line" in words(page)
    assert run_once()
    page.run()
    written = current_draft(ada.scope)
    assert written is not None
    area = page.text_area(key=f"content_text_{written.id}_0")
    assert "y new set by the sea" in area.value
    area.set_value("The sea, at last").run()
    assert "16 of 1,000 characters for OnlyFans" in words(page)
    page.text_input(key=f"content_tags_{written.id}").set_value("sea, blue").run()
    button(page, "Save to the library")
    assert_no_crash(page)
    (saved,) = assets(ada.scope).assets
    assert (saved.body, saved.tags, saved.generation_id) == ("The sea, at last", ("sea", "blue"), written.id)
    page.run()
    assert "Say what you need" in words(page)
    assert "The sea, at last" in words(library(page))


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
    area = page.text_area(key=f"content_text_{wanted}_0")
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
    button(page, "Write it again")
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
    page = library(open_page("content", ada))
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
    page = button(library(open_page("content", ada)), "Archive")
    assert "Archived: The sea, at last" in words(page)
    assert assets(ada.scope).total == 0
    button(page, "Undo")
    assert assets(ada.scope).total == 1
    assert "Archived:" not in words(page)


def test_a_text_is_edited_and_its_earlier_version_stays(open_page: OpenPage, ada: Made) -> None:
    keep(ada, "one")
    (kept,) = assets(ada.scope).assets
    page = button(library(open_page("content", ada)), "Edit")
    page.text_area(key=f"asset_text_{kept.id}_1").set_value("two").run()
    page.button(key="asset_save").click().run()
    assert asset(ada.scope, kept.id).body == "two"
    page.run()
    button(page, "Edit")
    assert "Version 1" in words(page)
    assert_marked(page, "<del>−one−</del><ins>+two+</ins>")
    button(page, "Bring version 1 back")
    assert asset(ada.scope, kept.id).body == "one"
    button(page, "Close")
    assert "Version 1" not in words(page)


def test_a_later_version_of_somebody_else_is_not_overwritten(open_page: OpenPage, ada: Made) -> None:
    keep(ada, "one")
    (kept,) = assets(ada.scope).assets
    page = button(library(open_page("content", ada)), "Edit")
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
    page = open_page("content", ada)
    said = words(page)
    assert "aucun modèle utilisé, coût 0" in said
    assert "Variante" in "".join(str(one.options) for one in page.segmented_control)


def test_a_persons_text_is_shown_letter_for_letter(open_page: OpenPage, ada: Made) -> None:
    keep(ada, "**not bold** <script>alert(1)</script> $x$ [link](https://example.com)")
    page = library(open_page("content", ada))
    assert_no_crash(page)
    shown = next(one.value for one in page.markdown if "not bold" in one.value and one.value.startswith("\\*"))
    for letter in ("\\*\\*not bold", "\\<script\\>", "\\$x\\$", "\\[link\\]"):
        assert letter in shown


def assert_marked(page: AppTest, piece: str) -> None:
    assert piece in "".join(str(one.proto.body) for one in page.get("html"))


def test_a_draft_whose_workers_died_says_so(
    open_page: OpenPage, ada: Made, model: ModelServer, database: Connection
) -> None:
    page = ask(open_page("content", ada), "my new set by the sea")
    database.execute(text("UPDATE jobs SET attempts = 3"))
    assert run_once()
    page.run()
    assert "The draft could not be finished, and nothing was counted." in words(page)
    assert drafts_left(ada.scope).used == 0


def test_money_that_is_spent_leaves_a_template_and_its_label(
    open_page: OpenPage, ada: Made, model: ModelServer
) -> None:
    with transaction(Scope.for_account(ada.account_id)) as session:
        session.merge(AiBudget(account_id=ada.account_id, monthly_nano=0))
    page = ask(open_page("content", ada), "my new set by the sea")
    assert run_once()
    assert "no model used, cost 0" in words(page.run())
    assert "budget for models has no room left, so this comes from a template" in words(page)
    assert model.seen == []


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("the sea. Who?", "the sea.\nWho?", "the sea.\nWho?"),
        ("a b", "a c b", "a <ins>+c+</ins> b"),
        ("a b c", "a c", "a <del>−b−</del> c"),
    ],
)
def test_signs_stand_at_the_words_that_came_or_went(before: str, after: str, shown: str) -> None:
    piece = (
        marked(differences(before, after)).removeprefix('<div style="white-space: pre-wrap">').removesuffix("</div>")
    )
    assert " ".join(piece.split(" ")).replace("  ", " ") == shown


def test_a_difference_is_shown_letter_for_letter() -> None:
    marked_up = marked(differences("a <b>x</b>", "a <script>alert(1)</script>"))
    assert "<script>" not in marked_up
    assert "&lt;" in marked_up


def test_each_variant_says_its_length_and_what_it_fails(open_page: OpenPage, ada: Made, model: ModelServer) -> None:
    model.play(*[Turn(text="Only 99 dollars!\n===\nOne.\n===\nTwo and more.")] * 3)
    page = ask(open_page("content", ada), "my new set by the sea")
    assert run_once()
    page.run()
    written = current_draft(ada.scope)
    assert written is not None
    assert "4 of 1,000 characters for OnlyFans" in words(page)
    assert "that you did not give" not in words(page)
    for said in ("repaired once", "larger model asked", "small model"):
        assert said in badges(page)
    page.segmented_control(key=f"content_variant_{written.id}").set_value(2).run()
    assert "16 of 1,000 characters" in words(page)
    assert "Gives a number, a price or a date that you did not give." in words(page)
    page.text_area(key=f"content_text_{written.id}_2").set_value("Only today!").run()
    assert "that you did not give" not in words(page)
    page.button(key="content_save").click().run()
    (kept,) = assets(ada.scope).assets
    assert (kept.body, kept.authorship) == ("Only today!", "ai_edited")


def badges(page: AppTest) -> str:
    return "\n".join(str(one.value) for one in page.markdown)


def test_a_draft_is_written_again_with_a_note_or_by_the_larger_model(
    open_page: OpenPage, ada: Made, model: ModelServer
) -> None:
    page = ask(open_page("content", ada), "my new set by the sea")
    assert run_once()
    page.run()
    first = current_draft(ada.scope)
    assert first is not None
    page.text_area(key=f"content_text_{first.id}_0").set_value("My own words.").run()
    page.text_input(key=f"content_note_{first.id}").set_value("shorter").run()
    button(page, "Write it again")
    assert run_once()
    said = model.seen[-1].body["messages"][-1]["content"]
    assert "the text before: My own words." in said
    assert "wants otherwise: shorter" in said
    page.run()
    button(page, "Write again with gpt-6.1-sol")
    assert run_once()
    page.run()
    assert "because you asked for the larger model" in words(page)
    assert "Write again with gpt-6.1-sol" not in labels(page)
    assert "wants otherwise" not in model.seen[-1].body["messages"][-1]["content"]
    button(page, "Back to the draft before")
    assert "gpt-6-luna" in words(page)


def test_a_picture_of_the_library_is_written_for(open_page: OpenPage, ada: Made) -> None:
    keep(ada, "The sea", picture="a window at dawn")
    page = library(open_page("content", ada))
    assert "Picture: a window at dawn" in words(page)
    button(page, "Write for this picture")
    assert page.text_input(key="content_picture").value == "a window at dawn"
    submit(page)
    written = current_draft(ada.scope)
    assert written is not None
    assert (written.brief.picture, written.brief.task) == ("a window at dawn", Task.CAPTION)


def test_several_are_archived_at_once_and_brought_back(open_page: OpenPage, ada: Made) -> None:
    for body in ("one", "two", "three"):
        keep(ada, body)
    page = library(open_page("content", ada))
    for one in assets(ada.scope).assets[:2]:
        page.checkbox(key=f"library_chosen_{one.id}").check().run()
    button(page, "Archive 2 texts")
    assert "2 texts archived." in words(page)
    assert assets(ada.scope).total == 1
    button(page, "Undo")
    assert assets(ada.scope).total == 3


def test_the_library_is_filtered_by_tag_and_platform(open_page: OpenPage, ada: Made) -> None:
    keep(ada, "The sea", tags=("blue",))
    keep(ada, "The mountain")
    page = library(open_page("content", ada))
    page.multiselect(key="library_tags").set_value(["blue"]).run()
    assert "The sea" in words(page)
    assert "The mountain" not in words(page)
    page.selectbox(key="library_platform").set_value(Platform.X).run()
    assert "Nothing matches" in words(page)


def campaign(page: AppTest) -> AppTest:
    page.segmented_control(key="content_view").set_value("campaign").run()
    return page


def test_a_campaign_is_written_and_saved_at_once(open_page: OpenPage, ada: Made, model: ModelServer) -> None:
    page = campaign(open_page("content", ada))
    assert "Name a subject" in words(page)
    page.text_area(key="campaign_about").set_value("my new set by the sea")
    page.number_input(key="campaign_posts").set_value(4)
    page.date_input(key="campaign_first_day").set_value(date(2026, 12, 1))
    next(one for one in page.button if one.label == "Write these posts").click().run()
    assert_no_crash(page)
    assert "0 of 4 written" in meters(page)
    assert run_once()
    page.run()
    assert "1 of 4 written" in meters(page)
    while run_once():
        pass
    page.run()
    assert "Post 2 of 4 · OnlyFans · Dec 2, 2026" in words(page)
    drafts = current_campaign(ada.scope)
    page.text_area(key=f"content_text_{drafts[0].id}_0").set_value("My own words.").run()
    page.segmented_control(key=f"content_variant_{drafts[1].id}").set_value(1).run()
    page.checkbox(key=f"campaign_keep_{drafts[3].id}").uncheck().run()
    page.button(key="campaign_save").click().run()
    assert_no_crash(page)
    assert "3 posts saved to the library." in words(page)
    bodies = {one.body for one in assets(ada.scope).assets}
    assert bodies == {"My own words.", "Come and see the waves with me.", FIRST}
    assert current_campaign(ada.scope) == ()
    assert "planned for Dec 2, 2026" in words(library(page))


def test_a_campaign_can_be_stopped(open_page: OpenPage, ada: Made, model: ModelServer) -> None:
    page = campaign(open_page("content", ada))
    page.text_area(key="campaign_about").set_value("my new set by the sea")
    next(one for one in page.button if one.label == "Write these posts").click().run()
    button(page, "Stop all")
    assert "Name a subject" in words(page)
    assert drafts_left(ada.scope).used == 0
