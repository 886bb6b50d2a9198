"""The library keeps what was saved, version by version, for those whose it is."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from core.access import Permission, Role, Scope
from core.ai.models import AiRequest
from core.content.assets import (
    AssetText,
    AssetView,
    archive_asset,
    asset,
    asset_versions,
    assets,
    restore_asset,
    save_asset,
    update_asset,
)
from core.content.briefs import Brief, Length, Task, Tone
from core.content.kinds import AssetStatus, AssetType, Authorship
from core.content.library import archive_assets, bring_back, restore_version, used_tags
from core.content.platforms import Platform
from core.content.service import current_draft, dismiss_generation, request_draft
from core.errors import BadInput, Conflict, ContentBlocked, NotFound
from core.jobs.runner import run_once
from core.language import LANGUAGES
from core.use_case import use_case
from tests.peers.model_server import ModelServer, Turn
from tests.people import Made, make_person

SEA = Brief(Task.POST, Platform.X, Tone.BOLD, "en", Length.SHORT, "the sea")


def keep(
    scope: Scope,
    body: str = "The sea, at last",
    title: str = "",
    platform: Platform = Platform.ONLYFANS,
    **more: object,
) -> AssetView:
    content = AssetText.of(title=title, body=body, **more)  # type: ignore[arg-type]
    return save_asset(scope, content, type=AssetType.POST, platform=platform, language="en")


def titles(scope: Scope, **wanted: object) -> list[str]:
    return [one.title for one in assets(scope, **wanted).assets]  # type: ignore[arg-type]


def test_what_is_saved_is_found(scope: Scope) -> None:
    saved = keep(scope, "The sea, at last", "Sea", category="Summer", tags=("#sea", "sea", " blue  hour "))
    assert saved == asset(scope, saved.id)
    assert (saved.status, saved.version, saved.warnings) == (AssetStatus.DRAFT, 1, 0)
    assert saved.tags == ("sea", "blue hour")
    for search in ("SEA", "at last", "summ", "blue h", ""):
        assert titles(scope, search=search) == ["Sea"]
    for search in ("mountain", "%", "_", "\x00mountain"):
        assert titles(scope, search=search) == []


def test_a_text_without_a_title_is_called_by_its_first_words(scope: Scope) -> None:
    assert keep(scope, "Short").title == "Short"
    assert keep(scope, "word " * 30).title == "word " * 11 + "word…"


def test_a_draft_that_was_saved_is_put_away(scope: Scope) -> None:
    wanted = request_draft(scope, SEA)
    assert run_once()
    saved = keep_draft(scope, wanted)
    assert saved.generation_id == wanted
    assert current_draft(scope) is None


def keep_draft(scope: Scope, wanted: UUID, body: str = "The sea") -> AssetView:
    content = AssetText.of(title="", body=body)
    return save_asset(scope, content, type=AssetType.POST, platform=Platform.X, language="en", generation_id=wanted)


def test_a_draft_is_kept_once(scope: Scope) -> None:
    wanted = request_draft(scope, SEA)
    first = keep_draft(scope, wanted)
    assert keep_draft(scope, wanted) == first
    with pytest.raises(Conflict):
        keep_draft(scope, wanted, "The sea, from another tab")
    assert (assets(scope).total, asset(scope, first.id)) == (1, first)


def test_a_draft_kept_by_many_at_once_is_one_asset(committed: str) -> None:
    scope = make_person("Ada", Role.CREATOR).scope
    wanted = request_draft(scope, SEA)
    with ThreadPoolExecutor(6) as crowd:
        kept = list(crowd.map(lambda _: keep_draft(scope, wanted), range(12)))
    assert len({one.id for one in kept}) == 1
    assert assets(scope).total == 1


def test_every_version_is_kept(scope: Scope) -> None:
    first = keep(scope, "one", "Title")
    second = update_asset(scope, first.id, AssetText.of(title="Title", body="two"), version=1)
    tagged = update_asset(scope, first.id, AssetText.of(title="Title", body="two", tags=("x",)), version=2)
    assert (second.version, tagged.version, tagged.tags) == (2, 2, ("x",))
    assert [(one.version, one.body) for one in asset_versions(scope, first.id)] == [(2, "two"), (1, "one")]


def test_two_editors_do_not_overwrite_each_other(scope: Scope) -> None:
    saved = keep(scope, "one")
    update_asset(scope, saved.id, AssetText.of(title="", body="two"), version=1)
    with pytest.raises(Conflict):
        update_asset(scope, saved.id, AssetText.of(title="", body="three"), version=1)
    assert asset(scope, saved.id).body == "two"


def test_who_wrote_it_is_kept_with_it(scope: Scope, model: ModelServer) -> None:
    model.play(Turn(text="One.\n===\nTwo.\n===\nThree."))
    wanted = request_draft(scope, SEA)
    assert run_once()
    content = AssetText.of(title="", body="Two.", picture="  a window,  at dawn ")
    saved = save_asset(
        scope, content, type=AssetType.POST, platform=Platform.X, language="en", generation_id=wanted, variant=1
    )
    assert (saved.authorship, saved.picture, became(scope, wanted)) == (
        Authorship.AI,
        "a window, at dawn",
        ("unedited", 0),
    )
    changed = update_asset(scope, saved.id, AssetText.of(title="", body="Two, and more."), version=1)
    assert changed.authorship is Authorship.AI_EDITED
    assert keep(scope).authorship is Authorship.PERSON
    with pytest.raises(BadInput):
        keep_variant(scope, wanted, 3)


def keep_variant(scope: Scope, wanted: UUID, variant: int, body: str = "x") -> AssetView:
    content = AssetText.of(title="", body=body)
    return save_asset(
        scope, content, type=AssetType.POST, platform=Platform.X, language="en", generation_id=wanted, variant=variant
    )


@use_case(Permission.WRITE_CONTENT)
def became(session: Session, scope: Scope, wanted: UUID) -> tuple[str | None, int | None]:
    found = session.get_one(AiRequest, (scope.workspace_id, wanted))
    return found.outcome, found.edited_characters


def test_how_much_was_changed_is_counted_against_the_variant_at_hand(scope: Scope, model: ModelServer) -> None:
    model.play(Turn(text="One.\n===\nTwo.\n===\nThree."))
    wanted = request_draft(scope, SEA)
    assert run_once()
    assert keep_variant(scope, wanted, 2, "Three!").authorship is Authorship.AI_EDITED
    assert became(scope, wanted) == ("edited", 1)


def test_a_dismissed_draft_is_noted_and_a_kept_one_stays_kept(scope: Scope, model: ModelServer) -> None:
    first, second = request_draft(scope, SEA), request_draft(scope, SEA)
    while run_once():
        pass
    dismiss_generation(scope, first)
    keep_variant(scope, second, 0, "the sea")
    dismiss_generation(scope, second)
    assert (became(scope, first)[0], became(scope, second)[0]) == ("dismissed", "edited")


def test_a_template_is_nobodys_but_peoples(scope: Scope) -> None:
    wanted = request_draft(scope, SEA)
    assert run_once()
    assert keep_draft(scope, wanted).authorship is Authorship.PERSON


def test_the_library_is_filtered_by_what_texts_are(scope: Scope) -> None:
    keep(scope, "one", tags=("sea", "blue"))
    keep(scope, "two", platform=Platform.X, tags=("sea",))
    content = AssetText.of(title="", body="trois")
    save_asset(scope, content, type=AssetType.CAPTION, platform=Platform.X, language="fr")
    assert titles(scope, tags=("sea",)) == ["two", "one"]
    assert titles(scope, tags=("sea", "blue")) == ["one"]
    assert titles(scope, tags=("\x00",)) == []
    assert titles(scope, platform=Platform.X) == ["trois", "two"]
    assert titles(scope, platform=Platform.X, language="en") == ["two"]
    assert titles(scope, type=AssetType.CAPTION) == ["trois"]
    assert used_tags(scope) == ("blue", "sea")


def test_an_earlier_version_comes_back_as_a_new_one(scope: Scope) -> None:
    first = keep(scope, "one", "Title", tags=("x",), picture="a window")
    update_asset(scope, first.id, AssetText.of(title="Other", body="two", picture="a door"), version=1)
    back = restore_version(scope, first.id, 1, version=2)
    assert (back.title, back.body, back.version, back.picture) == ("Title", "one", 3, "a door")
    assert [one.version for one in asset_versions(scope, first.id)] == [3, 2, 1]
    with pytest.raises(Conflict):
        restore_version(scope, first.id, 1, version=2)
    with pytest.raises(NotFound):
        restore_version(scope, first.id, 9, version=3)


def test_many_are_archived_and_brought_back_as_what_they_were(ada: Made, bob: Made) -> None:
    texts = [keep(ada.scope, f"text {number}") for number in range(4)]
    archive_asset(ada.scope, texts[0].id)
    foreign = keep(bob.scope, "private")
    wanted = [one.id for one in texts] + [foreign.id]
    moved = archive_assets(ada.scope, wanted)
    assert set(moved) == {one.id for one in texts[1:]}
    assert assets(ada.scope).total == 0
    assert used_tags(ada.scope) == ()
    assert bring_back(ada.scope, moved) == 3
    assert bring_back(ada.scope, moved) == 0
    assert {one.status for one in assets(ada.scope).assets} == {AssetStatus.DRAFT}
    assert asset(bob.scope, foreign.id).status is AssetStatus.DRAFT
    assert archive_assets(ada.scope, []) == ()


def test_a_picture_is_held_against_the_rules_too(scope: Scope) -> None:
    with pytest.raises(ContentBlocked):
        keep(scope, "fine", picture="book me tonight")


def test_archive_and_undo(scope: Scope) -> None:
    kept, gone = keep(scope, "kept"), keep(scope, "gone")
    assert archive_asset(scope, gone.id).status is AssetStatus.ARCHIVED
    archive_asset(scope, gone.id)
    assert titles(scope) == ["kept"]
    assert titles(scope, status=AssetStatus.ARCHIVED) == ["gone"]
    assert restore_asset(scope, gone.id).status is AssetStatus.DRAFT
    assert restore_asset(scope, kept.id).status is AssetStatus.DRAFT
    assert set(titles(scope)) == {"kept", "gone"}


def test_the_library_comes_in_pages(scope: Scope) -> None:
    for number in range(23):
        keep(scope, f"text {number}")
    first, second = assets(scope), assets(scope, page=1)
    assert (first.total, len(first.assets), len(second.assets)) == (23, 20, 3)
    assert first.assets[0].title == "text 22"
    assert not {one.id for one in first.assets} & {one.id for one in second.assets}
    assert assets(scope, page=99).assets == ()


def test_a_forbidden_text_is_not_kept_and_a_restricted_one_is_marked(scope: Scope) -> None:
    with pytest.raises(ContentBlocked) as refused:
        keep(scope, "book me tonight")
    assert refused.value.code == "moderation.meeting"
    warned = keep(scope, "pay me by PayPal")
    assert warned.warnings == 1
    assert keep(scope, "pay me by PayPal", platform=Platform.REDDIT).warnings == 0
    with pytest.raises(ContentBlocked):
        update_asset(scope, warned.id, AssetText.of(title="", body="book me"), version=1)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"title": "", "body": " \n"}, "content.empty_body"),
        ({"title": "", "body": "a" * 20_001}, "content.bad_body"),
        ({"title": "", "body": "a\x00"}, "content.bad_body"),
        ({"title": "", "body": "a\ud800"}, "content.bad_body"),
        ({"title": "a" * 121, "body": "a"}, "content.bad_title"),
        ({"title": "a", "body": "a", "category": "\x00"}, "content.bad_title"),
        ({"title": "a", "body": "a", "picture": "a" * 601}, "content.bad_about"),
        ({"title": "a", "body": "a", "tags": ["b" * 41]}, "content.bad_tags"),
        ({"title": "a", "body": "a", "tags": [str(n) for n in range(21)]}, "content.bad_tags"),
    ],
)
def test_bad_input_says_what_to_change(content: dict[str, object], code: str) -> None:
    with pytest.raises(BadInput) as refused:
        AssetText.of(**content)  # type: ignore[arg-type]
    assert refused.value.code == code
    assert all(refused.value.sentence(language) for language in LANGUAGES)


def test_a_neighbours_text_is_as_one_that_never_was(ada: Made, bob: Made, database: Connection) -> None:
    hers = keep(ada.scope, "private")
    edit = AssetText.of(title="", body="mine now")
    for door in (asset, archive_asset, restore_asset, lambda s, i: update_asset(s, i, edit, version=1)):
        answers = []
        for asked in (hers.id, uuid4()):
            with pytest.raises(NotFound) as refused:
                door(bob.scope, asked)
            answers.append((refused.value.code, refused.value.facts))
        assert answers[0] == answers[1]
    assert asset_versions(bob.scope, hers.id) == ()
    assert assets(bob.scope).total == 0
    assert asset(ada.scope, hers.id).body == "private"
    database.execute(text("SELECT set_config('app.workspace_ids', :id, true)"), {"id": str(bob.workspace_id)})
    for table in ("content_assets", "content_asset_versions"):
        assert database.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


def test_a_neighbours_draft_cannot_be_claimed_by_saving(ada: Made, bob: Made) -> None:
    wanted = request_draft(ada.scope, SEA)
    with pytest.raises(NotFound):
        save_asset(
            bob.scope,
            AssetText.of(title="", body="x"),
            type=AssetType.POST,
            platform=Platform.X,
            language="en",
            generation_id=wanted,
        )
    assert assets(bob.scope).total == 0
