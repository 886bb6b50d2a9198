"""The database of this machine's own, for every command that is told of no other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from core.embedded.server import APP_ROLE, OWNER_ROLE, Embedded
from core.settings import settings

DATABASE = "huntaze"


@contextmanager
def own_database() -> Iterator[None]:
    """Up during the block, shared with whoever uses it too; DATABASE_URL and DATABASE_OWNER_URL lead to it.

    Raises Unavailable when it cannot be had.
    """
    server = Embedded(settings().data_dir / "postgres")
    try:
        server.start()
        server.ensure(DATABASE)
        os.environ["DATABASE_URL"] = server.url(APP_ROLE, DATABASE)
        os.environ["DATABASE_OWNER_URL"] = server.url(OWNER_ROLE, DATABASE)
        settings.cache_clear()
        yield
    finally:
        server.leave()
