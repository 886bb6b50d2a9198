"""What is to be written: the form that a brief comes from, for one text or for several."""

from dataclasses import dataclass
from uuid import UUID

import streamlit as st

from core.content.briefs import LISTS, LONGEST_ABOUT, VARIANTS, Brief, Length, Task, Tone, Voice
from core.content.platforms import PLATFORM_NAMES, Platform
from core.content.service import current_draft, drafts_left, request_draft, voice
from core.content.views import GenerationView
from core.language import LANGUAGES
from dashboard.components.address import choice
from dashboard.components.figures import allowance
from dashboard.drafts import draft_panel
from dashboard.session import Viewer, refusals_shown, viewer
from dashboard.words import t

WRITE, CAMPAIGN, LIBRARY = "write", "campaign", "library"
VIEW = "content_view"
_LOOK = "content_look"
_START = "content_start"
_CHOICES = ("task", "platform", "tone", "language", "length", "about", "picture", "variants")


@dataclass(frozen=True, slots=True)
class _Start:
    """What a brief starts from when it comes from the library."""

    picture: str
    platform: Platform
    language: str


def chosen_view(views: tuple[str, ...]) -> str:
    """Which part of the page is shown."""
    if (wish := st.session_state.pop(_LOOK, None)) is not None:
        st.session_state[VIEW] = wish
    return choice(
        t("content.views"),
        views,
        WRITE,
        key=VIEW,
        name=lambda one: t(f"content.view_{one}"),
        label_visibility="collapsed",
    )


def write_for_picture(picture: str, platform: Platform, language: str) -> None:
    """A callback: show the form, with what a picture of the library shows."""
    st.session_state[_LOOK] = WRITE
    st.session_state[_START] = _Start(picture, platform, language)


def write(looking: Viewer) -> None:
    """One text: the brief, and the draft at hand."""
    current = current_draft(looking.scope)
    _brief_form(looking, current)
    draft_panel(looking, current)


def _brief_form(looking: Viewer, current: GenerationView | None) -> None:
    """It starts from the brief at hand, else from the creator's voice and platforms.

    It folds away while there is a draft, so that on a phone the draft is what one sees.
    """
    wish: _Start | None = st.session_state.get(_START)
    start = _from_library(looking, wish) if wish else current.brief if current else usual_brief(looking)
    with st.expander(t("content.brief"), expanded=current is None or wish is not None, icon=":material/edit_note:"):
        with st.form("content_brief", border=False):
            about("content", start.about)
            st.text_input(
                t("content.picture"),
                start.picture,
                key="content_picture",
                max_chars=LONGEST_ABOUT,
                help=t("content.picture_help"),
            )
            with st.container(horizontal=True):
                _platform(start.platform)
                wordings("content", start, list(Task))
                st.segmented_control(
                    t("content.variants"),
                    list(range(1, VARIANTS + 1)),
                    default=start.variants,
                    required=True,
                    key="content_variants",
                )
            is_busy = current is not None and current.is_open
            st.form_submit_button(
                t("content.ask"), type="primary", on_click=_ask, args=(_parent_of(current),), disabled=is_busy
            )
        allowance_shown(looking)


def _parent_of(current: GenerationView | None) -> UUID | None:
    return current.id if current else None


def _from_library(looking: Viewer, wish: _Start) -> Brief:
    own = voice(looking.scope) or Voice()
    return Brief(Task.CAPTION, wish.platform, own.tone, wish.language, Length.MEDIUM, "", picture=wish.picture)


def about(key: str, start: str) -> None:
    st.text_area(t("content.about"), start, key=f"{key}_about", max_chars=LONGEST_ABOUT, help=t("content.about_help"))


def wordings(key: str, start: Brief, tasks: list[Task]) -> None:
    """The choices that every text needs, but for its platform."""
    _choice(key, "task", tasks, start.task)
    _choice(key, "tone", list(Tone), start.tone)
    _choice(key, "length", list(Length), start.length)
    st.segmented_control(
        t("content.language"),
        list(LANGUAGES),
        default=start.language,
        required=True,
        key=f"{key}_language",
        format_func=LANGUAGES.__getitem__,
    )


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


def usual_brief(looking: Viewer) -> Brief:
    own = voice(looking.scope) or Voice()
    speaks = own.languages[0] if own.languages else looking.language
    return Brief(Task.POST, usual_platforms(looking)[0], own.tone, speaks, Length.MEDIUM, "")


def usual_platforms(looking: Viewer) -> list[Platform]:
    """Those of the creator that texts are written for; at least one."""
    known = [Platform(name) for name in looking.creator.platforms if name in set(Platform)]
    return known or [Platform.ONLYFANS]


def _choice(key: str, name: str, options: list[Task] | list[Tone] | list[Length], default: str) -> None:
    st.segmented_control(
        t(f"content.{name}"),
        options,
        default=default,
        required=True,
        key=f"{key}_{name}",
        format_func=lambda option: t(f"content.{name}_{option}"),
    )


@refusals_shown()
def _ask(before: UUID | None) -> None:
    wish = Brief.of(**{name: str(st.session_state[f"content_{name}"] or "") for name in _CHOICES})
    request_draft(viewer().scope, wish, parent_id=before)
    st.session_state.pop(_START, None)


def allowance_shown(looking: Viewer) -> None:
    """What remains of the month's model drafts, or that there is no model here."""
    left = drafts_left(looking.scope)
    if left.has_model:
        allowance(t("content.drafts_this_month"), left.used, left.most)
    else:
        st.caption(t("content.no_model_here"))


TEXTS = [task for task in Task if task not in LISTS]
"""What can be asked for several times on one subject."""
