"""Keys with which programs ask in a person's stead: shown once, never stronger than who made them."""

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from core import audit
from core.access import OF_WORKSPACE, Permission, Scope
from core.errors import BadInput, Conflict, NotFound, NotSignedIn
from core.identity.models import User
from core.identity.service import a_display_name
from core.use_case import use_case
from core.workspaces.models import ApiKey
from core.workspaces.pointers import Lead, hashed, lead_of, point
from core.workspaces.service import open_scope

GRANTABLE = OF_WORKSPACE - {Permission.LEAVE_ACCOUNT}
"""What a key can be for: work in workspaces, never the account, its people, or leaving it."""
MOST = 50
"""Keys of one account that work at the same time."""
LONGEST_LIFE = timedelta(days=3650)
NOTED_EVERY = timedelta(minutes=1)
"""A use is written at most this often: a question must not cost a write."""
_KIND = "api_key"
_MARK = "hz_"
LONGEST = 200
"""Characters of a key that are looked at: ours have less than half of that."""


@dataclass(frozen=True, slots=True)
class ShownOnce:
    """A key as it is made: nobody can read it again."""

    id: UUID
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as its account's owners see it. `prefix` is how it begins, `maker` the name of who made it."""

    id: UUID
    name: str
    prefix: str
    maker: str
    permissions: frozenset[Permission]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    is_over: bool


@dataclass(frozen=True, slots=True)
class _Held:
    key_id: UUID
    account_id: UUID
    user_id: UUID
    permissions: frozenset[Permission]


def make_key(
    session: Session, scope: Scope, name: str, permissions: Collection[Permission], expires_in: timedelta | None
) -> ShownOnce:
    """Room: a new key of the one account in view. The plan is the caller's question: `core.billing.keys` asks it.

    Raises BadInput for an empty name, for no permission or one that keys cannot have, and for a life that is none;
    Conflict when the account has as many keys as it may.
    """
    allowed = frozenset(permissions)
    if not allowed or not allowed <= GRANTABLE:
        raise BadInput("api_keys.bad_permissions")
    if expires_in is not None and not timedelta(0) < expires_in <= LONGEST_LIFE:
        raise BadInput("api_keys.bad_expiry", most=LONGEST_LIFE.days)
    if len(session.scalars(select(ApiKey.id).where(ApiKey.account_id == scope.account_id, _WORKS)).all()) >= MOST:
        raise Conflict("api_keys.too_many", most=MOST)
    prefix = _MARK + secrets.token_hex(4)
    key = f"{prefix}_{secrets.token_hex(32)}"
    made = ApiKey(
        account_id=scope.account_id,
        user_id=scope.user_id,
        name=a_display_name(name),
        prefix=prefix,
        key_hash=hashed(key),
        permissions=sorted(allowed),
        expires_at=None if expires_in is None else func.now() + expires_in,
    )
    session.add(made)
    session.flush()
    point(session, _KIND, key, Lead(made.account_id, made.id))
    days = None if expires_in is None else expires_in.days
    audit.record(session, scope, "api_key_made", made.name, after={"permissions": sorted(allowed), "days": days})
    return ShownOnce(made.id, key)


@use_case(Permission.MANAGE_API_KEYS)
def api_keys(session: Session, scope: Scope) -> tuple[KeyView, ...]:
    """The keys of the one account in view that were not revoked, the newest first."""
    found = session.execute(
        select(ApiKey, User.display_name, _WORKS.label("works"))
        .join(User, User.id == ApiKey.user_id)
        .where(ApiKey.account_id == scope.account_id, ApiKey.revoked_at.is_(None))
        .order_by(ApiKey.created_at.desc(), ApiKey.id)
    )
    return tuple(
        KeyView(
            one.id,
            one.name,
            one.prefix,
            maker,
            _permissions(one),
            one.created_at,
            one.expires_at,
            one.last_used_at,
            not works,
        )
        for one, maker, works in found
    )


@use_case(Permission.MANAGE_API_KEYS)
def revoke_api_key(session: Session, scope: Scope, key_id: UUID) -> None:
    """End a key at once. Raises NotFound for one that is revoked, unknown or another account's."""
    name = session.execute(
        update(ApiKey)
        .where(ApiKey.account_id == scope.account_id, ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(ApiKey.name)
    ).scalar_one_or_none()
    if name is None:
        raise NotFound("access.not_found")
    audit.record(session, scope, "api_key_revoked", name)


def is_key(text: str) -> bool:
    """Whether a text is of the form of our keys. Pure."""
    return text.startswith(_MARK)


def scope_of_key(key: str) -> Scope:
    """What a key lets a program see: its account's workspaces, in the roles that its maker holds there now, and at
    most what the key is for.

    Raises NotSignedIn, the same for a key that is unknown, revoked or over as for one whose maker may no longer come
    in or has left the account.
    """
    lead = lead_of(_KIND, key) if len(key) <= LONGEST else None
    held = _held(Scope.for_account(lead.account_id), lead.object_id, hashed(key)) if lead else None
    if held is None:
        raise NotSignedIn("api_keys.unknown")
    try:
        return open_scope(held.user_id).as_key(held.account_id, held.key_id, held.permissions)
    except NotSignedIn:
        raise NotSignedIn("api_keys.unknown") from None


@use_case(Permission.MANAGE_API_KEYS)
def _held(session: Session, scope: Scope, key_id: UUID, key_hash: bytes) -> _Held | None:
    which = (ApiKey.account_id == scope.account_id, ApiKey.id == key_id)
    stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.now() - NOTED_EVERY)
    found = session.execute(select(ApiKey, stale.label("worth_noting")).where(*which, _WORKS)).one_or_none()
    if found is None or not hmac.compare_digest(found.ApiKey.key_hash, key_hash):
        return None
    if found.worth_noting:
        session.execute(update(ApiKey).where(*which, stale).values(last_used_at=func.now()))
    one = found.ApiKey
    return _Held(one.id, one.account_id, one.user_id, _permissions(one))


def _permissions(key: ApiKey) -> frozenset[Permission]:
    """Names that no longer stand for anything, or for more than a key may do, allow nothing."""
    return frozenset(one for one in GRANTABLE if one in key.permissions)


_WORKS: ColumnElement[bool] = ApiKey.revoked_at.is_(None) & or_(
    ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now()
)
