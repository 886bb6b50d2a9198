"""The second factor: an authenticator app, and recovery codes for the day when it is lost."""

import hashlib
import secrets
import time
from base64 import b32encode
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from core import sealing
from core.access import Permission, Scope
from core.audit import record_of_person
from core.errors import BadInput, Conflict
from core.identity import letters, totp
from core.identity.models import RecoveryCode, SecondFactor
from core.identity.proof import require_proof
from core.identity.sessions import Key, renew_session
from core.use_case import use_case

CODES = 10
_BYTES = 15
"""120 bits a code: more than anybody can try, so that a plain hash of it is enough (ASVS 5.0, 6.5.2)."""
_GROUP = 4
_SEALED_FOR = "second factor"


@dataclass(frozen=True, slots=True)
class State:
    """How somebody's second factor stands; `codes_left` counts the recovery codes not used yet."""

    is_on: bool
    codes_left: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What an authenticator app needs to know: the secret to type, or the address to read from a QR code."""

    secret: str
    address: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The recovery codes, to be shown this once, and the session's new key: what it may do has changed."""

    codes: tuple[str, ...]
    key: Key


@use_case(Permission.OWN_PROFILE)
def state(session: Session, scope: Scope) -> State:
    codes = select(func.count()).where(RecoveryCode.user_id == scope.user_id, RecoveryCode.used_at.is_(None))
    return State(is_on(session, scope.user_id), session.execute(codes).scalar_one())


@use_case(Permission.OWN_PROFILE)
def begin(session: Session, scope: Scope) -> None:
    """Make a secret that waits for its first code. Raises ProofNeeded; Conflict where one is in force already."""
    require_proof(session, scope)
    if is_on(session, scope.user_id):
        raise Conflict("identity.second_factor_on")
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == scope.user_id))
    sealed = sealing.seal(totp.new_secret().encode(), _purpose(scope.user_id))
    session.add(SecondFactor(user_id=scope.user_id, sealed_secret=sealed))


@use_case(Permission.OWN_PROFILE)
def offer(session: Session, scope: Scope) -> Offer | None:
    """The secret that waits for its first code, None where there is none. Raises ProofNeeded."""
    require_proof(session, scope)
    factor = session.get(SecondFactor, scope.user_id)
    if factor is None or factor.confirmed_at is not None:
        return None
    secret = _secret(factor)
    return Offer(secret, totp.address(secret, letters.reader(session, scope.user_id).email))


@use_case(Permission.OWN_PROFILE)
def confirm(session: Session, scope: Scope, code: str) -> Confirmed:
    """Put the second factor in force by its first code. Raises ProofNeeded; BadInput for a wrong code."""
    this = require_proof(session, scope)
    factor = session.get(SecondFactor, scope.user_id, with_for_update=True)
    step = totp.step_of(_secret(factor), code, time.time()) if factor and factor.confirmed_at is None else None
    if factor is None or step is None:
        raise BadInput("identity.wrong_code")
    factor.confirmed_at, factor.last_step = func.now(), step
    record_of_person(session, scope.user_id, "second_factor_added", session_id=scope.session_id)
    letters.write(session, letters.reader(session, scope.user_id), "second_factor_added")
    return Confirmed(_fresh_codes(session, scope.user_id), renew_session(session, this))


@use_case(Permission.OWN_PROFILE)
def renew_codes(session: Session, scope: Scope) -> tuple[str, ...]:
    """Ten new recovery codes; those from before no longer work. Raises ProofNeeded, BadInput without a factor."""
    require_proof(session, scope)
    if not is_on(session, scope.user_id):
        raise BadInput("identity.second_factor_off")
    record_of_person(session, scope.user_id, "recovery_codes_renewed", session_id=scope.session_id)
    letters.write(session, letters.reader(session, scope.user_id), "recovery_codes_renewed")
    return _fresh_codes(session, scope.user_id)


@use_case(Permission.OWN_PROFILE)
def remove(session: Session, scope: Scope) -> None:
    """Do without a second factor from now on. Raises ProofNeeded, BadInput where there is none."""
    require_proof(session, scope)
    if not is_on(session, scope.user_id):
        raise BadInput("identity.second_factor_off")
    for table in (SecondFactor, RecoveryCode):
        session.execute(delete(table).where(table.user_id == scope.user_id))
    record_of_person(session, scope.user_id, "second_factor_removed", session_id=scope.session_id)
    letters.write(session, letters.reader(session, scope.user_id), "second_factor_removed")


def is_on(session: Session, user_id: UUID) -> bool:
    """Room: whether signing in asks this person for a code."""
    question = select(SecondFactor.user_id).where(
        SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None)
    )
    return session.scalar(question) is not None


def take(session: Session, user_id: UUID, code: str) -> bool:
    """Room: use a code up, of the app or for recovery, and say whether it was good. None is good twice."""
    return _take_of_app(session, user_id, code) or _take_of_recovery(session, user_id, code)


def _take_of_app(session: Session, user_id: UUID, code: str) -> bool:
    factor = session.get(SecondFactor, user_id)
    if factor is None or factor.confirmed_at is None:
        return False
    step = totp.step_of(_secret(factor), code, time.time())
    if step is None:
        return False
    newer = or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < step)
    used_up = update(SecondFactor).where(SecondFactor.user_id == user_id, newer).values(last_step=step)
    return session.execute(used_up.returning(SecondFactor.user_id)).one_or_none() is not None


def _take_of_recovery(session: Session, user_id: UUID, code: str) -> bool:
    """Its person is told: whoever has lost their app knows of it, and whoever has not must learn of it."""
    unused = (RecoveryCode.user_id == user_id, RecoveryCode.code_hash == _hash(user_id, code))
    used_up = update(RecoveryCode).where(*unused, RecoveryCode.used_at.is_(None)).values(used_at=func.now())
    if session.execute(used_up.returning(RecoveryCode.id)).one_or_none() is None:
        return False
    record_of_person(session, user_id, "recovery_code_used")
    letters.write(session, letters.reader(session, user_id), "recovery_code_used")
    return True


def _fresh_codes(session: Session, user_id: UUID) -> tuple[str, ...]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = tuple(_written(secrets.token_bytes(_BYTES)) for _ in range(CODES))
    session.add_all(RecoveryCode(user_id=user_id, code_hash=_hash(user_id, code)) for code in codes)
    return codes


def _written(random: bytes) -> str:
    """In groups, in the letters and digits of base32, none of which look like another: `abcd-efgh-…`."""
    text = b32encode(random).decode().lower()
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def _hash(user_id: UUID, code: str) -> bytes:
    typed = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(user_id.bytes + typed.encode("utf-8", "surrogatepass")).digest()


def _secret(factor: SecondFactor) -> str:
    return sealing.opened(factor.sealed_secret, _purpose(factor.user_id)).decode()


def _purpose(user_id: UUID) -> str:
    """Bound to the person too: a sealed secret moved into another row does not open."""
    return f"{_SEALED_FOR} {user_id}"
