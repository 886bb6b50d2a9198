"""Which processes use the server. Each holds a lock of its own, which the system lets go of however it ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from core.errors import Unavailable

_PATIENCE = 120
"""Seconds to wait for another process that starts or stops the server: twice what either may take."""


class Users:
    """The processes that use what is under `root`; this one is among them between `join` and `part`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own: FileLock | None = None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from starting, stopping, joining or parting meanwhile."""
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._root.chmod(0o700)
            lock = FileLock(self._root / "lock", timeout=_PATIENCE)
            lock.acquire()
        except Timeout as busy:
            raise Unavailable("database.busy", folder=self._root) from busy
        except PermissionError as refused:
            raise Unavailable("database.folder_not_ours", folder=self._root) from refused
        except OSError as broken:
            raise Unavailable("database.folder_unusable", folder=self._root, reason=broken.strerror) from broken
        try:
            yield
        finally:
            lock.release()

    def join(self) -> None:
        if self._own is None:
            folder = self._root / "users"
            folder.mkdir(mode=0o700, exist_ok=True)
            own = FileLock(folder / f"{uuid4().hex}.lock", timeout=0, thread_local=False)
            own.acquire()
            self._own = own

    def part(self) -> bool:
        """Let go of our lock. True when we held one and nobody else does."""
        if self._own is None:
            return False
        self._own.release()
        self._own = None
        return not any(_is_held(path) for path in (self._root / "users").glob("*.lock"))


def _is_held(path: Path) -> bool:
    """Whether a living process holds it; one that nobody holds is removed."""
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    path.unlink(missing_ok=True)
    return False
