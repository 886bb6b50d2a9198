"""The draft at hand: while it grows, once it is there, and what can be done with it."""

from decimal import Decimal
from uuid import UUID

import streamlit as st
from babel.numbers import format_currency

from core.content.assets import AssetText, save_asset
from core.content.briefs import LONGEST_ABOUT, LONGEST_PREVIOUS, Brief
from core.content.house_rules import current_rules
from core.content.kinds import AssetType
from core.content.moderation import Rules
from core.content.service import (
    back_to_parent,
    cancel_generation,
    dismiss_generation,
    generation,
    larger_model_for,
    request_draft,
)
from core.content.views import GenerationView
from dashboard.components.writing import editor, failures, is_fit_to_keep, listed, shown
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.viewing import language
from dashboard.words import number, plain, t

POLL_SECONDS = 0.4


def draft_panel(looking: Viewer, current: GenerationView | None) -> None:
    """The draft at hand, whatever its state."""
    if current is None:
        st.caption(t("content.nothing_at_hand"))
    elif current.is_open:
        _growing(current.id)
    elif current.text:
        _finished(looking, current)
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
            grown(now.texts)
            if st.button(t("content.stop"), key="content_stop", icon=":material/stop_circle:"):
                cancel_generation(viewer().scope, generation_id)
                st.rerun()

    text()


def grown(texts: tuple[str, ...]) -> None:
    """Texts so far: the first alone, then each under its number, the one that grows in front."""
    if len(texts) < 2:
        shown("".join(texts))
        return
    names = [t("content.variant", number=number(place + 1)) for place in range(len(texts))]
    for tab, text in zip(st.tabs(names, default=names[-1]), texts, strict=True):
        with tab:
            shown(text)


def _ended(ended: GenerationView) -> None:
    problem = ended.problem(language())
    if problem is None:
        st.info(t("content.stopped_early"))
    else:
        st.warning(plain(problem), icon=":material/warning:")
    with st.container(horizontal=True):
        st.button(
            t("content.try_again"), key="content_again", on_click=_ask_again, args=(ended,), icon=":material/refresh:"
        )
        _others(ended)


def _finished(looking: Viewer, written: GenerationView) -> None:
    origin(written)
    rules = current_rules(looking.scope)

    @st.fragment
    @refusals_shown()
    def edited() -> None:
        variant, text = chosen_text(written, rules)
        title = st.text_input(t("content.name"), key=f"content_name_{written.id}", help=t("content.name_help"))
        tags = st.text_input(t("content.tags"), key=f"content_tags_{written.id}", help=t("content.tags_help"))
        is_fit = is_fit_to_keep(text, written.brief.platform, rules)
        if st.button(t("content.save"), key="content_save", type="primary", disabled=not is_fit):
            content = AssetText.of(title=title, body=text, tags=listed(tags), picture=written.brief.picture)
            _keep(written, variant, content)
            st.rerun()

    edited()
    _anew(written)


def chosen_text(written: GenerationView, rules: Rules) -> tuple[int, str]:
    """One of the texts of a draft to be edited, the others a click away: its place, and as it stands."""
    variant = 0
    if len(written.texts) > 1:
        variant = (
            st.segmented_control(
                t("content.variants"),
                list(range(len(written.texts))),
                default=0,
                required=True,
                key=f"content_variant_{written.id}",
                format_func=lambda place: _named(written, place),
                label_visibility="collapsed",
            )
            or 0
        )
    text = editor(text_key(written.id, variant), written.texts[variant], written.brief.platform, rules)
    if written.failed and text == written.texts[variant]:
        failures(written.failed[variant])
    return variant, text


def text_key(generation_id: UUID, variant: int) -> str:
    return f"content_text_{generation_id}_{variant}"


def _named(written: GenerationView, place: int) -> str:
    fails = bool(written.failed and written.failed[place])
    return t("content.variant_failing" if fails else "content.variant", number=number(place + 1))


def _keep(written: GenerationView, variant: int, content: AssetText) -> None:
    saved = save_asset(
        viewer().scope,
        content,
        type=AssetType(written.brief.task),
        platform=written.brief.platform,
        language=written.brief.language,
        generation_id=written.id,
        variant=variant,
    )
    flash(t("content.saved", title=plain(saved.title)))


def _anew(written: GenerationView) -> None:
    """Ways to another draft: with what is to be otherwise, by a larger model, back to the one before, or none."""
    with st.container(border=True):
        if not written.is_template:
            st.text_input(
                t("content.note"),
                key=_note_key(written),
                max_chars=LONGEST_ABOUT,
                placeholder=t("content.note_example"),
            )
        with st.container(horizontal=True):
            st.button(
                t("content.another"),
                key="content_again",
                on_click=_ask_again,
                args=(written,),
                icon=":material/refresh:",
            )
            if (larger := _larger(written)) is not None:
                st.button(
                    t("content.larger", model=plain(larger)),
                    key="content_larger",
                    on_click=_ask_again,
                    args=(written,),
                    kwargs={"wants_large": True},
                    icon=":material/north_east:",
                )
            _others(written)


def _larger(written: GenerationView) -> str | None:
    if written.is_template or written.tier == "large":
        return None
    return larger_model_for(written.brief)


def _others(before: GenerationView) -> None:
    if before.parent_id is not None:
        st.button(t("content.back"), key="content_back", on_click=_go_back, args=(before.id,), icon=":material/undo:")
    st.button(t("content.discard"), key="content_discard", on_click=_discard, args=(before.id,))


def _note_key(written: GenerationView) -> str:
    return f"content_note_{written.id}"


@refusals_shown()
def _ask_again(before: GenerationView, *, wants_large: bool = False) -> None:
    """The same brief again; with a note, the text at hand goes along."""
    note = " ".join(str(st.session_state.get(_note_key(before)) or "").split())
    changed = {"note": note, "previous": _at_hand(before)[:LONGEST_PREVIOUS] if note else ""}
    wish = Brief.of(**before.brief.as_json() | changed)
    request_draft(viewer().scope, wish, parent_id=before.id, wants_large=wants_large)


def _at_hand(before: GenerationView) -> str:
    variant = int(st.session_state.get(f"content_variant_{before.id}") or 0)
    return str(st.session_state.get(text_key(before.id, variant)) or before.text)


@refusals_shown()
def _go_back(generation_id: UUID) -> None:
    back_to_parent(viewer().scope, generation_id)


@refusals_shown()
def _discard(generation_id: UUID) -> None:
    dismiss_generation(viewer().scope, generation_id)


def origin(written: GenerationView) -> None:
    """Who wrote it, why that model, what it went through, and what that cost: a model, or none."""
    if written.is_template:
        st.badge(t("content.no_model_used"), icon=":material/extension:", color="gray")
        if (why := written.problem(language())) is not None:
            st.caption(plain(why))
        return
    tokens = number(written.tokens_in + written.tokens_out)
    with st.container(horizontal=True):
        st.badge(plain(written.model or ""), icon=":material/smart_toy:", color="blue")
        if written.tier:
            st.badge(t(f"content.tier_{written.tier}"), color="gray")
        if written.was_repaired:
            st.badge(t("content.repaired"), icon=":material/build:", color="gray")
        if written.was_escalated:
            st.badge(t("content.escalated"), icon=":material/north_east:", color="gray")
    cost = t("content.cost_unknown") if written.cost is None else plain(_dollars(written.cost))
    facts = {"provider": plain(written.provider or ""), "tokens": tokens, "cost": cost}
    st.caption(t("content.origin_estimated", **facts) if written.is_estimated else t("content.origin", **facts))
    if written.reason:
        st.caption(t(f"content.reason_{written.reason}"))
    if len(written.texts) < written.brief.variants:
        failures(("too_few",))


def _dollars(cost: Decimal) -> str:
    """US dollars with every digit: one draft costs less than a cent."""
    return format_currency(cost, "USD", locale=language(), decimal_quantization=False)
