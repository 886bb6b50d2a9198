"""A local OpenID provider that says and signs whatever a test tells it to, for answers that no good provider gives."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "huntaze-here", "made-up"
Claims = dict[str, Any]


class OidcServer:
    """Answers on 127.0.0.1 until it is left. Each attribute below may be set between two sign-ins.

    `claims` are changed by `spoil` just before they are signed; `sign` replaces the signing. `metadata` are added to
    what `/.well-known/openid-configuration` says, also below any path, as Microsoft's tenants have it.
    """

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "first"}, auto_kid=False)
        self.claims: Claims = {}
        self.user_info: Claims | None = None
        self.metadata: Mapping[str, Any] = {}
        self.spoil: Callable[[Claims], object] = lambda claims: None
        self.sign: Callable[[Claims], str] = self.signed
        self.is_broken = False
        self._asked: dict[str, Mapping[str, str]] = {}
        owner = self

        class Answering(_Answering):
            provider = owner

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> "OidcServer":
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    def behave(self, **claims: Any) -> None:
        """Begin anew: good in every way, and about the person whose claims these are."""
        self.claims, self.metadata, self.user_info, self.is_broken = claims, {}, None, False
        self.spoil, self.sign = lambda said: None, self.signed

    def rotate(self, kid: str = "second") -> None:
        self.key = RSAKey.generate_key(2048, {"kid": kid}, auto_kid=False)

    def consent(self, address: str) -> str:
        """What the person does in their browser: say yes. Returns the code for the address that they came with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self._asked)}"
        self._asked[code] = asked
        return code

    def signed(self, claims: Claims) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def unsigned(self, claims: Claims) -> str:
        return f"{_b64({'alg': 'none'})}.{_b64(claims)}."

    def signed_by_secret(self, claims: Claims) -> str:
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET.ljust(32, "x")), algorithms=["HS256"])

    def configuration(self) -> Claims:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256"],
            **self.metadata,
        }

    def token(self, form: Mapping[str, str]) -> tuple[int, Claims]:
        asked = self._asked.pop(form.get("code", ""), None)
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if asked["code_challenge_method"] != "S256" or _plain(digest) != asked["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        now = int(time.time())
        said = {"iss": self.url, "aud": asked["client_id"], "nonce": asked["nonce"], "iat": now, "exp": now + 300}
        said |= self.claims
        self.spoil(said)
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": self.sign(said)}


class _Answering(BaseHTTPRequestHandler):
    provider: OidcServer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if self.provider.is_broken:
            self._say(500, {"error": "broken"})
        elif path.endswith("/.well-known/openid-configuration"):
            self._say(200, self.provider.configuration())
        elif path == "/jwks":
            self._say(200, {"keys": [self.provider.key.as_dict(private=False)]})
        elif path == "/userinfo" and self.provider.user_info is not None:
            self._say(200, self.provider.user_info)
        else:
            self._say(404, {"error": "not_found"})

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"])).decode()
        if self.provider.is_broken:
            self._say(500, {"error": "broken"})
        else:
            self._say(*self.provider.token({name: values[0] for name, values in parse_qs(sent).items()}))

    def log_message(self, *_about: object) -> None:
        """Silent."""

    def _say(self, status: int, body: object) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def _b64(part: object) -> str:
    return _plain(json.dumps(part).encode())


def _plain(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
