"""Progress is told by the data: each answer moves it, each undoing moves it back."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from core.access import Role
from core.content.assets import AssetText, archive_asset, save_asset
from core.content.briefs import Voice
from core.content.kinds import AssetType
from core.content.platforms import Platform
from core.content.service import save_voice
from core.earnings.service import import_statement, undo_import
from core.errors import NotAllowed
from core.insights.onboarding import OF_OWNERS, Facts, Goal, Milestone, State, Step, came_as, judged, progress
from core.workspaces.service import edit_workspace, my_accounts, skip_step, unskip_step
from tests.people import Made, make_person

NOTHING = Facts(
    goal=None,
    time_zone="UTC",
    has_platforms=False,
    has_voice=False,
    has_subscription=False,
    has_import=False,
    has_draft=False,
    skipped=frozenset(),
    owns=True,
)
STATEMENT = b"Date,Gross,Fee,Net,Description\n2026-11-02 10:00,$10.00,$2.00,$8.00,Tip from fan\n"


def test_somebody_new_begins_at_the_first_step() -> None:
    so_far = judged(NOTHING)
    assert list(so_far.steps) == list(Step)
    assert so_far.next is Step.ROLE
    assert so_far.settled == 0
    assert not so_far.is_over
    assert so_far.checklist == {Milestone.FIRST_IMPORT: False, Milestone.FIRST_DRAFT: False}


@pytest.mark.parametrize(
    ("fact", "step"),
    [
        ({"goal": "earnings"}, Step.ROLE),
        ({"time_zone": "Europe/Paris"}, Step.PROFILE),
        ({"has_platforms": True}, Step.PLATFORMS),
        ({"has_voice": True}, Step.VOICE),
        ({"has_subscription": True}, Step.PLAN),
        ({"has_draft": True}, Step.FIRST_RESULT),
    ],
)
def test_each_fact_settles_its_own_step(fact: dict[str, object], step: Step) -> None:
    states = judged(replace(NOTHING, **fact)).steps
    assert states == {one: State.DONE if one is step else State.OPEN for one in Step}


def test_an_import_says_the_platform_and_is_a_first_result() -> None:
    states = judged(replace(NOTHING, has_import=True)).steps
    assert states[Step.PLATFORMS] is states[Step.FIRST_RESULT] is State.DONE


def test_doing_a_skipped_step_counts_as_done() -> None:
    skipped = replace(NOTHING, skipped=frozenset(Step))
    assert judged(skipped).is_over
    assert set(judged(skipped).steps.values()) == {State.SKIPPED}
    assert judged(replace(skipped, has_voice=True)).steps[Step.VOICE] is State.DONE


def test_who_does_not_own_the_account_is_not_asked_about_it() -> None:
    assert set(judged(replace(NOTHING, owns=False)).steps) == set(Step) - OF_OWNERS


def test_progress_follows_the_data_of_one_creator(ada: Made, bob: Made) -> None:
    assert progress(ada.scope).settled == 0
    came_as(ada.scope, is_agency=False, goal=Goal.CONTENT)
    edit_workspace(ada.scope, time_zone="Europe/Paris", platforms=["onlyfans"])
    save_voice(ada.scope, Voice())
    skip_step(ada.scope, Step.PLAN)
    kept = save_asset(
        ada.scope, AssetText.of(title="", body="Hello"), type=AssetType.POST, platform=Platform.ONLYFANS, language="en"
    )
    assert progress(ada.scope).is_over
    assert progress(ada.scope).checklist == {Milestone.FIRST_IMPORT: False, Milestone.FIRST_DRAFT: True}
    archive_asset(ada.scope, kept.id)
    assert progress(ada.scope).is_over
    unskip_step(ada.scope, Step.PLAN)
    assert progress(ada.scope).next is Step.PLAN
    assert progress(bob.scope).settled == 0


def test_an_import_that_was_taken_back_does_not_count(ada: Made) -> None:
    made = import_statement(ada.scope, STATEMENT, "november.csv")
    assert progress(ada.scope).checklist[Milestone.FIRST_IMPORT]
    undo_import(ada.scope, made.import_id)
    assert not progress(ada.scope).checklist[Milestone.FIRST_IMPORT]


def test_coming_as_an_agency_is_kept_with_the_goal(ada: Made) -> None:
    came_as(ada.scope, is_agency=True, goal=Goal.TEAM)
    (account,) = my_accounts(ada.scope)
    assert (account.kind, account.goal) == ("agency", "team")


def test_progress_is_that_of_one_creator(database: Connection) -> None:
    mara = make_person("Mara", Role.MANAGER, creators=2)
    with pytest.raises(NotAllowed):
        progress(mara.scope)
