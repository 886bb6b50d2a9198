"""A real provider that others wrote, in a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

_PROGRAM = Path(sys.executable).with_name("oidc-provider-mock")
_PATIENCE = 60.0


@contextmanager
def oidc_mock(host: str = "127.0.0.1") -> Iterator[str]:
    """Yields its address, which is its issuer too. `localhost` is another site to a browser on 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(_PROGRAM), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/jwks", process)
        yield f"http://{host}:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx2.get(url, timeout=5).raise_for_status()
            return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError("the provider did not become ready")
