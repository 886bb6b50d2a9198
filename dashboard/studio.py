"""From a brief to a draft that can be kept: the form, the text while it grows, and the editor."""

from decimal import Decimal
from uuid import UUID

import streamlit as st
from babel.numbers import format_currency

from core.content.assets import AssetText, save_asset
from core.content.briefs import LONGEST_ABOUT, Brief, Length, Task, Tone, Voice
from core.content.kinds import AssetType
from core.content.platforms import PLATFORM_NAMES, Platform
from core.content.service import (
    cancel_generation,
    dismiss_generation,
    drafts_left,
    generation,
    request_draft,
    voice,
)
from core.content.views import GenerationView
from core.language import LANGUAGES
from dashboard.components.figures import allowance
from dashboard.components.writing import editor, is_fit_to_keep, listed, shown
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.viewing import language
from dashboard.words import number, plain, t

POLL_SECONDS = 0.4
_CHOICES = ("task", "platform", "tone", "language", "length", "about")


def brief_form(looking: Viewer, current: GenerationView | None) -> None:
    """What is to be written. It starts from the brief at hand, else from the creator's voice and platforms.

    It folds away while there is a draft, so that on a phone the draft is what one sees.
    """
    start = current.brief if current else _usual_brief(looking)
    with st.expander(t("content.brief"), expanded=current is None, icon=":material/edit_note:"):
        with st.form("content_brief", border=False):
            _about(start.about)
            with st.container(horizontal=True):
                _platform(start.platform)
                _choice("task", list(Task), start.task)
                _choice("tone", list(Tone), start.tone)
                _choice("length", list(Length), start.length)
                _language(start.language)
            is_busy = current is not None and current.is_open
            st.form_submit_button(t("content.ask"), type="primary", on_click=_ask, disabled=is_busy)
        _allowance(looking)


def _about(start: str) -> None:
    st.text_area(t("content.about"), start, key="content_about", max_chars=LONGEST_ABOUT, help=t("content.about_help"))


def _platform(start: Platform) -> None:
    platforms = list(Platform)
    st.selectbox(
        t("content.platform"),
        platforms,
        index=platforms.index(start),
        key="content_platform",
        format_func=PLATFORM_NAMES.__getitem__,
        width=200,
    )


def _language(start: str) -> None:
    st.segmented_control(
        t("content.language"),
        list(LANGUAGES),
        default=start,
        required=True,
        key="content_language",
        format_func=LANGUAGES.__getitem__,
    )


def _usual_brief(looking: Viewer) -> Brief:
    own = voice(looking.scope) or Voice()
    known = [Platform(name) for name in looking.creator.platforms if name in set(Platform)]
    speaks = own.languages[0] if own.languages else looking.language
    return Brief(Task.POST, known[0] if known else Platform.ONLYFANS, own.tone, speaks, Length.MEDIUM, "")


def _choice(name: str, options: list[Task] | list[Tone] | list[Length], default: str) -> None:
    st.segmented_control(
        t(f"content.{name}"),
        options,
        default=default,
        required=True,
        key=f"content_{name}",
        format_func=lambda option: t(f"content.{name}_{option}"),
    )


@refusals_shown()
def _ask() -> None:
    wish = Brief.of(**{name: str(st.session_state[f"content_{name}"] or "") for name in _CHOICES})
    request_draft(viewer().scope, wish)


def draft_panel(current: GenerationView | None) -> None:
    """The draft at hand, whatever its state."""
    if current is None:
        st.caption(t("content.nothing_at_hand"))
    elif current.is_open:
        _growing(current.id)
    elif current.text:
        _finished(current)
    else:
        _ended(current)


def _growing(generation_id: UUID) -> None:
    """Asks for the text again and again; the script that draws it writes nothing, so a closed tab loses nothing."""

    @st.fragment(run_every=POLL_SECONDS)
    @refusals_shown()
    def text() -> None:
        now = generation(viewer().scope, generation_id)
        if not now.is_open:
            st.rerun()
        with st.container(border=True):
            st.caption(t(f"content.{now.status}"))
            shown(now.text)
            if st.button(t("content.stop"), key="content_stop", icon=":material/stop_circle:"):
                cancel_generation(viewer().scope, generation_id)
                st.rerun()

    text()


def _ended(ended: GenerationView) -> None:
    problem = ended.problem(language())
    if problem is None:
        st.info(t("content.stopped_early"))
    else:
        st.warning(plain(problem), icon=":material/warning:")
    with st.container(horizontal=True):
        _again(ended, "content.try_again")
        st.button(t("content.discard"), key="content_discard", on_click=_discard, args=(ended.id,))


def _finished(written: GenerationView) -> None:
    origin(written)

    @st.fragment
    @refusals_shown()
    def edited() -> None:
        text = editor(f"content_text_{written.id}", written.text, written.brief.platform)
        title = st.text_input(t("content.name"), key=f"content_name_{written.id}", help=t("content.name_help"))
        tags = st.text_input(t("content.tags"), key=f"content_tags_{written.id}", help=t("content.tags_help"))
        is_fit = is_fit_to_keep(text, written.brief.platform)
        if st.button(t("content.save"), key="content_save", type="primary", disabled=not is_fit):
            _keep(written, text, title, tags)
            st.rerun()

    edited()
    with st.container(horizontal=True):
        _again(written, "content.another")
        st.button(t("content.discard"), key="content_discard", on_click=_discard, args=(written.id,))


def _keep(written: GenerationView, text: str, title: str, tags: str) -> None:
    saved = save_asset(
        viewer().scope,
        AssetText.of(title=title, body=text, tags=listed(tags)),
        type=AssetType(written.brief.task),
        platform=written.brief.platform,
        language=written.brief.language,
        generation_id=written.id,
    )
    flash(t("content.saved", title=plain(saved.title)))


def _again(before: GenerationView, label: str) -> None:
    st.button(t(label), key="content_again", on_click=_ask_again, args=(before,), icon=":material/refresh:")


@refusals_shown()
def _ask_again(before: GenerationView) -> None:
    request_draft(viewer().scope, before.brief, parent_id=before.id)


@refusals_shown()
def _discard(generation_id: UUID) -> None:
    dismiss_generation(viewer().scope, generation_id)


def origin(written: GenerationView) -> None:
    """Who wrote it and what that cost: a model, or none."""
    if written.is_template:
        st.badge(t("content.no_model_used"), icon=":material/extension:", color="gray")
        return
    tokens = number(written.tokens_in + written.tokens_out)
    st.badge(plain(written.model or ""), icon=":material/smart_toy:", color="blue")
    cost = t("content.cost_unknown") if written.cost is None else plain(_dollars(written.cost))
    facts = {"provider": plain(written.provider or ""), "tokens": tokens, "cost": cost}
    st.caption(t("content.origin_estimated", **facts) if written.is_estimated else t("content.origin", **facts))
    if written.reason:
        st.caption(t(f"content.reason_{written.reason}"))


def _dollars(cost: Decimal) -> str:
    """US dollars with every digit: one draft costs less than a cent."""
    return format_currency(cost, "USD", locale=language(), decimal_quantization=False)


def _allowance(looking: Viewer) -> None:
    """What remains of the month's model drafts, or that there is no model here."""
    left = drafts_left(looking.scope)
    if left.has_model:
        allowance(t("content.drafts_this_month"), left.used, left.most)
    else:
        st.caption(t("content.no_model_here"))
