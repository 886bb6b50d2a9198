"""Codes of an authenticator app (TOTP, RFC 6238): six digits, a new one every half minute. Pure."""

from hmac import compare_digest

import pyotp

SECONDS = 30
DIGITS = 6
_AROUND = (0, -1, 1)
"""The code shown now, the one before and the next: phones' clocks are off by seconds, and people take a while."""


def new_secret() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return pyotp.random_base32(32)


def address(secret: str, email: str) -> str:
    """The `otpauth://` address that an app reads from a QR code."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=SECONDS).provisioning_uri(name=email, issuer_name="Huntaze")


def step_of(secret: str, code: str, at: float) -> int | None:
    """The time step that a code belongs to, or None for a wrong one. `at` is in seconds since 1970."""
    typed = "".join(code.split())
    if len(typed) != DIGITS or not typed.isascii():
        return None
    app, now = pyotp.TOTP(secret, digits=DIGITS, interval=SECONDS), int(at) // SECONDS
    return next((now + off for off in _AROUND if compare_digest(app.generate_otp(now + off), typed)), None)
