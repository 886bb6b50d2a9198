"""Security headers on every response, errors too."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import settings

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""For pages of plain HTML with one style sheet; it also holds for answers that are no page."""

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # `no-referrer` would make browsers send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


class SecurityHeaders:
    """Adds to each response the headers that it lacks, so that what is further in may be stricter."""

    def __init__(self, app: ASGIApp, content_policy: str = PAGE_POLICY) -> None:
        self.app = app
        wanted = ALWAYS | {"content-security-policy": content_policy}
        self.wanted = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in wanted.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = list(message.get("headers", ()))
                there = {name.lower() for name, _ in headers}
                headers += [each for each in self.wanted if each[0] not in there]
                if settings().is_secure and HSTS[0] not in there:
                    headers.append(HSTS)
            await send(message)

        await self.app(scope, receive, send_with_headers)
