"""Times of the creator's own clock, also where it jumps, and what speaks against a time."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from core.access import Role, Scope
from core.content.assets import archive_asset
from core.content.kinds import AssetStatus, Subject
from core.content.platforms import Platform
from core.content.reviewing import ask_review, decide
from core.errors import BadInput, Conflict, NotFound
from core.publishing import approving, planning, states
from core.publishing.conflicts import CAPS, Problem, Slot, concerns
from core.publishing.local_time import instant, span
from tests.people import Made, make_person
from tests.publishing.conftest import NOON, TOMORROW, days_from_now, in_state, written

S = AssetStatus


@pytest.mark.parametrize(
    ("zone", "day", "clock", "utc", "is_twice"),
    [
        ("UTC", date(2027, 3, 28), time(2, 30), "2027-03-28T02:30", False),
        ("Europe/Paris", date(2027, 1, 1), time(0, 0), "2026-12-31T23:00", False),
        ("Europe/Paris", date(2027, 3, 28), time(1, 59), "2027-03-28T00:59", False),
        ("Europe/Paris", date(2027, 3, 28), time(3, 0), "2027-03-28T01:00", False),
        ("Europe/Paris", date(2027, 10, 31), time(1, 59), "2027-10-30T23:59", False),
        ("Europe/Paris", date(2027, 10, 31), time(2, 0), "2027-10-31T00:00", True),
        ("Europe/Paris", date(2027, 10, 31), time(2, 59), "2027-10-31T00:59", True),
        ("Europe/Paris", date(2027, 10, 31), time(3, 0), "2027-10-31T02:00", False),
        ("America/New_York", date(2027, 11, 7), time(1, 30), "2027-11-07T05:30", True),
        ("Australia/Lord_Howe", date(2027, 4, 4), time(1, 45), "2027-04-03T14:45", True),
        ("Australia/Lord_Howe", date(2027, 10, 3), time(2, 30), "2027-10-02T15:30", False),
        ("Asia/Kathmandu", date(2027, 6, 1), time(12, 0), "2027-06-01T06:15", False),
    ],
)
def test_a_local_time_is_one_instant(zone: str, day: date, clock: time, utc: str, is_twice: bool) -> None:
    planned = instant(day, clock, zone)
    assert planned.at == datetime.fromisoformat(f"{utc}+00:00")
    assert planned.is_twice is is_twice


@pytest.mark.parametrize(
    ("zone", "day", "clock", "later"),
    [
        ("Europe/Paris", date(2027, 3, 28), time(2, 0), "03:00"),
        ("Europe/Paris", date(2027, 3, 28), time(2, 59), "03:59"),
        ("America/New_York", date(2027, 3, 14), time(2, 30), "03:30"),
        ("Australia/Lord_Howe", date(2027, 10, 3), time(2, 15), "02:45"),
        ("Africa/Cairo", date(2027, 4, 30), time(0, 0), "01:00"),
    ],
)
def test_a_time_that_the_clock_skips_is_refused_with_one_that_exists(
    zone: str, day: date, clock: time, later: str
) -> None:
    with pytest.raises(BadInput) as refused:
        instant(day, clock, zone)
    assert refused.value.facts == {"asked": f"{clock:%H:%M}", "later": later}
    assert later in refused.value.sentence("fr")


@pytest.mark.parametrize(
    ("day", "clock", "zone"),
    [(date.min, time(0), "Asia/Tokyo"), (date.max, time(23, 59), "Pacific/Pago_Pago")],
)
def test_the_ends_of_the_calendar_are_refused(day: date, clock: time, zone: str) -> None:
    with pytest.raises(BadInput) as refused:
        instant(day, clock, zone)
    assert refused.value.code == "publishing.bad_day"


def test_a_day_with_a_jump_is_shorter_or_longer() -> None:
    begin, after = span(date(2027, 3, 28), date(2027, 3, 28), "Europe/Paris")
    assert after - begin == timedelta(hours=23)
    begin, after = span(date(2027, 10, 31), date(2027, 10, 31), "Europe/Paris")
    assert after - begin == timedelta(hours=25)


def test_scheduling_keeps_utc_and_says_when_a_time_comes_twice(database: Connection) -> None:
    zone = ZoneInfo("Europe/Paris")
    zoe = make_person("Zoe", Role.CREATOR, time_zone="Europe/Paris")
    twice = next(
        day for day in map(days_from_now, range(1, 366)) if _offset(zone, day, time(0)) > _offset(zone, day, time(12))
    )
    asset_id = in_state(zoe.scope, S.APPROVED)
    done = planning.schedule(zoe.scope, asset_id, version=1, day=twice, clock=time(2, 30))
    assert done.is_twice
    assert done.at == datetime.combine(twice, time(0, 30), UTC)
    assert planning.entry(zoe.scope, asset_id).at == done.at
    skipped = next(
        day for day in map(days_from_now, range(1, 366)) if _offset(zone, day, time(0)) < _offset(zone, day, time(12))
    )
    with pytest.raises(BadInput):
        planning.schedule(zoe.scope, asset_id, version=1, day=skipped, clock=time(2, 30))
    assert planning.entry(zoe.scope, asset_id).at == done.at


def _offset(zone: ZoneInfo, day: date, clock: time) -> timedelta:
    return datetime.combine(day, clock, zone).utcoffset() or timedelta()


@pytest.mark.parametrize(("days", "code"), [(-1, "publishing.time_passed"), (400, "publishing.too_far")])
def test_only_a_time_to_come_within_a_year(scope: Scope, days: int, code: str) -> None:
    asset_id = in_state(scope, S.APPROVED)
    with pytest.raises(BadInput) as refused:
        planning.schedule(scope, asset_id, version=1, day=days_from_now(days), clock=NOON)
    assert refused.value.code == code


# --- what speaks against a time ----------------------------------------------------------------------------------

AT = datetime(2027, 6, 15, 12, tzinfo=UTC)


def slot(minutes: float = 0, platform: Platform = Platform.INSTAGRAM, body: str = "one") -> Slot:
    return Slot(uuid4(), "T", body, platform, AT + timedelta(minutes=minutes))


def problems(wanted: Slot, others: list[Slot], zone: str = "UTC") -> list[Problem]:
    return [one.problem for one in concerns(wanted, others, zone)]


@pytest.mark.parametrize("minutes", [-29.9, 0, 29.9])
def test_two_on_one_platform_within_half_an_hour(minutes: float) -> None:
    assert problems(slot(), [slot(minutes, body="two")]) == [Problem.TOO_CLOSE]


@pytest.mark.parametrize("minutes", [-30, 30, 600])
def test_half_an_hour_apart_is_enough(minutes: float) -> None:
    assert problems(slot(), [slot(minutes, body="two")]) == []


def test_another_platform_or_the_text_itself_is_no_conflict() -> None:
    wanted = slot()
    assert problems(wanted, [slot(5, Platform.TIKTOK), wanted]) == []


@pytest.mark.parametrize(("days", "says"), [(-30, True), (30, True), (30.01, False), (-31, False)])
def test_the_same_text_within_thirty_days(days: float, says: bool) -> None:
    found = problems(slot(body="One  sea\n"), [slot(days * 1440, body="one SEA")])
    assert found == ([Problem.SAME_TEXT] if says else [])


def test_the_usual_number_of_a_day_is_of_the_creators_day() -> None:
    cap = CAPS[Platform.TIKTOK].usual
    assert cap == 3
    beside = [slot(hours * 60, Platform.TIKTOK, str(hours)) for hours in (1, 2, 11)]
    wanted = slot(0, Platform.TIKTOK, "new")
    assert problems(wanted, beside) == [Problem.OVER_USUAL]
    # in Tokyo the last of the three is on the next day already
    assert problems(wanted, beside, "Asia/Tokyo") == []


def test_the_most_of_any_24_hours_counts_across_midnight() -> None:
    beside = [slot(-30 * n, Platform.INSTAGRAM, str(n)) for n in range(1, 50)]
    wanted = slot(0, Platform.INSTAGRAM, "new")
    assert CAPS[Platform.INSTAGRAM].most == 50
    assert Problem.OVER_MOST not in problems(wanted, beside[:48])
    packed = [slot(-28 * n, Platform.INSTAGRAM, str(n)) for n in range(1, 51)]
    (most,) = [one for one in concerns(wanted, packed, "UTC") if one.problem is Problem.OVER_MOST]
    assert most.count > most.cap == 50


def test_every_cap_says_where_it_comes_from() -> None:
    assert all(cap.source and (cap.usual or cap.most) for cap in CAPS.values())


def test_concerns_see_what_is_planned_and_published_of_this_creator_only(ada: Made, bob: Made) -> None:
    in_state(bob.scope, S.SCHEDULED)
    asset_id = in_state(ada.scope, S.APPROVED, body="Another sea")
    assert planning.concerns_about(ada.scope, asset_id, day=TOMORROW, clock=NOON) == ()
    in_state(ada.scope, S.SCHEDULED)
    in_state(ada.scope, S.APPROVED)
    (found,) = planning.concerns_about(ada.scope, asset_id, day=TOMORROW, clock=time(12, 20))
    assert (found.problem, found.title) == (Problem.TOO_CLOSE, "The sea, at last")


# --- the calendar --------------------------------------------------------------------------------------------------


def test_the_calendar_holds_the_days_of_the_zone(scope: Scope) -> None:
    asset_id = in_state(scope, S.APPROVED)
    planning.schedule(scope, asset_id, version=1, day=TOMORROW, clock=time(23, 30))
    (found,) = planning.calendar(scope, TOMORROW, TOMORROW, zone="UTC")
    assert (found.asset_id, found.status) == (asset_id, S.SCHEDULED)
    assert planning.calendar(scope, TOMORROW, TOMORROW, zone="Asia/Tokyo") == ()
    next_day = TOMORROW + timedelta(days=1)
    assert len(planning.calendar(scope, next_day, next_day, zone="Asia/Tokyo")) == 1


def test_the_calendar_filters_and_leaves_out_what_is_archived_or_only_approved(scope: Scope) -> None:
    today = planning.today_of("UTC")
    planned = in_state(scope, S.SCHEDULED)
    posted = in_state(scope, S.PUBLISHED, platform=Platform.TIKTOK)
    in_state(scope, S.APPROVED)
    archive_asset(scope, in_state(scope, S.SCHEDULED))

    def shown(**more: object) -> set[object]:
        return {one.asset_id for one in planning.calendar(scope, today, TOMORROW, zone="UTC", **more)}  # type: ignore[arg-type]

    assert shown() == {planned, posted}
    assert shown(platform=Platform.TIKTOK) == {posted}
    assert shown(status=S.SCHEDULED) == {planned}


def test_an_agency_sees_all_its_creators_and_nobody_elses(database: Connection, ada: Made) -> None:
    mara = make_person("Mara", Role.MANAGER, creators=2)
    for workspace_id in mara.workspace_ids:
        in_state(mara.scope.narrowed_to(workspace_id), S.SCHEDULED)
    in_state(ada.scope, S.SCHEDULED)
    found = planning.calendar(mara.scope, TOMORROW, TOMORROW, zone="UTC")
    assert sorted(one.creator for one in found) == ["Mara 1", "Mara 2"]
    assert {one.workspace_id for one in planning.under_way(mara.scope)} == set(mara.workspace_ids)


def test_too_long_a_span_is_refused(scope: Scope) -> None:
    with pytest.raises(BadInput):
        planning.calendar(scope, TOMORROW, TOMORROW + timedelta(days=63), zone="UTC")
    with pytest.raises(BadInput):
        planning.calendar(scope, TOMORROW, TOMORROW - timedelta(days=1), zone="UTC")


def test_what_is_under_way(scope: Scope) -> None:
    ids = {status: in_state(scope, status) for status in S}
    found = {one.asset_id: one.status for one in planning.under_way(scope)}
    assert found == {ids[one]: one for one in (S.DRAFT, S.IN_REVIEW, S.APPROVED, S.SCHEDULED)}
    assert [one.asset_id for one in planning.under_way(scope, status=S.IN_REVIEW)] == [ids[S.IN_REVIEW]]


def test_overdue_is_planned_for_a_time_that_has_passed(scope: Scope) -> None:
    entry = planning.entry(scope, in_state(scope, S.SCHEDULED))
    assert entry.at is not None
    assert entry.is_overdue(entry.at + timedelta(seconds=1))
    assert not entry.is_overdue(entry.at - timedelta(seconds=1))


def test_undo_of_a_schedule_keeps_the_approval(scope: Scope) -> None:
    asset_id = in_state(scope, S.SCHEDULED)
    planning.unschedule(scope, asset_id)
    assert planning.entry(scope, asset_id).at is None
    planning.schedule(scope, asset_id, version=1, day=TOMORROW, clock=NOON)
    states.back_to_draft(scope, asset_id)
    assert planning.entry(scope, asset_id).at is None
    assert approving.standing_of(scope, asset_id).is_approved


def test_a_text_from_nowhere_has_no_concerns_to_tell(ada: Made, bob: Made) -> None:

    with pytest.raises(NotFound):
        planning.concerns_about(bob.scope, written(ada.scope), day=TOMORROW, clock=NOON)


def test_a_review_holds_a_text_until_a_person_allows_it(scope: Scope) -> None:
    asset_id = in_state(scope, AssetStatus.APPROVED)
    review_id = ask_review(scope, "The sea, at last", Platform.ONLYFANS, subject=Subject.ASSET, subject_id=asset_id)
    with pytest.raises(Conflict) as held:
        planning.schedule(scope, asset_id, version=1, day=TOMORROW, clock=NOON)
    assert held.value.code == "publishing.held_by_review"
    decide(scope, review_id, allow=True, reason="it is about the sea")
    planning.schedule(scope, asset_id, version=1, day=TOMORROW, clock=NOON)
