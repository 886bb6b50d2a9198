"""A changed list is tried on the texts that are there, and nothing is saved by it."""

from itertools import count

from core.access import Scope
from core.content.assets import AssetText, save_asset
from core.content.house_rules import own_list, save_list
from core.content.kinds import AssetType
from core.content.own_lists import OwnList, OwnTerm
from core.content.platforms import Platform
from core.content.reviewing import reviews
from core.insights.list_trial import try_list
from tests.people import Made


def keep(scope: Scope, *bodies: str) -> None:
    for body in bodies:
        save_asset(
            scope,
            AssetText.of(title="", body=body),
            type=AssetType.POST,
            platform=Platform.ONLYFANS,
            language="en",
        )


def test_what_a_list_would_find_more_and_less(ada: Made, bob: Made) -> None:
    keep(bob.scope, "a zorpling of somebody else")
    assert try_list(ada.scope, OwnList()).tried == 0
    keep(ada.scope, "a z0rpling", "a blimmer", "by paypal", "the sea")
    save_list(ada.scope, OwnList.of([OwnTerm(term="blimmer")], ()), version=0)
    trial = try_list(ada.scope, OwnList.of([OwnTerm(term="zorpling")], ("by paypal",)))
    assert (trial.total, trial.tried, trial.before, trial.after) == (4, 4, 2, 1)
    assert (trial.gained, trial.lost, trial.rate) == (1, 2, 0.25)
    assert [one.body for one in trial.examples_gained] == ["a z0rpling"]
    assert {one.body for one in trial.examples_lost} == {"by paypal", "a blimmer"}
    assert trial.examples_gained[0].findings[0].category == "house"
    assert own_list(ada.scope)[1] == 1


def test_what_there_was_no_time_for_is_said(scope: Scope) -> None:
    keep(scope, "one", "two", "three")
    clock = count()
    trial = try_list(scope, OwnList(), seconds=2, clock=lambda: float(next(clock)))
    assert (trial.total, trial.tried) == (3, 2)


def test_a_kept_text_that_warns_waits_for_a_person(scope: Scope) -> None:
    keep(scope, "I want to die", "the sea")
    (waiting,) = reviews(scope).reviews
    assert (waiting.body, waiting.subject) == ("I want to die", "asset")
