"""Access tokens of API clients: short-lived JWTs (RFC 9068 in spirit) that name a family of refresh tokens.

A signature alone lets nobody in: at each request the family and its person are looked up, so that signing out, a new
password and being disabled hold at once.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, OctKey
from sqlalchemy.orm import Session

from core import limits
from core.errors import NotSignedIn
from core.identity import families, second_factor
from core.identity.families import Member
from core.identity.signing_in import CODE_TRIES, who_knows
from core.identity.visitors import Visitor
from core.sealing import derived
from core.settings import settings
from core.use_case import unscoped

ACCESS_LASTS = timedelta(minutes=15)
AUDIENCE = "huntaze-api"
LONGEST = 4_000
"""Characters of a token that are looked at: ours are a tenth of that."""

_ALGORITHM = "HS256"
_TYPE = "at+jwt"
_NOT_A_TOKEN = (JoseError, ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What the reader stumbles over in headers that a stranger wrote: it looks at them before the signature."""
_PURPOSE = "access tokens of API clients, v1"


@dataclass(frozen=True, slots=True)
class Pair:
    """What an API client gets: both texts are secrets."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: timedelta


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a living access token speaks for."""

    user_id: UUID
    family: UUID


def sign_in(email: str, password: str, code: str | None, visitor: Visitor) -> Pair:
    """The first tokens for whoever knows the password, and has the code where a second factor is in force.

    Raises what `signing_in.who_knows` raises, and NotSignedIn for a code that is wanted or wrong.
    """
    user_id = who_knows(email, password, visitor)
    if code is not None:
        limits.count(CODE_TRIES, f"{user_id} ")
    _check_code(user_id, code)
    return issue(user_id)


@unscoped("the password was verified a moment ago, and the code is verified here")
def _check_code(session: Session, user_id: UUID, code: str | None) -> None:
    if not second_factor.is_on(session, user_id):
        return
    if code is None:
        raise NotSignedIn("tokens.code_wanted")
    if not second_factor.take(session, user_id, code):
        raise NotSignedIn("identity.wrong_code")


def issue(user_id: UUID) -> Pair:
    """The first tokens of a new family, for somebody whose sign-in was just verified."""
    return _pair(families.begin_family(user_id))


def refresh(token: str) -> Pair:
    """The next tokens of a family. Raises NotSignedIn, the same for every token that is not good."""
    member = families.rotate(token)
    if member is None:
        raise NotSignedIn("identity.sign_in_again")
    return _pair(member)


def bearer_of(token: str) -> Bearer:
    """Whom an access token speaks for. Raises NotSignedIn, the same for every token that is not good."""
    bearer = _read(token, datetime.now(UTC))
    if bearer is None or not families.is_alive(bearer.user_id, bearer.family):
        raise NotSignedIn("identity.sign_in_again")
    return bearer


def _pair(member: Member) -> Pair:
    return Pair(_signed(member, datetime.now(UTC)), member.token, ACCESS_LASTS)


def _signed(member: Member, now: datetime) -> str:
    key_id, key = derived(_PURPOSE)[0]
    claims = {
        "iss": settings().public_url,
        "aud": AUDIENCE,
        "sub": str(member.user_id),
        "sid": str(member.family),
        "jti": str(uuid4()),
        "iat": int(now.timestamp()),
        "exp": int((now + ACCESS_LASTS).timestamp()),
    }
    header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": key_id}
    return jwt.encode(header, claims, OctKey.import_key(key), algorithms=[_ALGORITHM])


def _read(text: str, now: datetime) -> Bearer | None:
    """What a token says, if it is one of ours and holds at that instant."""
    if len(text) > LONGEST or not text.isascii():
        return None
    try:
        token = jwt.decode(text, _key_of, algorithms=[_ALGORITHM])
        if token.header.get("typ") != _TYPE:
            return None
        _rules(now).validate(token.claims)
        return Bearer(UUID(str(token.claims["sub"])), UUID(str(token.claims["sid"])))
    except _NOT_A_TOKEN:
        return None


def _key_of(guest: GuestProtocol) -> OctKey:
    """The key that the header names, so that tokens made before a change of keys are good until they run out."""
    key = dict(derived(_PURPOSE)).get(str(guest.headers().get("kid")))
    if key is None:
        raise ValueError("no such key")
    return OctKey.import_key(key)


def _rules(now: datetime) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        iss={"essential": True, "value": settings().public_url},
        aud={"essential": True, "value": AUDIENCE},
        sub={"essential": True},
        sid={"essential": True},
        jti={"essential": True},
        iat={"essential": True},
        exp={"essential": True},
    )
