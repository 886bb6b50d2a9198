"""The notice, on every page, that the account's plan needs somebody: a payment failed, a pause, an end that is near.

Pages ask for it once a minute at most; the Billing page, which knows better, corrects it.
"""

from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID

import streamlit as st

from core.access import Permission
from core.billing.plans import Entitlement, Notice
from core.billing.service import PlanView, plan
from dashboard.billing.dates import day_of
from dashboard.navigation import link
from dashboard.session import Viewer
from dashboard.words import plain, t

_KEPT = "billing_kept"
_HOLDS = 60.0
"""Seconds for which a page may be behind."""
_NEAR = timedelta(days=7)
_OF_EVERYBODY = frozenset({Notice.PAST_DUE, Notice.GRACE_OVER, Notice.UNPAID, Notice.PAUSED})

_Kept = dict[UUID, tuple[float, PlanView]]


def owing(looking: Viewer) -> None:
    """Say what each account in view should be told, and the way to put it right. Nothing while all is well."""
    for account_id in looking.scope.account_ids:
        view = _known(looking, account_id)
        if view is not None and _is_told(view):
            _say(looking, view)


def remember(view: PlanView) -> None:
    """What was just learnt of an account, so that this tab's other pages say so at once."""
    _kept()[view.account_id] = (monotonic(), view)


def _known(looking: Viewer, account_id: UUID) -> PlanView | None:
    kept = _kept().get(account_id)
    if kept is None or kept[0] + _HOLDS < monotonic():
        scope = looking.scope.of_account(account_id)
        if not scope.may(Permission.VIEW_PLAN):
            return None
        kept = _kept()[account_id] = (monotonic(), plan(scope))
    return kept[1]


def _kept() -> _Kept:
    kept: _Kept = st.session_state.setdefault(_KEPT, {})
    return kept


def _is_told(view: PlanView) -> bool:
    now = view.entitlement
    if now.granted_until is not None:  # what a notice says of the free plan is not so now
        return False
    return now.notice in _OF_EVERYBODY or (view.may_choose and _ends_soon(now))


def _ends_soon(now: Entitlement) -> bool:
    return now.notice is Notice.ENDING and now.until is not None and now.until - datetime.now(UTC) <= _NEAR


def _say(looking: Viewer, view: PlanView) -> None:
    now = view.entitlement
    facts = {"until": day_of(now.until, looking.time_zone), "grace": day_of(now.grace_until, looking.time_zone)}
    if view.may_choose:
        sentence = t(f"billing.notice_{now.notice}", **facts)
    else:
        sentence = t(f"owing.others_{now.notice}", owners=plain(", ".join(view.owners)), **facts)
    if len(looking.scope.account_ids) > 1:
        of_it = [one.name for one in looking.workspaces if one.account_id == view.account_id]
        sentence = t("owing.whose", names=plain(", ".join(of_it)), sentence=sentence)
    st.warning(sentence, icon=":material/warning:")
    if view.may_choose:
        link("billing", t("owing.put_right"))
