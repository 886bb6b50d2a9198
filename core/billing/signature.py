"""Whether a delivery was signed by Stripe, judged on its raw bytes. Pure.

Scheme: docs.stripe.com/webhooks/signature, `Stripe-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`.
Ours rather than the SDK's, which lets any time in the future pass, takes one secret a call, and raises TypeError on a
header with bytes outside ASCII.
"""

import hashlib
import hmac
from collections.abc import Iterable

from core.errors import BadInput

TOLERANCE = 300
"""Seconds that a delivery may be away from our clock, either way."""

_LONGEST_HEADER = 4096


class BadDelivery(BadInput):
    """A webhook body or header that cannot be what the sender says it is. Nothing was stored."""

    status = 400


def verify(raw: bytes, header: bytes | str | None, secrets: Iterable[str], now: int) -> None:
    """Return when one of the `secrets` signed `raw` within TOLERANCE of `now` (unix seconds).

    Raises BadDelivery otherwise. Several secrets are valid while one is being replaced, and a header may carry
    several `v1` signatures; every other scheme (`v0`) is ignored.
    """
    stamp, signatures = _parsed(header)
    if not signatures:
        raise BadDelivery("billing.forged")
    signed = stamp + b"." + raw
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode() for secret in secrets]
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures]
    if not any(matches):
        raise BadDelivery("billing.forged")
    if abs(now - int(stamp)) > TOLERANCE:
        raise BadDelivery("billing.stale")


def _parsed(header: bytes | str | None) -> tuple[bytes, list[bytes]]:
    """The time stamp as written, and the v1 signatures."""
    if header is None:
        raise BadDelivery("billing.unsigned")
    if isinstance(header, str):
        try:
            header = header.encode("ascii")
        except UnicodeEncodeError:
            raise BadDelivery("billing.forged") from None
    if len(header) > _LONGEST_HEADER:
        raise BadDelivery("billing.forged")
    pairs = [part.strip().partition(b"=") for part in header.split(b",")]
    stamps = [value for name, _, value in pairs if name == b"t"]
    if len(stamps) != 1 or not 1 <= len(stamps[0]) <= 12 or not stamps[0].isdigit():
        raise BadDelivery("billing.forged")
    return stamps[0], [value for name, _, value in pairs if name == b"v1"]
