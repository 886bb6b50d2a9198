"""Several posts at once: all or none of them are asked for, and kept."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.ai import allowance
from core.content.assets import assets
from core.content.briefs import Brief, Length, Task, Tone
from core.content.campaigns import (
    Kept,
    briefs_of,
    campaign,
    current_campaign,
    dismiss_campaign,
    keep_campaign,
    request_campaign,
)
from core.content.kinds import Authorship, GenerationStatus
from core.content.platforms import Platform
from core.content.service import MOST_OPEN, current_draft, drafts_left, request_draft
from core.errors import BadInput, ContentBlocked, NotFound, PlanLimit, TooManyTries
from core.jobs.runner import run_once
from core.language import LANGUAGES
from core.use_case import use_case
from tests.peers.model_server import ModelServer, Turn
from tests.people import Made

SEA = Brief(Task.POST, Platform.X, Tone.WARM, "en", Length.SHORT, "my new set by the sea", variants=1)
WEEK = briefs_of(SEA, [Platform.X, Platform.INSTAGRAM], 7, date(2026, 12, 1), 1)


@use_case(Permission.WRITE_CONTENT)
def use_up(session: Session, scope: Scope, places: int) -> None:
    for _ in range(places):
        assert allowance.take_place(session, scope.account_id, allowance.month_of(datetime.now(UTC)), None)


def test_posts_go_round_the_platforms_and_the_days() -> None:
    assert [(one.platform, one.part, one.parts) for one in WEEK[:3]] == [
        (Platform.X, 1, 7),
        (Platform.INSTAGRAM, 2, 7),
        (Platform.X, 3, 7),
    ]
    assert [one.day for one in WEEK[::6]] == [date(2026, 12, 1), date(2026, 12, 7)]
    for bad in (([], 2, 1), ([Platform.X], 8, 1), ([Platform.X], 0, 1), ([Platform.X], 2, 31)):
        with pytest.raises(BadInput) as refused:
            briefs_of(SEA, bad[0], bad[1], None, bad[2])
    assert all(refused.value.sentence(language) for language in LANGUAGES)


def test_seven_are_written_each_with_its_part_and_kept_together(model: ModelServer, scope: Scope) -> None:
    plan = request_campaign(scope, WEEK)
    assert drafts_left(scope).used == 7
    assert current_draft(scope) is None
    while run_once():
        pass
    written = current_campaign(scope)
    assert [one.brief.part for one in written] == [1, 2, 3, 4, 5, 6, 7]
    told = " ".join(asked.body["messages"][0]["content"] for asked in model.seen)
    assert all(f"text {part} of 7" in told for part in range(1, 8))
    kept = {one.id: Kept(0, one.text) for one in written[1:]} | {written[0].id: Kept(0, "The sea, at last")}
    keep_campaign(scope, plan, kept)
    found = {one.generation_id: one for one in assets(scope).assets}
    assert len(found) == 7
    assert (found[written[0].id].authorship, found[written[1].id].authorship) == (
        Authorship.AI_EDITED,
        Authorship.AI,
    )
    assert found[written[1].id].planned_for == date(2026, 12, 2)
    assert current_campaign(scope) == campaign(scope, plan) == ()


def test_a_campaign_takes_all_its_places_or_none(model: ModelServer, scope: Scope) -> None:
    use_up(scope, 46)
    with pytest.raises(PlanLimit):
        request_campaign(scope, WEEK)
    assert drafts_left(scope).used == 46
    assert current_campaign(scope) == ()
    assert not run_once()
    request_campaign(scope, WEEK[:4])
    assert drafts_left(scope).used == 50


def test_a_campaign_counts_among_the_open_drafts(model: ModelServer, scope: Scope) -> None:
    for _ in range(MOST_OPEN - 6):
        request_draft(scope, SEA)
    with pytest.raises(TooManyTries):
        request_campaign(scope, WEEK)
    assert drafts_left(scope).used == MOST_OPEN - 6
    with pytest.raises(BadInput):
        request_campaign(scope, [])


def test_one_forbidden_text_keeps_all_from_being_kept(scope: Scope) -> None:
    plan = request_campaign(scope, WEEK[:2])
    while run_once():
        pass
    first, second = current_campaign(scope)
    with pytest.raises(ContentBlocked):
        keep_campaign(scope, plan, {first.id: Kept(0, "fine"), second.id: Kept(0, "book me tonight")})
    with pytest.raises(BadInput):
        keep_campaign(scope, plan, {first.id: Kept(7, "fine")})
    with pytest.raises(NotFound):
        keep_campaign(scope, plan, {uuid4(): Kept(0, "fine")})
    assert assets(scope).total == 0
    assert len(current_campaign(scope)) == 2


def test_one_that_fails_gives_its_own_place_back(model: ModelServer, scope: Scope) -> None:
    model.play(Turn(finish="refusal"))
    request_campaign(scope, WEEK[:3])
    while run_once():
        pass
    ended = [one.status for one in current_campaign(scope)]
    assert (ended.count(GenerationStatus.FAILED), ended.count(GenerationStatus.DONE)) == (1, 2)
    assert drafts_left(scope).used == 2


def test_a_dismissed_campaign_stops_and_gives_its_places_back(model: ModelServer, scope: Scope) -> None:
    plan = request_campaign(scope, WEEK)
    assert run_once()
    dismiss_campaign(scope, plan)
    assert current_campaign(scope) == ()
    assert drafts_left(scope).used == 1
    assert not run_once()


def test_a_neighbours_campaign_is_as_one_that_never_was(ada: Made, bob: Made) -> None:
    plan = request_campaign(ada.scope, WEEK[:2])
    assert campaign(bob.scope, plan) == campaign(bob.scope, uuid4()) == ()
    dismiss_campaign(bob.scope, plan)
    assert len(current_campaign(ada.scope)) == 2
