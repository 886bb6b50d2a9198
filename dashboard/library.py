"""What was kept: find it, change it, put it away, and take that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import streamlit as st

from core.content.assets import PAGE, AssetPage, AssetView, assets
from core.content.kinds import AssetStatus, AssetType
from core.content.library import archive_assets, bring_back, used_tags
from core.content.platforms import PLATFORM_NAMES, Platform
from core.language import LANGUAGES
from dashboard.components.figures import nothing_yet
from dashboard.components.writing import shown
from dashboard.kept_text import EDITING, edited
from dashboard.session import Viewer, refusals_shown, viewer
from dashboard.studio import write_for_picture
from dashboard.words import day, moment, plain, t

_UNDO = "library_undo"
_PAGE = "library_page"
_FILTERS = ("search", "status", "type", "platform", "language", "tags")


@dataclass(frozen=True, slots=True)
class _Gone:
    """What was just archived; `title` of the one, where it was one."""

    ids: tuple[UUID, ...]
    title: str


def library(looking: Viewer) -> None:
    """The creator's texts, a page at a time."""
    _undo_offer()
    found = _found(looking)
    if not found.total:
        filtered = any(st.session_state.get(f"library_{name}") for name in _FILTERS)
        nothing_yet(t("content.nothing_found") if filtered else t("content.nothing_kept"))
    for one in found.assets:
        with st.container(border=True):
            edited(looking, one) if st.session_state.get(EDITING) == one.id else _resting(one)
    _bulk(found.assets)
    if found.total > PAGE:
        st.pagination(-(-found.total // PAGE), key=_PAGE)


def _found(looking: Viewer) -> AssetPage:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input(t("content.search"), key="library_search", on_change=_first_page)
        status = _filter("status", list(AssetStatus), t("content.status_any"))
    with st.expander(t("content.filters"), icon=":material/filter_list:"), st.container(horizontal=True):
        kind = _filter("type", list(AssetType), t("content.any"))
        platform = _filter("platform", list(Platform), t("content.any"))
        language = _filter("language", list(LANGUAGES), t("content.any"))
        tags = st.multiselect(
            t("content.tags"),
            used_tags(looking.scope),
            key="library_tags",
            placeholder=t("content.any"),
            on_change=_first_page,
        )
    return assets(
        looking.scope,
        search=search or "",
        status=AssetStatus(status) if status else None,
        type=AssetType(kind) if kind else None,
        platform=Platform(platform) if platform else None,
        language=language,
        tags=tags,
        page=st.session_state.get(_PAGE, 1) - 1,
    )


def _filter(name: str, options: Sequence[str], usual: str) -> str | None:
    return st.selectbox(
        t(f"content.{name}"),
        options,
        index=None,
        key=f"library_{name}",
        placeholder=usual,
        format_func=lambda one: _option(name, one),
        on_change=_first_page,
        width=220,
    )


def _option(name: str, option: str) -> str:
    if name == "platform":
        return PLATFORM_NAMES[Platform(option)]
    return LANGUAGES[option] if name == "language" else t(f"content.{name}_{option}")


def _first_page() -> None:
    st.session_state[_PAGE] = 1


def _resting(one: AssetView) -> None:
    st.markdown(f"**{plain(one.title)}**")
    _facts(one)
    shown(one.body)
    if one.picture:
        st.caption(t("content.picture_shows", picture=plain(one.picture)))
    if labels := [one.category, *one.tags] if one.category else one.tags:
        st.caption(plain(" · ".join(labels)))
    if one.warnings:
        st.caption(t("content.saved_with_warnings", count=one.warnings))
    with st.container(horizontal=True, vertical_alignment="center"):
        if one.status is AssetStatus.ARCHIVED:
            st.button(t("content.restore"), key=f"restore_{one.id}", on_click=_restore, args=((one.id,),))
            return
        st.button(t("content.edit"), key=f"edit_{one.id}", on_click=_edit, args=(one.id,), icon=":material/edit:")
        st.button(t("content.archive"), key=f"archive_{one.id}", on_click=_archive, args=((one.id,), one.title))
        if one.picture:
            st.button(
                t("content.write_for_picture"),
                key=f"picture_{one.id}",
                on_click=write_for_picture,
                args=(one.picture, one.platform, one.language),
                icon=":material/image:",
            )
        st.checkbox(t("content.choose"), key=_chosen_key(one))


def _facts(one: AssetView) -> None:
    facts = {
        "type": t(f"content.type_{one.type}"),
        "platform": PLATFORM_NAMES[one.platform],
        "status": t(f"content.status_{one.status}"),
        "when": plain(moment(one.updated_at)),
    }
    parts = [t("content.asset_facts", **facts)]
    parts += [t(f"content.authorship_{one.authorship}")] if one.authorship else []
    parts += [t("content.planned_for", day=plain(day(one.planned_for)))] if one.planned_for else []
    st.caption(" · ".join(parts))


def _chosen_key(one: AssetView) -> str:
    return f"library_chosen_{one.id}"


def _bulk(on_page: Sequence[AssetView]) -> None:
    chosen = tuple(one.id for one in on_page if st.session_state.get(_chosen_key(one)))
    if chosen:
        st.button(
            t("content.archive_chosen", count=len(chosen)),
            key="library_archive_chosen",
            on_click=_archive,
            args=(chosen, ""),
            icon=":material/archive:",
        )


def _undo_offer() -> None:
    gone: _Gone | None = st.session_state.get(_UNDO)
    if gone is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        one, many = t("content.archived", title=plain(gone.title)), t("content.archived_many", count=len(gone.ids))
        st.markdown(one if gone.title else many)
        st.button(
            t("content.undo"), key="library_undo_button", on_click=_restore, args=(gone.ids,), icon=":material/undo:"
        )


def _edit(asset_id: UUID) -> None:
    st.session_state[EDITING] = asset_id


@refusals_shown()
def _archive(asset_ids: tuple[UUID, ...], title: str) -> None:
    moved = archive_assets(viewer().scope, asset_ids)
    for one in moved:
        st.session_state.pop(f"library_chosen_{one}", None)
    st.session_state[_UNDO] = _Gone(moved, title)


@refusals_shown()
def _restore(asset_ids: tuple[UUID, ...]) -> None:
    bring_back(viewer().scope, asset_ids)
    st.session_state.pop(_UNDO, None)
