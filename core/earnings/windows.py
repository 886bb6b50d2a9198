"""Spans of days. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
"""No statement is read that reaches further."""


@dataclass(frozen=True, slots=True)
class Window:
    """From the first to the last day, both included, in the workspace's time zone."""

    first: date
    last: date

    @classmethod
    def ending(cls, last: date, days: int) -> "Window":
        """The `days` days up to and with `last`."""
        return cls(last - timedelta(days=days - 1), last)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def previous(self) -> "Window":
        """The window of the same length immediately before."""
        return Window.ending(self.first - timedelta(days=1), self.days)

    def since(self, first: date | None) -> "Window":
        """The part from `first` on; without days when all of it is before."""
        return self if first is None else Window(max(self.first, first), self.last)
