"""The whole way of a text as a table: every state, every deed, every role; then versions and the rule."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection

from core.access import Role, Scope
from core.content.assets import AssetText, archive_asset, asset, restore_asset, update_asset
from core.content.kinds import AssetStatus
from core.errors import BadInput, Conflict, NotAllowed, NotFound, Refusal
from core.publishing import approving, consent, links, planning, states
from core.publishing.approving import Rule
from tests.people import Made, make_person
from tests.publishing.conftest import NOON, TOMORROW, edited, in_state, state, written

S = AssetStatus
Deed = Callable[[Scope, UUID], object]
DEEDS: dict[str, Deed] = {
    "submit": lambda scope, one: states.submit(scope, one, version=1),
    "draft": states.back_to_draft,
    "approve": lambda scope, one: approving.approve(scope, one, version=1),
    "ask_changes": lambda scope, one: approving.ask_changes(scope, one, version=1, remark="shorter"),
    "link": lambda scope, one: links.make_link(scope, one, version=1, client_name="Acme"),
    "schedule": lambda scope, one: planning.schedule(scope, one, version=1, day=TOMORROW, clock=NOON),
    "unschedule": planning.unschedule,
    "publish": lambda scope, one: states.mark_published(scope, one, version=1),
    "take_back": states.take_back_published,
}
LEADS: dict[str, dict[AssetStatus, AssetStatus]] = {
    "submit": {S.DRAFT: S.IN_REVIEW},
    "draft": {S.IN_REVIEW: S.DRAFT, S.APPROVED: S.DRAFT, S.SCHEDULED: S.DRAFT},
    "approve": {S.IN_REVIEW: S.APPROVED},
    "ask_changes": {S.IN_REVIEW: S.DRAFT, S.APPROVED: S.DRAFT, S.SCHEDULED: S.DRAFT},
    "link": {S.IN_REVIEW: S.IN_REVIEW},
    "schedule": {S.APPROVED: S.SCHEDULED, S.SCHEDULED: S.SCHEDULED},
    "unschedule": {S.SCHEDULED: S.APPROVED},
    "publish": {S.APPROVED: S.PUBLISHED, S.SCHEDULED: S.PUBLISHED},
    "take_back": {S.PUBLISHED: S.APPROVED},
}
"""Every step that there is; each pair that is not here is refused."""
MAY = {Role.CREATOR, Role.MANAGER, Role.ADMIN_ACTING}


def as_role(made: Made, role: Role) -> Scope:
    return replace(made.scope, roles={made.workspace_id: role})


def test_the_table_has_every_deed() -> None:
    assert LEADS.keys() == DEEDS.keys()


@pytest.mark.parametrize("begin", S)
@pytest.mark.parametrize("deed", DEEDS)
def test_each_deed_from_each_state_for_each_role(database: Connection, deed: str, begin: AssetStatus) -> None:
    made = make_person("Ada", Role.CREATOR)
    for role in Role:
        asset_id = in_state(made.scope, begin)
        scope = as_role(made, role)
        if role not in MAY:
            with pytest.raises(NotAllowed):
                DEEDS[deed](scope, asset_id)
            assert state(made.scope, asset_id) is begin
        elif begin in LEADS[deed]:
            DEEDS[deed](scope, asset_id)
            assert state(made.scope, asset_id) is LEADS[deed][begin]
        else:
            with pytest.raises(Conflict) as refused:
                DEEDS[deed](scope, asset_id)
            assert refused.value.code == f"publishing.cannot_{deed}"
            assert state(made.scope, asset_id) is begin


@pytest.mark.parametrize("deed", DEEDS)
def test_anothers_text_answers_as_one_that_is_not_there(ada: Made, bob: Made, deed: str) -> None:
    hers = in_state(ada.scope, S.IN_REVIEW)
    answers = []
    for one in (hers, uuid4()):
        with pytest.raises(NotFound) as refused:
            DEEDS[deed](bob.scope, one)
        answers.append(str(refused.value))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("deed", ["submit", "approve", "ask_changes", "link", "schedule", "publish"])
def test_a_deed_on_a_text_that_changed_meanwhile_is_refused(scope: Scope, deed: str) -> None:
    asset_id = written(scope)
    edited(scope, asset_id, "Another sea")
    if deed != "submit":
        states.submit(scope, asset_id, version=2)
    if deed in ("schedule", "publish"):
        approving.approve(scope, asset_id, version=2)
    with pytest.raises(Conflict) as refused:
        DEEDS[deed](scope, asset_id)
    assert refused.value.code == "publishing.changed_meanwhile"


def test_each_step_is_in_the_audit_log(scope: Scope, deeds: Callable[[Scope], list[str]]) -> None:
    asset_id = in_state(scope, S.SCHEDULED)
    planning.schedule(scope, asset_id, version=1, day=TOMORROW + timedelta(days=1), clock=NOON)
    planning.unschedule(scope, asset_id)
    states.mark_published(scope, asset_id, version=1)
    states.take_back_published(scope, asset_id)
    edited(scope, asset_id, "Another sea")
    told = deeds(scope)
    assert [one for one in told if one.startswith("text_")] == [
        "text_submitted",
        "text_approval_given",
        "text_approved",
        "text_scheduled",
        "text_rescheduled",
        "text_unscheduled",
        "text_published",
        "text_not_published",
        "text_approved",
        "text_changed",
    ]


@pytest.mark.parametrize("begin", [S.APPROVED, S.SCHEDULED])
def test_an_edit_of_what_was_approved_must_be_approved_again(scope: Scope, begin: AssetStatus) -> None:
    asset_id = in_state(scope, begin)
    edited(scope, asset_id, "Another sea")
    assert state(scope, asset_id) is S.DRAFT
    assert planning.entry(scope, asset_id).at is None
    assert states.submit(scope, asset_id, version=2) is S.IN_REVIEW
    assert approving.standing_of(scope, asset_id).approvals == 0


@pytest.mark.parametrize("begin", [S.IN_REVIEW, S.PUBLISHED])
def test_an_edit_leaves_other_states_alone(scope: Scope, begin: AssetStatus) -> None:
    asset_id = in_state(scope, begin)
    edited(scope, asset_id, "Another sea")
    assert state(scope, asset_id) is begin


def test_an_edit_of_the_tags_alone_keeps_the_approval(scope: Scope) -> None:
    asset_id = in_state(scope, S.APPROVED)
    edited(scope, asset_id, "The sea, at last")
    assert state(scope, asset_id) is S.APPROVED


def test_another_picture_must_be_approved_again_and_asks_anew_who_is_shown(scope: Scope) -> None:
    asset_id = in_state(scope, S.APPROVED)
    consent.name_shown(scope, asset_id, [], nobody=True)
    content = AssetText.of(title="", body="The sea, at last", picture="two hats")
    assert update_asset(scope, asset_id, content, version=1).version == 2
    assert state(scope, asset_id) is S.DRAFT
    assert consent.shown_in(scope, asset_id).is_asked


def test_what_was_approved_and_edited_in_the_archive_comes_back_as_a_draft(scope: Scope) -> None:
    asset_id = in_state(scope, S.SCHEDULED)
    archive_asset(scope, asset_id)
    edited(scope, asset_id, "Another sea")
    restore_asset(scope, asset_id)
    assert state(scope, asset_id) is S.DRAFT


def test_a_published_text_that_was_edited_is_a_draft_when_taken_back(scope: Scope) -> None:
    asset_id = in_state(scope, S.PUBLISHED)
    edited(scope, asset_id, "Another sea")
    assert states.take_back_published(scope, asset_id) is S.DRAFT


def test_a_text_approved_before_is_approved_again_with_the_same_words_only(scope: Scope) -> None:
    asset_id = in_state(scope, S.APPROVED)
    states.back_to_draft(scope, asset_id)
    assert states.submit(scope, asset_id, version=1) is S.APPROVED


def test_posted_when(scope: Scope) -> None:
    asset_id = in_state(scope, S.APPROVED)
    with pytest.raises(BadInput):
        states.mark_published(scope, asset_id, version=1, at=datetime.now(UTC) + timedelta(hours=1))
    then = datetime.now(UTC) - timedelta(hours=3)
    states.mark_published(scope, asset_id, version=1, at=then)
    assert planning.entry(scope, asset_id).at == then


# --- the rule -------------------------------------------------------------------------------------------------------


@pytest.fixture
def team(ada: Made) -> list[Scope]:
    """Six people who may write and approve in one workspace; the first is its creator."""
    others = [make_person(f"Helper {n}", Role.CREATOR) for n in range(5)]
    return [
        ada.scope,
        *(replace(ada.scope, user_id=one.user_id, roles={ada.workspace_id: Role.MANAGER}) for one in others),
    ]


@pytest.mark.parametrize("needed", range(6))
@pytest.mark.parametrize("author_may", [True, False])
def test_as_many_distinct_people_as_the_rule_wants(team: list[Scope], needed: int, author_may: bool) -> None:
    author, *others = team
    approving.save_rule(author, Rule(needed, author_may))
    asset_id = written(author)
    expected = S.IN_REVIEW if needed else S.APPROVED
    assert states.submit(author, asset_id, version=1) is expected
    if not needed:
        return
    if not author_may:
        with pytest.raises(NotAllowed):
            approving.approve(author, asset_id, version=1)
    people = [author, *others] if author_may else others
    for n, one in enumerate(people[:needed], start=1):
        now = approving.approve(one, asset_id, version=1)
        assert now is (S.APPROVED if n == needed else S.IN_REVIEW)
        if n < needed:
            assert approving.approve(one, asset_id, version=1) is S.IN_REVIEW
        assert approving.standing_of(one, asset_id).approvals == n


def test_approvals_of_another_version_never_count(team: list[Scope]) -> None:
    ada, bea, cleo, *_ = team
    approving.save_rule(ada, Rule(2))
    asset_id = written(ada)
    states.submit(ada, asset_id, version=1)
    approving.approve(bea, asset_id, version=1)
    edited(ada, asset_id, "Another sea")
    assert approving.approve(cleo, asset_id, version=2) is S.IN_REVIEW
    assert approving.approve(bea, asset_id, version=2) is S.APPROVED


def test_who_saved_the_version_is_its_author(team: list[Scope]) -> None:
    ada, bea, *_ = team
    approving.save_rule(ada, Rule(1, author_may_approve=False))
    asset_id = written(ada)
    edited(bea, asset_id, "Another sea")
    states.submit(bea, asset_id, version=2)
    with pytest.raises(NotAllowed):
        approving.approve(bea, asset_id, version=2)
    assert approving.approve(ada, asset_id, version=2) is S.APPROVED


def test_a_wish_for_changes_stands_until_it_is_met_or_taken_back(team: list[Scope]) -> None:
    ada, bea, cleo, *_ = team
    asset_id = written(ada)
    states.submit(ada, asset_id, version=1)
    approving.ask_changes(bea, asset_id, version=1, remark="  shorter ")
    assert states.submit(ada, asset_id, version=1) is S.IN_REVIEW
    assert approving.approve(cleo, asset_id, version=1) is S.IN_REVIEW
    assert approving.approve(bea, asset_id, version=1) is S.APPROVED
    told = [(one.name, str(one.decision), one.note) for one in approving.decisions(ada, asset_id)]
    assert told == [
        ("Helper 0", "approved", ""),
        ("Helper 1", "approved", ""),
        ("Helper 0", "changes_asked", "shorter"),
    ]


def test_changes_need_a_word(scope: Scope) -> None:
    asset_id = in_state(scope, S.IN_REVIEW)
    for remark in ("", "  ", "a\x00b", "x" * 1001):
        with pytest.raises(BadInput):
            approving.ask_changes(scope, asset_id, version=1, remark=remark)
    assert state(scope, asset_id) is S.IN_REVIEW


@pytest.mark.parametrize("deed", ["schedule", "publish"])
def test_a_rule_that_wants_more_holds_what_was_approved_before(scope: Scope, deed: str) -> None:
    asset_id = in_state(scope, S.APPROVED)
    approving.save_rule(scope, Rule(2))
    with pytest.raises(Conflict) as refused:
        DEEDS[deed](scope, asset_id)
    assert "1 of the 2 approvals" in str(refused.value)


@pytest.mark.parametrize("approvals", [-1, 6])
def test_a_rule_out_of_bounds_is_refused(scope: Scope, approvals: int) -> None:
    with pytest.raises(BadInput):
        approving.save_rule(scope, Rule(approvals))
    assert approving.rule(scope) == Rule(1, author_may_approve=True)


def test_each_workspace_has_its_own_rule(ada: Made, bob: Made) -> None:
    approving.save_rule(ada.scope, Rule(3, author_may_approve=False))
    assert approving.rule(bob.scope) == Rule()
    assert approving.rule(ada.scope) == Rule(3, author_may_approve=False)


def test_every_refusal_has_both_sentences() -> None:
    for deed in DEEDS:
        refusal: Refusal = Conflict(f"publishing.cannot_{deed}")
        assert refusal.sentence("en") != refusal.sentence("fr")


def test_the_library_shows_the_state(scope: Scope) -> None:
    assert asset(scope, in_state(scope, S.SCHEDULED)).status is S.SCHEDULED
