"""A text under a person's hands: its length where it is meant to go, and the rules that it breaks."""

import streamlit as st

from core.content.house_rules import current_rules
from core.content.moderation import Action, Rules, blocking
from core.content.platforms import PLATFORM_NAMES, Platform, measure
from core.content.service import finding_facts
from core.errors import sentences
from dashboard.session import viewer
from dashboard.viewing import language
from dashboard.words import number, plain, t

_SAID_LIVE = frozenset({"too_long", "too_many_hashtags", "restricted"})


def editor(key: str, text: str, platform: Platform, rules: Rules | None = None) -> str:
    """An area to edit a text in, with its length and its findings below. Returns the text as it stands.

    `rules` are the workspace's, where they are known already.
    """
    now = (
        st.text_area(
            t("content.text"), text, key=key, height="content", help=t("content.text_help"), persist_state="page"
        )
        or ""
    )
    length(now, platform)
    findings(now, platform, rules)
    return now


def failures(failed: tuple[str, ...]) -> None:
    """The checks that a text fails, in words. What its length and its rules say already is left to them."""
    for name in failed:
        if name not in _SAID_LIVE:
            st.warning(t(f"content.check_{name}"), icon=":material/rule:")


def length(text: str, platform: Platform) -> None:
    """How long a text is in the platform's own unit, and by how much too long."""
    now = measure(text, platform)
    facts = {"length": number(now.length), "unit": t(f"content.unit_{now.unit}"), "platform": PLATFORM_NAMES[platform]}
    if now.most is None:
        st.caption(t("content.length_free", **facts))
    elif now.length <= now.most:
        st.caption(t("content.length_of", most=number(now.most), **facts))
    else:
        over = number(now.length - now.most)
        st.warning(t("content.too_long", over=over, most=number(now.most), **facts), icon=":material/straighten:")
    if now.most_hashtags is not None and now.hashtags > now.most_hashtags:
        st.warning(
            t("content.too_many_hashtags", count=now.most_hashtags, platform=PLATFORM_NAMES[platform]),
            icon=":material/tag:",
        )


def findings(text: str, platform: Platform, rules: Rules | None = None) -> None:
    """Each broken rule as its sentence: what nobody may write as an error, what the platform forbids as a warning."""
    for finding in (rules or current_rules(viewer().scope)).moderate(text, platform):
        sentence = sentences().text(language(), finding.code, **finding_facts(finding, platform))
        if finding.action is Action.BLOCK:
            st.error(plain(sentence), icon=":material/block:")
        else:
            st.warning(plain(sentence), icon=":material/gavel:")


def is_fit_to_keep(text: str, platform: Platform, rules: Rules | None = None) -> bool:
    """Whether a text can be saved: there is one, and it breaks no rule of all platforms."""
    return bool(text.strip()) and blocking((rules or current_rules(viewer().scope)).moderate(text, platform)) is None


def shown(text: str) -> None:
    """A text letter for letter, line by line."""
    st.markdown(plain(text).replace("\n", "  \n"))


def listed(tags: str) -> tuple[str, ...]:
    """Tags as they are typed: between commas."""
    return tuple(tags.split(","))
