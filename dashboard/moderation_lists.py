"""The product's lists by category, the creator's own, its history, and what a change would do to texts of the past."""

import pandas as pd
import streamlit as st

from core.access import Permission
from core.content.house_rules import LONGEST_NOTE, changed, list_versions, make_current_again, own_list, save_list
from core.content.moderation import Action, shipped_lists
from core.content.own_lists import LONGEST_TERM, OwnList, OwnTerm, own_categories
from core.content.platforms import PLATFORM_NAMES, Platform
from core.errors import sentences
from core.insights.list_trial import Example, Trial, try_list
from dashboard.components.figures import nothing_yet
from dashboard.components.writing import shown
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.viewing import language
from dashboard.words import moment, number, percent, plain, t

_STAGED, _TRIAL = "moderation_staged", "moderation_trial"
_UNLISTED = "minors"
"""The category whose terms are counted and not shown."""


def lists(looking: Viewer) -> None:
    """What comes with the product, then what is the creator's own."""
    st.subheader(t("moderation.ours"))
    _shipped()
    st.subheader(t("moderation.own"))
    held, version = own_list(looking.scope)
    st.caption(t("moderation.own_what"))
    if looking.scope.may(Permission.MODERATE):
        _editor(held, version)
    _own(held, version)
    _history(looking, version)


def _label(category: str) -> str:
    label = sentences().text(language(), f"moderation.label_{category}")
    return label[:1].upper() + label[1:]


def _labels() -> dict[str, str]:
    return {name: _label(name) for name in own_categories()}


def _places(platforms: tuple[Platform, ...]) -> str:
    return ", ".join(PLATFORM_NAMES[one] for one in platforms) or t("moderation.every_platform")


def _shipped() -> None:
    ours = shipped_lists()
    st.caption(t("moderation.ours_what", version=ours.version))
    rows = [
        {
            t("moderation.category"): _label(one.name),
            t("moderation.does"): t(f"moderation.action_{one.action}"),
            t("moderation.terms"): len(one.terms) + len(one.near) + (len(ours.groups["adult"]) if one.of_group else 0),
            t("moderation.platforms"): _places(one.platforms),
        }
        for one in ours.category
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    chosen = st.selectbox(
        t("moderation.see_terms"),
        [one.name for one in ours.category if one.name != _UNLISTED],
        index=None,
        key="moderation_see",
        format_func=_labels().__getitem__,
        placeholder=t("moderation.choose_category"),
    )
    for one in ours.category:
        if one.name == chosen:
            terms = (*one.terms, *one.near, *(ours.groups["adult"] if one.of_group else ()))
            st.markdown(plain(", ".join(sorted(terms))))
            if one.near:
                st.caption(t("moderation.some_near"))
    st.caption(t("moderation.not_listed", category=plain(_label(_UNLISTED))))


def _own(held: OwnList, version: int) -> None:
    if not held.terms and not held.allowed:
        nothing_yet(t("moderation.own_empty"))
        return
    st.caption(t("moderation.version_now", version=number(version)))
    rows = [
        {
            t("moderation.term"): one.term,
            t("moderation.category"): _label(one.category),
            t("moderation.does"): t(f"moderation.action_{one.action}"),
            t("moderation.platforms"): _places(one.platforms),
        }
        for one in held.terms
    ]
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True)
    if held.allowed:
        st.markdown(f"{t('moderation.allowed')}: {plain(', '.join(held.allowed))}")


def _editor(held: OwnList, version: int) -> None:
    """Changes are gathered here, tried, and saved together as one version."""
    now: OwnList = st.session_state.get(_STAGED, held)
    with st.form("moderation_add", clear_on_submit=True):
        st.text_input(t("moderation.term"), key="term_text", max_chars=LONGEST_TERM)
        st.selectbox(t("moderation.category"), own_categories(), key="term_category", format_func=_labels().__getitem__)
        st.radio(
            t("moderation.does"),
            [Action.RESTRICT, Action.BLOCK],
            key="term_action",
            format_func={one: t(f"moderation.action_{one}") for one in Action}.__getitem__,
            horizontal=True,
        )
        st.multiselect(
            t("moderation.platforms"),
            list(Platform),
            key="term_platforms",
            format_func=PLATFORM_NAMES.__getitem__,
            placeholder=t("moderation.every_platform"),
        )
        st.form_submit_button(t("moderation.add"), on_click=_add, args=(now,))
    with st.form("moderation_rest"):
        st.multiselect(
            t("moderation.take_out"),
            [one.term for one in now.terms],
            key=f"take_out_{version}_{len(now.terms)}",
            placeholder=t("moderation.choose_terms"),
        )
        st.text_area(
            t("moderation.allowed"),
            "\n".join(now.allowed),
            key=f"allowed_{version}",
            help=t("moderation.allowed_help"),
        )
        st.multiselect(
            t("moderation.reviewed"),
            own_categories(),
            list(now.reviewed),
            key=f"reviewed_{version}",
            format_func=_labels().__getitem__,
            placeholder=t("moderation.choose_category"),
        )
        st.form_submit_button(t("moderation.apply"), on_click=_rest, args=(now, version))
    if now != held:
        _staged(held, now, version)


def _staged(held: OwnList, now: OwnList, version: int) -> None:
    with st.container(border=True):
        st.markdown(f"**{t('moderation.not_saved')}**")
        _difference(*changed(held, now))
        st.button(t("moderation.try"), key="moderation_try", on_click=_try, args=(now,), icon=":material/science:")
        tried = st.session_state.get(_TRIAL)
        if tried is not None and tried[0] == now:
            _trial(tried[1])
        st.text_input(t("moderation.note"), key="moderation_note", max_chars=LONGEST_NOTE)
        with st.container(horizontal=True):
            st.button(t("moderation.save"), key="moderation_save", on_click=_save, args=(now, version), type="primary")
            st.button(t("moderation.discard"), key="moderation_discard", on_click=_forget)


def _difference(added: tuple[str, ...], removed: tuple[str, ...]) -> None:
    for sign, lines in (("＋", added), ("−", removed)):
        for line in lines:
            st.markdown(f"{sign} {plain(line)}")


def _trial(trial: Trial) -> None:
    if not trial.tried:
        nothing_yet(t("moderation.nothing_to_try"))
        return
    facts = {
        "tried": number(trial.tried),
        "total": number(trial.total),
        "rate": percent(trial.rate),
        "before": number(trial.before),
        "after": number(trial.after),
    }
    st.markdown(plain(t("moderation.trial", **facts)))
    _examples(t("moderation.gained", count=trial.gained), trial.examples_gained)
    _examples(t("moderation.lost", count=trial.lost), trial.examples_lost)


def _examples(title: str, examples: tuple[Example, ...]) -> None:
    st.markdown(f"**{title}**")
    for one in examples:
        with st.container(border=True):
            st.caption(plain(", ".join(finding.found for finding in one.findings)))
            if any(finding.category == _UNLISTED for finding in one.findings):
                st.caption(t("moderation.hidden"))
            else:
                shown(one.body)


def _history(looking: Viewer, version: int) -> None:
    versions = list_versions(looking.scope)
    if not versions:
        return
    with st.expander(t("moderation.history", number=number(len(versions)))):
        for one in versions:
            st.markdown(f"**{t('moderation.version', version=number(one.version))}** {plain(one.note)}")
            st.caption(plain(moment(one.created_at)))
            _difference(one.added, one.removed)
            if one.version != version and looking.scope.may(Permission.MODERATE):
                st.button(
                    t("moderation.again", version=number(one.version)),
                    key=f"again_{one.version}",
                    on_click=_again,
                    args=(one.version, version),
                )


@refusals_shown()
def _add(now: OwnList) -> None:
    state = st.session_state
    term = OwnTerm(
        term=state["term_text"],
        category=state["term_category"],
        action=state["term_action"],
        platforms=tuple(state["term_platforms"]),
    )
    state[_STAGED] = OwnList.of((*now.terms, term), now.allowed, now.reviewed)


@refusals_shown()
def _rest(now: OwnList, version: int) -> None:
    state = st.session_state
    gone = state[f"take_out_{version}_{len(now.terms)}"]
    allowed = state[f"allowed_{version}"].splitlines()
    kept = [one for one in now.terms if one.term not in gone]
    state[_STAGED] = OwnList.of(kept, allowed, state[f"reviewed_{version}"])


@refusals_shown()
def _try(now: OwnList) -> None:
    st.session_state[_TRIAL] = (now, try_list(viewer().scope, now))


@refusals_shown()
def _save(now: OwnList, version: int) -> None:
    saved = save_list(viewer().scope, now, version=version, note=st.session_state.get("moderation_note", ""))
    _forget()
    flash(t("moderation.saved", version=number(saved)))


@refusals_shown()
def _again(again: int, version: int) -> None:
    saved = make_current_again(viewer().scope, again, version=version)
    _forget()
    flash(t("moderation.saved", version=number(saved)))


def _forget() -> None:
    for name in (_STAGED, _TRIAL, "moderation_note"):
        st.session_state.pop(name, None)
