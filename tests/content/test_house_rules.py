"""A workspace adds to the rules, version by version, and takes nothing away from what is forbidden everywhere."""

from uuid import uuid4

import pytest

from core.access import Scope
from core.content.assets import AssetText, save_asset
from core.content.house_rules import (
    changed,
    current_rules,
    list_versions,
    make_current_again,
    own_list,
    save_list,
)
from core.content.kinds import AssetType
from core.content.moderation import Action, shipped_lists, shipped_rules
from core.content.own_lists import HOUSE, LONGEST_TERM, OwnList, OwnTerm, own_categories, with_own
from core.content.platforms import Platform
from core.errors import BadInput, Conflict, ContentBlocked, NotFound, sentences
from core.language import LANGUAGES
from tests.people import Made

STOP = OwnTerm(term="zorpling", action=Action.BLOCK)
WARN = OwnTerm(term="quick blimmer", category="rival_platforms", platforms=(Platform.X,))


def of(*terms: OwnTerm, allowed: tuple[str, ...] = ()) -> OwnList:
    return OwnList.of(terms, allowed)


def refused(*terms: OwnTerm, allowed: tuple[str, ...] = ()) -> str:
    with pytest.raises(BadInput) as stopped:
        of(*terms, allowed=allowed)
    return stopped.value.code


def found(own: OwnList, text: str, platform: Platform | None = Platform.X) -> list[tuple[str, str]]:
    return [(one.category, one.action) for one in with_own(own, 3).moderate(text, platform)]


def test_own_terms_block_or_warn_where_they_are_meant_to() -> None:
    own = of(STOP, WARN)
    assert found(own, "my z0rpling", None) == [(HOUSE, "block")]
    assert found(own, "a quick-blimmer") == [("rival_platforms", "restrict")]
    assert found(own, "a quick-blimmer", Platform.FANSLY) == []
    assert found(of(), "my zorpling, a quick blimmer") == []


def test_a_finding_of_the_own_list_says_so() -> None:
    (finding,) = with_own(of(STOP), 3).moderate("oh zorpling", Platform.X)
    assert (finding.version, finding.is_own, finding.code) == ("own.3", True, "moderation.own_block")
    assert finding.platform is None
    (shipped,) = with_own(of(STOP), 3).moderate("oh incest", Platform.X)
    assert (shipped.version, shipped.is_own) == (shipped_rules().version, False)
    assert with_own(of(STOP), 3).version == f"{shipped_rules().version}+own.3"


def test_an_own_block_counts_where_the_product_only_warns() -> None:
    own = of(OwnTerm(term="paypal", category="off_platform_payment", action=Action.BLOCK))
    assert found(own, "by paypal", Platform.ONLYFANS) == [("off_platform_payment", "block")]


def test_an_allowed_phrase_frees_warnings_and_own_terms() -> None:
    own = of(STOP, allowed=("paypal receipt", "zorpling park"))
    assert found(own, "the paypal receipt of the zorpling park", Platform.ONLYFANS) == []
    assert found(own, "paypal and a zorpling", Platform.ONLYFANS) == [
        ("off_platform_payment", "restrict"),
        (HOUSE, "block"),
    ]


def test_no_allowed_phrase_frees_what_is_forbidden_everywhere() -> None:
    for category in shipped_lists().category:
        if category.action is Action.BLOCK:
            terms = [term for term in category.terms if shipped_rules().moderate(term, None)]
            assert terms
            for term in terms:
                allowed = of(allowed=(term, f"the {term} of")) if len(term) <= LONGEST_TERM - 8 else of()
                names = [one.category for one in with_own(allowed, 1).moderate(f"the {term} of", None)]
                assert category.name in names


def test_no_own_list_makes_a_warning_of_a_block() -> None:
    own = of(OwnTerm(term="incest", category="incest", action=Action.RESTRICT))
    assert found(own, "incest") == [("incest", "block")]


def test_what_is_written_is_tidied() -> None:
    own = of(OwnTerm(term="  Quick   Flurb "), OwnTerm(term="quick flurb", action=Action.BLOCK), OwnTerm(term=" "))
    assert [(one.term, one.action) for one in own.terms] == [("quick flurb", Action.BLOCK)]


@pytest.mark.parametrize("term", ["x", "!!", "a" * 61, "x\x00y"])
def test_what_cannot_be_a_term_is_refused(term: str) -> None:
    assert refused(OwnTerm(term=term)) == refused(allowed=(term,)) == "moderation.bad_term"


def test_a_category_that_is_none_is_refused_and_a_list_has_an_end() -> None:
    assert refused(OwnTerm(term="zorp", category="weather")) == "moderation.unknown_category"
    assert refused(*(OwnTerm(term=f"zorp {number}") for number in range(501))) == "moderation.too_many_terms"
    assert own_categories()[0] == HOUSE
    assert set(own_categories()[1:]) == set(shipped_rules().categories)


def test_each_change_is_a_version_and_an_earlier_one_comes_back(scope: Scope) -> None:
    assert own_list(scope) == (OwnList(), 0)
    assert save_list(scope, of(STOP), version=0, note="  first  one ") == 1
    assert save_list(scope, of(STOP), version=1) == 1
    assert save_list(scope, of(WARN), version=1) == 2
    assert make_current_again(scope, 1, version=2, note="back") == 3
    assert own_list(scope) == (of(STOP), 3)
    latest, middle, first = list_versions(scope)
    assert [one.version for one in (latest, middle, first)] == [3, 2, 1]
    assert (first.note, first.added, first.removed) == ("first one", ("zorpling · house · block",), ())
    assert middle.removed == latest.added == first.added
    assert middle.added == latest.removed == ("quick blimmer · rival_platforms · restrict · x",)
    assert changed(of(), of(allowed=("a phrase",))) == (("≠ a phrase",), ())


def test_two_who_change_it_at_once_do_not_undo_each_other(scope: Scope) -> None:
    save_list(scope, of(STOP), version=0)
    with pytest.raises(Conflict):
        save_list(scope, of(WARN), version=0)
    with pytest.raises(Conflict):
        make_current_again(scope, 1, version=0)
    with pytest.raises(NotFound):
        make_current_again(scope, 7, version=1)
    with pytest.raises(BadInput):
        save_list(scope, of(WARN), version=1, note="x" * 201)


def test_the_rules_of_one_creator_are_nobody_elses(ada: Made, bob: Made) -> None:
    save_list(ada.scope, of(STOP), version=0)
    assert current_rules(ada.scope).moderate("zorpling", None)
    assert not current_rules(bob.scope).moderate("zorpling", None)


def test_a_text_is_held_against_the_own_list_when_it_is_saved(scope: Scope) -> None:
    save_list(scope, of(STOP, WARN), version=0)
    kept = save_asset(
        scope,
        AssetText.of(title="", body=f"a quick blimmer {uuid4()}"),
        type=AssetType.POST,
        platform=Platform.X,
        language="en",
    )
    assert kept.warnings == 1
    with pytest.raises(ContentBlocked) as stopped:
        save_asset(
            scope, AssetText.of(title="", body="zorpling"), type=AssetType.POST, platform=Platform.X, language="en"
        )
    assert stopped.value.code == "moderation.own_block"
    for language in LANGUAGES:
        assert "zorpling" in sentences().text(language, stopped.value.code, **stopped.value.facts)
