"""Where a secret leads: from its SHA-256 to an account and one thing of it, and to nothing that anybody could read."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.use_case import unscoped
from core.workspaces.models import TenantPointer


@dataclass(frozen=True, slots=True)
class Lead:
    """What a secret leads to: a thing of a kind that the asker named, and the account that it is in."""

    account_id: UUID
    object_id: UUID


def hashed(secret: str) -> bytes:
    """A plain hash is enough: our secrets are random, so there is nothing to guess faster."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def point(session: Session, kind: str, secret: str, lead: Lead) -> None:
    """Room: from now on the secret leads there."""
    session.add(
        TenantPointer(token_hash=hashed(secret), kind=kind, account_id=lead.account_id, object_id=lead.object_id)
    )


@unscoped("the secret is what says where it leads; a pointer holds no tenant's data")
def lead_of(session: Session, kind: str, secret: str) -> Lead | None:
    """Where a secret leads among the things of a kind; None for an unknown one."""
    found = session.execute(
        select(TenantPointer.account_id, TenantPointer.object_id).where(
            TenantPointer.token_hash == hashed(secret), TenantPointer.kind == kind
        )
    ).one_or_none()
    return Lead(found.account_id, found.object_id) if found else None


def drop(session: Session, kind: str, object_ids: Collection[UUID]) -> None:
    """Room: no secret leads to these things any more."""
    session.execute(delete(TenantPointer).where(TenantPointer.kind == kind, TenantPointer.object_id.in_(object_ids)))
