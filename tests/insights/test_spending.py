"""What requests to models came to, over a few whose every number is reckoned by hand."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import uuid4

import pytest
from sqlalchemy import Connection, event

from core.ai.protocol import Usage
from core.ai.spending import Quality, usage
from core.billing.revenue import Window
from core.errors import NotFound
from core.insights.ai_costs import ai_costs
from tests.insights.ledgers import SMALL, SOL, attempt, kept
from tests.people import Made

TODAY = datetime.now(UTC).date()
NOW = Window(TODAY - timedelta(days=1), TODAY)
DRAFT = Usage(input=60, cache_read=40, output=60, reasoning=40)
"""On the small model 6,000 + 400 + 50,000 nano-dollars; on the large one 200,000 and 770,000 to 1,300,000."""
DRAFT_COST = 6_000 + 400 + 50_000


@pytest.fixture
def month(ada: Made) -> Made:
    """A caption kept as it was, one repaired and edited, a post escalated and dismissed, and a call of unknown cost."""
    look = attempt(Usage(), model="omni-moderation-latest", purpose="moderation")
    kept(ada.scope, uuid4(), [attempt(DRAFT), look], became="unedited", characters=100, edited=0)
    kept(
        ada.scope,
        uuid4(),
        [attempt(DRAFT), attempt(Usage(input=200, output=100), purpose="repair")],
        became="edited",
        characters=300,
        edited=20,
        repaired=True,
    )
    kept(
        ada.scope,
        uuid4(),
        [attempt(DRAFT), attempt(DRAFT, model=SOL, purpose="escalation")],
        task="post",
        became="dismissed",
        repaired=True,
        escalated=True,
        failed=("too_long",),
    )
    kept(ada.scope, uuid4(), [attempt(None, outcome="timeout")], task="post")
    kept(ada.scope, uuid4(), [attempt(Usage(), outcome="skipped"), attempt(Usage(), outcome="over_budget")])
    return ada


def test_calls_tokens_and_money_in_all(month: Made) -> None:
    found = usage(month.scope, NOW).total
    assert (found.requests, found.calls) == (4, 6)
    assert (found.input, found.cache_read, found.cache_write) == (60 * 4 + 200, 40 * 4, 0)
    assert (found.output, found.reasoning) == (60 * 4 + 100, 40 * 4)
    large = 60 * 2_000 + 40 * 100 + 100 * 10_000
    assert found.cost == Decimal(3 * DRAFT_COST + 200 * 100 + 100 * 500 + large).scaleb(-9)
    assert (found.unknown, found.estimated) == (1, 0)


def test_the_same_by_part(month: Made) -> None:
    found = usage(month.scope, NOW)
    assert [(day, spent.calls) for day, spent in found.by_day] == [(TODAY, 6)]
    assert {task: (spent.requests, spent.calls) for task, spent in found.by_task} == {"caption": (2, 3), "post": (2, 3)}
    assert {model: spent.calls for (_, model), spent in found.by_model} == {SMALL: 5, SOL: 1}
    assert [(name, spent.calls) for name, spent in found.by_person] == [("Ada", 6)]
    for part in (found.by_day, found.by_task, found.by_model, found.by_person):
        assert sum(spent.cost for _, spent in part) == found.total.cost
    assert sum(cost for _, _, cost in found.daily) == found.total.cost
    assert found.unpriced == (("openai", SMALL, 1),)


def test_what_became_of_the_answers(month: Made) -> None:
    found = usage(month.scope, NOW)
    assert (found.quality.requests, found.quality.decided) == (5, 3)
    assert found.quality.of_decided(found.quality.unedited) == Fraction(1, 3)
    assert found.quality.of_requests(found.quality.escalated) == Fraction(1, 5)
    assert found.quality.of_requests(found.quality.repaired) == Fraction(2, 5)
    assert found.quality.of_requests(found.quality.failing) == Fraction(1, 5)
    assert found.quality.edited_per_hundred == Fraction(20 * 100, 400)
    by_task = dict(found.quality_by_task)
    assert (by_task["caption"].requests, by_task["caption"].unedited, by_task["post"].dismissed) == (3, 1, 1)
    assert dict(found.quality_by_tier)["caption", "small"].edited == 1
    assert dict(found.quality_by_person) == {"Ada": found.quality}


def test_nothing_is_a_share_of_nothing() -> None:
    empty = Quality()
    assert empty.of_decided(0) is None
    assert empty.of_requests(0) is None
    assert empty.edited_per_hundred is None


def test_a_saving_is_an_interval_over_what_is_known(month: Made) -> None:
    """Of the five, one timed out and one was never sent: neither has a baseline. One the larger model wrote itself."""
    (saved,) = usage(month.scope, NOW).saved
    assert (saved.saving.model, saved.saving.count, saved.measured) == (SOL, 3, ())
    drafted = (100 * 2_000 + 77 * 10_000, 100 * 2_000 + 130 * 10_000)
    repaired = (200 * 2_000 + 77 * 10_000, 200 * 2_000 + 130 * 10_000)
    its_own = 60 * 2_000 + 40 * 100 + 100 * 10_000
    assert saved.saving.low == drafted[0] + repaired[0] + its_own
    assert saved.saving.high == drafted[1] + repaired[1] + its_own
    spent = 3 * DRAFT_COST + 200 * 100 + 100 * 500 + 60 * 2_000 + 40 * 100 + 100 * 10_000
    assert saved.saving.spent == spent
    assert saved.saving.at_least == 1 - Fraction(spent, saved.saving.low)


def pair(made: Made, *, output: int, task: str = "caption", model: str = SOL) -> None:
    """A draft of 100 tokens both ways, 1.2 million nano-dollars on the large model, and what that wrote itself."""
    ours = [attempt(Usage(input=100, output=100)), attempt(Usage(), model="omni", purpose="moderation")]
    theirs = attempt(Usage(input=100, output=output), model=model, purpose="shadow")
    kept(made.scope, uuid4(), ours, shadow=[theirs], task=task)


def test_the_sample_is_shown_from_two_pairs_and_counts_from_thirty(ada: Made) -> None:
    for _ in range(29):
        pair(ada, output=200)
    found = usage(ada.scope, NOW)
    (measured,) = found.measured
    assert (measured.task, measured.cost.count, measured.cost.is_enough) == ("caption", 29, False)
    assert measured.cost.middle == measured.cost.low == Fraction(2_200_000, 1_200_000)
    assert measured.tokens is not None
    assert measured.tokens.middle == 2
    assert found.saved[0].measured == ()
    pair(ada, output=200)
    (saved,) = usage(ada.scope, NOW).saved
    assert saved.measured == ("caption",)
    assert (saved.saving.low, saved.saving.high) == (30 * 2_200_000, 30 * 2_200_000)
    assert saved.saving.spent == 30 * 60_000


def test_the_sample_of_a_task_says_nothing_of_another_or_another_model(ada: Made) -> None:
    for _ in range(30):
        pair(ada, output=200, task="post")
        pair(ada, output=200, task="story", model="gpt-4o")
    kept(ada.scope, uuid4(), [attempt(Usage(input=100, output=100))])
    found = usage(ada.scope, NOW)
    assert [one.task for one in found.measured] == ["post"]
    assert found.saved[0].measured == ("post",)
    same = 31 * (200_000 + 770_000)
    assert found.saved[0].saving.low == 30 * 2_200_000 + same


def test_the_sample_is_no_part_of_what_drafts_cost(ada: Made) -> None:
    pair(ada, output=200)
    found = usage(ada.scope, NOW)
    assert (found.total.calls, found.total.cost) == (1, Decimal("0.00006"))
    assert (found.shadow.calls, found.shadow.cost) == (1, Decimal("0.0022"))
    assert found.saved[0].saving.spent == 60_000


def test_days_outside_and_others_creators_are_not_seen(month: Made, bob: Made) -> None:
    assert usage(bob.scope, NOW).total.calls == 0
    before = Window(TODAY - timedelta(days=9), TODAY - timedelta(days=1))
    empty = usage(month.scope, before)
    assert (empty.total.calls, empty.by_day, empty.saved, empty.quality) == (0, (), (), Quality())


def test_the_questions_do_not_grow_with_the_rows(month: Made, database: Connection) -> None:
    def asked() -> int:
        seen: list[str] = []
        event.listen(database, "before_cursor_execute", lambda *about: seen.append(about[2]))
        usage(month.scope, NOW)
        return sum(one.startswith(("SELECT", "WITH")) for one in seen)

    few = asked()
    for _ in range(5):
        pair(month, output=5)
    assert asked() == few <= 12


def csv_of(made: Made, table: str) -> list[list[str]]:
    text = ai_costs(made.scope, table, NOW).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(text.removeprefix("\ufeff").splitlines()))


def test_each_table_can_be_taken_along(month: Made) -> None:
    heading, *rows = csv_of(month, "tasks")
    assert heading[:4] == ["task", "requests", "calls", "input"]
    told = {row[0]: dict(zip(heading, row, strict=True)) for row in rows}
    assert told["caption"]["cost"] == f"{Decimal(2 * DRAFT_COST + 200 * 100 + 100 * 500).scaleb(-9):f}"
    assert (told["post"]["unknown"], told["post"]["escalated"], told["post"]["dismissed"]) == ("1", "1", "1")
    assert csv_of(month, "days")[1][0] == TODAY.isoformat()
    assert [row[:2] for row in csv_of(month, "models")[1:]] == [["openai", SOL], ["openai", SMALL]]
    assert csv_of(month, "people")[1][0] == "Ada"


def test_a_name_that_a_spreadsheet_would_run_is_tamed(make_creator: Callable[..., Made]) -> None:
    eve = make_creator("=cmd|' /C calc'!A0")
    kept(eve.scope, uuid4(), [attempt(DRAFT)])
    assert csv_of(eve, "people")[1][0] == "'=cmd|' /C calc'!A0"


def test_a_table_that_there_is_not(ada: Made) -> None:
    with pytest.raises(NotFound):
        ai_costs(ada.scope, "secrets", NOW)
