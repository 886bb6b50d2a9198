"""Invented statements in OnlyFans' shape, for the demo, tests and benches. Pure: the seed decides every byte."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple

HEADER = ("Date", "Gross", "Fee", "Net", "Description")
PENDING_DAYS = 7
ROWS_PER_FAN = 12

_DAY_WEIGHTS = (90, 86, 92, 98, 118, 122, 94)
"""Monday to Sunday: evenings and the end of the week sell."""

_HOUR_WEIGHTS = (13, 10, 7, 4, 3, 2, 2, 3, 5, 6, 7, 8, 9, 9, 9, 10, 10, 11, 13, 15, 18, 20, 21, 18)


class _Sort(NamedTuple):
    """One sort of row: how its description begins, how often it comes, and its usual price in cents."""

    prefix: str
    weight: int
    cents: tuple[int, ...]


_SORTS = (
    _Sort("Recurring subscription from ", 22, (999, 999, 1499)),
    _Sort("Subscription from ", 8, (999, 999, 499)),
    _Sort("Tip from ", 26, (300, 500, 500, 1000, 2500)),
    _Sort("Tip in chat from ", 4, (500, 1000)),
    _Sort("Payment for message from ", 30, (500, 1200, 1500, 2500)),
    _Sort("Post purchase by ", 5, (700, 1500)),
    _Sort("Tip on stream from ", 3, (300, 500)),
    _Sort("Custom from ", 1, (4900, 7500, 9900, 9900, 15000, 25000, 123450)),
)


def statement_csv(seed: int, rows: int, start: date, end: date, *, with_status: bool = False) -> bytes:
    """A statement of exactly `rows` payments from `start` to `end` (both included), newest first, as UTF-8 CSV.

    Fans `fan_0001`… spend by Zipf's law. `with_status` adds a Status column: the last seven days are pending, and a
    few older rows are charged back or about to be refunded.
    """
    random = Random(seed)  # noqa: S311 - invented figures, no secret
    fans = _zipf(max(rows // ROWS_PER_FAN, 20))
    moments = sorted(_moments(random, rows, start, end), reverse=True)
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow((*HEADER, "Status") if with_status else HEADER)
    for moment in moments:
        writer.writerow((*_row(random, moment, fans), *([_status(random, moment, end)] if with_status else [])))
    return written.getvalue().encode()


def _zipf(count: int) -> list[int]:
    """Cumulative weights of fan 1 … count."""
    return list(accumulate(1_000_000 // rank for rank in range(1, count + 1)))


def _moments(random: Random, rows: int, start: date, end: date) -> Iterator[datetime]:
    days = [start + timedelta(days=offset) for offset in range((end - start).days + 1)]
    weights = list(accumulate(_DAY_WEIGHTS[day.weekday()] for day in days))
    for day in random.choices(days, cum_weights=weights, k=rows):
        hour = random.choices(range(24), weights=_HOUR_WEIGHTS)[0]
        yield datetime.combine(day, time(hour, random.randrange(60)), UTC)


def _row(random: Random, moment: datetime, fans: list[int]) -> tuple[str, ...]:
    sort = random.choices(_SORTS, weights=[sort.weight for sort in _SORTS])[0]
    fan = random.choices(range(1, len(fans) + 1), cum_weights=fans)[0]
    gross = random.choice(sort.cents)
    fee = (gross * 20 + 50) // 100
    link = f'<a href="https://onlyfans.com/fan_{fan:04}">Fan {fan}</a>'
    when = f"{moment:%b} {moment.day}, {moment.year} {moment:%I:%M} {'am' if moment.hour < 12 else 'pm'}"
    return (when, _dollars(gross), _dollars(fee), _dollars(gross - fee), sort.prefix + link)


def _status(random: Random, moment: datetime, end: date) -> str:
    if (end - moment.date()).days < PENDING_DAYS:
        return "loading"
    return random.choices(("done", "undo", "pending_return"), weights=(985, 5, 10))[0]


def _dollars(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02}"
