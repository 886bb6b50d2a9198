"""What the earnings of the workspaces in view add up to: doors.

Windows are days in the workspace's time zone, both ends included. `since` is the first day that the plan shows.
"""

from datetime import date

import pandas as pd
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.earnings import queries, rollups
from core.earnings.queries import Freshness, Totals
from core.earnings.rollups import Difference
from core.earnings.windows import LAST_DAY, Window
from core.use_case import use_case


@use_case(Permission.VIEW_ANALYTICS)
def freshness(session: Session, _scope: Scope) -> Freshness:
    """When these figures were last fed, and up to when they reach."""
    return queries.freshness(session)


@use_case(Permission.VIEW_ANALYTICS)
def currencies(session: Session, _scope: Scope) -> tuple[str, ...]:
    """The currencies of the ledger, the one with the most transactions first."""
    return queries.currencies(session)


@use_case(Permission.VIEW_ANALYTICS)
def totals(session: Session, _scope: Scope, window: Window, since: date | None = None) -> tuple[Totals, ...]:
    """The numbers of the window, one set for each currency in it, the one with the most transactions first."""
    rollups.follow_moves(session)
    return queries.totals(session, window.since(since))


@use_case(Permission.VIEW_ANALYTICS)
def revenue_by_day(
    session: Session, _scope: Scope, window: Window, currency: str, since: date | None = None
) -> pd.DataFrame:
    """day, platform and sums in minor units of the currency, in order; days without payments have no row."""
    rollups.follow_moves(session)
    return queries.revenue_by_day(session, window.since(since), currency)


@use_case(Permission.VIEW_ANALYTICS)
def revenue_by_kind(
    session: Session, _scope: Scope, window: Window, currency: str, since: date | None = None
) -> pd.DataFrame:
    """kind and sums in minor units of the currency, the largest gross first."""
    rollups.follow_moves(session)
    return queries.revenue_by_kind(session, window.since(since), currency)


@use_case(Permission.VIEW_ANALYTICS)
def top_fans(
    session: Session,
    _scope: Scope,
    window: Window | None,
    currency: str,
    *,
    limit: int = 10,
    since: date | None = None,
) -> pd.DataFrame:
    """fan, handle, platform and sums in minor units of the currency, the largest net first.

    Without a window, and without `since`: over all time.
    """
    rollups.follow_moves(session)
    if window is None and since is not None:
        window = Window(since, LAST_DAY)
    return queries.top_fans(session, window.since(since) if window else None, currency, limit)


@use_case(Permission.VIEW_ANALYTICS)
def rollups_match(session: Session, _scope: Scope) -> tuple[Difference, ...]:
    """Where the kept sums of the workspaces in view are not what their ledgers give. Empty when all is well."""
    rollups.follow_moves(session)
    return rollups.differences(session)


@use_case(Permission.IMPORT_EARNINGS)
def rebuild_rollups(session: Session, scope: Scope) -> None:
    """Make every sum of the one workspace in view anew from its ledger."""
    rollups.lock_ledger(session, scope.workspace_id)
    rollups.keep_calendar(session, scope.workspace_id)
    rollups.rebuild(session, scope.workspace_id)
