"""One wish until it is done or refused: its id is the key under which Stripe is asked for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import Refusal, Unavailable


@contextmanager
def until_refused(over: Callable[[], None]) -> Iterator[None]:
    """A wish that was refused is `over`, and another try is another wish; without an answer it is still the same."""
    try:
        yield
    except Unavailable:
        raise
    except Refusal:
        over()
        raise
