"""Quick replies: find one, fill its blanks, copy it; write, change, put away, and take that back."""

from uuid import UUID

import streamlit as st

from core.content.moderation import Action
from core.content.platforms import PLATFORM_NAMES, Platform
from core.content.service import finding_facts
from core.errors import sentences
from core.language import LANGUAGES
from core.messages.blanks import KNOWN, LONGEST_VALUE
from core.messages.quick_replies import (
    LONGEST_BODY,
    LONGEST_CATEGORY,
    LONGEST_TITLE,
    Filled,
    ReplyView,
    Wording,
    add_reply,
    archive_reply,
    change_reply,
    replies,
    restore_reply,
    use_reply,
)
from dashboard.components.figures import nothing_yet
from dashboard.components.writing import shown
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.viewing import language
from dashboard.words import moment, plain, t

_USING, _EDITING, _READY, _UNDO = "reply_using", "reply_editing", "reply_ready", "reply_undo"
_NEW = "new"
_FIELDS = ("title", "body", "category", "language")


def quick_replies(looking: Viewer) -> None:
    """The creator's quick replies, those most used first."""
    kept = replies(looking.scope)
    st.caption(t("quick_replies.what"))
    _undo_offer(kept)
    with st.expander(t("quick_replies.new"), expanded=not kept, icon=":material/add:"):
        _form(None, looking.language)
    if not kept:
        nothing_yet(t("quick_replies.none", name=plain("{fan_name}")))
        return
    found = _narrowed(kept)
    if not found:
        nothing_yet(t("quick_replies.nothing_found"))
    for one in found:
        with st.container(border=True):
            _form(one, one.language) if st.session_state.get(_EDITING) == one.id else _resting(looking, one)


def _narrowed(kept: tuple[ReplyView, ...]) -> list[ReplyView]:
    """What fits the search, the category, the language, and whether those put away are wanted."""
    categories = sorted({one.category for one in kept if one.category})
    languages = sorted({one.language for one in kept})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input(t("quick_replies.search"), key="reply_search").strip().casefold()
        category = language_of = None
        if categories:
            category = st.selectbox(
                t("quick_replies.category"),
                categories,
                index=None,
                key="reply_category",
                placeholder=t("quick_replies.any"),
                width=180,
            )
        if len(languages) > 1:
            language_of = st.selectbox(
                t("quick_replies.language"),
                languages,
                index=None,
                key="reply_language",
                placeholder=t("quick_replies.any"),
                format_func=LANGUAGES.__getitem__,
                width=180,
            )
        archived = any(one.archived_at for one in kept) and st.toggle(t("quick_replies.archived"), key="reply_archived")
    return [
        one
        for one in kept
        if bool(one.archived_at) is bool(archived)
        and category in (None, one.category)
        and language_of in (None, one.language)
        and search in f"{one.title}\n{one.body}\n{one.category}".casefold()
    ]


def _resting(looking: Viewer, one: ReplyView) -> None:
    st.markdown(f"**{plain(one.title)}**")
    facts = [one.category, LANGUAGES[one.language], t("quick_replies.used", count=one.uses)]
    if one.used_at:
        facts.append(t("quick_replies.last", when=moment(one.used_at)))
    st.caption(plain(" · ".join(fact for fact in facts if fact)))
    shown(one.body)
    if one.archived_at:
        st.button(t("quick_replies.restore"), key=f"reply_restore_{one.id}", on_click=_restore, args=(one.id,))
        return
    if st.session_state.get(_USING) == one.id:
        _filling(looking, one)
        return
    with st.container(horizontal=True):
        st.button(
            t("quick_replies.use"),
            key=f"reply_use_{one.id}",
            on_click=_open,
            args=(_USING, one.id),
            type="primary",
            icon=":material/content_copy:",
        )
        st.button(t("quick_replies.edit"), key=f"reply_edit_{one.id}", on_click=_open, args=(_EDITING, one.id))
        st.button(t("quick_replies.archive"), key=f"reply_archive_{one.id}", on_click=_archive, args=(one.id,))


def _filling(looking: Viewer, one: ReplyView) -> None:
    """The blanks, and once they are filled the text to copy."""
    platforms = list(Platform)
    usual = next((platforms.index(Platform(one)) for one in looking.creator.platforms if one in set(Platform)), 0)
    with st.form(f"reply_fill_{one.id}"):
        for name in one.blanks:
            st.text_input(
                _blank_label(name),
                looking.creator.name if name == "creator_name" else "",
                key=f"reply_blank_{one.id}_{name}",
                max_chars=LONGEST_VALUE,
            )
        st.selectbox(
            t("quick_replies.platform"),
            platforms,
            index=usual,
            key=f"reply_platform_{one.id}",
            format_func=PLATFORM_NAMES.__getitem__,
            help=t("quick_replies.platform_help"),
            width=220,
        )
        st.form_submit_button(t("quick_replies.fill"), type="primary", on_click=_fill, args=(one,), key="reply_fill")
    ready: Filled | None = st.session_state.get(_READY)
    if ready is not None and ready.reply_id == one.id:
        _copying(ready, st.session_state[f"reply_platform_{one.id}"])
    st.button(t("quick_replies.close"), key="reply_close", on_click=_close)


def _blank_label(name: str) -> str:
    braced = plain(f"{{{name}}}")
    return f"{t(f'quick_replies.blank_{name}')} · {braced}" if name in KNOWN else braced


def _copying(ready: Filled, platform: Platform) -> None:
    st.code(ready.text, language=None, wrap_lines=True)
    st.caption(t("quick_replies.copy_it"))
    for finding in ready.findings:
        sentence = sentences().text(language(), finding.code, **finding_facts(finding, platform))
        icon = ":material/gavel:" if finding.action is Action.RESTRICT else ":material/visibility:"
        st.warning(plain(sentence), icon=icon)


def _form(one: ReplyView | None, speaks: str) -> None:
    """The fields of a new quick reply, or of one that is worded anew."""
    key = f"reply_{one.id if one else _NEW}"
    with st.form(key, border=False, clear_on_submit=False):
        st.text_area(
            t("quick_replies.body"),
            one.body if one else "",
            key=f"{key}_body",
            max_chars=LONGEST_BODY,
            placeholder=t("quick_replies.example", name="{fan_name}", day="{day}"),
            help=t("quick_replies.blanks_help", known=plain(", ".join(f"{{{name}}}" for name in KNOWN))),
        )
        st.text_input(
            t("quick_replies.title"),
            one.title if one else "",
            key=f"{key}_title",
            max_chars=LONGEST_TITLE,
            help=t("quick_replies.title_help"),
        )
        with st.container(horizontal=True):
            st.text_input(
                t("quick_replies.category"),
                one.category if one else "",
                key=f"{key}_category",
                max_chars=LONGEST_CATEGORY,
                width=220,
            )
            st.segmented_control(
                t("quick_replies.language"),
                list(LANGUAGES),
                default=speaks,
                required=True,
                key=f"{key}_language",
                format_func=LANGUAGES.__getitem__,
            )
        label = t("quick_replies.save") if one else t("quick_replies.add")
        st.form_submit_button(label, type="primary", on_click=_save, args=(key, one), key=f"{key}_save")
    if one:
        st.button(t("quick_replies.close"), key="reply_close", on_click=_close)


@refusals_shown()
def _save(key: str, one: ReplyView | None) -> None:
    given = {name: str(st.session_state[f"{key}_{name}"] or "") for name in _FIELDS}
    new = Wording.of(**given)
    if one is None:
        add_reply(viewer().scope, new)
        for name in ("title", "body"):
            st.session_state[f"{key}_{name}"] = ""
    else:
        change_reply(viewer().scope, one.id, new)
        _close()
    flash(t("quick_replies.saved", title=plain(new.title)))


@refusals_shown()
def _fill(one: ReplyView) -> None:
    """One use for each press; the text is shown until the reply is closed."""
    st.session_state.pop(_READY, None)
    values = {name: str(st.session_state[f"reply_blank_{one.id}_{name}"] or "") for name in one.blanks}
    platform = st.session_state[f"reply_platform_{one.id}"]
    st.session_state[_READY] = use_reply(viewer().scope, one.id, values, platform)


def _open(what: str, reply_id: UUID) -> None:
    _close()
    st.session_state[what] = reply_id


def _close() -> None:
    for name in (_USING, _EDITING, _READY):
        st.session_state.pop(name, None)


def _undo_offer(kept: tuple[ReplyView, ...]) -> None:
    gone = next((one for one in kept if one.id == st.session_state.get(_UNDO) and one.archived_at), None)
    if gone is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(t("quick_replies.put_away", title=plain(gone.title)))
        st.button(
            t("quick_replies.undo"), key="reply_undo_button", on_click=_restore, args=(gone.id,), icon=":material/undo:"
        )


@refusals_shown()
def _archive(reply_id: UUID) -> None:
    archive_reply(viewer().scope, reply_id)
    st.session_state[_UNDO] = reply_id


@refusals_shown()
def _restore(reply_id: UUID) -> None:
    restore_reply(viewer().scope, reply_id)
    st.session_state.pop(_UNDO, None)
