"""What the rules find in a text, the texts that wait for a person, and the tab with the lists."""

from uuid import UUID

import streamlit as st

from core.access import Permission
from core.content.kinds import ReviewStatus
from core.content.moderation import Finding
from core.content.platforms import PLATFORM_NAMES, Platform
from core.content.reviewing import (
    LONGEST_CHECKED,
    LONGEST_REASON,
    PAGE,
    ReviewView,
    ask_review,
    check_text,
    decide,
    reopen,
    reviews,
    said,
)
from dashboard import moderation_lists
from dashboard.components.figures import nothing_yet
from dashboard.components.writing import shown
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.viewing import language
from dashboard.words import moment, number, plain, t

_CHECKED, _PAGE = "moderation_checked", "moderation_page"
_HIDDEN = "minors"
"""Texts with such a finding are shown to nobody who has not asked for them."""


def rules_and_review(looking: Viewer) -> None:
    """The page's three tabs."""
    waiting = reviews(looking.scope, page=st.session_state.get(_PAGE, 1) - 1)
    check, queue, lists = st.tabs(
        [t("moderation.check"), t("moderation.queue", number=number(waiting.total)), t("moderation.lists")]
    )
    with check:
        _check(looking)
    with queue:
        _queue(looking, waiting.reviews, waiting.total)
    with lists:
        moderation_lists.lists(looking)


def findings_said(findings: tuple[Finding, ...]) -> None:
    """Each finding as one sentence: what, which category, where, and by which rule."""
    for one in findings:
        sentence = plain(said(one, language()))
        if one.action == "block":
            st.error(sentence, icon=":material/block:")
        else:
            st.warning(sentence, icon=":material/gavel:")


def _check(looking: Viewer) -> None:
    st.caption(t("moderation.check_what"))
    with st.form("moderation_check", border=False):
        text = st.text_area(t("moderation.text"), key="moderation_text", max_chars=LONGEST_CHECKED, height=160)
        platform = _platform("moderation_platform")
        is_asked = st.form_submit_button(t("moderation.check_now"), type="primary")
    if is_asked:
        st.session_state[_CHECKED] = (text, platform)
    if _CHECKED not in st.session_state:
        return
    seen, where = st.session_state[_CHECKED]
    found = check_text(looking.scope, seen, where)
    if not found.findings:
        st.success(t("moderation.nothing_found"), icon=":material/check_circle:")
    findings_said(found.findings)
    if found.masked.gives_orders:
        st.warning(t("moderation.gives_orders"), icon=":material/smart_toy:")
    if found.masked.kinds:
        st.info(t("moderation.masked"), icon=":material/visibility_off:")
        shown(found.masked.text)
    st.caption(t("moderation.nothing_kept"))
    st.button(t("moderation.ask"), key="moderation_ask", on_click=_ask, icon=":material/rate_review:")


def _platform(key: str) -> Platform | None:
    chosen: Platform | None = st.selectbox(
        t("moderation.platform"),
        list(Platform),
        index=None,
        key=key,
        placeholder=t("moderation.every_platform"),
        format_func=PLATFORM_NAMES.__getitem__,
    )
    return chosen


def _queue(looking: Viewer, waiting: tuple[ReviewView, ...], total: int) -> None:
    if not waiting:
        nothing_yet(t("moderation.queue_empty"))
    for one in waiting:
        with st.container(border=True):
            _text(one)
            if looking.scope.may(Permission.MODERATE):
                _decision(one)
    if total > PAGE:
        st.pagination(-(-total // PAGE), key=_PAGE)
    decided = reviews(looking.scope, is_open=False)
    if decided.total:
        with st.expander(t("moderation.decided", number=number(decided.total))):
            for one in decided.reviews:
                _decided(looking, one)


def _text(one: ReviewView) -> None:
    where = PLATFORM_NAMES[one.platform] if one.platform else t("moderation.every_platform")
    facts = [t(f"moderation.subject_{one.subject}"), t(f"moderation.direction_{one.direction}"), where]
    st.caption(plain(" · ".join([*facts, moment(one.created_at)])))
    findings_said(one.findings)
    if any(finding.category == _HIDDEN for finding in one.findings):
        with st.expander(t("moderation.show_text")):
            shown(one.body)
    else:
        shown(one.body)


def _decision(one: ReviewView) -> None:
    st.text_input(t("moderation.reason"), key=f"review_reason_{one.id}", max_chars=LONGEST_REASON)
    with st.container(horizontal=True):
        st.button(
            t("moderation.allow"),
            key=f"review_allow_{one.id}",
            on_click=_decide,
            args=(one.id, True),
            disabled=not one.can_be_allowed,
            help=None if one.can_be_allowed else t("moderation.cannot_be_allowed"),
        )
        st.button(
            t("moderation.stop"), key=f"review_stop_{one.id}", on_click=_decide, args=(one.id, False), type="primary"
        )


def _decided(looking: Viewer, one: ReviewView) -> None:
    name = "moderation.was_allowed" if one.status is ReviewStatus.ALLOWED else "moderation.was_stopped"
    when = moment(one.decided_at) if one.decided_at else ""
    st.markdown(f"**{t(name)}** — {plain(one.reason)}")
    st.caption(plain(when))
    _text(one)
    if looking.scope.may(Permission.MODERATE):
        st.button(t("moderation.reopen"), key=f"review_reopen_{one.id}", on_click=_reopen, args=(one.id,))


@refusals_shown()
def _ask() -> None:
    text, platform = st.session_state.pop(_CHECKED)
    ask_review(viewer().scope, text, platform)
    flash(t("moderation.asked"))


@refusals_shown()
def _decide(review_id: UUID, allow: bool) -> None:
    decide(viewer().scope, review_id, allow=allow, reason=st.session_state.get(f"review_reason_{review_id}", ""))
    flash(t("moderation.decision_kept"))


@refusals_shown()
def _reopen(review_id: UUID) -> None:
    reopen(viewer().scope, review_id)
