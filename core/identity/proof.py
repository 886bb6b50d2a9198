"""Sensitive deeds ask for a proof of who is at the keyboard that is not older than some minutes."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.errors import NotAllowed
from core.identity.models import WebSession
from core.use_case import use_case

HOLDS = timedelta(minutes=10)
"""How long a proof holds: signing in is one, and so is the page `/account/prove`."""


class ProofNeeded(NotAllowed):
    """The deed waits until the person has shown again who they are, on the page `/account/prove`."""


@use_case(Permission.OWN_PROFILE)
def is_proved(session: Session, scope: Scope) -> bool:
    """Whether this browser's person has proved who they are in the last ten minutes. Never true of an API key."""
    return _is_proved(session, scope)


def require_proof(session: Session, scope: Scope) -> UUID:
    """Room: raises ProofNeeded unless the session that asks was proved in the last ten minutes. Returns its id."""
    if scope.session_id is None or not _is_proved(session, scope):
        raise ProofNeeded("identity.prove_again")
    return scope.session_id


def _is_proved(session: Session, scope: Scope) -> bool:
    question = select(WebSession.id).where(
        WebSession.id == scope.session_id,
        WebSession.user_id == scope.user_id,
        WebSession.revoked_at.is_(None),
        WebSession.proved_at > func.now() - HOLDS,
    )
    return session.scalar(question) is not None
