"""Who is shown, and what holds a text back: documents at instants, missing, expired, withdrawn."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection

from core.access import Role, Scope
from core.content.assets import archive_asset, restore_asset
from core.content.kinds import AssetStatus, AssetType
from core.errors import BadInput, Conflict, NotFound, Refusal
from core.publishing import consent, performers, planning, states
from core.publishing.papers import ConsentMissing, Document, DocumentKind, gaps
from tests.people import Made, make_person
from tests.publishing.conftest import NOON, TOMORROW, days_from_now, in_state, state, with_picture, written

S, K = AssetStatus, DocumentKind
DAY = date(2027, 6, 15)
TODAY = datetime.now(UTC).date()


def papers(scope: Scope, performer_id: UUID, *kinds: DocumentKind, until: date | None = None) -> list[UUID]:
    return [
        performers.add_document(scope, performer_id, kind=kind, verified_on=TODAY, expires_on=until)
        for kind in kinds or tuple(K)
    ]


def creator_of(scope: Scope) -> UUID:
    return next(one.id for one in performers.performers(scope) if one.is_creator)


def approved_picture(scope: Scope) -> UUID:
    return in_state(scope, S.APPROVED, type=AssetType.IMAGE)


def plan(scope: Scope, asset_id: UUID, day: date = TOMORROW, clock: time = NOON) -> None:
    planning.schedule(scope, asset_id, version=1, day=day, clock=clock)


# --- documents on a day --------------------------------------------------------------------------------------------

YESTERDAY, NEXT = DAY - timedelta(days=1), DAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("document", "holds"),
    [
        (Document(K.AGE, DAY), True),
        (Document(K.AGE, NEXT), False),
        (Document(K.AGE, YESTERDAY, DAY), True),
        (Document(K.AGE, YESTERDAY, NEXT), True),
        (Document(K.AGE, YESTERDAY, YESTERDAY), False),
        (Document(K.AGE, YESTERDAY, None, datetime(2027, 1, 1, tzinfo=UTC)), False),
    ],
)
def test_a_document_holds_from_its_check_through_its_last_day(document: Document, holds: bool) -> None:
    assert document.holds_on(DAY) is holds


def test_gaps_name_each_kind_and_when_the_last_of_it_ended() -> None:
    held = [
        Document(K.IDENTITY, YESTERDAY - timedelta(days=9), YESTERDAY - timedelta(days=3)),
        Document(K.IDENTITY, YESTERDAY - timedelta(days=9), YESTERDAY),
        Document(K.RELEASE, YESTERDAY),
    ]
    assert [(one.kind, one.expired_on) for one in gaps(held, DAY)] == [(K.IDENTITY, YESTERDAY), (K.AGE, None)]
    assert [one.kind for one in gaps([], DAY)] == [K.IDENTITY, K.AGE, K.RELEASE]


# --- holding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [AssetType.IMAGE, AssetType.VIDEO])
def test_a_picture_asks_who_is_shown(scope: Scope, kind: AssetType) -> None:
    asset_id = in_state(scope, S.APPROVED, type=kind)
    assert consent.shown_in(scope, asset_id).is_asked
    for deed in (lambda: plan(scope, asset_id), lambda: states.mark_published(scope, asset_id, version=1)):
        with pytest.raises(Conflict) as refused:
            deed()
        assert refused.value.code == "consent.who_is_shown"
    consent.name_shown(scope, asset_id, [], nobody=True)
    plan(scope, asset_id)
    assert state(scope, asset_id) is S.SCHEDULED


def test_a_picture_in_words_asks_too_and_a_text_alone_does_not(scope: Scope) -> None:
    asset_id = in_state(scope, S.APPROVED)
    assert not consent.shown_in(scope, asset_id).is_asked
    with_picture(scope, asset_id)
    with pytest.raises(Conflict):
        plan(scope, asset_id)


@pytest.mark.parametrize("missing", [(), *[(one,) for one in K], tuple(K)])
def test_each_missing_document_holds_and_is_named(scope: Scope, missing: tuple[DocumentKind, ...]) -> None:
    asset_id = approved_picture(scope)
    bea = performers.add_performer(scope, "Bea")
    papers(scope, creator_of(scope))
    if held := [one for one in K if one not in missing]:
        papers(scope, bea, *held)
    consent.name_shown(scope, asset_id, [bea, creator_of(scope)])
    if not missing:
        plan(scope, asset_id)
        return
    for deed in (lambda: plan(scope, asset_id), lambda: states.mark_published(scope, asset_id, version=1)):
        with pytest.raises(ConsentMissing) as refused:
            deed()
        assert [(one.name, tuple(gap.kind for gap in one.gaps)) for one in refused.value.missing] == [("Bea", missing)]
    assert "Bea" in refused.value.sentence("fr")
    assert refused.value.sentence("fr") != refused.value.sentence("en")
    assert state(scope, asset_id) is S.APPROVED


def test_what_counts_is_the_planned_time_on_the_creators_own_day(database: Connection) -> None:
    zoe = make_person("Zoe", Role.CREATOR, time_zone="Pacific/Auckland").scope
    last = days_from_now(10)
    papers(zoe, creator_of(zoe), until=last)
    asset_id = approved_picture(zoe)
    consent.name_shown(zoe, asset_id, [creator_of(zoe)])
    plan(zoe, asset_id, last, time(23, 59))
    with pytest.raises(ConsentMissing) as refused:
        plan(zoe, asset_id, last + timedelta(days=1), time(0, 0))
    assert {gap.expired_on for one in refused.value.missing for gap in one.gaps} == {last}
    assert "expired on" in str(refused.value)


def test_a_new_document_takes_the_place_of_the_old(scope: Scope) -> None:
    me = creator_of(scope)
    papers(scope, me, until=days_from_now(2))
    asset_id = approved_picture(scope)
    consent.name_shown(scope, asset_id, [me])
    with pytest.raises(ConsentMissing):
        plan(scope, asset_id, days_from_now(5))
    papers(scope, me, until=days_from_now(9))
    plan(scope, asset_id, days_from_now(5))


def test_somebody_named_on_a_scheduled_text_must_be_in_order(scope: Scope) -> None:
    asset_id = in_state(scope, S.SCHEDULED)
    bea = performers.add_performer(scope, "Bea")
    with pytest.raises(ConsentMissing):
        consent.name_shown(scope, asset_id, [bea])
    assert consent.shown_in(scope, asset_id).performer_ids == ()
    papers(scope, bea)
    assert consent.name_shown(scope, asset_id, [bea]).performer_ids == (bea,)


@pytest.mark.parametrize("begin", [S.PUBLISHED, S.ARCHIVED])
def test_it_is_too_late_once_published_or_archived(scope: Scope, begin: AssetStatus) -> None:
    with pytest.raises(Conflict):
        consent.name_shown(scope, in_state(scope, begin), [], nobody=True)


# --- withdrawing ---------------------------------------------------------------------------------------------------


@pytest.fixture
def planned(scope: Scope) -> tuple[UUID, UUID]:
    """Bea, and a scheduled text that shows her."""
    bea = performers.add_performer(scope, "Bea")
    papers(scope, bea)
    asset_id = approved_picture(scope)
    consent.name_shown(scope, asset_id, [bea])
    plan(scope, asset_id)
    return bea, asset_id


def test_withdrawn_consent_sends_what_is_scheduled_back(
    scope: Scope, planned: tuple[UUID, UUID], deeds: Callable[[Scope], list[str]]
) -> None:
    bea, asset_id = planned
    other = in_state(scope, S.SCHEDULED, body="Another sea")
    assert performers.withdraw_consent(scope, bea) == ("The sea, at last",)
    assert state(scope, asset_id) is S.DRAFT
    assert planning.entry(scope, asset_id).at is None
    assert state(scope, other) is S.SCHEDULED
    (gap,) = next(one.gaps for one in performers.performers(scope) if one.id == bea)
    assert gap.kind is K.RELEASE
    assert {"performer_consent_withdrawn", "text_held"} <= set(deeds(scope))
    assert performers.withdraw_consent(scope, bea) == ()


def test_withdrawn_consent_finds_what_lies_in_the_archive(scope: Scope, planned: tuple[UUID, UUID]) -> None:
    bea, asset_id = planned
    archive_asset(scope, asset_id)
    performers.withdraw_consent(scope, bea)
    restore_asset(scope, asset_id)
    assert state(scope, asset_id) is S.DRAFT


def test_one_document_of_two_may_go(scope: Scope, planned: tuple[UUID, UUID]) -> None:
    bea, asset_id = planned
    (spare,) = papers(scope, bea, K.AGE)
    assert performers.withdraw_document(scope, bea, spare) == ()
    assert state(scope, asset_id) is S.SCHEDULED
    (view,) = [one for one in performers.performers(scope) if one.id == bea]
    last = next(one.id for one in view.documents if one.kind is K.AGE and not one.is_withdrawn)
    assert performers.withdraw_document(scope, bea, last) == ("The sea, at last",)
    assert state(scope, asset_id) is S.DRAFT


def test_what_was_published_stays_listed_under_the_name(scope: Scope, planned: tuple[UUID, UUID]) -> None:
    bea, asset_id = planned
    states.mark_published(scope, asset_id, version=1)
    assert performers.withdraw_consent(scope, bea) == ()
    (found,) = performers.appearances(scope, bea)
    assert (found.asset_id, found.status) == (asset_id, S.PUBLISHED)


def test_planning_and_withdrawing_at_once_never_leave_a_text_planned_without_consent(committed: str) -> None:
    scope = make_person("Ada", Role.CREATOR).scope
    for _ in range(4):
        bea = performers.add_performer(scope, f"Bea {uuid4()}")
        papers(scope, bea)
        asset_id = approved_picture(scope)
        consent.name_shown(scope, asset_id, [bea])
        refused: list[Refusal] = []
        both = threading.Barrier(2)

        def planning_it(
            asset_id: UUID = asset_id, refused: list[Refusal] = refused, both: threading.Barrier = both
        ) -> None:
            both.wait()
            try:
                plan(scope, asset_id)
            except Refusal as no:
                refused.append(no)

        thread = threading.Thread(target=planning_it)
        thread.start()
        both.wait()
        sent_back = performers.withdraw_consent(scope, bea)
        thread.join()
        assert bool(refused) != bool(sent_back)
        assert state(scope, asset_id) is (S.DRAFT if sent_back else S.APPROVED)


# --- the list of people --------------------------------------------------------------------------------------------


def test_the_creator_is_there_once_from_the_first_look(scope: Scope) -> None:
    for _ in range(2):
        (me,) = performers.performers(scope)
        assert (me.name, me.is_creator, len(me.gaps)) == ("Ada", True, 3)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "a\x00b", "bea", " BEA "])
def test_a_name_that_cannot_be(scope: Scope, name: str) -> None:
    performers.add_performer(scope, "Bea")
    with pytest.raises(BadInput):
        performers.add_performer(scope, name)


def test_archived_people_are_not_named_any_more(scope: Scope) -> None:
    bea = performers.add_performer(scope, "Bea")
    performers.archive_performer(scope, bea)
    with pytest.raises(BadInput):
        consent.name_shown(scope, written(scope), [bea])
    performers.archive_performer(scope, bea, archived=False)
    consent.name_shown(scope, written(scope), [bea])


@pytest.mark.parametrize(
    "wrong",
    [
        {"verified_on": days_from_now(2)},
        {"verified_on": date(1950, 1, 1)},
        {"expires_on": TODAY - timedelta(days=1)},
        {"sha256": "abc"},
        {"sha256": "ab" * 31},
        {"sha256": "zz" * 32},
    ],
)
def test_a_document_that_cannot_be(scope: Scope, wrong: dict[str, object]) -> None:
    given = {"kind": K.AGE, "verified_on": TODAY} | wrong
    with pytest.raises(BadInput):
        performers.add_document(scope, creator_of(scope), **given)  # type: ignore[arg-type]


def test_a_hash_is_kept_and_shown(scope: Scope) -> None:
    me = creator_of(scope)
    performers.add_document(scope, me, kind=K.AGE, verified_on=TODAY, sha256="AB" * 32)
    (view,) = performers.performers(scope)
    assert view.documents[0].sha256 == "ab" * 32


def test_what_expires_within_thirty_days_is_told(scope: Scope) -> None:
    me, bea = creator_of(scope), performers.add_performer(scope, "Bea")
    papers(scope, me, K.AGE, until=days_from_now(31))
    papers(scope, me, K.IDENTITY, until=days_from_now(30))
    papers(scope, me, K.RELEASE, until=TODAY)
    papers(scope, me, K.RELEASE)
    papers(scope, bea, K.RELEASE, until=days_from_now(3))
    assert [(one.name, one.kind) for one in performers.expiring(scope)] == [("Bea", K.RELEASE), ("Ada", K.IDENTITY)]
    performers.archive_performer(scope, bea)
    assert [one.name for one in performers.expiring(scope)] == ["Ada"]


def test_nobody_elses_people_texts_or_documents(ada: Made, bob: Made) -> None:
    bea = performers.add_performer(ada.scope, "Bea")
    (paper,) = papers(ada.scope, bea, K.AGE)
    hers = written(ada.scope)
    for deed in (
        lambda: performers.archive_performer(bob.scope, bea),
        lambda: performers.rename_performer(bob.scope, bea, "X"),
        lambda: papers(bob.scope, bea, K.AGE),
        lambda: performers.withdraw_document(bob.scope, bea, paper),
        lambda: performers.withdraw_consent(bob.scope, bea),
        lambda: consent.shown_in(bob.scope, hers),
        lambda: consent.name_shown(bob.scope, hers, []),
        lambda: consent.missing_for(bob.scope, hers, datetime.now(UTC)),
    ):
        with pytest.raises(NotFound):
            deed()
    with pytest.raises(BadInput):
        consent.name_shown(bob.scope, written(bob.scope), [bea])
    assert performers.appearances(bob.scope, bea) == ()
    assert [one.name for one in performers.performers(bob.scope)] == ["Bob"]


def test_somebody_or_nobody(scope: Scope) -> None:
    asset_id = written(scope)
    with pytest.raises(BadInput):
        consent.name_shown(scope, asset_id, [creator_of(scope)], nobody=True)
    consent.name_shown(scope, asset_id, [], nobody=True)
    assert consent.shown_in(scope, asset_id).nobody
    assert not consent.name_shown(scope, asset_id, [creator_of(scope)]).nobody
    (missing,) = consent.missing_for(scope, asset_id, datetime.now(UTC))
    assert missing.name == "Ada"
