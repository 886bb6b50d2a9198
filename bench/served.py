"""A database and servers for one run of a bench, gone after it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from core.embedded import APP_ROLE, OWNER_ROLE, Embedded
from core.settings import ROOT, settings
from migrations.run import upgrade

_DATABASE = "bench"
_PATIENCE = 90


@contextmanager
def database(*, durable: bool = False) -> Iterator[None]:
    """A migrated database of this run's own, found by this process and its children through the environment.

    `durable` where what a commit costs is part of what is measured.
    """
    with TemporaryDirectory(prefix="bench-") as folder, Embedded(Path(folder), durable=durable) as server:
        server.ensure(_DATABASE)
        os.environ["DATABASE_OWNER_URL"] = server.url(OWNER_ROLE, _DATABASE)
        os.environ["DATABASE_URL"] = server.url(APP_ROLE, _DATABASE)
        os.environ["DATA_DIR"] = folder
        settings.cache_clear()
        upgrade(os.environ["DATABASE_OWNER_URL"])
        yield


@contextmanager
def serving(app: str) -> Iterator[tuple[str, psutil.Process]]:
    """`app` under uvicorn on a free port. Gives its address and its process, once it is ready to serve."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/readyz", process)
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with urlopen(url, timeout=5):
                return
        except URLError:
            time.sleep(0.2)
    raise RuntimeError("the server did not get ready")
