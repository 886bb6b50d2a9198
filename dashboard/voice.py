"""How a creator sounds: set it, and hear it in a draft on a sample before anything is written with it."""

from uuid import UUID

import streamlit as st

from core.content.briefs import LONGEST_ABOUT, Brief, Length, Task, Tone, Voice
from core.content.platforms import PLATFORM_NAMES, Platform
from core.content.service import cancel_generation, drafts_left, generation, request_draft, save_voice, voice
from core.content.views import GenerationView
from core.language import LANGUAGES
from dashboard.components.figures import allowance
from dashboard.components.writing import shown
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.viewing import language
from dashboard.words import plain, t

VOICE = "voice"
"""The view's name, in the page's address."""
POLL_SECONDS = 0.4
_TRIED = "voice_tried"
_LINES = ("traits", "sample_lines", "words_to_use", "words_to_avoid")


def voice_view(looking: Viewer) -> None:
    """The voice on one side, a try of it on the other; one above the other where there is no room."""
    now = voice(looking.scope)
    st.caption(t("voice.what") if now else t("voice.none"))
    form, trial = st.columns([3, 2], gap="large")
    with form:
        _form(now or Voice())
    with trial:
        _trial(looking, now)


def _form(now: Voice) -> None:
    tones = list(Tone)
    with st.form("voice", border=False):
        st.segmented_control(
            t("voice.tone"),
            tones,
            default=now.tone,
            required=True,
            key="voice_tone",
            format_func=lambda tone: t(f"content.tone_{tone}"),
        )
        for name in _LINES:
            st.text_area(
                t(f"voice.{name}"),
                "\n".join(getattr(now, name)),
                key=f"voice_{name}",
                help=t(f"voice.{name}_help"),
                placeholder=t(f"voice.{name}_example"),
                height=110,
            )
        st.pills(
            t("voice.languages"),
            list(LANGUAGES),
            selection_mode="multi",
            default=list(now.languages),
            key="voice_languages",
            format_func=LANGUAGES.__getitem__,
            help=t("voice.languages_help"),
        )
        st.text_input(t("voice.emojis"), " ".join(now.emojis), key="voice_emojis", help=t("voice.emojis_help"))
        st.form_submit_button(t("voice.save"), type="primary", on_click=_save, key="voice_save")


@refusals_shown()
def _save() -> None:
    given = st.session_state
    lines = {name: tuple(str(given[f"voice_{name}"]).splitlines()) for name in _LINES}
    new = Voice.of(
        tone=given["voice_tone"],
        languages=tuple(given["voice_languages"]),
        emojis=tuple(str(given["voice_emojis"]).split()),
        **lines,
    )
    save_voice(viewer().scope, new)
    flash(t("voice.saved"))


def _trial(looking: Viewer, now: Voice | None) -> None:
    st.subheader(t("voice.try"))
    left = drafts_left(looking.scope)
    st.caption(t("voice.try_what") if left.has_model else t("content.no_model_here"))
    known = [Platform(name) for name in looking.creator.platforms if name in set(Platform)]
    platforms, languages = list(Platform), list((now.languages if now else ()) or (looking.language,))
    with st.form("voice_try"):
        st.text_area(t("voice.about"), t("voice.sample"), key="voice_about", max_chars=LONGEST_ABOUT, height=90)
        st.selectbox(
            t("content.platform"),
            platforms,
            index=platforms.index(known[0]) if known else 0,
            key="voice_platform",
            format_func=PLATFORM_NAMES.__getitem__,
        )
        if len(languages) > 1:
            st.segmented_control(
                t("content.language"),
                languages,
                default=languages[0],
                required=True,
                key="voice_language",
                format_func=LANGUAGES.__getitem__,
            )
        st.form_submit_button(
            t("voice.try_it"),
            on_click=_try,
            args=(now or Voice(), languages[0]),
            disabled=now is None,
            key="voice_try_it",
        )
    if left.has_model:
        allowance(t("content.drafts_this_month"), left.used, left.most)
    tried: tuple[UUID, UUID] | None = st.session_state.get(_TRIED)
    if tried is not None and tried[0] == looking.creator.id:
        _heard(generation(looking.scope, tried[1]))


@refusals_shown()
def _try(now: Voice, usual: str) -> None:
    """A draft as any other: it counts, and it waits on the page Content."""
    given = st.session_state
    wish = Brief.of(
        task=Task.POST,
        platform=given["voice_platform"],
        tone=now.tone,
        language=given.get("voice_language") or usual,
        length=Length.SHORT,
        about=given["voice_about"],
        variants="1",
    )
    looking = viewer()
    st.session_state[_TRIED] = (looking.creator.id, request_draft(looking.scope, wish))


def _heard(tried: GenerationView) -> None:
    if tried.is_open:
        _growing(tried.id)
        return
    if problem := tried.problem(language()):
        st.warning(plain(problem), icon=":material/warning:")
        return
    with st.container(border=True):
        if tried.is_template:
            st.badge(t("content.no_model_used"), icon=":material/extension:", color="gray")
        else:
            st.badge(plain(tried.model or ""), icon=":material/smart_toy:", color="blue")
        shown(tried.text)
    st.caption(t("voice.heard"))


def _growing(generation_id: UUID) -> None:
    """Asks for the text again and again, as the page Content does."""

    @st.fragment(run_every=POLL_SECONDS)
    @refusals_shown()
    def text() -> None:
        now = generation(viewer().scope, generation_id)
        if not now.is_open:
            st.rerun()
        with st.container(border=True):
            st.caption(t(f"content.{now.status}"))
            shown(now.text)
            if st.button(t("content.stop"), key="voice_stop", icon=":material/stop_circle:"):
                cancel_generation(viewer().scope, generation_id)
                st.rerun()

    text()
