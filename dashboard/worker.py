"""The worker as a child process: started with the web, restarted when it falls, drained before everything ends."""

import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

log = logging.getLogger("huntaze.worker")

_PATIENCE = 60.0
"""Seconds that a worker may take to finish what it has in hand."""
_LONGEST_WAIT = 30.0


class Worker:
    """Runs while the block runs. What it has in hand at the end is finished; what it cannot finish, its lease keeps."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="worker-keeper")
        self._process = self._start()

    def __enter__(self) -> Self:
        self._keeper.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._keeper.join()

    def _start(self) -> subprocess.Popen[bytes]:
        """In a session of its own: Ctrl-C reaches us alone, and we end it in its turn.

        Its end of the pipe tells it when this process is gone, however that happened.
        """
        return subprocess.Popen(
            [sys.executable, "-m", "core.jobs", "work"],
            stdin=subprocess.PIPE,
            cwd=self._root,
            env=os.environ | {"HUNTAZE_PARENT_PIPE": "1"},
            start_new_session=True,
        )

    def _keep(self) -> None:
        wait, began = 1.0, time.monotonic()
        while not self._over.wait(0.2):
            if (code := self._process.poll()) is None:
                continue
            if time.monotonic() - began > _LONGEST_WAIT * 2:
                wait = 1.0
            log.error("the worker ended with code %s; it is started again in %.0f s", code, wait)
            if self._over.wait(wait):
                break
            wait, began = min(_LONGEST_WAIT, wait * 2), time.monotonic()
            self._close_pipe()
            self._process = self._start()
        self._end()

    def _end(self) -> None:
        self._close_pipe()  # which tells it to finish, on every system
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            log.warning("the worker did not finish in %.0f s; its jobs will be done again", _PATIENCE)
            self._process.kill()
            self._process.wait()

    def _close_pipe(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
