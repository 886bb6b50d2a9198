"""A finding names what was found, where, and which rule it breaks; a word inside a word is none.

For what must never be written the tests use stand-ins of their own; the shipped lists are looked at by their labels.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.content.folding import fold
from core.content.moderation import (
    NEARBY,
    Action,
    Finding,
    RuleList,
    Rules,
    blocking,
    shipped_lists,
    shipped_rules,
)
from core.content.platforms import Platform
from core.errors import sentences
from core.language import LANGUAGES

STAND_INS = Rules(
    RuleList.model_validate(
        {
            "version": "test.1",
            "groups": {"adult": ["velvet"]},
            "category": [
                {
                    "name": "minors",
                    "action": "block",
                    "terms": ["zorp"],
                    "near": ["blim", "tall blim"],
                    "patterns": [r"\b[1-9]\W?flurs\b"],
                },
                {
                    "name": "rival_platforms",
                    "action": "restrict",
                    "platforms": ["onlyfans"],
                    "terms": ["OnlyFans", "Quux pay"],
                    "links": True,
                    "allowed": ["quux pay day"],
                },
                {"name": "sexual_text", "action": "restrict", "platforms": ["instagram"], "of_group": "adult"},
            ],
        }
    )
)


def found(text: str, platform: Platform | None = Platform.ONLYFANS) -> list[tuple[str, str]]:
    return [(one.category, one.found) for one in STAND_INS.moderate(text, platform)]


@pytest.mark.parametrize(
    "trick",
    [
        "zorp",
        "ZORP",
        "ｚｏｒｐ",
        "𝐳𝐨𝐫𝐩",
        "zo\u200brp",
        "z\u00ado\u00adrp",
        "zörp",
        "zo\u0308rp",
        "zorps",
        "zorp!",
        "_a_ zorp",
    ],
)
def test_the_same_word_however_it_is_dressed(trick: str) -> None:
    ((category, piece),) = found(f"this is {trick} here")
    assert category == "minors"
    assert piece in trick


@pytest.mark.parametrize("innocent", ["zorpington", "bezorp", "z o r p e d o", ""])
def test_a_word_within_a_word_is_no_finding(innocent: str) -> None:
    assert found(innocent) == []


def test_a_finding_says_all_that_there_is_to_know() -> None:
    text = "Pay me by Quux-Pay please"
    assert STAND_INS.moderate(text, Platform.ONLYFANS) == (
        Finding("rival_platforms", Action.RESTRICT, "quux-pay", "Quux-Pay", 10, 18, Platform.ONLYFANS, "test.1"),
    )


def test_some_terms_count_only_near_others() -> None:
    assert found("the blim came home") == []
    assert found("the blim in velvet") == [("minors", "blim")]
    assert found("the tall blim in velvet") == [("minors", "tall blim")]
    assert found("5 flurs, velvet") == [("minors", "5 flurs")]
    assert found("blim" + " " * NEARBY + "velvet") == [("minors", "blim")]
    assert found("blim" + " " * (NEARBY + 1) + "velvet") == []


def test_a_block_holds_everywhere_and_a_restriction_where_it_is_made() -> None:
    for platform in (*Platform, None):
        assert ("minors", "zorp") in found("zorp", platform)
    assert found("quux pay", Platform.ONLYFANS)
    for platform in (Platform.TIKTOK, None):
        assert found("quux pay", platform) == []


def test_home_is_no_rival_and_an_allowed_phrase_no_offence() -> None:
    assert found("on OnlyFans: https://onlyfans.com/ada") == []
    assert found("see https://example.com") == [("rival_platforms", "https://example.com")]
    assert found("it is quux pay day") == []
    assert found("it is quux pay day, use quux pay") == [("rival_platforms", "quux pay")]


def test_adult_words_are_a_rule_of_some_platforms_only() -> None:
    assert found("velvet", Platform.INSTAGRAM) == [("sexual_text", "velvet")]
    assert found("velvet", Platform.ONLYFANS) == []


def test_the_first_block_is_the_one_that_counts() -> None:
    findings = STAND_INS.moderate("quux pay, then zorp", Platform.ONLYFANS)
    stopped = blocking(findings)
    assert stopped is not None
    assert stopped.found == "zorp"
    assert blocking(findings[:1]) is None


@given(st.text(max_size=200))
def test_findings_point_into_the_text(text: str) -> None:
    for one in STAND_INS.moderate(f"{text} zorp {text}", Platform.ONLYFANS):
        assert f"{text} zorp {text}"[one.start : one.end] == one.found


@given(st.text(max_size=200))
def test_folding_is_stable_and_keeps_places(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.origins)
    assert list(folded.origins) == sorted(folded.origins)
    assert all(0 <= origin < len(text) for origin in folded.origins)


def test_the_shipped_lists_hold_every_rule_of_the_platforms() -> None:
    blocks = {"minors", "incest", "non_consent", "intoxication", "animals", "meeting", "violence"}
    restricted = {"off_platform_payment", "rival_platforms", "weapons_drugs", "bodily_waste", "sexual_text"}
    restricted |= {"self_harm", "hate", "personal_data"}
    assert set(shipped_rules().categories) == blocks | restricted
    for language in LANGUAGES:
        for category in blocks | restricted:
            assert "{found}" in sentences().forms(language, f"moderation.{category}")[0]


@pytest.mark.parametrize(
    ("text", "platform", "category"),
    [
        ("Send it by Cash App, babe", Platform.ONLYFANS, "off_platform_payment"),
        ("payable par virement", Platform.FANSLY, "off_platform_payment"),
        ("more on my Telegram", Platform.ONLYFANS, "rival_platforms"),
        ("see you on OnlyFans", Platform.FANSLY, "rival_platforms"),
        ("I am in town, book me tonight", Platform.X, "meeting"),
        ("rencontre tarifée ce soir", Platform.TIKTOK, "meeting"),
        ("under hypnosis", Platform.ONLYFANS, "intoxication"),
        ("my new lingerie", Platform.INSTAGRAM, "sexual_text"),
    ],
)
def test_what_the_shipped_lists_find(text: str, platform: Platform, category: str) -> None:
    assert [one.category for one in shipped_rules().moderate(text, platform)] == [category]


@pytest.mark.parametrize(
    "text",
    [
        "New set in red lingerie tonight, only here, tell me what you would like to see",
        "My therapist from Essex says I should rest, so a lazy Sunday in bed it is",
        "Thank you all for 500 subscribers! A special video is coming on Friday",
        "Nouvelle série photo ce soir, très coquine, dites-moi ce que vous en pensez",
        "Behind the scenes of my shoot at the old high school gym, all arts and crafts",
        "Ten years old whisky, a good book and me",
        "J'ai 25 ans aujourd'hui, lingerie et champagne !",
        "Toujours aussi sexy, sur scène depuis 10 ans déjà, il y a 10 ans je commençais",
        "Cooking with my kids' grandmother was the best part of the week",
        "I will escape to the mountains, minor delay on the train, see you soon",
    ],
)
def test_what_an_ordinary_creator_writes_is_left_alone(text: str) -> None:
    assert shipped_rules().moderate(text, Platform.ONLYFANS) == ()


LONG = Rules(
    RuleList.model_validate(
        {
            "version": "test.2",
            "groups": {"adult": ["velvet"]},
            "category": [
                {"name": "minors", "action": "block", "terms": ["zorpling", "quick flurbing"], "near": ["blimmer"]},
            ],
        }
    )
)


@pytest.mark.parametrize(
    "trick",
    [
        "z0rpl1ng",
        "z0rp|ing",
        "zorp!ing",
        "zorplіng",
        "ζοrpling",
        "ⓩⓞⓡⓟⓛⓘⓝⓖ",
        "🇿🇴🇷🇵🇱🇮🇳🇬",
        "ᴢᴏʀᴘʟɪɴɢ",
        "z o r p l i n g",
        "z.o.r.p.l.i.n.g",
        "z-o-r-p-l-i-n-g",
        "zorp-ling",
        "zorp🔥ling",
        "z_o_r_p_l_i_n_g",
        "zzoorrpplliinngg",
        "zorpliiiiing",
        "zorpl*ng",
        "z**pling",
        "gnilproz",
        "zrpling",
        "zrplng",
        "zorlping",
        "i s a y z o r p l i n g",
        "zorp ling",
        "zo rpling",
        "zorpling99",
        "my_zorpling_now",
        "hello.zorpling",
        "#MyZorpling",
        "[z][o][r][p][l][i][n][g]",
        "z 0 r p l 1 n g",
        "zorpplynng",
        "quick flurb1ng",
        "quic kflurbing",
        "quick flrubing",
        "qu!ck fl*rbing",
        "gnibrulf kciuq",
    ],
)
def test_a_long_word_however_it_is_disguised(trick: str) -> None:
    text = f"this is {trick} here"
    (finding,) = LONG.moderate(text, None)
    assert finding.category == "minors"
    assert finding.found
    assert text[finding.start : finding.end] == finding.found
    assert finding.start >= len("this is ")
    assert finding.end <= len(text) - len(" here")


@pytest.mark.parametrize("close", ["blimmer", "bl1mmer", "bl*mmer", "blimemr"])
def test_a_disguise_needs_the_group_where_the_word_does(close: str) -> None:
    assert LONG.moderate(f"a {close} here", None) == ()
    assert [one.category for one in LONG.moderate(f"a {close} in velvet", None)] == ["minors"]


@pytest.mark.parametrize(
    "innocent",
    [
        "zorplin",
        "orpling",
        "z*****ng of",
        "zorplingo",
        "quick flurb",
        "1 2 3 4 5",
        "10 000",
        "ζήτω",
        "привет",
    ],
)
def test_what_is_only_alike_is_no_finding(innocent: str) -> None:
    assert LONG.moderate(f"this is {innocent} here", None) == ()


@given(st.text())
def test_every_text_can_be_searched_and_findings_lie_within_it(text: str) -> None:
    for finding in shipped_rules().moderate(text, None):
        assert 0 <= finding.start < finding.end <= len(text)
        assert text[finding.start : finding.end] == finding.found


def test_no_common_word_is_blocked_by_itself() -> None:
    from bench.moderation import _common_words

    words = _common_words()[::7]
    blocked = [
        word for word in words if any(one.action is Action.BLOCK for one in shipped_rules().moderate(word, None))
    ]
    assert len(words) > 4_000
    assert blocked == []


def actions(text: str, platform: Platform | None = None) -> list[tuple[str, str]]:
    return [(one.category, one.action) for one in shipped_rules().moderate(text, platform)]


@pytest.mark.parametrize(
    ("about", "meant"),
    [
        ("The court heard an incest case", "sexy incest tonight, says the court"),
        ("Hypnosis helped me with my fear of flying", "hypnosis, no fear, all naked"),
        ("The police found the escort car and an escort", "escort tonight"),
        ("A museum of decapitation", "decapitation, naked, in the museum"),
        ("The police speak of incest", "The police speak of 1ncest"),
    ],
)
def test_to_speak_about_a_subject_is_a_warning_and_to_sell_it_a_block(about: str, meant: str) -> None:
    assert {action for _, action in actions(about)} == {"restrict"}
    assert "block" in {action for _, action in actions(meant)}


def test_nothing_eases_what_is_about_minors() -> None:
    lists = shipped_lists()
    assert not next(one for one in lists.category if one.name == "minors").talked_about


@pytest.mark.parametrize(
    "text",
    [
        "Nude art: no one under 18 may subscribe",
        "NSFW, minors do not interact",
        "Contenu érotique interdit aux mineurs",
        "Porn for adults, not for children",
    ],
)
def test_to_keep_minors_out_is_no_offence(text: str) -> None:
    assert actions(text) == []


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("write to ada@example.com", "personal_data"),
        ("ring +33 6 12 34 56 78", "personal_data"),
        ("ring 06 12 34 56 78 tonight", "personal_data"),
        ("I want to die", "self_harm"),
    ],
)
def test_some_warnings_hold_everywhere(text: str, category: str) -> None:
    for platform in (None, *Platform):
        assert actions(text, platform) == [(category, "restrict")]
    assert actions("On 2026-11-22 at 10:30 I had 100 000 views and 5 000 likes") == []
