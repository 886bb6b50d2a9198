"""What a vendor's refusal means in our vocabulary. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.ai.protocol import ErrorKind

_BY_CODE = {
    "content_filter": ErrorKind.FILTERED,
    "content_policy_violation": ErrorKind.FILTERED,
    "insufficient_quota": ErrorKind.QUOTA,
    "billing_hard_limit_reached": ErrorKind.QUOTA,
    "billing_error": ErrorKind.QUOTA,
    "context_length_exceeded": ErrorKind.TOO_LONG,
    "request_too_large": ErrorKind.TOO_LONG,
    "invalid_api_key": ErrorKind.AUTH,
    "authentication_error": ErrorKind.AUTH,
    "permission_error": ErrorKind.AUTH,
    "rate_limit_exceeded": ErrorKind.RATE_LIMITED,
    "rate_limit_error": ErrorKind.RATE_LIMITED,
    "overloaded_error": ErrorKind.UNAVAILABLE,
    "server_error": ErrorKind.UNAVAILABLE,
    "api_error": ErrorKind.UNAVAILABLE,
    "timeout_error": ErrorKind.UNAVAILABLE,
}
_BY_STATUS = {
    401: ErrorKind.AUTH,
    402: ErrorKind.QUOTA,
    403: ErrorKind.AUTH,
    408: ErrorKind.UNAVAILABLE,
    409: ErrorKind.UNAVAILABLE,
    413: ErrorKind.TOO_LONG,
    429: ErrorKind.RATE_LIMITED,
}
_BY_PHRASE = {"prompt is too long": ErrorKind.TOO_LONG, "credit balance is too low": ErrorKind.QUOTA}


@dataclass(frozen=True, slots=True)
class Complaint:
    """The error object of an answer: OpenAI's `{message, type, code}`, or Anthropic's `{type, error: {…}}`."""

    codes: tuple[str, ...]
    message: str
    filtered: tuple[str, ...]
    """Categories that Azure's content filter names as the cause."""


def complaint_of(body: object) -> Complaint:
    """Read an error body of any shape; what is not there is empty."""
    outer: Mapping[str, object] = body if isinstance(body, Mapping) else {}
    inner = outer.get("error")
    error: Mapping[str, object] = inner if isinstance(inner, Mapping) else outer
    deeper = error.get("innererror")
    cause: Mapping[str, object] = deeper if isinstance(deeper, Mapping) else {}
    verdicts = cause.get("content_filter_result")
    filtered = tuple(
        name
        for name, verdict in (verdicts.items() if isinstance(verdicts, Mapping) else ())
        if isinstance(verdict, Mapping) and verdict.get("filtered")
    )
    codes = tuple(str(error[key]) for key in ("code", "type") if error.get(key))
    if filtered or cause.get("code") == "ResponsibleAIPolicyViolation":
        codes = ("content_filter", *codes)
    return Complaint(codes, str(error.get("message") or "")[:300], filtered)


def kind_of(status: int | None, complaint: Complaint) -> ErrorKind | None:
    """The kind of a refusal: by its code first, since 429 is also what an empty purse gets, then by status."""
    for code in complaint.codes:
        if code in _BY_CODE:
            return _BY_CODE[code]
    for phrase, kind in _BY_PHRASE.items():
        if phrase in complaint.message.lower():
            return kind
    if status is None or status < 400:
        return None
    if status >= 500:
        return ErrorKind.UNAVAILABLE
    return _BY_STATUS.get(status, ErrorKind.BAD_REQUEST)


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait that an answer asks for; a date or nonsense counts as nothing asked."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    return None
