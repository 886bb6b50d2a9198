"""The earnings of a span of days, as much of it as the plan shows, in one question."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.billing.service import entitlement_of
from core.earnings import queries
from core.earnings.queries import Freshness, Totals
from core.earnings.rollups import follow_moves
from core.earnings.windows import Window
from core.use_case import use_case

FANS = 10
"""How many of the top fans are named."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How fresh the figures are, and the first day that the plan shows; None where it shows all."""

    freshness: Freshness
    since: date | None


@dataclass(frozen=True, slots=True)
class Earnings:
    """The window in one currency: its numbers, those of the window before, and frames in minor units.

    `now` is None when nothing was paid in the window. `before` is None also where the plan does not show all of the
    window before. `days`, `kinds` and `fans` are as `core.earnings.queries` says.
    """

    currencies: tuple[str, ...]
    currency: str
    now: Totals | None
    before: Totals | None
    days: pd.DataFrame
    kinds: pd.DataFrame
    fans: pd.DataFrame


@use_case(Permission.VIEW_ANALYTICS)
def standing(session: Session, scope: Scope, today: date) -> Standing:
    """Asked at every rerun of the page: what it says decides whether the figures at hand are still true."""
    return Standing(queries.freshness(session), _since(session, scope, today))


@use_case(Permission.VIEW_ANALYTICS)
def earnings(session: Session, scope: Scope, window: Window, today: date, currency: str) -> Earnings:
    """The window, cut to what the plan shows; where it has no such currency, in the one with the most payments."""
    follow_moves(session)
    since = _since(session, scope, today)
    shown = window.since(since)
    found = {totals.currency: totals for totals in queries.totals(session, shown)}
    chosen = currency if currency in found else next(iter(found), currency)
    earlier = window.previous
    is_shown = since is None or earlier.first >= since
    before = {totals.currency: totals for totals in queries.totals(session, earlier)} if is_shown else {}
    return Earnings(
        currencies=tuple(found),
        currency=chosen,
        now=found.get(chosen),
        before=before.get(chosen),
        days=queries.revenue_by_day(session, shown, chosen),
        kinds=queries.revenue_by_kind(session, shown, chosen),
        fans=queries.top_fans(session, shown, chosen, FANS),
    )


def _since(session: Session, scope: Scope, today: date) -> date | None:
    days = entitlement_of(session, scope.account_id).limits.history_days
    return None if days is None else today - timedelta(days=days - 1)
