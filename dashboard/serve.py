"""What `python3 -m dashboard` does: database, migrations, worker, web; and the same in reverse at the end."""

import argparse
import errno
import http.client
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]

from core.errors import Refusal, Unavailable
from core.settings import settings

if TYPE_CHECKING:
    import uvicorn

ROOT = Path(__file__).resolve().parent.parent

_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"terminal": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}},
    "root": {"level": "INFO", "handlers": ["terminal"]},
    # importing Streamlit gives these handlers and levels of their own, and each request would be logged twice
    "loggers": {
        name: {"level": level, "handlers": [], "propagate": True}
        for name, level in {
            "uvicorn": "WARNING",
            "uvicorn.error": "WARNING",
            "uvicorn.asgi": "WARNING",
            "uvicorn.access": "CRITICAL",
            "websockets": "WARNING",
            "alembic": "WARNING",
        }.items()
    },
}


def main(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM. Returns the exit code: 0 stopped, 1 could not start, 2 asked wrongly."""
    chosen = _parser().parse_args(arguments)
    os.chdir(ROOT)  # Streamlit looks for its settings in the working directory
    _listen_to_signals()
    try:
        family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
        listening = socket.create_server((chosen.host, chosen.port), family=family)
    except OSError as refused:
        _say(_cannot_listen(refused, chosen.host, chosen.port))
        return 2
    try:
        with listening, ExitStack() as order:
            _serve(listening, order, with_demo=chosen.demo)
    except Refusal as refusal:
        _say(refusal.sentence())
        return 1
    except KeyboardInterrupt:
        _say("Stopped.")
    return 0


def _cannot_listen(refused: OSError, host: str, port: int) -> str:
    if refused.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program. End that, or choose another port with --port."
    if isinstance(refused, PermissionError):
        return f"Port {port} is reserved for the system. Choose one above 1023 with --port."
    return f"{host} is not an address of this machine. Leave --host out, or give one that is."


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port; give a number from 0 to 65535")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m dashboard",
        description="Start Huntaze: its database, its worker and its pages. Ctrl-C stops all of them.",
        epilog="Without DATABASE_URL a PostgreSQL of its own is started and keeps its data in DATA_DIR (.data). "
        "Set PUBLIC_URL to the address that people use when it is not this machine's. README.md names every setting.",
    )
    parser.add_argument("--port", type=_port, default=8501, help="where the pages are served (8501; 0: any free one)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1: this machine only)")
    parser.add_argument("--demo", action="store_true", help="also make the Demo workspaces, with rows to look at")
    return parser


def _serve(listening: socket.socket, order: ExitStack, *, with_demo: bool) -> None:
    """Start each thing after what it needs; `order` ends them the other way round."""
    port = listening.getsockname()[1]
    if not os.environ.get("PUBLIC_URL", "").strip():
        os.environ["PUBLIC_URL"] = f"http://localhost:{port}"
    if not os.environ.get("DATABASE_URL", "").strip():
        from core.embedded.own import own_database

        order.enter_context(own_database())
    settings.cache_clear()
    _migrate()
    if with_demo:
        from core.demo import seed

        for sentence in seed():
            _say(sentence)
    from dashboard.worker import Worker

    order.enter_context(Worker(ROOT))
    _serve_web(listening)


def _migrate() -> None:
    from migrations.run import upgrade

    configured = settings()
    url = configured.database_owner_url or configured.database_url
    if url is None:
        raise RuntimeError("no database")
    try:
        upgrade(url.get_secret_value())
    except Exception as error:
        if type(error).__name__ == "OperationalError":  # whose class belongs to a library that screens do not know
            raise Unavailable("database.does_not_answer", words=str(error).splitlines()[0]) from error
        raise


def _serve_web(listening: socket.socket) -> None:
    import uvicorn

    from core.sidecar.proxies import proxy_options
    from dashboard.asgi import app

    server = uvicorn.Server(
        uvicorn.Config(
            app,
            ws="websockets-sansio",
            ws_per_message_deflate=False,  # costs more CPU for each visitor than the bytes are worth
            log_config=_LOGGING,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
            **proxy_options(),
        )
    )
    host, port = listening.getsockname()[:2]
    threading.Thread(target=_announce, args=(server, host, port), daemon=True).start()
    server.run(sockets=[listening])


def _announce(server: "uvicorn.Server", host: str, port: int) -> None:
    """Print the address once the product says that it is ready; say once why it is not, when that takes long."""
    asked_at = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    patience: float | None = time.monotonic() + 20
    while not server.should_exit:
        status, body = _ready(asked_at, port)
        if status == http.client.OK:
            took = time.time() - psutil.Process().create_time()
            _say(f"Huntaze is ready at {settings().public_url} (the start took {took:.1f} s). Ctrl-C stops it.")
            return
        if patience and time.monotonic() > patience:
            patience = None
            _say(f"Not ready yet: {body or 'the pages do not answer'}")
        time.sleep(0.1)


def _ready(host: str, port: int) -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, answer.read(1000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def _listen_to_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    if hasattr(signal, "SIGHUP"):  # the terminal was closed: stop as for SIGTERM, whoever handles that by then
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


def _stop(_number: int, _frame: object) -> None:
    """The first signal ends what runs; those after it do not disturb the order in which the rest ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
