"""Several posts on one subject: asked for together, written one after another, kept together."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import streamlit as st

from core.content.briefs import MOST_PARTS, Brief
from core.content.campaigns import (
    Kept,
    briefs_of,
    current_campaign,
    dismiss_campaign,
    keep_campaign,
    request_campaign,
)
from core.content.campaigns import campaign as campaign_now
from core.content.house_rules import current_rules
from core.content.moderation import Rules
from core.content.platforms import PLATFORM_NAMES, Platform
from core.content.views import GenerationView
from dashboard.components.writing import is_fit_to_keep
from dashboard.drafts import chosen_text, grown, origin, text_key
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.studio import TEXTS, about, allowance_shown, usual_brief, usual_platforms, wordings
from dashboard.viewing import language
from dashboard.words import day, number, plain, t

POLL_SECONDS = 1.0
FEWEST, USUAL = 2, 3
MOST_APART = 30
_WORDS = ("task", "tone", "language", "length", "about")


def campaign(looking: Viewer) -> None:
    """The form, and below it the campaign at hand."""
    drafts = current_campaign(looking.scope)
    _form(looking, drafts)
    if not drafts:
        st.caption(t("content.campaign_nothing"))
    elif any(one.is_open for one in drafts):
        _growing(_plan_of(drafts))
    else:
        _written(looking, drafts)


def _plan_of(drafts: Sequence[GenerationView]) -> UUID:
    found = drafts[0].plan_id
    if found is None:
        raise ValueError(drafts[0].id)
    return found


def _form(looking: Viewer, drafts: Sequence[GenerationView]) -> None:
    start = drafts[0].brief if drafts else usual_brief(looking)
    with st.expander(t("content.campaign_brief"), expanded=not drafts, icon=":material/view_timeline:"):
        with st.form("content_campaign", border=False):
            about("campaign", start.about)
            st.pills(
                t("content.platforms"),
                list(Platform),
                selection_mode="multi",
                default=list(dict.fromkeys(one.brief.platform for one in drafts)) or usual_platforms(looking),
                key="campaign_platforms",
                format_func=PLATFORM_NAMES.__getitem__,
                help=t("content.platforms_help"),
            )
            with st.container(horizontal=True):
                st.number_input(
                    t("content.posts"),
                    FEWEST,
                    MOST_PARTS,
                    max(FEWEST, len(drafts)) if drafts else USUAL,
                    key="campaign_posts",
                    width=140,
                )
                st.date_input(t("content.first_day"), None, key="campaign_first_day", width=180)
                st.number_input(t("content.days_apart"), 0, MOST_APART, 1, key="campaign_apart", width=140)
            with st.container(horizontal=True):
                wordings("campaign", start, TEXTS)
            st.form_submit_button(t("content.campaign_ask"), type="primary", on_click=_ask, disabled=bool(drafts))
        allowance_shown(looking)


@refusals_shown()
def _ask() -> None:
    chosen = st.session_state
    platforms = [Platform(one) for one in chosen["campaign_platforms"] or ()]
    first: date | None = chosen["campaign_first_day"]
    given = {name: str(chosen[f"campaign_{name}"] or "") for name in _WORDS}
    one = Brief.of(**given, platform=platforms[0] if platforms else Platform.ONLYFANS)
    posts, apart = int(chosen["campaign_posts"]), int(chosen["campaign_apart"])
    request_campaign(viewer().scope, briefs_of(one, platforms, posts, first, apart))


def _growing(plan_id: UUID) -> None:
    @st.fragment(run_every=POLL_SECONDS)
    @refusals_shown()
    def posts() -> None:
        drafts = campaign_now(viewer().scope, plan_id)
        if not any(one.is_open for one in drafts):
            st.rerun()
        _progress(drafts)
        for one in drafts:
            with st.container(border=True):
                _heading(one)
                if one.is_open:
                    st.caption(t(f"content.post_{one.status}"))
                grown(one.texts)
        st.button(t("content.campaign_stop"), key="campaign_stop", on_click=_dismiss, args=(plan_id,))

    posts()


def _progress(drafts: Sequence[GenerationView]) -> None:
    ended = sum(not one.is_open for one in drafts)
    st.progress(ended / len(drafts), text=t("content.campaign_progress", done=number(ended), all=number(len(drafts))))


def _written(looking: Viewer, drafts: Sequence[GenerationView]) -> None:
    rules = current_rules(looking.scope)
    for one in drafts:
        with st.container(border=True):
            _heading(one)
            if one.text:
                origin(one)
                _post(one, rules)
            else:
                st.warning(plain(one.problem(language()) or t("content.stopped_early")), icon=":material/warning:")
    whole = [one for one in drafts if one.text]
    with st.container(horizontal=True):
        if whole:
            st.button(
                t("content.campaign_save", count=len(whole)),
                key="campaign_save",
                type="primary",
                on_click=_save,
                args=(_plan_of(drafts), whole),
            )
        st.button(t("content.campaign_discard"), key="campaign_discard", on_click=_dismiss, args=(_plan_of(drafts),))


def _heading(one: GenerationView) -> None:
    facts = {"part": number(one.brief.part), "parts": number(one.brief.parts)}
    parts = [t("content.post_of", **facts), PLATFORM_NAMES[one.brief.platform]]
    parts += [day(one.brief.day)] if one.brief.day else []
    st.markdown(f"**{plain(' · '.join(parts))}**")


def _post(one: GenerationView, rules: Rules) -> None:
    @st.fragment
    @refusals_shown()
    def edited() -> None:
        _, text = chosen_text(one, rules)
        st.checkbox(
            t("content.campaign_keep"),
            value=True,
            key=_keep_key(one),
            disabled=not is_fit_to_keep(text, one.brief.platform, rules),
        )

    edited()


def _keep_key(one: GenerationView) -> str:
    return f"campaign_keep_{one.id}"


@refusals_shown()
def _save(plan_id: UUID, whole: Sequence[GenerationView]) -> None:
    """What is ticked goes into the library, all or none; the rest of the campaign is put out of view."""
    kept = {one.id: _as_it_stands(one) for one in whole if st.session_state.get(_keep_key(one), True)}
    saved = keep_campaign(viewer().scope, plan_id, kept)
    dismiss_campaign(viewer().scope, plan_id)
    flash(t("content.campaign_saved", count=len(saved)))


def _as_it_stands(one: GenerationView) -> Kept:
    variant = int(st.session_state.get(f"content_variant_{one.id}") or 0)
    return Kept(variant, str(st.session_state.get(text_key(one.id, variant), one.texts[variant])))


@refusals_shown()
def _dismiss(plan_id: UUID) -> None:
    dismiss_campaign(viewer().scope, plan_id)
