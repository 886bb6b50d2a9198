"""The steps of onboarding: what each asks, and what it saves. Each saves on its own, in a callback."""

from collections.abc import Callable, Mapping

import streamlit as st

from core.billing.service import plan
from core.content.briefs import Tone, Voice
from core.content.platforms import PLATFORM_NAMES, Platform
from core.content.service import save_voice, voice
from core.identity.service import TIME_ZONES, edit_profile
from core.insights.onboarding import DEFAULT_TIME_ZONE, Goal, Progress, State, Step, came_as
from core.language import LANGUAGES
from core.workspaces.service import CURRENCIES, edit_workspace, my_accounts, skip_step
from dashboard.components.creators import new_creator
from dashboard.components.demo import try_demo
from dashboard.navigation import link
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.words import plain, t

AT = "onboarding_step"
LEFT = "onboarding_left"
"""Set once somebody went elsewhere: they are not sent back for the rest of this visit."""

_ICONS = {
    State.DONE: ":material/check_circle:",
    State.SKIPPED: ":material/remove_circle_outline:",
    State.OPEN: ":material/radio_button_unchecked:",
}


def choose_step(progress: Progress) -> Step:
    """The row of steps with their states; the first open one is chosen until another is."""
    steps = list(progress.steps)
    if st.session_state.get(AT) not in steps:
        st.session_state[AT] = progress.next or steps[-1]
    st.progress(
        progress.settled / len(steps), text=t("onboarding.progress", settled=progress.settled, steps=len(steps))
    )
    names = {step: f"{_ICONS[state]} {t(f'onboarding.step_{step}')}" for step, state in progress.steps.items()}
    st.pills(
        t("onboarding.steps"),
        steps,
        key=AT,
        required=True,
        label_visibility="collapsed",
        format_func=names.__getitem__,
    )
    return Step(st.session_state[AT])


def draw(step: Step, looking: Viewer) -> None:
    """The chosen step."""
    st.subheader(t(f"onboarding.step_{step}"))
    st.write(t(f"onboarding.why_{step}"))
    _STEPS[step](looking)


def ways_on(step: Step, progress: Progress) -> None:
    """Back, on without an answer, and out."""
    steps = list(progress.steps)
    at = steps.index(step)
    with st.container(horizontal=True, vertical_alignment="center"):
        if at > 0:
            st.button(t("onboarding.back"), key="onboarding_back", on_click=_turn_to, args=(steps[at - 1],))
        if progress.steps[step] is State.OPEN:
            st.button(t("onboarding.skip"), key="onboarding_skip", on_click=_skip, args=(step,))
        elif at + 1 < len(steps):
            st.button(t("onboarding.next"), key="onboarding_next", on_click=_turn_to, args=(steps[at + 1],))
        link("home", t("onboarding.leave"))


def _turn_to(step: Step) -> None:
    st.session_state[AT] = step


def _go_on(step: Step) -> None:
    """To the step after this one, whatever its state: somebody going through them sees each once."""
    steps = list(Step)
    st.session_state[AT] = steps[min(steps.index(step) + 1, len(steps) - 1)]


@refusals_shown()
def _skip(step: Step) -> None:
    skip_step(viewer().scope, step)
    _go_on(step)


def _role(looking: Viewer) -> None:
    account = my_accounts(looking.scope)[0]
    is_agency = account.kind == "agency"
    kinds = {False: t("onboarding.creator"), True: t("onboarding.agency")}
    goals = {goal: t(f"onboarding.goal_{goal}") for goal in Goal}
    with st.form("onboarding_role"):
        st.radio(
            t("onboarding.who"),
            list(kinds),
            index=int(is_agency),
            key="onboarding_agency",
            format_func=kinds.__getitem__,
        )
        st.radio(
            t("onboarding.goal"),
            list(goals),
            index=list(goals).index(Goal(account.goal)) if account.goal in goals else 0,
            key="onboarding_goal",
            format_func=goals.__getitem__,
        )
        st.form_submit_button(t("onboarding.save"), type="primary", on_click=_save_role)
    if is_agency:
        st.markdown(t("onboarding.your_creators"))
        for workspace in looking.workspaces:
            if workspace.account_id == account.id:
                st.markdown(f"- {plain(workspace.name)}")
        new_creator()


@refusals_shown()
def _save_role() -> None:
    is_agency = st.session_state["onboarding_agency"]
    came_as(viewer().scope, is_agency=is_agency, goal=st.session_state["onboarding_goal"])
    flash(t("onboarding.saved"))
    if not is_agency:
        _go_on(Step.ROLE)


def _profile(looking: Viewer) -> None:
    workspace = looking.creator
    is_agency = _is_agency(looking)
    zones = sorted(TIME_ZONES)
    zone = workspace.time_zone if workspace.time_zone != DEFAULT_TIME_ZONE else st.context.timezone
    with st.form("onboarding_profile"):
        st.text_input(t("onboarding.your_name"), looking.display_name, key="onboarding_name", max_chars=80)
        if is_agency:
            st.text_input(t("frame.creator_name"), workspace.name, key="onboarding_creator_name", max_chars=80)
        st.selectbox(
            t("frame.language"),
            list(LANGUAGES),
            index=list(LANGUAGES).index(looking.language),
            key="onboarding_language",
            format_func=LANGUAGES.__getitem__,
        )
        st.selectbox(
            t("onboarding.time_zone"),
            zones,
            index=zones.index(zone if zone in TIME_ZONES else DEFAULT_TIME_ZONE),
            key="onboarding_time_zone",
            help=t("onboarding.time_zone_why"),
        )
        st.selectbox(
            t("onboarding.currency"), CURRENCIES, index=CURRENCIES.index(workspace.currency), key="onboarding_currency"
        )
        st.form_submit_button(t("onboarding.save"), type="primary", on_click=_save_profile, args=(is_agency,))


@refusals_shown()
def _save_profile(is_agency: bool) -> None:
    """A creator who works alone has one name and one time zone; in an agency the creator's are their own."""
    scope, given = viewer().scope, st.session_state
    name, zone = given["onboarding_name"], given["onboarding_time_zone"]
    edit_profile(scope, display_name=name, language=given["onboarding_language"], time_zone=None if is_agency else zone)
    edit_workspace(
        scope,
        name=given["onboarding_creator_name"] if is_agency else name,
        time_zone=zone,
        currency=given["onboarding_currency"],
    )
    _saved(Step.PROFILE, says_nothing=zone == DEFAULT_TIME_ZONE)


def _platforms(looking: Viewer) -> None:
    known = set(Platform)
    with st.form("onboarding_platforms"):
        st.pills(
            t("onboarding.where"),
            list(Platform),
            selection_mode="multi",
            default=[Platform(name) for name in looking.creator.platforms if name in known],
            key="onboarding_platforms",
            format_func=PLATFORM_NAMES.__getitem__,
        )
        st.form_submit_button(t("onboarding.save"), type="primary", on_click=_save_platforms)
    link("analytics", t("onboarding.import_now"))


@refusals_shown()
def _save_platforms() -> None:
    chosen = st.session_state["onboarding_platforms"]
    edit_workspace(viewer().scope, platforms=chosen)
    _saved(Step.PLATFORMS, says_nothing=not chosen)


def _voice(looking: Viewer) -> None:
    now = voice(looking.scope) or Voice()
    tones = {tone: t(f"onboarding.tone_{tone}") for tone in Tone}
    with st.form("onboarding_voice"):
        st.radio(
            t("onboarding.tone"),
            list(tones),
            index=list(tones).index(now.tone),
            key="onboarding_tone",
            horizontal=True,
            format_func=tones.__getitem__,
        )
        for name, lines in (
            ("traits", now.traits),
            ("sample_lines", now.sample_lines),
            ("words_to_avoid", now.words_to_avoid),
        ):
            st.text_area(
                t(f"onboarding.{name}"),
                "\n".join(lines),
                key=f"onboarding_{name}",
                help=t("onboarding.one_a_line"),
                placeholder=t(f"onboarding.{name}_example"),
            )
        st.form_submit_button(t("onboarding.save"), type="primary", on_click=_save_voice)


@refusals_shown()
def _save_voice() -> None:
    """What this step does not ask for stays as it is."""
    scope, given = viewer().scope, st.session_state
    now = voice(scope) or Voice()
    save_voice(
        scope,
        Voice.of(
            tone=given["onboarding_tone"],
            traits=_lines("onboarding_traits"),
            sample_lines=_lines("onboarding_sample_lines"),
            words_to_use=now.words_to_use,
            words_to_avoid=_lines("onboarding_words_to_avoid"),
            languages=now.languages,
            emojis=now.emojis,
        ),
    )
    _saved(Step.VOICE)


def _lines(key: str) -> tuple[str, ...]:
    return tuple(str(st.session_state[key]).splitlines())


def _plan(looking: Viewer) -> None:
    current = plan(looking.scope).entitlement.plan
    st.markdown(t("onboarding.plan_now", plan=t(f"frame.plan_{current}")))
    with st.container(horizontal=True, vertical_alignment="center"):
        link("billing", t("frame.see_plans"))
        st.button(t("onboarding.stay"), key="onboarding_stay", on_click=_skip, args=(Step.PLAN,))


def _first_result(looking: Viewer) -> None:
    link("analytics", t("onboarding.first_chart"))
    link("content", t("onboarding.first_draft"))
    try_demo(looking)


def _saved(step: Step, *, says_nothing: bool = False) -> None:
    """An answer that leaves the data as they were at the start counts as passed over: it is not asked for again."""
    if says_nothing:
        skip_step(viewer().scope, step)
    flash(t("onboarding.saved"))
    _go_on(step)


def _is_agency(looking: Viewer) -> bool:
    return my_accounts(looking.scope)[0].kind == "agency"


_STEPS: Mapping[Step, Callable[[Viewer], None]] = {
    Step.ROLE: _role,
    Step.PROFILE: _profile,
    Step.PLATFORMS: _platforms,
    Step.VOICE: _voice,
    Step.PLAN: _plan,
    Step.FIRST_RESULT: _first_result,
}
