"""Import a statement, and see what it adds up to."""

from datetime import datetime
from zoneinfo import ZoneInfo

from core.access import Permission
from core.insights.analytics import standing
from dashboard import importing
from dashboard.analytics import IMPORTS, chosen_view, figures
from dashboard.components.demo import try_demo
from dashboard.components.figures import nothing_yet
from dashboard.session import viewer
from dashboard.words import t

looking = viewer()
today = datetime.now(ZoneInfo(looking.creator.time_zone)).date()
known = standing(looking.scope, today)
is_empty = known.freshness.last_import_at is None
if is_empty:
    nothing_yet(t("analytics.empty"))
    try_demo(looking)
if is_empty or chosen_view() == IMPORTS:
    if looking.scope.may(Permission.IMPORT_EARNINGS):
        importing.upload()
    importing.history(looking)
else:
    figures(looking, known, today)
