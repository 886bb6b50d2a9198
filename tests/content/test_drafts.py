"""From a wish to a draft through the queue: what is written, what it cost, and what is given back."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.ai import allowance, ledger
from core.content.briefs import Brief, Length, Task, Tone, Voice
from core.content.kinds import GenerationStatus
from core.content.platforms import Platform
from core.content.service import (
    GenerationView,
    cancel_generation,
    current_draft,
    dismiss_generation,
    drafts_left,
    generation,
    request_draft,
    save_voice,
    voice,
)
from core.errors import ContentBlocked, NotConfigured, NotFound, PlanLimit, TooManyTries
from core.jobs.runner import run_once
from core.language import LANGUAGES
from core.settings import settings
from core.use_case import use_case
from core.workspaces.service import remove_demo
from tests.content.demos import demo_of
from tests.peers.model_server import ANSWER, CACHED, PROMPT, TEXT, THOUGHT, ModelServer, Turn
from tests.people import Made

SEA = Brief(Task.CAPTION, Platform.ONLYFANS, Tone.WARM, "en", Length.MEDIUM, "my new set by the sea")


@use_case(Permission.WRITE_CONTENT)
def use_up(session: Session, scope: Scope, places: int) -> None:
    for _ in range(places):
        assert allowance.take_place(session, scope.account_id, allowance.month_of(datetime.now(UTC)), None)


def drafted(scope: Scope, brief: Brief = SEA) -> GenerationView:
    wanted = request_draft(scope, brief)
    assert run_once()
    return generation(scope, wanted)


def attempts(database: Connection, scope: Scope) -> list[tuple[object, ...]]:
    database.execute(text("SELECT set_config('app.workspace_ids', :id, true)"), {"id": str(scope.workspace_id)})
    rows = database.execute(
        text("SELECT outcome, model, served_model, cost_nano_usd FROM ai_attempts ORDER BY run, id")
    )
    return [tuple(row) for row in rows]


def test_without_a_model_there_is_a_template_and_it_says_so(scope: Scope) -> None:
    view = drafted(scope)
    assert view.status is GenerationStatus.DONE
    assert "y new set by the sea" in view.text
    assert (view.is_template, view.provider, view.model, view.cost) == (True, None, None, Decimal(0))
    assert (view.tokens_in, view.tokens_out) == (0, 0)
    left = drafts_left(scope)
    assert (left.used, left.most, left.has_model) == (0, 50, False)


def test_two_templates_for_one_wish_are_two_texts(scope: Scope) -> None:
    assert len({drafted(scope).text for _ in range(6)}) > 1


def test_a_model_writes_and_the_bill_is_exact(model: ModelServer, scope: Scope, database: Connection) -> None:
    view = drafted(scope)
    assert (view.status, view.text, view.provider, view.model) == (
        GenerationStatus.DONE,
        TEXT,
        "openai",
        "gpt-6-luna",
    )
    assert (view.tokens_in, view.tokens_out, view.is_estimated) == (PROMPT + CACHED, ANSWER + THOUGHT, False)
    expected = PROMPT * Decimal("0.10") + CACHED * Decimal("0.01") + (ANSWER + THOUGHT) * Decimal("0.50")
    assert view.cost == expected / 1_000_000
    assert view.reason == "tier"
    assert drafts_left(scope).used == 1
    assert attempts(database, scope) == [("ok", "gpt-6-luna", "gpt-6-luna-2026-11-01", 20400)]


def test_the_prompt_is_the_brief_and_the_voice(model: ModelServer, scope: Scope) -> None:
    save_voice(scope, Voice.of(tone="bold", traits=("dry humour",), words_to_avoid=("babe",), emojis=("🌊",)))
    drafted(scope)
    (asked,) = model.seen
    prompt = asked.body["messages"][-1]["content"]
    for said in ("my new set by the sea", "dry humour", "babe", "🌊"):
        assert said in prompt
        assert said not in asked.body["messages"][0]["content"]


def test_a_model_without_a_price_has_an_unknown_cost(
    model: ModelServer, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AI_MODEL", "gpt-99")
    settings.cache_clear()
    view = drafted(scope)
    assert (view.status, view.model, view.cost, view.reason) == (GenerationStatus.DONE, "gpt-99", None, "configured")


def test_a_subject_that_no_platform_allows_is_refused_before_anything_happens(model: ModelServer, scope: Scope) -> None:
    with pytest.raises(ContentBlocked) as refused:
        request_draft(scope, replace(SEA, about="I am in town, book me tonight"))
    assert refused.value.code == "moderation.meeting"
    for language in LANGUAGES:
        assert "book me" in refused.value.sentence(language)
    assert drafts_left(scope).used == 0
    assert current_draft(scope) is None


def test_an_answer_that_breaks_a_rule_is_never_shown_and_counts(
    model: ModelServer, scope: Scope, database: Connection
) -> None:
    """It was paid for; given back, it would be a way to calls without end."""
    model.play(Turn(text="A lovely evening, book me tonight and see"))
    view = drafted(scope)
    assert (view.status, view.text, view.problem_code) == (GenerationStatus.FAILED, "", "moderation.meeting")
    for language in LANGUAGES:
        assert "book me" in (view.problem(language) or "")
    assert drafts_left(scope).used == 1
    assert attempts(database, scope)[0][0] == "ok"


@pytest.mark.parametrize(
    ("turns", "code", "outcomes"),
    [
        ([Turn(status=401)], "ai.auth", ["auth"]),
        ([Turn(status=500), Turn(status=500)], "ai.unavailable", ["unavailable", "unavailable"]),
        ([Turn(finish="length")] * 3, "ai.truncated", ["truncated"] * 3),
        ([Turn(finish="refusal")], "ai.refused", ["refused"]),
        ([Turn(cut="eof"), Turn(cut="eof")], "ai.protocol", ["protocol", "protocol"]),
    ],
)
def test_a_failure_is_said_and_takes_no_place(
    model: ModelServer, scope: Scope, database: Connection, turns: list[Turn], code: str, outcomes: list[str]
) -> None:
    model.play(*turns)
    view = drafted(scope)
    assert (view.status, view.text, view.problem_code) == (GenerationStatus.FAILED, "", code)
    assert all(view.problem(language) for language in LANGUAGES)
    assert drafts_left(scope).used == 0
    assert [row[0] for row in attempts(database, scope)] == outcomes
    assert len(model.seen) == len(outcomes)


def test_a_second_try_of_ours_mends_a_passing_failure(model: ModelServer, scope: Scope, database: Connection) -> None:
    model.play(Turn(cut="eof"), Turn(text="the sea again"))
    view = drafted(scope)
    assert (view.status, view.text) == (GenerationStatus.DONE, "the sea again")
    assert [row[0] for row in attempts(database, scope)] == ["protocol", "ok"]
    assert view.is_estimated


def test_a_fallback_that_was_named_answers_and_is_named(
    model: ModelServer, scope: Scope, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AI_PROVIDER", "openai,anthropic")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", model.url)
    settings.cache_clear()
    model.play(Turn(status=402), Turn(text="from the second"))
    view = drafted(scope)
    assert (view.text, view.provider, view.model) == ("from the second", "anthropic", "claude-haiku-5-5")
    assert [row[0] for row in attempts(database, scope)] == ["quota", "ok"]


def test_half_a_setting_is_said_when_a_draft_is_asked_for(scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_PROVIDER", "anthropic")
    settings.cache_clear()
    with pytest.raises(NotConfigured, match="ANTHROPIC_API_KEY"):
        request_draft(scope, SEA)
    monkeypatch.undo()
    settings.cache_clear()


def test_the_last_place_is_the_last(model: ModelServer, scope: Scope) -> None:
    use_up(scope, 49)
    assert drafted(scope).status is GenerationStatus.DONE
    with pytest.raises(PlanLimit) as refused:
        request_draft(scope, SEA)
    assert "50" in refused.value.sentence("en")
    assert "50" in refused.value.sentence("fr")
    assert drafts_left(scope).used == 50


def test_five_drafts_are_open_at_most(model: ModelServer, ada: Made, bob: Made) -> None:
    demo = demo_of(ada)
    wanted = [request_draft(ada.scope, SEA) for _ in range(3)] + [request_draft(demo, SEA) for _ in range(2)]
    for scope in (ada.scope, demo):
        with pytest.raises(TooManyTries) as refused:
            request_draft(scope, SEA)
    assert all("5" in refused.value.sentence(language) for language in LANGUAGES)
    assert drafts_left(ada.scope).used == 5
    request_draft(bob.scope, SEA)
    cancel_generation(ada.scope, wanted[0])
    request_draft(demo, SEA)
    with pytest.raises(TooManyTries):
        request_draft(demo, SEA)
    assert run_once()
    request_draft(ada.scope, SEA)


def test_templates_need_no_place(scope: Scope) -> None:
    use_up(scope, 50)
    assert drafted(scope).status is GenerationStatus.DONE


def test_a_draft_stopped_in_the_queue_costs_nothing(model: ModelServer, scope: Scope) -> None:
    wanted = request_draft(scope, SEA)
    assert cancel_generation(scope, wanted).status is GenerationStatus.CANCELLED
    assert cancel_generation(scope, wanted).status is GenerationStatus.CANCELLED
    assert drafts_left(scope).used == 0
    assert not run_once()
    assert model.seen == []
    assert generation(scope, wanted).status is GenerationStatus.CANCELLED


@use_case(Permission.WRITE_CONTENT)
def lose_a_call(session: Session, scope: Scope, wanted: UUID) -> None:
    ledger.record_lost(session, scope.workspace_id, wanted, 1, provider="openai", model="gpt-6-luna")


def test_a_draft_stopped_after_a_lost_call_counts(model: ModelServer, scope: Scope) -> None:
    wanted = request_draft(scope, SEA)
    lose_a_call(scope, wanted)
    assert cancel_generation(scope, wanted).status is GenerationStatus.CANCELLED
    assert drafts_left(scope).used == 1


def test_a_model_that_was_switched_off_meanwhile_leaves_a_template(
    model: ModelServer, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = request_draft(scope, SEA)
    monkeypatch.delenv("OPENAI_API_KEY")
    settings.cache_clear()
    assert run_once()
    assert generation(scope, wanted).is_template
    assert drafts_left(scope).used == 0


def test_who_lost_their_way_in_gets_nothing_written(model: ModelServer, ada: Made, database: Connection) -> None:
    wanted = request_draft(ada.scope, SEA)
    database.execute(text("UPDATE users SET disabled_at = now() WHERE id = :id"), {"id": ada.user_id})
    assert run_once()
    view = generation(ada.scope, wanted)
    assert (view.status, view.problem_code) == (GenerationStatus.FAILED, "content.draft_broke")
    assert drafts_left(ada.scope).used == 0
    assert model.seen == []


def test_a_draft_that_went_with_its_demo_ends_and_gives_its_place_back_once(
    model: ModelServer, ada: Made, database: Connection
) -> None:
    demo = demo_of(ada)
    use_up(ada.scope, 1)
    cancel_generation(demo, request_draft(demo, SEA))
    request_draft(demo, SEA)
    assert drafts_left(ada.scope).used == 2
    remove_demo(demo)
    while run_once():
        pass
    assert (
        database.execute(text("SELECT count(*) FROM jobs WHERE failed_at IS NULL AND finished_at IS NULL")).scalar_one()
        == 0
    )
    assert drafts_left(ada.scope).used == 1
    assert model.seen == []


def test_an_open_draft_is_found_again_until_it_is_put_away(scope: Scope) -> None:
    assert current_draft(scope) is None
    wanted = request_draft(scope, SEA)
    found = current_draft(scope)
    assert found is not None
    assert (found.id, found.is_open) == (wanted, True)
    assert run_once()
    found = current_draft(scope)
    assert found is not None
    assert found.status is GenerationStatus.DONE
    dismiss_generation(scope, wanted)
    assert current_draft(scope) is None


def test_a_voice_is_none_until_it_is_saved(scope: Scope) -> None:
    assert voice(scope) is None
    new = Voice.of(tone="elegant", traits=("calm",), sample_lines=("Good evening.",), languages=("fr",), emojis=("🌙",))
    save_voice(scope, Voice())
    save_voice(scope, new)
    assert voice(scope) == new


def test_a_voice_that_breaks_a_rule_is_refused(scope: Scope) -> None:
    with pytest.raises(ContentBlocked):
        save_voice(scope, Voice.of(sample_lines=("book me tonight",)))
    save_voice(scope, Voice.of(words_to_avoid=("book me",)))


def test_a_neighbours_draft_is_as_one_that_never_was(ada: Made, bob: Made, database: Connection) -> None:
    wanted = request_draft(ada.scope, SEA)
    save_voice(ada.scope, Voice.of(traits=("calm",)))
    for door in (generation, cancel_generation, dismiss_generation):
        answers = []
        for asked in (wanted, uuid4()):
            with pytest.raises(NotFound) as refused:
                door(bob.scope, asked)
            answers.append((refused.value.code, refused.value.facts))
        assert answers[0] == answers[1]
    assert voice(bob.scope) is None
    assert current_draft(bob.scope) is None
    for workspace, seen in ((ada.workspace_id, 1), (bob.workspace_id, 0)):
        assert rows(database, workspace, "generations") == seen
        assert rows(database, workspace, "voices") == seen


def rows(database: Connection, workspace: UUID, table: str) -> int:
    database.execute(text("SELECT set_config('app.workspace_ids', :id, true)"), {"id": str(workspace)})
    count: int = database.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    return count
