"""Revenue as files for staff to take along: CSV in UTF-8 with a byte order mark, amounts in minor units."""

from collections.abc import Iterable

from core.access import Scope
from core.billing.metrics import Kind
from core.billing.revenue import Window, months, movements
from core.errors import NotFound
from core.insights.packing import line

MOVEMENTS, MONTHS = "movements", "months"
_OF_MOVEMENT = ("at", "account_id", "kind", "currency", "amount", "mrr", "lookup_key")
_OF_MONTH = ("first", "start", *(kind.value for kind in Kind), "end")


def takings(scope: Scope, table: str, window: Window) -> bytes:
    """A table of the window's revenue, every currency named on its rows. Raises NotFound for one that there is not."""
    if table == MOVEMENTS:
        found = movements(scope, window)
        return _file(_OF_MOVEMENT, ([getattr(each, name) for name in _OF_MOVEMENT] for each in found))
    if table == MONTHS:
        rows = months(scope, window)
        return _file(
            ("currency", *_OF_MONTH),
            ([currency, *(getattr(month, name) for name in _OF_MONTH)] for currency, month in rows),
        )
    raise NotFound("access.not_found")


def _file(heading: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    return "".join([line(heading), *map(line, rows)]).encode("utf-8-sig")
