"""The real product in processes of its own, and a real browser in front of it. Fixtures for every folder of tests."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from core import db
from core.db import psycopg_url
from core.embedded import Embedded
from core.identity.sessions import open_session
from core.sidecar.cookies import NAME

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 60.0
PASSWORD = "correct horse battery"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Served:
    """A running server. `url` has no slash at its end; `database` is the app's login; `log` is what it printed."""

    url: str
    database: str
    log: Path

    @cached_property
    def engine(self) -> Engine:
        return create_engine(psycopg_url(self.database), poolclass=NullPool)

    @contextmanager
    def doors(self) -> Iterator[None]:
        """Inside, doors called by the test work on the server's database."""
        before = dict(db.sessions.kw)
        db.sessions.configure(bind=self.engine, join_transaction_mode="conditional_savepoint")
        try:
            yield
        finally:
            db.sessions.configure(bind=before.get("bind"))

    def client(self, token: str | None = None) -> httpx2.Client:
        """Speaks as a browser on our own pages does: same Origin, redirects not followed."""
        jar = httpx2.Cookies()
        if token:
            jar.set(NAME, token, domain="127.0.0.1")
        return httpx2.Client(
            base_url=self.url,
            headers={"origin": self.url, "sec-fetch-site": "same-origin"},
            cookies=jar,
            timeout=PATIENCE,
        )

    def sign_up(self, email: str, name: str = "Ada", **more: str) -> str:
        """Somebody new, through the form. Returns the session's token."""
        with self.client() as client:
            fields = {"email": email, "password": PASSWORD, "display_name": name} | more
            answer = client.post("/account/sign-up", data=fields)
            assert answer.status_code == 303, answer.text
            return str(client.cookies[NAME])

    def token_for(self, user_id: UUID) -> str:
        """A session for somebody made through the doors."""
        with self.doors():
            return open_session(user_id)


Serve = Callable[..., Served]


@pytest.fixture(scope="session")
def serve(server: Embedded, clone: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Starts servers, each on a database of its own: `serve(environment, target=…, worker=…)`. All end with the run."""
    running: list[subprocess.Popen[bytes]] = []

    def start(
        environment: Mapping[str, str] | None = None, target: str = "dashboard.asgi:app", worker: bool = True
    ) -> Served:
        folder = tmp_path_factory.mktemp("served")
        database, listening = clone(), socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = {
            "DATABASE_URL": server.url("huntaze_app", database),
            "DATABASE_OWNER_URL": server.url("huntaze_owner", database),
            "DATA_DIR": str(folder),
            "PUBLIC_URL": url,
            "SIGN_UPS_PER_HOUR": "1000000",
            "PYTHONPATH": str(ROOT),
            **(environment or {}),
        }
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        log = folder / "log"

        def run(*command: str, descriptors: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
            with log.open("ab") as out:
                started = subprocess.Popen(
                    [sys.executable, *command],
                    cwd=ROOT,
                    env=inherited | settings,
                    stdout=out,
                    stderr=out,
                    pass_fds=descriptors,
                )
            running.append(started)
            return started

        with listening:
            web = run("-m", "tests.web.launch", target, str(listening.fileno()), descriptors=(listening.fileno(),))
        if worker:
            run("-m", "core.jobs", "work")
        _wait_until_ready(url, web, log)
        return Served(url, settings["DATABASE_URL"], log)

    yield start
    for process in running:
        process.send_signal(signal.SIGTERM)
    for process in running:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx2.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"the server did not become ready:\n{log.read_text()[-4000:]}")


@pytest.fixture(scope="session")
def served(serve: Serve) -> Served:
    """The product as a person meets it, with a worker and no key set."""
    return serve()


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A Chromium found on the machine, or Playwright's own. Without one the tests that need it are skipped by name.

    Of one module only: while it is open the thread has a running event loop, and `asyncio.run` would refuse to work.
    """
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium on this machine")
        with playwright.chromium.launch(executable_path=found, args=FLAGS) as running:
            yield running


@pytest.fixture
def context(browser: "Browser") -> "Iterator[BrowserContext]":
    """A browser profile of its own, in English."""
    with browser.new_context(locale="en-US") as made:
        yield made


@pytest.fixture
def page(context: "BrowserContext") -> "Page":
    return context.new_page()


def come_in(page: "Page", served: Served, token: str, path: str = "/") -> None:
    """Open a page of the dashboard as whom the token belongs to, and wait until it is drawn."""
    page.context.add_cookies([{"name": NAME, "value": token, "url": served.url, "httpOnly": True, "sameSite": "Lax"}])
    page.goto(served.url + path)
    idle(page)


def idle(page: "Page", timeout: float = 30_000) -> None:
    """Wait until Streamlit is connected and has drawn everything. It can be idle before a click's run has begun."""
    page.wait_for_selector(
        '[data-testid="stApp"][data-test-connection-state="CONNECTED"]', state="attached", timeout=timeout
    )
    page.wait_for_function(
        """() => {
            const app = document.querySelector('[data-testid=stApp]');
            const state = app && app.getAttribute('data-test-script-state');
            return app && state !== 'running' && state !== 'initial' && !document.querySelector('[data-stale=true]');
        }""",
        timeout=timeout,
    )
