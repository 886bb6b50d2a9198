"""Texts with blanks: kept, filled whole or not at all, held against the rules, and counted once a use."""

from uuid import UUID, uuid4

import pytest

from core.content.platforms import Platform
from core.errors import BadInput, ContentBlocked, NotFound
from core.messages import quick_replies
from core.messages.blanks import KNOWN, MOST_BLANKS, blanks, filled
from core.messages.quick_replies import (
    LONGEST_BODY,
    ReplyView,
    Wording,
    add_reply,
    archive_reply,
    change_reply,
    replies,
    restore_reply,
    use_reply,
)
from tests.people import Made

THANKS = "Thank you {fan_name}, the set is out on {day}. {fan_name}, enjoy!"


def kept(made: Made, body: str = THANKS, **more: str) -> UUID:
    return add_reply(made.scope, Wording.of(title="Thanks", body=body, language="en", **more))


def seen(made: Made) -> ReplyView:
    (one,) = replies(made.scope)
    return one


def test_blanks_are_found_once_each_in_their_order() -> None:
    assert blanks(THANKS) == ("fan_name", "day")
    assert blanks("no blank") == ()
    assert blanks(" ".join(f"{{{name}}}" for name in KNOWN)) == KNOWN


@pytest.mark.parametrize("body", ["{Fan}", "{fan name}", "{}", "{a", "a}", "{{a}}", "{1a}", "{a}}", "{é}", "{a|b}"])
def test_a_brace_that_is_no_blank_is_refused(body: str) -> None:
    with pytest.raises(BadInput) as refused:
        Wording.of(title="", body=body, language="en")
    assert refused.value.code == "quick_replies.bad_blank"


def test_not_without_end() -> None:
    with pytest.raises(BadInput):
        blanks(" ".join(f"{{b{n}}}" for n in range(MOST_BLANKS + 1)))


def test_every_blank_is_filled_everywhere() -> None:
    assert (
        filled(THANKS, {"fan_name": " Sam ", "day": "Friday"}) == "Thank you Sam, the set is out on Friday. Sam, enjoy!"
    )


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({}, "fan_name, day"),
        ({"fan_name": "Sam"}, "day"),
        ({"fan_name": "   ", "day": "Friday"}, "fan_name"),
        ({"fan_name": "{day}", "day": "Friday"}, "fan_name"),
    ],
)
def test_half_filled_it_is_refused_by_the_names_that_miss(values: dict[str, str], missing: str) -> None:
    with pytest.raises(BadInput) as refused:
        filled(THANKS, values)
    assert (refused.value.code, refused.value.facts["missing"]) == ("quick_replies.half_filled", missing)


def test_what_is_not_asked_for_is_not_used() -> None:
    assert filled("Hello {fan_name}", {"fan_name": r"\1 $x", "more": "no"}) == r"Hello \1 $x"


def test_using_one_counts_once(ada: Made) -> None:
    reply_id = kept(ada)
    assert (seen(ada).uses, seen(ada).used_at) == (0, None)
    ready = use_reply(ada.scope, reply_id, {"fan_name": "Sam", "day": "Friday"})
    assert ready.text.startswith("Thank you Sam")
    assert ready.findings == ()
    assert seen(ada).uses == 1
    assert seen(ada).used_at is not None
    use_reply(ada.scope, reply_id, {"fan_name": "Kim", "day": "Monday"})
    assert seen(ada).uses == 2


def test_what_is_refused_does_not_count(ada: Made) -> None:
    reply_id = kept(ada)
    with pytest.raises(BadInput):
        use_reply(ada.scope, reply_id, {"fan_name": "Sam"})
    assert seen(ada).uses == 0


def test_the_filled_text_is_held_against_the_rules(ada: Made) -> None:
    """The text alone breaks none: what is filled in does."""
    reply_id = kept(ada, "Pay with {how}")
    ready = use_reply(ada.scope, reply_id, {"how": "PayPal"}, Platform.ONLYFANS)
    assert [finding.action for finding in ready.findings] == ["restrict"]
    with pytest.raises(ContentBlocked):
        use_reply(ada.scope, reply_id, {"how": "an escort service"}, Platform.ONLYFANS)
    assert seen(ada).uses == 1


def test_what_no_platform_allows_is_not_kept(ada: Made) -> None:
    with pytest.raises(ContentBlocked):
        kept(ada, "I offer escort services")
    reply_id = kept(ada, "Hello")
    with pytest.raises(ContentBlocked):
        change_reply(ada.scope, reply_id, Wording.of(title="", body="I offer escort services", language="en"))
    assert seen(ada).body == "Hello"


def test_it_is_put_away_and_brought_back(ada: Made) -> None:
    reply_id = kept(ada, "Hello")
    archive_reply(ada.scope, reply_id)
    assert seen(ada).archived_at is not None
    with pytest.raises(NotFound):
        use_reply(ada.scope, reply_id, {})
    restore_reply(ada.scope, reply_id)
    assert use_reply(ada.scope, reply_id, {}).text == "Hello"


def test_it_is_worded_anew_and_keeps_its_uses(ada: Made) -> None:
    reply_id = kept(ada, "Hello")
    use_reply(ada.scope, reply_id, {})
    change_reply(
        ada.scope, reply_id, Wording.of(title=" Hi ", body="Hi {fan_name}", category="Greeting", language="fr")
    )
    now = seen(ada)
    assert (now.title, now.body, now.category, now.language, now.uses) == ("Hi", "Hi {fan_name}", "Greeting", "fr", 1)
    assert now.blanks == ("fan_name",)


def test_the_most_used_come_first_and_those_put_away_last(ada: Made) -> None:
    rare, often, gone = (kept(ada, body) for body in ("rare", "often", "gone"))
    use_reply(ada.scope, often, {})
    for _ in range(2):
        use_reply(ada.scope, gone, {})
    archive_reply(ada.scope, gone)
    assert [one.id for one in replies(ada.scope)] == [often, rare, gone]


def test_another_creators_is_as_one_that_never_was(ada: Made, bob: Made) -> None:
    reply_id = kept(ada, "Hello")
    assert replies(bob.scope) == ()
    for one in (reply_id, uuid4()):
        for deed in (archive_reply, restore_reply):
            with pytest.raises(NotFound):
                deed(bob.scope, one)
        with pytest.raises(NotFound):
            use_reply(bob.scope, one, {})
        with pytest.raises(NotFound):
            change_reply(bob.scope, one, Wording.of(title="", body="x", language="en"))


@pytest.mark.parametrize(
    "given",
    [
        {"body": "  "},
        {"body": "x" * (LONGEST_BODY + 1)},
        {"body": "x", "title": "t" * 81},
        {"body": "x", "category": "c" * 41},
        {"body": "x", "language": "xx"},
        {"body": "a\x00b"},
    ],
)
def test_what_cannot_be_kept_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        Wording.of(**{"title": "", "language": "en", **given})


def test_without_a_title_it_has_its_first_words() -> None:
    assert Wording.of(title="", body="word " * 40, language="en").title == ("word " * 16).strip()


def test_there_is_an_end_to_them(ada: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_replies, "MOST", 2)
    kept(ada, "one")
    kept(ada, "two")
    with pytest.raises(BadInput):
        kept(ada, "three")
