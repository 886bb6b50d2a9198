"""Who is written to, and what for: the form that plans a campaign."""

from decimal import Decimal

import streamlit as st

from core.content.briefs import Tone, Voice
from core.content.platforms import PLATFORM_NAMES, Platform
from core.content.service import voice
from core.errors import BadInput, Refusal
from core.language import LANGUAGES
from core.messages.briefs import LONGEST_ABOUT, LONGEST_ITEM, LONGEST_LINK, MOST_DAYS, MessageBrief, Offer, Segment
from core.messages.kinds import OFFERING, PLATFORMS, PURCHASES, Kind, SegmentRule
from core.messages.service import plan_campaign, segment_size
from core.money import decimal_of, minor_units
from dashboard.messages.choosing import look_at
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.viewing import language
from dashboard.words import number, plain, t

_DAYS = {SegmentRule.NEW: 14, SegmentRule.LOYAL: 180, SegmentRule.LAPSED: 30}
"""What the form starts from; the person's own number counts."""


def form(looking: Viewer, *, is_first: bool) -> None:
    """Everything that a campaign needs to know. It folds away when there are campaigns to look at."""
    own = voice(looking.scope) or Voice()
    with st.expander(t("messages.plan"), expanded=is_first, icon=":material/edit_square:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            kind = _select("kind", list(Kind), Kind.GREETING)
            platform = st.selectbox(
                t("messages.platform"),
                list(PLATFORMS),
                key="messages_platform",
                format_func=PLATFORM_NAMES.__getitem__,
                width=180,
            )
        _segment(looking, Platform(platform))
        if Kind(kind) in OFFERING or st.toggle(t("messages.with_offer"), key="messages_with_offer"):
            _offer(looking)
        with st.container(horizontal=True):
            _control("tone", list(Tone), own.tone)
            st.segmented_control(
                t("messages.language"),
                list(LANGUAGES),
                default=own.languages[0] if own.languages else looking.language,
                required=True,
                key="messages_language",
                format_func=LANGUAGES.__getitem__,
            )
        st.text_area(
            t("messages.about"), key="messages_about", max_chars=LONGEST_ABOUT, help=t("messages.about_help"), height=80
        )
        st.button(t("messages.write"), key="messages_write", type="primary", on_click=_plan, icon=":material/draw:")
        st.caption(t("messages.what_leaves"))


def _segment(looking: Viewer, platform: Platform) -> None:
    """The rule, its threshold, and how many fans it finds now."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rule = SegmentRule(_select("rule", list(SegmentRule), SegmentRule.ALL))
        if rule in _DAYS:
            start = _DAYS[rule]
            st.number_input(t(f"messages.days_{rule}"), 1, MOST_DAYS, start, key=f"messages_days_{rule}", width=180)
        if rule is SegmentRule.BIG_SPENDER:
            st.text_input(t("messages.at_least", currency=looking.currency), "100", key="messages_least", width=180)
        if rule is SegmentRule.BOUGHT:
            _select("bought", [*PURCHASES, "tip"], "message")
    try:
        found = segment_size(looking.scope, platform, _asked_segment(looking))
    except Refusal as refusal:
        st.caption(plain(refusal.sentence(language())))
    else:
        st.caption(t("messages.fit", count=found, shown=number(found)))


def _offer(looking: Viewer) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(t("messages.item"), key="messages_item", max_chars=LONGEST_ITEM, help=t("messages.item_help"))
        st.text_input(t("messages.price", currency=looking.currency), key="messages_price", width=140)
        st.text_input(t("messages.link"), key="messages_link", max_chars=LONGEST_LINK)


def _select(name: str, options: list[str], usual: str) -> str:
    labels = {one: t(f"messages.{name}_{one}") for one in options}
    chosen: str = st.selectbox(
        t(f"messages.{name}"),
        options,
        index=options.index(usual),
        key=f"messages_{name}",
        format_func=labels.__getitem__,
        width=240,
    )
    return chosen


def _control(name: str, options: list[Tone], usual: Tone) -> None:
    labels = {one: t(f"content.{name}_{one}") for one in options}
    st.segmented_control(
        t(f"messages.{name}"),
        options,
        default=usual,
        required=True,
        key=f"messages_{name}",
        format_func=labels.__getitem__,
    )


def _asked_segment(looking: Viewer) -> Segment:
    state = st.session_state
    rule = SegmentRule(state["messages_rule"])
    least = _minor(str(state.get("messages_least") or "0"), looking.currency) or 0
    return Segment(
        rule,
        int(state.get(f"messages_days_{rule}") or 30),
        least if rule is SegmentRule.BIG_SPENDER else 0,
        looking.currency,
        str(state.get("messages_bought") or "message"),
    )


def _minor(typed: str, currency: str) -> int | None:
    """An amount as it was typed, in minor units; None for none. Raises BadInput."""
    if not typed.strip():
        return None
    try:
        exact: Decimal = decimal_of(typed.strip().replace(",", "."))
        return minor_units(exact, currency)
    except (ValueError, ArithmeticError):
        raise BadInput("messages.bad_price") from None


@refusals_shown()
def _plan() -> None:
    looking, state = viewer(), st.session_state
    offer = Offer(
        str(state.get("messages_item") or ""),
        _minor(str(state.get("messages_price") or ""), looking.currency),
        looking.currency,
        str(state.get("messages_link") or ""),
    )
    is_offering = Kind(state["messages_kind"]) in OFFERING or state.get("messages_with_offer")
    wish = MessageBrief.of(
        kind=state["messages_kind"],
        segment=_asked_segment(looking),
        tone=str(state["messages_tone"]),
        language=str(state["messages_language"]),
        platform=str(state["messages_platform"]),
        offer=offer if is_offering else Offer(currency=looking.currency),
        about=str(state["messages_about"] or ""),
    )
    look_at(plan_campaign(looking.scope, wish))
    flash(t("messages.planned"))
