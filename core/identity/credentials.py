"""E-mail addresses and passwords: what is accepted, how a password is kept, how one is checked."""

import os
import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import BadInput, Unavailable
from core.text import unsafe_reason

PASSWORD_LENGTH = (12, 128)
"""Characters, fewest and most. No rule about which ones: length is what resists guessing."""

COMMONEST = 3_000
EMAIL_LENGTH = 254
_LOCAL_LENGTH = 64
_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")

_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
"""argon2id by the OWASP Password Storage Cheat Sheet's second choice: 19 MiB, two passes, one lane."""

_AT_ONCE = threading.BoundedSemaphore(os.cpu_count() or 1)
_PATIENCE = 10.0


def an_email(text: str) -> str:
    """The address in lower case, as it is kept and compared. Raises BadInput for what is none.

    ASCII only: PostgreSQL and Python lower other letters differently, and two rows for one person must not be.
    """
    email = text.strip().lower()
    local, at, domain = email.rpartition("@")
    labels = domain.split(".")
    fits = len(email) <= EMAIL_LENGTH and len(local) <= _LOCAL_LENGTH and len(labels) > 1
    if not (at and fits and _LOCAL.fullmatch(local) and all(map(_LABEL.fullmatch, labels))):
        raise BadInput("identity.bad_email")
    return email


def a_new_password(text: str, email: str) -> str:
    """A password good enough to keep. Raises BadInput: too short, too long, too common, or the e-mail itself."""
    shortest, longest = PASSWORD_LENGTH
    if unsafe_reason(text):
        raise BadInput("identity.unusable_password")
    if not shortest <= len(text) <= longest:
        raise BadInput("identity.bad_password", least=shortest, most=longest)
    if text.strip().lower() in (email, email.partition("@")[0]):
        raise BadInput("identity.password_is_email")
    if text.strip().casefold() in _commonest():
        raise BadInput("identity.common_password")
    return text


@cache
def _commonest() -> frozenset[str]:
    """The passwords that are tried first: the 3,000 commonest, and of the rest all that are long enough to be chosen.

    From the leaked lists that zxcvbn has ordered by frequency (Wheeler, USENIX Security 2016).
    """
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

    by_frequency: list[str] = FREQUENCY_LISTS["passwords"]
    long_enough = (word for word in by_frequency if len(word) >= PASSWORD_LENGTH[0])
    return frozenset(word.casefold() for word in (*by_frequency[:COMMONEST], *long_enough))


def hashed(password: str) -> str:
    """The argon2id hash to keep, in PHC string format. Takes tens of milliseconds of one core."""
    with _turn():
        return _HASHER.hash(_bytes(password))


def matches(password: str, kept: str | None) -> bool:
    """Whether the password is the one behind the hash. Without a hash it is false, after the same work."""
    with _turn():
        try:
            _HASHER.verify(kept or _nobody(), _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


@contextmanager
def _turn() -> Iterator[None]:
    """One hash a core at a time: each takes 19 MiB, and a crowd at the door must not starve those inside."""
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        raise Unavailable("identity.busy")
    try:
        yield
    finally:
        _AT_ONCE.release()


@cache
def _nobody() -> str:
    return _HASHER.hash(os.urandom(16))


def _bytes(password: str) -> bytes:
    """One spelling for one password: keyboards differ in how they compose accents (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
