"""What was kept: find it, change it, put it away, and take that back."""

from uuid import UUID

import streamlit as st

from core.content.assets import (
    PAGE,
    AssetText,
    AssetView,
    archive_asset,
    asset,
    asset_versions,
    assets,
    restore_asset,
    update_asset,
)
from core.content.kinds import AssetStatus
from core.content.platforms import PLATFORM_NAMES
from dashboard.components.figures import nothing_yet
from dashboard.components.writing import editor, is_fit_to_keep, listed, shown
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.words import moment, number, plain, t

_EDITING = "library_editing"
_UNDO = "library_undo"
_PAGE = "library_page"


def library(looking: Viewer) -> None:
    """The creator's texts, a page at a time."""
    st.subheader(t("content.library"))
    _undo_offer(looking)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input(t("content.search"), key="library_search", on_change=_first_page)
        status = st.selectbox(
            t("content.status"),
            list(AssetStatus),
            index=None,
            key="library_status",
            placeholder=t("content.status_any"),
            format_func=lambda one: t(f"content.status_{one}"),
            on_change=_first_page,
        )
    found = assets(looking.scope, search=search or "", status=status, page=st.session_state.get(_PAGE, 1) - 1)
    if not found.total:
        nothing_yet(t("content.nothing_found") if search or status else t("content.nothing_kept"))
    for one in found.assets:
        with st.container(border=True):
            _edited(looking, one) if st.session_state.get(_EDITING) == one.id else _resting(one)
    if found.total > PAGE:
        st.pagination(-(-found.total // PAGE), key=_PAGE)


def _first_page() -> None:
    st.session_state[_PAGE] = 1


def _resting(one: AssetView) -> None:
    st.markdown(f"**{plain(one.title)}**")
    st.caption(
        t(
            "content.asset_facts",
            type=t(f"content.type_{one.type}"),
            platform=PLATFORM_NAMES[one.platform],
            status=t(f"content.status_{one.status}"),
            when=plain(moment(one.updated_at)),
        )
    )
    shown(one.body)
    if one.tags:
        st.caption(plain(" · ".join(one.tags)))
    if one.warnings:
        st.caption(t("content.saved_with_warnings", count=one.warnings))
    with st.container(horizontal=True):
        if one.status is AssetStatus.ARCHIVED:
            st.button(t("content.restore"), key=f"restore_{one.id}", on_click=_restore, args=(one.id,))
        else:
            st.button(t("content.edit"), key=f"edit_{one.id}", on_click=_edit, args=(one.id,), icon=":material/edit:")
            st.button(t("content.archive"), key=f"archive_{one.id}", on_click=_archive, args=(one.id,))


def _edited(looking: Viewer, one: AssetView) -> None:
    """The editor remembers the version that it was opened on, so that nobody's later version is overwritten."""

    @st.fragment
    @refusals_shown()
    def fields() -> None:
        key = f"{one.id}_{one.version}"
        text = editor(f"asset_text_{key}", one.body, one.platform)
        title = st.text_input(t("content.name"), one.title, key=f"asset_name_{key}")
        category = st.text_input(t("content.category"), one.category, key=f"asset_category_{key}")
        tags = st.text_input(
            t("content.tags"), ", ".join(one.tags), key=f"asset_tags_{key}", help=t("content.tags_help")
        )
        if st.button(
            t("content.save"), key="asset_save", type="primary", disabled=not is_fit_to_keep(text, one.platform)
        ):
            content = AssetText.of(title=title, body=text, category=category, tags=listed(tags))
            update_asset(viewer().scope, one.id, content, version=one.version)
            st.session_state.pop(_EDITING, None)
            flash(t("content.saved", title=plain(content.title)))
            st.rerun()

    fields()
    st.button(t("content.close"), key="asset_close", on_click=_close)
    earlier = [version for version in asset_versions(looking.scope, one.id) if version.version != one.version]
    if earlier:
        with st.expander(t("content.versions", number=number(len(earlier)))):
            for version in earlier:
                st.caption(t("content.version", version=number(version.version), when=plain(moment(version.saved_at))))
                shown(version.body)


def _undo_offer(looking: Viewer) -> None:
    gone: UUID | None = st.session_state.get(_UNDO)
    if gone is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(t("content.archived", title=plain(asset(looking.scope, gone).title)))
        st.button(t("content.undo"), key="library_undo_button", on_click=_restore, args=(gone,), icon=":material/undo:")


def _edit(asset_id: UUID) -> None:
    st.session_state[_EDITING] = asset_id


def _close() -> None:
    st.session_state.pop(_EDITING, None)


@refusals_shown()
def _archive(asset_id: UUID) -> None:
    archive_asset(viewer().scope, asset_id)
    st.session_state[_UNDO] = asset_id


@refusals_shown()
def _restore(asset_id: UUID) -> None:
    restore_asset(viewer().scope, asset_id)
    st.session_state.pop(_UNDO, None)
