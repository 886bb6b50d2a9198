"""Several people at one text at the same moment: a row lock decides, and nothing counts twice or is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import text

from core.access import Role, Scope
from core.content.assets import AssetText, update_asset
from core.content.kinds import AssetStatus
from core.db import transaction
from core.errors import Refusal
from core.publishing import approving, links, planning, states
from core.publishing.approving import Decision, Rule
from tests.people import make_person
from tests.publishing.conftest import NOON, TOMORROW, in_state, state
from tests.publishing.test_links import link_to

S = AssetStatus


def at_once(*deeds: Callable[[], object]) -> list[object]:
    """What each gave back, or its refusal."""
    together = Barrier(len(deeds))

    def one(deed: Callable[[], object]) -> object:
        together.wait()
        try:
            return deed()
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(one, deeds))


@pytest.fixture
def ada(committed: str) -> Scope:
    return make_person("Ada", Role.CREATOR).scope


def team(ada: Scope, size: int) -> list[Scope]:
    made = [make_person(f"Helper {n}", Role.CREATOR).user_id for n in range(size)]
    return [replace(ada, user_id=one, roles=dict.fromkeys(ada.roles, Role.MANAGER)) for one in made]


def test_five_approve_at_once_and_all_count(ada: Scope) -> None:
    approving.save_rule(ada, Rule(5))
    asset_id = in_state(ada, S.DRAFT)
    states.submit(ada, asset_id, version=1)
    people = team(ada, 5)
    answers = at_once(*(lambda one=one: approving.approve(one, asset_id, version=1) for one in people))
    assert sorted(map(str, answers)) == ["approved", *["in_review"] * 4]
    assert approving.standing_of(ada, asset_id).approvals == 5


def test_one_person_in_many_tabs_is_one(ada: Scope) -> None:
    approving.save_rule(ada, Rule(2))
    asset_id = in_state(ada, S.DRAFT)
    states.submit(ada, asset_id, version=1)
    at_once(*[lambda: approving.approve(ada, asset_id, version=1)] * 5)
    assert state(ada, asset_id) is S.IN_REVIEW
    assert len(approving.decisions(ada, asset_id)) == 1


def test_a_link_decides_once_however_often_it_is_pressed(ada: Scope) -> None:
    asset_id = in_state(ada, S.IN_REVIEW)
    token = link_to(ada, asset_id)
    answers = at_once(*[lambda: links.decide(token, Decision.APPROVED)] * 5)
    assert [one for one in answers if not isinstance(one, Refusal)] == [Decision.APPROVED]
    assert len(approving.decisions(ada, asset_id)) == 1


def test_an_edit_and_an_approval_at_once_never_approve_what_nobody_saw(ada: Scope) -> None:
    for _ in range(6):
        asset_id = in_state(ada, S.IN_REVIEW)
        other = AssetText.of(title="", body="Another sea")
        at_once(
            lambda asset_id=asset_id: approving.approve(ada, asset_id, version=1),
            lambda asset_id=asset_id, other=other: update_asset(ada, asset_id, other, version=1),
        )
        assert state(ada, asset_id) in (S.IN_REVIEW, S.DRAFT)
        assert not approving.standing_of(ada, asset_id).is_approved


def test_scheduling_twice_at_once_leaves_one_time(ada: Scope) -> None:
    asset_id = in_state(ada, S.APPROVED)
    deed = lambda: planning.schedule(ada, asset_id, version=1, day=TOMORROW, clock=NOON)  # noqa: E731
    answers = at_once(deed, deed, lambda: states.back_to_draft(ada, asset_id))
    now = state(ada, asset_id)
    assert now in (S.SCHEDULED, S.DRAFT)
    assert (planning.entry(ada, asset_id).at is None) is (now is S.DRAFT)
    assert any(not isinstance(one, Refusal) for one in answers)
    with transaction(ada) as session:
        assert session.execute(text("SELECT count(*) FROM content_assets")).scalar_one() == 1
