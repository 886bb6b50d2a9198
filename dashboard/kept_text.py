"""One text of the library under a person's hands: what it says, what it is found by, and how it came to be so."""

from html import escape

import streamlit as st

from core.content.assets import AssetText, AssetVersionView, AssetView, asset_versions, update_asset
from core.content.briefs import LONGEST_ABOUT
from core.content.differences import Change, Piece, differences
from core.content.house_rules import current_rules
from core.content.library import restore_version
from dashboard.components.writing import editor, is_fit_to_keep, listed
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.words import moment, number, plain, t

EDITING = "library_editing"
_MARKS = {Change.ADDED: "ins", Change.REMOVED: "del"}


def edited(looking: Viewer, one: AssetView) -> None:
    """The editor remembers the version that it was opened on, so that nobody's later version is overwritten."""
    rules = current_rules(looking.scope)

    @st.fragment
    @refusals_shown()
    def fields() -> None:
        key = f"{one.id}_{one.version}"
        text = editor(f"asset_text_{key}", one.body, one.platform, rules)
        title = st.text_input(t("content.name"), one.title, key=f"asset_name_{key}")
        category = st.text_input(t("content.category"), one.category, key=f"asset_category_{key}")
        tags = st.text_input(
            t("content.tags"), ", ".join(one.tags), key=f"asset_tags_{key}", help=t("content.tags_help")
        )
        picture = st.text_input(
            t("content.picture"),
            one.picture,
            key=f"asset_picture_{key}",
            max_chars=LONGEST_ABOUT,
            help=t("content.picture_help"),
        )
        is_fit = is_fit_to_keep(text, one.platform, rules)
        if st.button(t("content.save"), key="asset_save", type="primary", disabled=not is_fit):
            content = AssetText.of(title=title, body=text, category=category, tags=listed(tags), picture=picture)
            update_asset(viewer().scope, one.id, content, version=one.version)
            st.session_state.pop(EDITING, None)
            flash(t("content.saved", title=plain(content.title)))
            st.rerun()

    fields()
    st.button(t("content.close"), key="asset_close", on_click=_close)
    _history(looking, one)


def _history(looking: Viewer, one: AssetView) -> None:
    """What each version changed, the latest first, and a way back to it."""
    versions = asset_versions(looking.scope, one.id)
    if len(versions) < 2:
        return
    with st.expander(t("content.versions", number=number(len(versions) - 1))):
        st.caption(t("content.differences_help"))
        for later, earlier in zip(versions, (*versions[1:], None), strict=True):
            _version(one, later, earlier)


def _version(one: AssetView, shown: AssetVersionView, before: AssetVersionView | None) -> None:
    facts = {"version": number(shown.version), "when": plain(moment(shown.saved_at))}
    st.caption(t("content.version", **facts))
    st.html(marked(differences(before.body if before else shown.body, shown.body)))
    if shown.version != one.version:
        st.button(
            t("content.restore_version", version=number(shown.version)),
            key=f"version_{one.id}_{shown.version}",
            on_click=_restore,
            args=(one, shown.version),
            icon=":material/history:",
        )


def marked(pieces: tuple[Piece, ...]) -> str:
    """Pieces as HTML, letter for letter: what came is underlined between + signs, what went is struck between − signs.

    So it is read without colours, and by a screen reader.
    """
    return f'<div style="white-space: pre-wrap">{"".join(map(_piece, pieces))}</div>'


def _piece(piece: Piece) -> str:
    """Spaces and line ends stay outside the signs; where nothing else went, nothing is marked."""
    text = piece.text.strip()
    before, _, after = piece.text.partition(text) if text else (piece.text, "", "")
    if piece.change is Change.SAME:
        return escape(piece.text)
    if not text:
        return "" if piece.change is Change.REMOVED else escape(piece.text)
    tag, sign = _MARKS[piece.change], "+" if piece.change is Change.ADDED else "−"
    return f"{escape(before)}<{tag}>{sign}{escape(text)}{sign}</{tag}>{escape(after)}"


def _close() -> None:
    st.session_state.pop(EDITING, None)


@refusals_shown()
def _restore(one: AssetView, number_of: int) -> None:
    restored = restore_version(viewer().scope, one.id, number_of, version=one.version)
    flash(t("content.version_restored", title=plain(restored.title)))
