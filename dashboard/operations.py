"""How the product does: its machinery, Stripe's events, jobs and letters, with what staff may set going again."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

import streamlit as st

from core.insights.health import Health, counts, health, models
from core.insights.letters import LetterSeen, letter, letters, may_be_read
from core.insights.operations import JobSeen, KeySeen, State, SweepSeen, events, jobs, keys, replay, retry_job, sweeps
from dashboard import model_notices
from dashboard.components.figures import nothing_yet
from dashboard.session import Viewer, anyone, flash, refusals_shown
from dashboard.words import moment, number, plain, t

_LETTER = "operations_letter"
_LINK = re.compile(r"https?://\S+")
_COUNTED = ("users", "accounts", "creators", "jobs_open", "letters_open", "events_open")
_ALARMING = ("jobs_failed", "letters_failed", "keys_failed")
T = TypeVar("T")


def operations(looking: Viewer) -> None:
    """One of the four views, as chosen."""
    draw: Mapping[str, Callable[[Viewer], None]] = {
        "health": _health,
        "events": _events,
        "jobs": _jobs,
        "mail": _mail,
    }
    chosen = st.segmented_control(
        t("admin.view"),
        list(draw),
        default="health",
        required=True,
        format_func=lambda one: t(f"admin.view_{one}"),
        key="operations_view",
        label_visibility="collapsed",
    )
    draw[chosen or "health"](looking)


def _health(looking: Viewer) -> None:
    now, many = health(looking.scope), counts(looking.scope)
    if not now.is_migrated:
        st.warning(t("admin.not_migrated", has=plain(str(now.revision)), needs=plain(now.revision_of_code)))
    if now.takes_payments:
        _stripe_alarms(now)
    with refusals_shown():
        _models(looking)
    with st.grid(border=True):
        for name in _COUNTED:
            st.metric(t(f"admin.count_{name}"), number(getattr(many, name)))
        for name in _ALARMING:
            failed: int = getattr(many, name)
            st.metric(t(f"admin.count_{name}"), number(failed), border=bool(failed))
    never = t("admin.never")
    facts = {
        "worker": moment(now.finished_at) if now.finished_at else never,
        "waiting": moment(now.waiting_since) if now.waiting_since else t("admin.nothing_waits"),
        "mail": t("admin.by_server" if now.sends_mail else "admin.by_file"),
        "payments": t("admin.set_up" if now.takes_payments else "admin.not_set_up"),
        "revision": now.revision or never,
        "versions": f"PostgreSQL {now.postgres}, Python {now.python}, Streamlit {now.streamlit}",
    }
    st.dataframe(
        [{t("admin.what"): t(f"admin.health_{name}"), t("admin.state"): fact} for name, fact in facts.items()],
        hide_index=True,
        alt=t("admin.view_health"),
    )


def _models(looking: Viewer) -> None:
    """Settings that are incomplete are said too, and the rest of the view is drawn all the same."""
    ahead = models(looking.scope)
    model_notices.in_use(ahead)
    if ahead.ending_unused:
        with st.expander(t("usage.others_ending"), icon=":material/event_busy:"):
            model_notices.others(ahead)


def _stripe_alarms(now: Health) -> None:
    if now.is_late and now.asking_since:
        st.warning(t("sweeps.late", since=moment(now.asking_since)))
    if now.is_silent:
        since = moment(now.rang_at) if now.rang_at else t("admin.never")
        st.warning(t("sweeps.silent", since=since))
    if now.unsent_reports:
        st.warning(t("sweeps.unsent", count=now.unsent_reports))


def _events(looking: Viewer) -> None:
    waiting = keys(looking.scope)
    _listed(t("admin.keys"), [_key_row(one) for one in waiting], t("admin.no_keys"))
    if waiting:
        chosen = _choice(t("admin.key"), waiting, lambda one: one.key, "operations_key")
        st.button(t("admin.replay"), key="replay", on_click=_replay, args=(chosen.key,))
    state = _state("operations_event_state")
    rows = [
        {
            t("admin.received"): moment(one.received_at),
            t("admin.type"): one.type,
            t("admin.state"): t(f"admin.state_{one.state}"),
            t("admin.applied"): moment(one.processed_at) if one.processed_at else "",
            t("admin.key"): one.key or "",
            t("admin.id"): one.id,
        }
        for one in events(looking.scope, state=state)
    ]
    _listed(t("admin.events"), rows, t("admin.no_events"))
    _listed(t("sweeps.title"), [_sweep_row(one) for one in sweeps(looking.scope)], t("sweeps.none"))
    st.caption(t("sweeps.about"))


def _sweep_row(one: SweepSeen) -> dict[str, str]:
    return {
        t("sweeps.began"): moment(one.began_at),
        t("sweeps.listed"): number(one.listed),
        t("sweeps.missed"): number(one.missed),
        t("sweeps.asked"): number(one.asked),
        t("sweeps.differing"): t("sweeps.not_compared") if one.differing is None else number(one.differing),
        t("admin.error"): one.last_error or "",
    }


def _key_row(one: KeySeen) -> dict[str, str]:
    return {
        t("admin.key"): one.key,
        t("deeds.account"): one.account or "",
        t("admin.state"): t(f"admin.state_{one.state}"),
        t("admin.attempts"): number(one.attempts),
        t("admin.error"): one.last_error or "",
        t("admin.next"): moment(one.next_at),
    }


@refusals_shown()
def _replay(key: str) -> None:
    replay(anyone().scope, key)
    flash(t("admin.replayed"))


def _jobs(looking: Viewer) -> None:
    failed = jobs(looking.scope, state=State.FAILED)
    _listed(t("admin.jobs_failed"), [_job_row(one) for one in failed], t("admin.no_failed_jobs"))
    if failed:
        chosen = _choice(t("admin.job"), failed, _job_name, "operations_job")
        st.button(t("admin.retry"), key="retry", on_click=_retry, args=(chosen.id,))
    _listed(t("admin.jobs_open"), [_job_row(one) for one in jobs(looking.scope)], t("admin.no_open_jobs"))


def _job_name(one: JobSeen) -> str:
    return f"{one.kind} · {moment(one.created_at)} · {str(one.id)[-4:]}"


def _job_row(one: JobSeen) -> dict[str, str]:
    return {
        t("admin.made"): moment(one.created_at),
        t("admin.type"): one.kind,
        t("deeds.account"): one.account or "",
        t("admin.due"): moment(one.run_at),
        t("admin.ended"): moment(one.ended_at) if one.ended_at else "",
        t("admin.attempts"): number(one.attempts),
        t("admin.error"): one.last_error or "",
        t("admin.id"): str(one.id),
    }


@refusals_shown()
def _retry(job_id: UUID) -> None:
    retry_job(anyone().scope, job_id)
    flash(t("admin.retried"))


def _mail(looking: Viewer) -> None:
    st.caption(t("admin.letters_here" if may_be_read() else "admin.letters_by_server"))
    found = letters(looking.scope, state=_state("operations_letter_state"))
    _listed(t("admin.letters"), [_letter_row(one) for one in found], t("admin.no_letters"))
    if found and may_be_read():
        chosen = _choice(t("admin.letter"), found, _letter_name, "operations_letter_choice")
        st.button(t("admin.open_letter"), key="open_letter", on_click=_open, args=(chosen,))
        _opened()


def _letter_name(one: LetterSeen) -> str:
    return f"{one.to_address} · {one.subject} · {moment(one.created_at)}"


def _letter_row(one: LetterSeen) -> dict[str, str]:
    return {
        t("admin.made"): moment(one.created_at),
        t("admin.to"): one.to_address,
        t("admin.subject"): one.subject,
        t("admin.state"): t(f"admin.state_{one.state}"),
        t("admin.ended"): moment(one.ended_at) if one.ended_at else "",
        t("admin.attempts"): number(one.attempts),
        t("admin.error"): one.last_error or "",
    }


@refusals_shown()
def _open(chosen: LetterSeen) -> None:
    """What it says is shown once, by the run that follows this click."""
    st.session_state[_LETTER] = letter(anyone().scope, chosen.id)


def _opened() -> None:
    body: str | None = st.session_state.pop(_LETTER, None)
    if body is None:
        return
    st.code(body, language=None, wrap_lines=True)
    for number_of, link in enumerate(_LINK.findall(body)):
        st.link_button(t("admin.follow"), link, key=f"follow_{number_of}")


def _state(key: str) -> State | None:
    return st.pills(t("admin.state"), list(State), format_func=lambda one: t(f"admin.state_{one}"), key=key)


def _choice(label: str, among: Sequence[T], name: Callable[[T], str], key: str) -> T:
    """One of the list, by its name; the first until one is chosen."""
    names = {name(one): one for one in among}
    chosen: str = st.selectbox(label, list(names), key=key)
    return names[chosen]


def _listed(title: str, rows: Sequence[Mapping[str, str]], empty: str) -> None:
    st.subheader(title)
    if rows:
        st.dataframe(list(rows), hide_index=True, alt=title)
    else:
        nothing_yet(empty)
