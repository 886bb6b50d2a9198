"""What people decide about models: the month's budget, the shadow sample, and where each task goes."""

from decimal import Decimal

import streamlit as st

from core.access import Permission
from core.ai.routing import THRIFT_FROM, Tier
from core.ai.service import Money, TaskTier, money, reset_tiers, set_budget, set_shadow, set_tier, tiers
from core.ai.shadow import ENOUGH, MOST_PER_MILLE
from core.ai.spending import Quality
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.usage import dollars, of_recent, share_of, task_name
from dashboard.words import number, plain, t

_NANO = Decimal("1e-9")


def budget(looking: Viewer) -> None:
    """How the month stands for the account, and for its owner what to change."""
    now = money(looking.scope)
    is_owner = looking.scope.may(Permission.MANAGE_BILLING)
    st.caption(t("usage.budget_of_account"))
    _standing(now)
    if is_owner:
        _budget_form(now)
    else:
        st.caption(t("usage.owner_sets"))
    st.subheader(t("usage.sample"))
    st.markdown(t("usage.sample_what", most=number(MOST_PER_MILLE), enough=number(ENOUGH)))
    _sample_standing(now)
    if is_owner:
        _sample_form(now)


def _standing(now: Money) -> None:
    work = now.work
    spent = plain(dollars(work.spent * _NANO))
    if work.budget.monthly is None:
        st.markdown(t("usage.spent_free", spent=spent))
        return
    per_cent = min(work.per_cent, 100)
    monthly = plain(dollars(work.budget.monthly * _NANO))
    st.progress(per_cent / 100, text=t("usage.spent_of", spent=spent, monthly=monthly, per_cent=number(work.per_cent)))
    if work.reserved:
        st.caption(t("usage.reserved", reserved=plain(dollars(work.reserved * _NANO))))
    if work.per_cent >= 100:
        st.error(t("usage.budget_out"), icon=":material/block:")
    elif work.per_cent >= THRIFT_FROM:
        st.warning(t("usage.budget_thrift", thrift=number(THRIFT_FROM)), icon=":material/savings:")
    st.caption(t("usage.budget_rules", thrift=number(THRIFT_FROM)))


def _budget_form(now: Money) -> None:
    monthly = now.work.budget.monthly
    with st.form("usage_budget"):
        st.number_input(
            t("usage.monthly"),
            min_value=0.0,
            step=1.0,
            value=None if monthly is None else float(monthly * _NANO),
            format="%.2f",
            key="usage_monthly",
            help=t("usage.monthly_help"),
            placeholder=t("usage.no_limit"),
            width=260,
        )
        st.form_submit_button(t("usage.save"), type="primary", on_click=_save_budget, key="usage_save_budget")


@refusals_shown()
def _save_budget() -> None:
    given: float | None = st.session_state["usage_monthly"]
    set_budget(viewer().scope, _amount(given))
    flash(t("usage.saved_budget"))


def _amount(given: float | None) -> Decimal | None:
    """As it was typed: a number field knows floats only, and the shortest digits of one are those that were typed."""
    return None if given is None else Decimal(str(given))


def _sample_standing(now: Money) -> None:
    chosen = now.work.budget
    if not chosen.shadow_per_mille:
        st.caption(t("usage.sample_off"))
        return
    st.caption(
        t(
            "usage.sample_on",
            per_mille=number(chosen.shadow_per_mille),
            spent=plain(dollars(now.shadow_spent)),
            monthly=plain(dollars(chosen.shadow_monthly * _NANO)),
        )
    )


def _sample_form(now: Money) -> None:
    chosen = now.work.budget
    with st.form("usage_sample"):
        st.slider(t("usage.per_mille"), 0, MOST_PER_MILLE, chosen.shadow_per_mille, key="usage_per_mille")
        st.number_input(
            t("usage.sample_monthly"),
            min_value=0.0,
            step=1.0,
            value=float(chosen.shadow_monthly * _NANO),
            format="%.2f",
            key="usage_sample_monthly",
            help=t("usage.sample_monthly_help"),
            width=260,
        )
        st.form_submit_button(t("usage.save"), on_click=_save_sample, key="usage_save_sample")


@refusals_shown()
def _save_sample() -> None:
    given = st.session_state
    set_shadow(viewer().scope, given["usage_per_mille"], _amount(given["usage_sample_monthly"]) or Decimal(0))
    flash(t("usage.saved_sample"))


def tier_table(looking: Viewer) -> None:
    """Each task with its tier, and what people did with the answers of each tier lately."""
    st.markdown(t("usage.tiers_what"))
    rows = tiers(looking.scope)
    measured = dict(of_recent(looking).quality_by_tier)
    may_edit = looking.scope.may(Permission.EDIT_WORKSPACE)
    for row in rows:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            _tier_row(row, measured, may_edit=may_edit)
    if may_edit and any(row.chosen for row in rows):
        st.button(t("usage.reset"), key="usage_reset", on_click=_reset, icon=":material/undo:")


def _tier_row(row: TaskTier, measured: dict[tuple[str, str], Quality], *, may_edit: bool) -> None:
    key = f"usage_tier_{row.task}"
    told = [f"**{plain(task_name(row.task))}**"]
    if row.chosen:
        told.append(t("usage.usually", tier=t(f"usage.tier_{row.usual}")))
    if row.is_critical:
        told.append(t("usage.critical"))
    st.markdown(" · ".join(told), width=260)
    st.segmented_control(
        t("usage.tier_of", task=task_name(row.task)),
        list(Tier),
        default=row.tier,
        required=True,
        key=f"{key}_{row.tier}",
        format_func=lambda one: t(f"usage.tier_{one}"),
        label_visibility="collapsed",
        disabled=not may_edit,
        on_change=_set_tier,
        args=(row.task, f"{key}_{row.tier}"),
    )
    for tier in Tier:
        if found := measured.get((row.task, tier)):
            accepted = share_of(found.of_decided(found.unedited), found.decided)
            st.caption(t("usage.accepted", tier=t(f"usage.tier_{tier}"), share=accepted), width="content")


@refusals_shown()
def _set_tier(task: str, key: str) -> None:
    set_tier(viewer().scope, task, st.session_state[key])
    flash(t("usage.saved_tier", task=task_name(task)))


@refusals_shown()
def _reset() -> None:
    reset_tiers(viewer().scope)
    flash(t("usage.reset_done"))
