"""How often somebody may try to come in, counted before a password is looked at."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.orm import Session

from core.errors import TooManyTries
from core.identity.known_devices import known_device
from core.identity.models import SignInAttempt
from core.identity.visitors import Visitor
from core.text import unsafe_reason
from core.use_case import unscoped

MEMORY = timedelta(hours=1)
"""How long a failed sign-in counts."""
TRIES_OF_ONE = 10
"""Failures at one account from one address. The true user, elsewhere, is not held up by them."""
TRIES_AT_ACCOUNT = 100
TRIES_FROM_ADDRESS = 100
_DEVICE = "a known device"


@dataclass(frozen=True, slots=True)
class Try:
    """What one try counts against: an account and a network, or a browser that its person came with before."""

    mark: bytes
    network: str


@unscoped("tries are counted before anybody is known")
def admit(session: Session, email: str, visitor: Visitor) -> Try:
    """Count the try before the password is looked at, so that parallel tries cannot slip past the limit together.

    A browser known to the account counts apart: it keeps its own ten tries when strangers have used up the account's.
    Raises TooManyTries once the last hour holds too many failures.
    """
    one = _counted_as(session, email, visitor)
    for mark in sorted((one.mark, hashlib.sha256(one.network.encode()).digest())):
        session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(mark[:8], signed=True))))
    session.execute(delete(SignInAttempt).where(SignInAttempt.id < func.uuidv7(-MEMORY)))
    at_account, from_address = SignInAttempt.email_hash == one.mark, SignInAttempt.address == one.network
    limits = [(and_(at_account, from_address), TRIES_OF_ONE)]
    if one.network != _DEVICE:
        limits += [(at_account, TRIES_AT_ACCOUNT), (from_address, TRIES_FROM_ADDRESS)]
    if any(_failures(session, which) >= most for which, most in limits):
        raise TooManyTries("identity.too_many_tries", minutes=int(MEMORY.total_seconds() // 60))
    session.add(SignInAttempt(email_hash=one.mark, address=one.network))
    return one


@unscoped("whoever knows the password was only mistyping it before")
def forget(session: Session, one: Try) -> None:
    session.execute(
        delete(SignInAttempt).where(SignInAttempt.email_hash == one.mark, SignInAttempt.address == one.network)
    )


def _counted_as(session: Session, email: str, visitor: Visitor) -> Try:
    device = None if unsafe_reason(email) else known_device(session, email, visitor.device)
    if device is not None:
        return Try(hashlib.sha256(b"device" + device.bytes).digest(), _DEVICE)
    return Try(hashlib.sha256(email.encode("utf-8", "surrogatepass")).digest(), visitor.network)


def _failures(session: Session, which: ColumnElement[bool]) -> int:
    recent = SignInAttempt.at > func.now() - MEMORY
    return session.execute(select(func.count()).select_from(SignInAttempt).where(which, recent)).scalar_one()
