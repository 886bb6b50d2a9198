"""A Stripe of our own at the wire, so that the real SDK and a real browser can run: `stripe_world` behind HTTP.

Every request is checked against the API version that the SDK pins (`stripe_contract`). Checkout and the customer portal
are small pages with real buttons. By hand, or for a walk with a browser:

    python3 -m tests.peers.stripe_server --port 12111 --webhook http://localhost:8501/webhooks/stripe --secret whsec_x
"""

import argparse
import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from core.billing.plans import CATALOGUE, METERED
from tests.peers.stripe_bells import Bells
from tests.peers.stripe_contract import complaints, contract, decoded, operation_of
from tests.peers.stripe_lists import expanded
from tests.peers.stripe_pages import page
from tests.peers.stripe_routes import ROUTES
from tests.peers.stripe_store import Json, Refused
from tests.peers.stripe_world import World, catalogue

KEY = "sk_test_peer"
SECRET = "whsec_peer"
IDEMPOTENCY = "idempotency_error"


class StripeServer:
    """Listens on 127.0.0.1 while inside `with`. `world` is its state, `bells` rings its webhooks."""

    def __init__(self, port: int = 0, webhook: str | None = None, secret: str = SECRET) -> None:
        self.world = World()
        sold = [(each.lookup_key, each.months, each.list_amount) for each in CATALOGUE.values()]
        catalogue(self.world, sold, METERED)
        self.bells = Bells(webhook, secret)
        self.world.on_event = self.bells.ring
        self.requests: list[tuple[str, str, Json, str | None]] = []
        """(verb, path, parameters, idempotency key) of each request that was understood."""
        self.outside: list[str] = []
        """What was asked that this API version does not know: an operation, or a parameter of one."""
        self.faults: list[int] = []
        """Statuses to answer the next requests with, instead of doing what they ask."""
        self.lost_answers = 0
        """How many of the next writes are done and then answered with 500."""
        self.latency = 0.0
        """Seconds that each answer takes."""
        self.is_stale = False
        """Whether a slow answer to a question says what was so when it was asked, not when it is given."""
        self._answers: dict[str, tuple[Json, Json | Refused | None]] = {}
        self._httpd = _House(("127.0.0.1", port), _Door)
        self._httpd.peer = self
        self.url = self.world.address = f"http://127.0.0.1:{self._httpd.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._httpd.serve_forever, args=(0.05,), name="stripe-peer", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()
        self.bells.stop()

    def forget_keys(self) -> None:
        """As a day later: what was asked under a key is asked anew."""
        with self.world.lock:
            self._answers.clear()

    def count(self, verb: str, path: str) -> int:
        return sum(1 for each in self.requests if each[:2] == (verb, path))

    def answer(self, verb: str, path: str, form: str, headers: dict[str, str]) -> tuple[int, Json]:
        try:
            return 200, self._answered(verb, path, decoded(form), headers)
        except Refused as refused:
            return refused.status, refused.body

    def _answered(self, verb: str, path: str, params: Json, headers: dict[str, str]) -> Json:
        if headers.get("authorization") != f"Bearer {KEY}":
            raise Refused(401, "Invalid API Key provided.")
        if headers.get("stripe-version") != contract()["api_version"]:
            raise Refused(400, f"Stripe-Version {headers.get('stripe-version')} is not {contract()['api_version']}")
        found = operation_of(verb, path)
        if found is None:
            self.outside.append(f"{verb} {path}")
            raise Refused(404, f"Unrecognized request URL ({verb.upper()}: {path}).")
        operation, ids = found
        if wrong := complaints(operation, params):
            self.outside += [f"{verb} {path}: {sentence}" for _, sentence in wrong]
            raise Refused(400, "; ".join(sentence for _, sentence in wrong), "parameter_unknown")
        if self.faults:
            raise Refused(self.faults.pop(0), "Something went wrong on Stripe's end.", kind="api_error")
        key = headers.get("idempotency-key")
        self.requests.append((verb, path, params, key))
        if verb != "post":
            return self._done(verb, operation.path, ids, params)
        if key is None:
            raise Refused(400, "a write without an Idempotency-Key")
        return self._once(key, {"path": path, **params}, lambda: self._done(verb, operation.path, ids, params))

    def _done(self, verb: str, path: str, ids: tuple[str, ...], params: Json) -> Json:
        latency, is_stale = self.latency, self.is_stale and verb == "get"
        if is_stale:
            answer = self._now(verb, path, ids, params)
        time.sleep(latency)
        return answer if is_stale else self._now(verb, path, ids, params)

    def _now(self, verb: str, path: str, ids: tuple[str, ...], params: Json) -> Json:
        with self.world.lock:
            if (verb, path) not in ROUTES:
                raise Refused(404, f"Unrecognized request URL ({verb.upper()}: {path}): not built here.")
            answer = json.loads(json.dumps(ROUTES[verb, path](self.world, params, *ids)))
            return expanded(self.world, answer, params)

    def _once(self, key: str, asked: Json, deed: Callable[[], Json]) -> Json:
        with self.world.lock:
            before = self._answers.get(key)
            self._answers.setdefault(key, (asked, None))
        answer = self._begun(key, asked, deed) if before is None else self._repeated(before, asked)
        if self.lost_answers:
            self.lost_answers -= 1
            raise Refused(500, "The answer was lost.", kind="api_error")
        return answer

    def _begun(self, key: str, asked: Json, deed: Callable[[], Json]) -> Json:
        """What was once begun under a key is answered alike for ever, a refusal too; a fault of ours is not."""
        try:
            answer = deed()
        except Refused as refused:
            self._answers[key] = (asked, refused)
            raise
        except Exception:
            del self._answers[key]
            raise
        self._answers[key] = (asked, answer)
        return answer

    def _repeated(self, before: tuple[Json, Json | Refused | None], asked: Json) -> Json:
        if before[0] != asked:
            raise Refused(400, "A key can only be used again with the same parameters.", None, IDEMPOTENCY)
        if before[1] is None:
            raise Refused(409, "Another request with this key is in progress.", "idempotency_key_in_use", IDEMPOTENCY)
        if isinstance(before[1], Refused):
            raise before[1]
        return before[1]


class _House(ThreadingHTTPServer):
    request_queue_size = 128
    peer: StripeServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked may be dead, as in a storm; anything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Door(BaseHTTPRequestHandler):
    """The wire: the API under /v1, and the pages a customer sees."""

    protocol_version = "HTTP/1.1"

    @property
    def peer(self) -> StripeServer:
        return self.server.peer  # type: ignore[attr-defined]

    def _serve(self) -> None:
        address = urlsplit(self.path)
        form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if address.path.startswith("/v1/"):
            verb = self.command.lower()
            asked = form if verb == "post" else address.query
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = self.peer.answer(verb, address.path, asked, headers)
            self._send(status, "application/json", json.dumps(answer).encode())
        else:
            self._page(address.path.strip("/").split("/"), decoded(form))

    do_GET = do_POST = do_DELETE = _serve

    def _page(self, path: list[str], form: Json) -> None:
        target, shown = page(self.peer.world, path[0], path[-1], form)
        if target:
            self._send(303, "text/html", b"", target)
        else:
            self._send(200, "text/html; charset=utf-8", shown.encode())

    def _send(self, status: int, kind: str, body: bytes, location: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Request-Id", "req_peer")
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing: a test's output is its own."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--port", type=int, default=12111)
    options.add_argument("--webhook", help="where events are sent; without it none are")
    options.add_argument("--secret", default=SECRET, help="what they are signed with")
    chosen = options.parse_args()
    with StripeServer(chosen.port, chosen.webhook, chosen.secret) as server:
        names = {"STRIPE_API_BASE": server.url, "STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRETS": chosen.secret}
        sys.stdout.write(" ".join(f"{name}={value}" for name, value in names.items()) + "\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
