"""A person looks at a text: what is found is named, what they decide is kept, and a hard block stays one."""

from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.audit import entries
from core.content.house_rules import rules_for, save_list
from core.content.kinds import Direction, ReviewStatus, Subject
from core.content.moderation import Action
from core.content.own_lists import OwnList, OwnTerm
from core.content.platforms import Platform
from core.content.reviewing import (
    ask_review,
    check_text,
    decide,
    is_stopped,
    reopen,
    review_if_warned,
    reviews,
    said,
)
from core.errors import BadInput, Conflict, ContentBlocked, NotFound
from core.language import LANGUAGES
from core.use_case import use_case
from tests.people import Made

WARNED = "Pay me by PayPal"


@use_case(Permission.WRITE_CONTENT)
def _save(session: Session, scope: Scope, body: str, subject_id: object) -> object:
    findings = rules_for(session, scope.workspace_id).moderate(body, Platform.X)
    return review_if_warned(session, scope, body, findings, subject=Subject.ASSET, subject_id=subject_id)  # type: ignore[arg-type]


@use_case(Permission.WRITE_CONTENT)
def _is_stopped(session: Session, scope: Scope, subject_id: object) -> bool:
    return is_stopped(session, scope.workspace_id, subject_id)  # type: ignore[arg-type]


def test_a_check_keeps_nothing_and_names_everything(scope: Scope) -> None:
    checked = check_text(scope, f" {WARNED}, write to ada@example.com ", Platform.ONLYFANS)
    assert [one.category for one in checked.findings] == ["off_platform_payment", "personal_data"]
    assert not checked.is_stopped
    assert checked.masked.text.endswith("[email]")
    assert reviews(scope).total == 0
    for language in LANGUAGES:
        sentence = said(checked.findings[0], language)
        for named in ("PayPal", "paypal", "OnlyFans", checked.rules_version):
            assert named in sentence
    for wrong in ("  ", "x" * 20_001, "a\x00"):
        with pytest.raises(BadInput):
            check_text(scope, wrong, None)


def test_a_finding_of_the_own_list_names_its_version(scope: Scope) -> None:
    save_list(scope, OwnList.of([OwnTerm(term="zorpling", action=Action.BLOCK)], ()), version=0)
    checked = check_text(scope, "a zorpling", None)
    assert checked.is_stopped
    for language in LANGUAGES:
        assert "version 1" in said(checked.findings[0], language)


def test_a_text_is_allowed_or_stopped_with_a_reason_and_taken_back(scope: Scope) -> None:
    subject = uuid4()
    first = ask_review(scope, WARNED, Platform.ONLYFANS, subject=Subject.ASSET, subject_id=subject)
    assert ask_review(scope, WARNED, Platform.ONLYFANS, subject=Subject.ASSET, subject_id=subject) == first
    (waiting,) = reviews(scope).reviews
    assert (waiting.id, waiting.status, waiting.body, waiting.can_be_allowed) == (first, "open", WARNED, True)
    assert waiting.findings == check_text(scope, WARNED, Platform.ONLYFANS).findings
    assert _is_stopped(scope, subject)
    with pytest.raises(BadInput):
        decide(scope, first, allow=True, reason="  ")
    allowed = decide(scope, first, allow=True, reason="a  joke")
    assert (allowed.status, allowed.reason, allowed.decided_by) == (ReviewStatus.ALLOWED, "a joke", scope.user_id)
    assert not _is_stopped(scope, subject)
    with pytest.raises(Conflict):
        decide(scope, first, allow=False, reason="no")
    assert reviews(scope).total == 0
    assert reviews(scope, is_open=False).total == 1
    assert reopen(scope, first).status is ReviewStatus.OPEN
    assert reopen(scope, first).status is ReviewStatus.OPEN
    assert decide(scope, first, allow=False, reason="no").status is ReviewStatus.STOPPED
    assert _is_stopped(scope, subject)
    deeds = [(one.deed, one.reason) for one in entries(scope) if one.deed.startswith("moderation")]
    assert deeds == [("moderation_decided", "no"), ("moderation_reopened", ""), ("moderation_decided", "a joke")]


def test_a_hard_block_cannot_be_allowed(scope: Scope) -> None:
    held = ask_review(scope, "incest", None, direction=Direction.IN)
    assert not reviews(scope).reviews[0].can_be_allowed
    with pytest.raises(ContentBlocked):
        decide(scope, held, allow=True, reason="please")
    assert decide(scope, held, allow=False, reason="of course").status is ReviewStatus.STOPPED


def test_what_the_rules_forbid_by_now_cannot_be_allowed_either(scope: Scope) -> None:
    held = ask_review(scope, "a zorpling", None)
    save_list(scope, OwnList.of([OwnTerm(term="zorpling", action=Action.BLOCK)], ()), version=0)
    with pytest.raises(ContentBlocked):
        decide(scope, held, allow=True, reason="it was fine")


def test_warnings_of_chosen_categories_come_by_themselves(scope: Scope) -> None:
    assert _save(scope, "nothing", uuid4()) is None
    assert _save(scope, "I want to die", uuid4()) is not None
    save_list(scope, OwnList.of([OwnTerm(term="zorpling")], (), reviewed=("house",)), version=0)
    assert _save(scope, "I want to die", uuid4()) is None
    assert _save(scope, "a zorpling", uuid4()) is not None
    with pytest.raises(BadInput):
        OwnList.of((), (), reviewed=("weather",))


def test_a_neighbours_review_is_as_one_that_never_was(ada: Made, bob: Made) -> None:
    held = ask_review(ada.scope, WARNED, None)
    assert reviews(bob.scope).total == 0
    with pytest.raises(NotFound):
        decide(bob.scope, held, allow=False, reason="no")
    with pytest.raises(NotFound):
        reopen(bob.scope, held)
