"""What a rerun of each page costs the server, beside a bare page on the same server in the same run."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from statistics import median

import psutil

from bench.rows import Row
from bench.served import database, serving
from bench.tab import PageFailed, Tab
from core.earnings.sample import statement_csv
from core.earnings.service import import_statement
from core.identity.sessions import open_session
from core.sidecar import cookies
from core.workspaces.service import edit_account, edit_workspace, open_scope
from core.workspaces.sign_up import sign_up
from dashboard.navigation import PAGES

ROWS = 10_000
"""Payments imported, unless `--size` says otherwise."""
ROUNDS = 5
RERUNS = 40
"""Reruns in a round: the clock of the process ticks in hundredths of a second, so one alone could not be timed."""
DAYS = 85
"""The free plan shows 90 days; all rows must be in view."""
GOALS = {"analytics": 8.0}
OF_OTHERS = {"creators", "admin"}
"""Pages that a creator who works alone does not have."""
CHARTS = {"analytics": 4}
"""What a page must draw for its cost to mean anything."""

HOW = (
    "CPU of the server's process per rerun over the websocket, unchanged data: median of {rounds} rounds of {reruns} "
    "after a warm-up, rounds of all pages taking turns; {rows} payments imported. The database's CPU is not in it."
)


def run(size: int | None) -> list[Row]:
    rows = size or ROWS
    with ExitStack() as stack:
        stack.enter_context(database())
        cookie = _somebody_with(rows)
        bare = stack.enter_context(serving("bench.floor.asgi:app"))
        ours = stack.enter_context(serving("dashboard.asgi:app"))
        tabs = {"bare": (stack.enter_context(Tab(bare[0], "", cookie)), bare[1])}
        for page in (page for page in PAGES if page.name not in OF_OTHERS):
            address = "" if page is PAGES[0] else page.name
            tabs[page.name] = (stack.enter_context(Tab(ours[0], address, cookie)), ours[1])
        spent = _rounds({name: _spending(tab, server) for name, (tab, server) in tabs.items()})
    how = HOW.format(rounds=ROUNDS, reruns=RERUNS, rows=rows)
    floor = spent.pop("bare")
    return [Row(f"rerun of {page}", cost, floor, "ms CPU", GOALS.get(page), how) for page, cost in spent.items()]


def _somebody_with(rows: int) -> str:
    """A creator with a statement of `rows` payments. Returns the cookie header of their session."""
    user_id = sign_up("bench@example.com", "a password for the bench", "Bench", "en", is_verified=True)
    scope = open_scope(user_id)
    edit_workspace(scope, time_zone="Europe/Paris", platforms=["onlyfans"])
    edit_account(scope, goal="earnings")
    today = date.today()  # noqa: DTZ011 - any day will do
    import_statement(scope, statement_csv(1, rows, today - timedelta(days=DAYS), today), "bench.csv")
    return f"{cookies.name()}={open_session(user_id)}"


def _spending(tab: Tab, server: psutil.Process) -> Callable[[], float]:
    """A round: CPU milliseconds of the server per rerun."""

    def spend() -> float:
        before = server.cpu_times()
        for _ in range(RERUNS):
            tab.rerun()
        after = server.cpu_times()
        return 1000 * (after.user + after.system - before.user - before.system) / RERUNS

    charts = tab.rerun().count("plotly_chart")
    if charts < CHARTS.get(tab.page, 0):
        raise PageFailed(f"{tab.page} drew {charts} charts, not {CHARTS[tab.page]}")
    tab.rerun()
    return spend


def _rounds(spenders: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Taking turns, so that a busy moment of the machine falls on all of them."""
    spent: dict[str, list[float]] = {name: [] for name in spenders}
    for _ in range(ROUNDS):
        for name, spend in spenders.items():
            spent[name].append(spend())
    return {name: median(values) for name, values in spent.items()}
